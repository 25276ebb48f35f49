//! Versions of Kubernetes.

use std::str::FromStr;

/// The version of an API server or a kubelet, 1.MINOR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// MINOR; `None` where it is no number.
    pub minor: Option<u16>,
    /// As it is written.
    pub text: String,
}

impl Version {
    /// Reads `v1.36.2` or `1.36+`.
    pub fn read(text: &str) -> Self {
        let minor = text.trim_start_matches('v').strip_prefix("1.").and_then(|rest| {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            rest.get(..end)?.parse().ok()
        });
        Self { minor, text: text.to_owned() }
    }
}

/// A text that is no version of Kubernetes.
#[derive(Debug, thiserror::Error)]
#[error("no version of Kubernetes: it is written as 1.36 or v1.36.2")]
pub struct VersionError;

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Some(Self::read(text)).filter(|version| version.minor.is_some()).ok_or(VersionError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_clouds_write_them() {
        for (text, minor) in [
            ("v1.36.2", Some(36)),
            ("1.33+", Some(33)),
            ("v1.31.4-eks-a1", Some(31)),
            ("v2.0.0", None),
            ("", None),
        ] {
            assert_eq!(Version::read(text).minor, minor, "{text}");
            assert_eq!(text.parse::<Version>().is_ok(), minor.is_some(), "{text}");
        }
    }
}
