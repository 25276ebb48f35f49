//! Explanations of a change: the first half of the documents becomes the second.

use std::sync::LazyLock;

use restraint::explain::change::{Surroundings, explain};
use restraint::manifest::object::Document;

static SURROUNDINGS: LazyLock<Surroundings> = LazyLock::new(Surroundings::default);

pub(crate) fn run(text: &str) {
    match Document::read(text, "default") {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(documents) => {
            let (old, new) = documents.split_at(documents.len() / 2);
            explain(old, new, &SURROUNDINGS);
            explain(new, old, &SURROUNDINGS);
            let nothing = explain(&documents, &documents, &SURROUNDINGS);
            assert!(nothing.is_empty() || repeats(&documents), "{nothing:?}");
        }
    }
}

/// Whether an object is there twice: then it is no telling which becomes which.
fn repeats(documents: &[Document]) -> bool {
    documents
        .iter()
        .enumerate()
        .any(|(at, one)| documents.iter().skip(at + 1).any(|other| one.is_same_object(other)))
}
