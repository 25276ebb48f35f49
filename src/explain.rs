//! `restraint explain`: what a rule is about, what a change does to running processes, and what
//! happened to a pod.
//!
//! The reasoning is pure and total, as judging is: objects in, sentences out. Files and the cluster
//! belong to the command.

mod apply;
pub mod change;
mod difference;
mod effect;
pub mod history;
mod pod_spec;
mod redact;
mod schema;
mod stored;
pub mod wanted;

#[cfg(feature = "shell")]
mod command;

pub use effect::{Effect, Explanation};
pub use stored::as_stored;

#[cfg(feature = "shell")]
pub use command::{Options, run};
