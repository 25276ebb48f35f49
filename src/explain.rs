//! `restraint explain`: what a rule is about, what a change does to running processes, and what
//! happened to a pod.
//!
//! The reasoning is pure and total, as judging is: objects in, sentences out. The command, and what
//! acts on what is explained here, stand above.

pub(crate) mod apply;
pub mod change;
mod difference;
mod effect;
pub mod history;
#[cfg(feature = "shell")]
pub(crate) mod live;
mod pod_spec;
pub(crate) mod redact;
mod schema;
mod stored;
pub mod wanted;

pub use effect::{Effect, Explanation};
pub use stored::as_stored;
