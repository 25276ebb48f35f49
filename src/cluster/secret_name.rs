//! Where a Secret is.

use std::fmt;
use std::str::FromStr;

/// The namespace and the name of a Secret, written `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    /// The namespace.
    pub namespace: String,
    /// The name in it.
    pub name: String,
}

impl FromStr for SecretName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        };
        match text.split_once('/') {
            Some((namespace, name)) if sound(namespace) && sound(name) => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err("a secret is named NAMESPACE/NAME"),
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_with_its_namespace() {
        let name: SecretName = "restraint/keys".parse().unwrap();
        assert_eq!(name.to_string(), "restraint/keys");
        for text in
            ["", "keys", "/keys", "restraint/", "a/b/c", "Restraint/keys", "restraint/../keys?"]
        {
            assert!(text.parse::<SecretName>().is_err(), "{text}");
        }
    }
}
