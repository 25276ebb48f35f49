//! Quantities in JSON.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

use super::Quantity;
use crate::kube::json::Raw;

/// From a JSON string or the digits of a JSON number, straight from [`crate::kube::json`] or from serde_json's text: no other
/// deserializer hands out a number's own digits.
///
/// As the API server does, it forgives blanks around the quantity in a string; [`Quantity::text`] is without them.
impl<'de: 'a, 'a> Deserialize<'de> for Quantity<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Raw::deserialize(deserializer)?.get();
        let unexpected = match json.as_bytes().first() {
            Some(b'"') => {
                return Self::parse(unquoted(json).map_err(D::Error::custom)?).map_err(D::Error::custom);
            }
            Some(b'-' | b'0'..=b'9') => return Self::parse(json).map_err(D::Error::custom),
            Some(b'{') => Unexpected::Map,
            Some(b'[') => Unexpected::Seq,
            Some(b't') => Unexpected::Bool(true),
            Some(b'f') => Unexpected::Bool(false),
            _ => Unexpected::Unit,
        };
        Err(D::Error::invalid_type(unexpected, &"a quantity, that is a string such as \"256Mi\" or a number"))
    }
}

fn unquoted(json: &str) -> serde_json::Result<Cow<'_, str>> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain.trim())),
        _ => serde_json::from_str::<String>(json).map(|decoded| Cow::Owned(decoded.trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity<'_> {
        Quantity::parse(text).unwrap()
    }

    fn decode(json: &str) -> Result<Quantity<'_>, String> {
        let from_text = serde_json::from_str(json).map_err(|error| error.to_string());
        assert_eq!(from_text, serde_json::from_slice(json.as_bytes()).map_err(|error| error.to_string()));
        from_text
    }

    #[test]
    fn plain_json_is_borrowed() {
        for (json, text) in [(r#""256Mi""#, "256Mi"), (r#"" 1.5Gi ""#, "1.5Gi"), ("1.50", "1.50"), (" -1E+3 ", "-1E+3")] {
            let quantity = decode(json).unwrap();
            assert_eq!(quantity.text(), text);
            assert!(matches!(quantity.text, Cow::Borrowed(_)), "{json}");
        }
    }

    #[test]
    fn json_numbers_keep_their_digits() {
        assert_eq!(decode("9007199254740993").unwrap().value(), Some(9_007_199_254_740_993));
        assert_eq!(decode("0.1234567890123456789e1").unwrap(), quantity("1234567891n"));
        assert_eq!(decode("1e400").unwrap().canonical(), "10e399");
    }

    #[test]
    fn json_strings_are_unescaped() {
        let escaped = decode(r#""\t25\u0036M\u0069""#).unwrap();
        assert_eq!((escaped.text(), &escaped), ("256Mi", &quantity("256Mi")));
    }

    #[test]
    fn other_json_is_an_error_that_says_so() {
        for (json, what) in
            [("null", "null"), ("true", "boolean `true`"), ("false", "boolean `false`"), ("[1]", "sequence"), (r#"{"a":1}"#, "map")]
        {
            let message = decode(json).unwrap_err();
            let expected = format!("invalid type: {what}, expected a quantity, that is a string such as \"256Mi\" or a number");
            assert!(message.starts_with(&expected), "{message}");
        }
        for (json, start) in [(r#""1K""#, "\"1K\" is not a quantity"), (r#""""#, "\"\" is not"), (r#""\ud800""#, ""), (r#""1"#, "EOF")] {
            assert!(decode(json).unwrap_err().starts_with(start), "{json}");
        }
    }

    #[test]
    fn decodes_inside_of_other_json() {
        let list: Vec<Option<Quantity<'_>>> = serde_json::from_str(r#"["1Gi", null, 1073741824]"#).unwrap();
        assert_eq!(list, [Some(quantity("1Gi")), None, Some(quantity("1024Mi"))]);
    }
}
