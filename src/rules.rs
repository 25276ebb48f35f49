//! The list of rules, in order of name. One file each; its header is its page.

pub mod approval_authority;
pub mod approval_in_template;
pub mod blocking_post_start;
pub mod config_polling;
pub mod cpu_resize_restarts;
pub mod cross_container_signal;
mod environment;
pub mod file_watch;
pub mod fixed_heap_growth;
pub mod frozen_env_config;
pub mod heap_above_limit;
pub mod heap_without_limit;
mod inline;
pub mod live_memory_shrink;
pub mod liveness_config_hash;
pub mod memory_above_usage;
pub mod memory_limit_decrease;
pub mod memory_policy_not_required;
pub mod memory_request_decrease;
pub mod memory_resize_policy;
pub mod missing_watch_tool;
pub(crate) mod reloader;
pub mod reloader_annotation;
pub mod reloader_takes_all_down;
pub mod reloader_without_config;
pub mod removed_jvm_flag;
pub mod resize_beyond_node;
pub mod restart_all_broad_exit_codes;
pub mod restart_all_init_state;
pub mod restart_all_not_allowed;
pub mod restart_all_skips_pre_stop;
pub mod split_config_source;
pub mod stale_file_follow;
pub mod stale_resource_env;
pub mod static_config_image;
pub mod subpath_config_mount;
pub(crate) mod trigger;
pub mod unmounted_reload_path;
pub mod vpa_memory_floor;
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
    fixed_heap_growth::RULE,
    frozen_env_config::RULE,
    heap_above_limit::RULE,
    heap_without_limit::RULE,
    live_memory_shrink::RULE,
    liveness_config_hash::RULE,
    memory_above_usage::RULE,
    memory_limit_decrease::RULE,
    memory_policy_not_required::RULE,
    memory_request_decrease::RULE,
    memory_resize_policy::RULE,
    missing_watch_tool::RULE,
    reloader_annotation::RULE,
    reloader_takes_all_down::RULE,
    reloader_without_config::RULE,
    removed_jvm_flag::RULE,
    resize_beyond_node::RULE,
    restart_all_broad_exit_codes::RULE,
    restart_all_init_state::RULE,
    restart_all_not_allowed::RULE,
    restart_all_skips_pre_stop::RULE,
    split_config_source::RULE,
    stale_file_follow::RULE,
    stale_resource_env::RULE,
    static_config_image::RULE,
    subpath_config_mount::RULE,
    unmounted_reload_path::RULE,
    vpa_memory_floor::RULE,
    watched_subpath::RULE,
];

/// The rule called `name`.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}
