//! Settings in files that known ConfigMaps carry: the options of a virtual machine, the
//! configuration of Redis.

use crate::kube::container::Container;

use super::bound::{Bound, Size};
use super::java::Java;
use super::known_file::{is_of_redis, is_options};
use super::launch::ScriptReader;
use super::server::maxmemory_in;
use super::setting::{Setting, Source, Written};

/// Programs whose start scripts read options of the virtual machine from files.
const READERS: [&str; 7] =
    ["trino", "presto", "starburst", "elasticsearch", "opensearch", "logstash", "cassandra"];

/// What files say of what nothing else sets.
pub(super) fn settings(
    reader: &dyn ScriptReader,
    container: &Container<'_>,
    heap: &Setting<Size>,
    data: &Setting<u64>,
) -> Vec<(Setting<Size>, Bound)> {
    let mut settings = Vec::new();
    let reads = |programs: &[&str]| {
        let text =
            |program: &&str| container.image.contains(program) || container.name.contains(program);
        programs.iter().any(text)
    };
    for file in reader.files() {
        let name = format!("{} of ConfigMap {:?}", file.key, file.object);
        if is_options(file.key) && reads(&READERS) && matches!(heap, Setting::Absent) {
            settings.push((Java::of_file(&name, file.text).heap(), Bound::Heap));
        } else if is_of_redis(file.key)
            && reads(&["redis", "valkey"])
            && matches!(data, Setting::Absent)
            && let Some((line, size)) = maxmemory_in(file.text)
        {
            let written = Written::within(line, Source::File(&name));
            settings.push((Setting::Known(Size::Bytes(size), written), Bound::Data));
        }
    }
    settings
}
