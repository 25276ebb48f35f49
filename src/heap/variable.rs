//! Variables that set the memory of one program by their name alone: one row each.

use super::bound::{Bound, Size};
use super::size;

/// A variable that start scripts or runtimes ask for.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// Part of the name of the image or the container without which it may be anybody's.
    pub(super) image: &'static str,
    pub(super) bound: Bound,
    pub(super) read: fn(&str) -> Option<Size>,
}

const fn row(name: &'static str, read: fn(&str) -> Option<Size>) -> Row {
    Row { name, image: "", bound: Bound::Heap, read }
}

/// Every variable that is known, but for those that hold options.
const ROWS: [Row; 30] = [
    // .NET
    row("DOTNET_GCHeapHardLimit", hexadecimal),
    row("COMPlus_GCHeapHardLimit", hexadecimal),
    row("DOTNET_GCHeapHardLimitPercent", hexadecimal_percentage),
    row("COMPlus_GCHeapHardLimitPercent", hexadecimal_percentage),
    // search
    row("ELASTICSEARCH_HEAP_SIZE", java),
    row("OPENSEARCH_HEAP_SIZE", java),
    row("ES_HEAP_SIZE", java),
    row("LS_HEAP_SIZE", java),
    row("LOGSTASH_HEAP_SIZE", java_or_mebibytes),
    row("SOLR_HEAP", java),
    // stores
    Row { image: "cassandra", ..row("MAX_HEAP_SIZE", java) },
    row("ZOO_HEAP_SIZE", java_or_mebibytes),
    row("ZK_SERVER_HEAP", java_or_mebibytes),
    row("ZK_HEAP_SIZE", java),
    row("HADOOP_HEAPSIZE", java_or_mebibytes),
    row("HADOOP_HEAPSIZE_MAX", java_or_mebibytes),
    row("HBASE_HEAPSIZE", java_or_mebibytes),
    row("DRUID_XMX", java),
    row("NEO4J_server_memory_heap_max__size", java),
    row("NEO4J_dbms_memory_heap_max__size", java),
    // others on the Java virtual machine
    row("JAVA_XMX", java),
    row("JVM_XMX", java),
    row("JVM_MAXIMUM_MEMORY", java),
    row("NIFI_JVM_HEAP_MAX", java),
    Row { image: "spark", ..row("SPARK_DAEMON_MEMORY", java) },
    Row { image: "minecraft", ..row("MEMORY", java) },
    Row { image: "minecraft", ..row("MAX_MEMORY", java) },
    // Red Hat's images
    row("MAX_RAM_PERCENTAGE", percentage),
    row("JAVA_MAX_RAM_PERCENTAGE", percentage),
    row("JAVA_MAX_MEM_RATIO", ratio),
];

/// How the names of the rows begin, by their length: a bit for each letter. Of hundreds of variables
/// hardly one is known, and this tells most of them without a look at the rows.
#[expect(clippy::indexing_slicing, reason = "the compiler works it out, and stops where it cannot")]
const BEGINNINGS: [u32; 64] = {
    let mut beginnings = [0; 64];
    let mut row = 0;
    while row < ROWS.len() {
        let name = ROWS[row].name.as_bytes();
        beginnings[name.len()] |= letter(name[0]);
        row += 1;
    }
    beginnings
};

const fn letter(byte: u8) -> u32 {
    1 << (byte & 31)
}

/// The row of the variable `name`.
pub(super) fn known(name: &str) -> Option<&'static Row> {
    let (first, beginnings) = (name.as_bytes().first()?, BEGINNINGS.get(name.len())?);
    if beginnings & letter(*first) == 0 {
        return None;
    }
    ROWS.iter().find(|row| row.name == name)
}

fn java(text: &str) -> Option<Size> {
    size::hotspot(text).map(Size::Bytes)
}

/// A size as Java reads it, or else mebibytes.
fn java_or_mebibytes(text: &str) -> Option<Size> {
    let mebibytes = || text.parse::<u64>().ok()?.checked_mul(1 << 20).map(Size::Bytes);
    if text.bytes().all(|byte| byte.is_ascii_digit()) { mebibytes() } else { java(text) }
}

/// .NET takes every number of these variables for hexadecimal, with `0x` or without.
fn number(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|number| plain && *number > 0)
}

fn hexadecimal(text: &str) -> Option<Size> {
    number(text).map(Size::Bytes)
}

fn hexadecimal_percentage(text: &str) -> Option<Size> {
    let percent = number(text).and_then(|number| u32::try_from(number).ok())?;
    (percent <= 100).then(|| Size::Share(f64::from(percent)))
}

fn percentage(text: &str) -> Option<Size> {
    size::percentage(text).map(Size::Share)
}

/// 0 leaves the heap to the virtual machine.
fn ratio(text: &str) -> Option<Size> {
    size::percentage(text).filter(|share| *share > 0.0).map(Size::Share)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_by_its_own_rules() {
        const MIB: u64 = 1 << 20;
        for (name, value, expected) in [
            ("DOTNET_GCHeapHardLimit", "0x40000000", Some(Size::Bytes(1 << 30))),
            ("DOTNET_GCHeapHardLimit", "C800000", Some(Size::Bytes(200 * MIB))),
            ("DOTNET_GCHeapHardLimit", "1Gi", None),
            ("DOTNET_GCHeapHardLimitPercent", "64", Some(Size::Share(100.0))),
            ("DOTNET_GCHeapHardLimitPercent", "0x4B", Some(Size::Share(75.0))),
            ("DOTNET_GCHeapHardLimitPercent", "90", None),
            ("ELASTICSEARCH_HEAP_SIZE", "1024m", Some(Size::Bytes(1024 * MIB))),
            ("ZOO_HEAP_SIZE", "1024", Some(Size::Bytes(1024 * MIB))),
            ("HADOOP_HEAPSIZE_MAX", "4g", Some(Size::Bytes(4096 * MIB))),
            ("MAX_RAM_PERCENTAGE", "80.0", Some(Size::Share(80.0))),
            ("JAVA_MAX_MEM_RATIO", "0", None),
        ] {
            assert_eq!((known(name).unwrap().read)(value), expected, "{name} {value}");
        }
        assert_eq!(ROWS.iter().map(|row| row.name).collect::<BTreeSet<_>>().len(), ROWS.len());
    }
}
