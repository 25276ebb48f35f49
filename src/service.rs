//! What services have in common: listening, the admin port, readiness, the log, and what is told of
//! panics.

pub(crate) mod admin;
pub(crate) mod health;
pub(crate) mod listener;
pub(crate) mod log;
pub(crate) mod panics;

pub use listener::Limits;
pub use log::LogFormat;
