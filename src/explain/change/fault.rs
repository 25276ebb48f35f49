//! What the API server does not take: fields that it does not know, and values of another type.

use serde_json::Value;

use crate::explain::difference::{Difference, Path};
use crate::explain::effect::{Consequence, Explanation};
use crate::explain::stored::{Fault, FaultKind, Stored};

/// What comes of each fault of `new` that is not `known`.
pub(super) fn all(new: &Stored, old: Option<&Stored>, known: &[Fault]) -> Vec<Explanation> {
    let is_new = |fault: &&Fault| {
        !known.iter().any(|one| (&one.path, &one.kind) == (&fault.path, &fault.kind))
    };
    let before = |path: &Path| old.and_then(|old| old.object.value().pointer(&path.pointer()));
    let explain = |fault: &Fault| {
        let difference = Difference {
            path: fault.path.clone(),
            from: before(&fault.path),
            to: Some(&fault.value).filter(|value| !value.is_null()),
        };
        super::explanation(&new.object, &difference, true, consequence(fault))
    };
    new.faults.iter().filter(is_new).map(explain).collect()
}

fn consequence(fault: &Fault) -> Consequence {
    match &fault.kind {
        FaultKind::Unknown(meant) => Consequence {
            remedy: meant
                .as_ref()
                .map(|meant| format!("did you mean {meant:?}?"))
                .unwrap_or_default(),
            ..Consequence::nothing(
                "the API server",
                "no such field: kubectl refuses the file (strict, 400), Helm and whoever asks for no validation drop it: \
                 nothing happens",
            )
        },
        FaultKind::NotA(wanted) => Consequence::refused(
            format!("{} is wanted here, and this is {} (400)", wanted, what(&fault.value)),
            "correct it: nothing of the object is taken as long as it stands",
        ),
    }
}

/// What a value is.
fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "none",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
