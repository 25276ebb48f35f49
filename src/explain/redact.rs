//! What may be shown of a value: never what may be secret.

use serde_json::Value;

use crate::manifest::unstructured::Unstructured;

use super::difference::Path;

/// What stands for a value that is not shown.
pub(crate) const NOT_SHOWN: &str = "(not shown)";

/// The longest text that is shown, in characters.
const LONGEST: usize = 80;

/// `value` as it may be shown: contents of ConfigMaps and Secrets, values of variables, lists and
/// objects, and whatever a kind holds that is not known here are not.
pub(super) fn shown(
    object: &Unstructured,
    is_known: bool,
    path: &Path,
    value: Option<&Value>,
) -> Value {
    let Some(value) = value else { return Value::Null };
    match value {
        _ if is_secret(object, is_known, path) => NOT_SHOWN.into(),
        Value::String(text) if text.chars().count() > LONGEST => {
            Value::String(text.chars().take(LONGEST).chain(['…']).collect())
        }
        Value::Array(_) | Value::Object(_) => NOT_SHOWN.into(),
        value => value.clone(),
    }
}

fn is_secret(object: &Unstructured, is_known: bool, path: &Path) -> bool {
    let words = path.words();
    let content = matches!(object.kind.as_str(), "ConfigMap" | "Secret")
        && words.first() != Some(&"metadata")
        && path.steps().len() > 1;
    let variable = matches!(words.as_slice(), [.., "env", "*", "value"]);
    content || variable || !is_known
}
