//! Manifests, as kubectl reads them: from the bytes of a file to text, documents and objects.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "places in a text that is in memory, and counts of what it holds"
)]

pub(crate) mod decode;
pub(crate) mod documents;
pub(crate) mod encoding;
#[cfg(feature = "shell")]
pub(crate) mod files;
pub(crate) mod layout;
pub(crate) mod objects;
pub(crate) mod parallel;
mod pieces;
pub(crate) mod pointer;
pub mod unstructured;
#[cfg(feature = "shell")]
pub(crate) mod write;
