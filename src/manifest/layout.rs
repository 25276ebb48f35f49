//! Edits of a text by how it is laid out: comments, order and indentation stay.

pub(crate) mod block;
pub(crate) mod flow;
pub(crate) mod lines;
pub(crate) mod splice;
