//! The field's small languages and shapes: quantities, resources, shell text, and the parts of
//! Kubernetes objects that rules look at. Pure: bytes and text in, borrowed values out.

pub mod autoscaler;
pub mod configuration;
pub mod container;
pub mod image;
pub(crate) mod name;
pub mod node_capacity;
pub mod object;
pub mod part;
pub mod quantity;
pub mod requests;
pub mod resources;
pub mod restart;
pub mod selector;

pub mod template;
pub mod usage;
pub mod volume;
