//! Policies in a ConfigMap: what the folder shows once the kubelet has caught up.

use k8s_openapi::api::core::v1::ConfigMap;

use super::set::{Contents, is_policy_file};

/// Why a ConfigMap has no policies to read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigMapError {
    /// It has no policy files.
    #[error("the config map has no entries that end in .yaml or .yml")]
    Empty,
    /// An entry is no text.
    #[error("entry \"{0}\" of the config map is not UTF-8")]
    NoText(String),
}

/// The policy files in `map`, as a folder would show them.
///
/// # Errors
///
/// Where there are none, or one of them is no text.
pub(crate) fn contents(map: ConfigMap) -> Result<Contents, ConfigMapError> {
    let mut contents = map.data.unwrap_or_default();
    contents.retain(|name, _| is_policy_file(name));
    for (name, bytes) in map.binary_data.unwrap_or_default() {
        if is_policy_file(&name) {
            let text = String::from_utf8(bytes.0);
            let text = text.map_err(|_| ConfigMapError::NoText(name.clone()))?;
            contents.insert(name, text);
        }
    }
    if contents.is_empty() { Err(ConfigMapError::Empty) } else { Ok(contents) }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    fn map(data: &[(&str, &str)], binary_data: &[(&str, &[u8])]) -> ConfigMap {
        let text = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let bytes =
            |(name, bytes): &(&str, &[u8])| ((*name).to_owned(), ByteString(bytes.to_vec()));
        ConfigMap {
            data: Some(data.iter().map(text).collect()),
            binary_data: Some(binary_data.iter().map(bytes).collect()),
            ..ConfigMap::default()
        }
    }

    #[test]
    fn policy_files_are_told_from_what_else_is_there() {
        let data = [("a.yaml", "A"), ("b.yml", "B"), ("readme.txt", "C"), (".hidden.yaml", "D")];
        let found = contents(map(&data, &[("e.yaml", b"E"), ("logo.png", &[0xff])])).unwrap();
        let found: Vec<_> = found.iter().map(|(name, text)| (&**name, &**text)).collect();
        assert_eq!(found, [("a.yaml", "A"), ("b.yml", "B"), ("e.yaml", "E")]);
    }

    #[test]
    fn nothing_and_no_text_are_refused() {
        assert_eq!(contents(ConfigMap::default()), Err(ConfigMapError::Empty));
        assert_eq!(contents(map(&[("readme.txt", "C")], &[])), Err(ConfigMapError::Empty));
        let error = contents(map(&[("a.yaml", "A")], &[("b.yaml", &[0xff])])).unwrap_err();
        assert_eq!(error.to_string(), "entry \"b.yaml\" of the config map is not UTF-8");
    }
}
