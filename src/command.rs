//! The commands that act on a cluster or on files of their own: approve, revoke,
//! approvals, certs, explain.

mod approval_details;
pub mod approvals;
pub mod approve;
pub mod certs;
pub mod completions;
pub mod explain;
mod grant_check;
mod pending;
pub mod revoke;
mod target_options;
