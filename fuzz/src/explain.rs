//! Explanations of a change: the first half of the objects becomes the second.

use std::sync::LazyLock;

use restraint::explain::change::{ChangeContext, explain};
use restraint::manifest::unstructured::Unstructured;

static CONTEXT: LazyLock<ChangeContext> = LazyLock::new(ChangeContext::default);

pub(crate) fn run(text: &str) {
    match Unstructured::read(text, "default") {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(objects) => {
            let (old, new) = objects.split_at(objects.len() / 2);
            explain(old, new, &CONTEXT);
            explain(new, old, &CONTEXT);
            let nothing = explain(&objects, &objects, &CONTEXT);
            assert!(nothing.is_empty(), "{nothing:?}");
        }
    }
}
