//! The cluster as its user sees it: through a kubeconfig, with the user's own rights.

pub(crate) mod amounts;
mod client;
pub(crate) mod error;
pub(crate) mod flag;
pub(crate) mod installation;
pub(crate) mod kind;
pub(crate) mod list;
mod namespaced_name;
pub(crate) mod node_room;
pub(crate) mod object_name;
mod options;
pub(crate) mod pages;
pub(crate) mod pod;
pub(crate) mod pod_metrics;
pub(crate) mod selector;
mod service_access;
pub(crate) mod target;
mod workload;

#[cfg(test)]
pub(crate) use client::asking_once;
pub use namespaced_name::NamespacedName;
pub(crate) use options::{Cluster, block_on};
pub use options::{ClusterOptions, NamespaceOptions};
pub(crate) use service_access::{ServiceAccess, is_in_pod};
