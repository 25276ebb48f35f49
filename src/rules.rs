//! The list of rules, in order of name. One file each; its header is its page.

pub mod approval;
pub mod autoscaler;
pub mod config;
pub mod heap;
pub mod reloader;
pub mod resize;
pub mod restart_all;
pub mod watch;

use crate::judge::rule::Rule;

/// Every rule, in order of name.
pub const RULES: &[Rule] = &[
    approval::approval_authority::RULE,
    approval::approval_in_template::RULE,
    watch::blocking_post_start::RULE,
    watch::config_polling::RULE,
    resize::cpu_resize_restarts::RULE,
    watch::cross_container_signal::RULE,
    watch::file_watch::RULE,
    heap::fixed_heap_growth::RULE,
    config::frozen_env_config::RULE,
    heap::heap_above_limit::RULE,
    heap::heap_without_limit::RULE,
    resize::live_memory_shrink::RULE,
    config::liveness_config_hash::RULE,
    resize::memory_above_usage::RULE,
    resize::memory_limit_decrease::RULE,
    resize::memory_policy_not_required::RULE,
    resize::memory_request_decrease::RULE,
    resize::memory_resize_policy::RULE,
    watch::missing_watch_tool::RULE,
    reloader::reloader_annotation::RULE,
    reloader::reloader_takes_all_down::RULE,
    reloader::reloader_without_config::RULE,
    heap::removed_jvm_flag::RULE,
    resize::resize_beyond_node::RULE,
    restart_all::restart_all_broad_exit_codes::RULE,
    restart_all::restart_all_init_state::RULE,
    restart_all::restart_all_not_allowed::RULE,
    restart_all::restart_all_skips_pre_stop::RULE,
    config::split_config_source::RULE,
    watch::stale_file_follow::RULE,
    resize::stale_resource_env::RULE,
    config::static_config_image::RULE,
    config::subpath_config_mount::RULE,
    watch::unmounted_reload_path::RULE,
    autoscaler::vpa_memory_floor::RULE,
    watch::watched_subpath::RULE,
];

/// The rule called `name`.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}
