//! The name of an object together with its namespace.

use std::fmt;
use std::str::FromStr;

use crate::kube::name::{is_dns_label, is_dns_subdomain};

/// A namespace and the name of an object in it: `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespacedName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// Text that is no `NAMESPACE/NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected NAMESPACE/NAME")]
pub struct NamespacedNameError;

impl NamespacedName {
    /// The name of an object that the API server named.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl FromStr for NamespacedName {
    type Err = NamespacedNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_once('/')
            .filter(|(namespace, name)| is_dns_label(namespace) && is_dns_subdomain(name))
            .map(|(namespace, name)| Self::new(namespace, name))
            .ok_or(NamespacedNameError)
    }
}

impl fmt::Display for NamespacedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_have_to_be_names() {
        let secret: NamespacedName = "restraint/seal.keys".parse().unwrap();
        assert_eq!(secret, NamespacedName::new("restraint", "seal.keys"));
        assert_eq!(secret.to_string(), "restraint/seal.keys");
        for text in
            ["", "keys", "/keys", "restraint/", "a/b/c", "Restraint/keys", "a.b/keys", "a/../keys?"]
        {
            assert!(text.parse::<NamespacedName>().is_err(), "{text}");
        }
    }
}
