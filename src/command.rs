//! The commands that act on a cluster or on files of their own: approve, revoke, approvals, certs.

pub mod approvals;
pub mod approve;
pub mod certs;
pub mod revoke;
