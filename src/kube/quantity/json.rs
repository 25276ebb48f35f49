//! Quantities in JSON.

use std::borrow::Cow;

use crate::json::text::Text;
use crate::json::{self, Decode, Failed, Fault, Reader};

use super::Quantity;

/// What a quantity is in JSON.
const QUANTITY: &str = "a quantity, that is a string such as \"256Mi\" or a number";

/// From a JSON string or the digits of a JSON number.
///
/// As the API server does, it ignores blanks around the quantity in a string; [`Quantity::text`]
/// is without them.
impl<'a> Decode<'a> for Quantity<'a> {
    const INSTEAD_OF_NULL: Option<&'static str> = Some(QUANTITY);

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Failed> {
        let start = match reader.peek() {
            Some(b'"' | b'-' | b'0'..=b'9') => reader.at(),
            _ if reader.null()? => return Ok(()),
            _ => return Err(reader.expected(QUANTITY)),
        };
        let parsed = match reader.peek() {
            Some(b'"') => Self::parse(trimmed(reader.text()?)),
            _ => Self::parse(reader.number()?),
        };
        *self = parsed.map_err(|_| reader.fail_at(start, Fault::Refused(refusal)))?;
        Ok(())
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// What is wrong with `json`.
fn refusal(json: &str) -> String {
    let parsed = match json::read::<Text<'_>>(json) {
        Ok(text) => Quantity::parse(text.trim()).err(),
        Err(_) => Quantity::parse(json).err(),
    };
    parsed.map(|error| error.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity<'_> {
        Quantity::parse(text).unwrap()
    }

    /// What it is, or what is said of what it is not.
    fn decode(json: &str) -> Result<Quantity<'_>, String> {
        json::read(json).map_err(|error| match error.fault() {
            Fault::Expected(what) => what.to_owned(),
            Fault::Refused(explain) => explain(error.value(json)),
            Fault::NoJson | Fault::Broken(_) => error.to_string(),
        })
    }

    #[test]
    fn plain_json_is_borrowed() {
        for (json, text) in [
            (r#""256Mi""#, "256Mi"),
            (r#"" 1.5Gi ""#, "1.5Gi"),
            ("1.50", "1.50"),
            (" -1E+3 ", "-1E+3"),
        ] {
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
        for json in ["null", "true", "false", "[1]", r#"{"a":1}"#] {
            assert_eq!(decode(json).unwrap_err(), QUANTITY, "{json}");
        }
        for (json, start) in [
            (r#""1K""#, "\"1K\" is not a quantity"),
            (r#""""#, "\"\" is not"),
            (r#"" a\u0062""#, "\"ab\" is not"),
        ] {
            assert!(decode(json).unwrap_err().starts_with(start), "{json}");
        }
        for json in [r#""\ud800""#, r#""1"#, "1m", "1Ki", "1.", "01", "-", "+1"] {
            assert!(decode(json).unwrap_err().starts_with("not JSON"), "{json}");
        }
    }

    #[test]
    fn decodes_inside_of_other_json() {
        let list: Vec<Option<Quantity<'_>>> = json::read(r#"["1Gi", null, 1073741824]"#).unwrap();
        assert_eq!(list, [Some(quantity("1Gi")), None, Some(quantity("1024Mi"))]);
    }
}
