//! Rules about resizes and resize policies.

pub mod cpu_resize_restarts;
pub mod live_memory_shrink;
pub mod memory_above_usage;
pub mod memory_limit_decrease;
pub mod memory_policy_not_required;
pub mod memory_request_decrease;
pub mod memory_resize_policy;
pub mod resize_beyond_node;
pub mod stale_resource_env;
