//! Rules about configuration that does not arrive.

pub(in crate::rules) mod environment;
pub mod frozen_env_config;
pub mod liveness_config_hash;
pub mod split_config_source;
pub mod static_config_image;
pub mod subpath_config_mount;
