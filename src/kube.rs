//! The field's small languages and shapes: quantities, resources, shell text, and the parts of
//! Kubernetes objects that rules look at. Pure: bytes and text in, borrowed values out.

pub(crate) mod autoscaler;
pub mod config_use;
pub mod config_user;
pub mod configuration;
pub mod container;
pub(crate) mod empty_dir;
pub mod image;
pub(crate) mod merge_keys;
pub(crate) mod name;
pub mod node_capacity;
pub mod object;
pub(crate) mod part;
pub(crate) mod pod_status;
pub mod quantity;
pub mod requests;
pub mod resources;
pub(crate) mod restart;
pub(crate) mod selector;

pub(crate) mod template;
pub(crate) mod usage;
pub mod version;
pub(crate) mod volume;
