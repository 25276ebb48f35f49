//! What `restraint explain change` holds for stored is what the API server stores: objects of every
//! kind are no other than their manifests, and whatever is filled in here is filled in there.

use libtest_mimic::Trial;
use restraint::explain::as_stored;
use restraint::explain::change::{ChangeContext, explain};
use restraint::manifest::unstructured::Unstructured;
use serde_json::Value;

use super::space;
use crate::trials::trial;

/// What the API server of these tests does not do, because no controller makes service accounts; and
/// where it writes nothing for what means the same.
const NOT_FILLED_IN: [&str; 2] = ["/spec/serviceAccountName", "/spec/updateStrategy/rollingUpdate"];

pub(super) fn trials() -> impl Iterator<Item = Trial> {
    let objects = include_str!("stored.yaml").split("\n---\n").enumerate();
    objects.map(|(index, text)| {
        let object = Unstructured::read(text, "default").unwrap().remove(0);
        trial(format!("explaining: {object} is stored as the table has it"), move || {
            try_out(&format!("stored-{index}"), text)
        })
    })
}

fn try_out(namespace: &str, text: &str) {
    let kubectl = space(namespace);
    let create = ["create", "--output", "json", "--filename", "-"];
    let stored = kubectl.feed(&create, text).accepted().object().to_string();
    let read = |text: &str| Unstructured::read(text, namespace).unwrap();
    let (file, live) = (read(text), read(&stored));
    for (old, new) in [(&live, &file), (&file, &live)] {
        let told = explain(old, new, &ChangeContext::default());
        assert!(told.is_empty(), "{told:#?}\n{stored}");
    }
    let (wanted, given) = (as_stored(&file[0]), live[0].value());
    assert_filled_in("", &wanted, given);
}

/// Each field that stands in `wanted` stands in what the API server has.
#[track_caller]
fn assert_filled_in(pointer: &str, wanted: &Value, given: &Value) {
    if NOT_FILLED_IN.contains(&pointer) {
        return;
    }
    match wanted {
        Value::Object(fields) => {
            for (name, wanted) in fields {
                let given = given.get(name).unwrap_or(&Value::Null);
                assert_filled_in(&format!("{pointer}/{}", name.replace('/', "~1")), wanted, given);
            }
        }
        Value::Array(items) => {
            for (index, wanted) in items.iter().enumerate() {
                let given = given.get(index).unwrap_or(&Value::Null);
                assert_filled_in(&format!("{pointer}/{index}"), wanted, given);
            }
        }
        _ => assert!(!given.is_null(), "{pointer}: {wanted} is not filled in"),
    }
}
