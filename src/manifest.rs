//! Manifests: from the text of a file to documents, and from documents to objects.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "places in a text that is in memory, and counts of what it holds"
)]

pub(crate) mod documents;
pub(crate) mod kinds;
pub mod object;
pub(crate) mod pointer;
