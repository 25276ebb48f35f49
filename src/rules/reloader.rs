//! Rules about stakater's Reloader.

pub(crate) mod annotations;
pub mod reloader_annotation;
pub mod reloader_takes_all_down;
pub mod reloader_without_config;
pub(crate) mod trigger;
