//! What is said of a text that is no quantity.

use std::fmt;

/// A text that is no quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityError {
    shown: String,
}

impl QuantityError {
    /// The longest part of a text that is shown, in characters: a message has room for 120.
    const SHOWN: usize = 40;

    pub(super) fn about(text: &str) -> Self {
        let mut shown = String::new();
        let mut room = Self::SHOWN;
        for character in text.chars() {
            let escaped = character.escape_debug();
            let Some(left) = room.checked_sub(escaped.len()) else {
                shown.push_str("...");
                break;
            };
            shown.extend(escaped);
            room = left;
        }
        Self { shown }
    }
}

impl fmt::Display for QuantityError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "\"{}\" is not a quantity, write it like \"256Mi\", \"1.5Gi\", \"500m\" or \"1e3\"",
            self.shown
        )
    }
}

impl std::error::Error for QuantityError {}

#[cfg(test)]
mod tests {
    use crate::kube::quantity::Quantity;

    #[test]
    fn an_error_names_the_text_and_shows_the_right_form() {
        let message = |text: &str| Quantity::parse(text).unwrap_err().to_string();
        let form = "is not a quantity, write it like \"256Mi\", \"1.5Gi\", \"500m\" or \"1e3\"";
        assert_eq!(message("256 MB"), format!("\"256 MB\" {form}"));
        assert_eq!(message(""), format!("\"\" {form}"));
        assert_eq!(message("1\n\"\u{202e}"), format!("\"1\\n\\\"\\u{{202e}}\" {form}"));
        assert_eq!(message(&"x".repeat(40)), format!("\"{}\" {form}", "x".repeat(40)));
        assert_eq!(message(&"x".repeat(41)), format!("\"{}...\" {form}", "x".repeat(40)));
        assert_eq!(message(&"\0".repeat(1000)), format!("\"{}...\" {form}", "\\0".repeat(20)));
        assert!(message(&"\u{7f}".repeat(1000)).chars().count() <= 120);
    }
}
