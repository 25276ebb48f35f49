//! Rules about approvals.

pub mod approval_authority;
pub mod approval_in_template;
