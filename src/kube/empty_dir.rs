//! `emptyDir` volumes that lie in memory.

use crate::json::text::Text;
use crate::json::{self, fields};

use super::quantity::Quantity;
use super::volume::Volume;

/// `volumes[].emptyDir`, as far as it says how much memory its files may take.
#[derive(Clone, Debug, Default)]
pub(crate) struct EmptyDir<'a> {
    /// `medium`: `Memory`, huge pages or, empty, the disk of the node.
    medium: Text<'a>,
    /// `sizeLimit`.
    size_limit: Option<Quantity<'a>>,
}

fields!(EmptyDir { "medium" => medium, "sizeLimit" => size_limit });

impl<'v> Volume<'v> {
    /// The `emptyDir` it is, where it lies in memory. One of another shape than the API server
    /// takes counts as none.
    pub(crate) fn in_memory(&self) -> Option<EmptyDir<'v>> {
        let empty_dir: EmptyDir<'v> = json::read(self.empty_dir?.get()).ok()?;
        (*empty_dir.medium == *"Memory").then_some(empty_dir)
    }
}

impl<'a> EmptyDir<'a> {
    /// The most that its files may take; `None` where nothing but the memory of the pod limits them,
    /// which is what the kubelet makes of `0`.
    pub(crate) fn size(&self) -> Option<&Quantity<'a>> {
        self.size_limit.as_ref().filter(|size| !size.is_zero())
    }

    /// The same in bytes.
    pub(crate) fn bytes(&self) -> Option<i128> {
        // more than 64 bits are more than any limit
        self.size().map(|size| size.value().unwrap_or(i64::MAX).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_in_memory_have_a_size() {
        let size = |json: &str| {
            let text = format!(r#"{{"name": "v", "emptyDir": {json}}}"#);
            let volume: Volume<'_> = json::read(&text).unwrap();
            volume.in_memory().map(|empty_dir| empty_dir.bytes())
        };
        assert_eq!(size(r#"{"medium": "Memory", "sizeLimit": "1Ki"}"#), Some(Some(1024)));
        assert_eq!(size(r#"{"medium": "Memory", "sizeLimit": 2048}"#), Some(Some(2048)));
        assert_eq!(
            size(r#"{"medium": "Memory", "sizeLimit": "9223372036854775808"}"#),
            Some(Some(i64::MAX.into()))
        );
        for unlimited in [r#"{"medium": "Memory"}"#, r#"{"medium": "Memory", "sizeLimit": "0"}"#] {
            assert_eq!(size(unlimited), Some(None), "{unlimited}");
        }
        for other in ["{}", "null", r#"{"sizeLimit": "1Ki"}"#, r#"{"medium": "HugePages"}"#, "[]"] {
            assert_eq!(size(other), None, "{other}");
        }
    }
}
