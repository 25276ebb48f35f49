//! The flags about recordings.

use anyhow::Context;

use crate::kube::quantity::Quantity;
use crate::serve::recorder::Segments;

use super::Options;

/// The least that recordings may take, in bytes.
const LEAST: u64 = 1024 * 1024;

/// Reads a size: `256MiB`, or a quantity as in manifests.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let quantity = text.strip_suffix('B').filter(|text| text.ends_with('i')).unwrap_or(text);
    let bytes = Quantity::parse(quantity).ok().and_then(|quantity| quantity.value());
    let bytes = bytes
        .and_then(|bytes| u64::try_from(bytes).ok())
        .ok_or("a size looks like 256MiB or 1Gi")?;
    if bytes < LEAST { Err("recordings need at least 1MiB".to_owned()) } else { Ok(bytes) }
}

impl Options {
    /// Opens the folder for recordings, if there is to be one.
    pub(in crate::serve) fn recordings(&self) -> anyhow::Result<Option<Segments>> {
        let open = |folder: &std::path::PathBuf| {
            Segments::open(folder, self.record_limit)
                .with_context(|| format!("cannot record in \"{}\"", folder.display()))
        };
        self.record.as_ref().map(open).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("256MiB"), Ok(256 << 20));
        assert_eq!(size("1Gi"), Ok(1 << 30));
        assert_eq!(size("2000000"), Ok(2_000_000));
        for text in ["", "256MB", "1KiB", "-1Gi", "lots", "1E30"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
