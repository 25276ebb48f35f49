//! The list of rules. A rule is a file of its family's folder; the file's header is its page.

pub(crate) mod annotations;
pub(crate) mod config_change;
pub mod config_users;
mod environment;
mod inline;
pub(crate) mod reloader_annotations;
pub(crate) mod strength;
pub(crate) mod trigger;

#[cfg(feature = "shell")]
pub(crate) use environment::config_sources;

use crate::judge::rule::Rule;

/// Declares the module of each rule and lists them, by family and then by name. The comment above a
/// family is its title in documentation.
macro_rules! rules {
    ($(#[doc = $title:literal] $family:ident { $($rule:ident),+ $(,)? })+) => {
        $(
            #[doc = $title]
            pub(crate) mod $family { $(pub(crate) mod $rule;)+ }
        )+

        /// Every rule, by family and then by name.
        pub const RULES: &[Rule] = &[$($(
            $family::$rule::RULE.listed(
                $title.trim_ascii_start(),
                include_str!(concat!("rules/", stringify!($family), "/", stringify!($rule), ".rs")),
            ),
        )+)+];
    };
}

rules! {
    /// Resizes
    resize {
        cpu_resize_restarts,
        live_memory_shrink,
        memory_above_usage,
        memory_backed_volume,
        memory_limit_decrease,
        memory_policy_not_required,
        memory_request_decrease,
        memory_resize_policy,
        resize_beyond_node,
        resize_restarts_container,
        stale_resource_env,
    }

    /// Approvals
    approval {
        approval_authority,
        approval_in_template,
    }

    /// Heaps that are fixed at start
    heap {
        fixed_heap_growth,
        heap_above_limit,
        heap_without_limit,
        removed_jvm_flag,
        unusable_size,
    }

    /// Configuration that does not arrive
    config {
        frozen_env_config,
        liveness_config_hash,
        split_config_source,
        static_config_image,
        subpath_config_mount,
    }

    /// Changes of configuration
    change {
        broken_config_file,
        missing_config_key,
        unseen_config_change,
    }

    /// Watching for changes
    watch {
        blocking_post_start,
        config_polling,
        cross_container_signal,
        file_watch,
        missing_watch_tool,
        stale_file_follow,
        unmounted_reload_path,
        watched_subpath,
    }

    /// Reloader
    reloader {
        reloader_annotation,
        reloader_takes_all_down,
        reloader_without_config,
    }

    /// Restart of all containers
    restart_all {
        restart_all_broad_exit_codes,
        restart_all_init_state,
        restart_all_not_allowed,
        restart_all_skips_pre_stop,
    }

    /// Autoscalers
    autoscaler {
        vpa_memory_floor,
    }
}

/// The rule called `name`.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}
