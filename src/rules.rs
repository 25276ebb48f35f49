//! The list of rules, in order of name. One file each; its header is its page.

pub mod approval_authority;
pub mod approval_in_template;
pub mod cpu_resize_restarts;
pub mod cross_container_signal;
pub mod file_watch;
pub mod frozen_env_config;
pub mod heap_above_limit;
mod inline;
pub mod live_memory_shrink;
pub mod memory_limit_decrease;
pub mod memory_request_decrease;
pub mod memory_resize_policy;
pub mod stale_file_follow;
pub mod subpath_config_mount;
pub(crate) mod trigger;

use crate::judge::rule::Rule;

/// Every rule, in order of name.
pub const RULES: &[Rule] = &[
    approval_authority::RULE,
    approval_in_template::RULE,
    cpu_resize_restarts::RULE,
    cross_container_signal::RULE,
    file_watch::RULE,
    frozen_env_config::RULE,
    heap_above_limit::RULE,
    live_memory_shrink::RULE,
    memory_limit_decrease::RULE,
    memory_request_decrease::RULE,
    memory_resize_policy::RULE,
    stale_file_follow::RULE,
    subpath_config_mount::RULE,
];

/// The rule called `name`.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}
