//! The list of rules, in order of name. One file each; its header is its page.

pub mod approval_authority;
pub mod approval_in_template;
pub mod blocking_post_start;
pub mod config_polling;
pub mod cpu_resize_restarts;
pub mod cross_container_signal;
pub mod file_watch;
pub mod frozen_env_config;
pub mod heap_above_limit;
mod inline;
pub mod live_memory_shrink;
pub mod liveness_config_hash;
pub mod memory_limit_decrease;
pub mod memory_request_decrease;
pub mod memory_resize_policy;
pub mod missing_watch_tool;
pub mod stale_file_follow;
pub mod static_config_image;
pub mod subpath_config_mount;
mod trigger;
pub mod unmounted_reload_path;
pub mod watched_subpath;

use crate::judge::rule::Rule;

/// Every rule, in order of name.
pub const RULES: &[Rule] = &[
    approval_authority::RULE,
    approval_in_template::RULE,
    blocking_post_start::RULE,
    config_polling::RULE,
    cpu_resize_restarts::RULE,
    cross_container_signal::RULE,
    file_watch::RULE,
    frozen_env_config::RULE,
    heap_above_limit::RULE,
    live_memory_shrink::RULE,
    liveness_config_hash::RULE,
    memory_limit_decrease::RULE,
    memory_request_decrease::RULE,
    memory_resize_policy::RULE,
    missing_watch_tool::RULE,
    stale_file_follow::RULE,
    static_config_image::RULE,
    subpath_config_mount::RULE,
    unmounted_reload_path::RULE,
    watched_subpath::RULE,
];

/// The rule called `name`.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}
