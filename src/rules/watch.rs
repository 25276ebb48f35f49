//! Rules about watching for changes.

pub mod blocking_post_start;
pub mod config_polling;
pub mod cross_container_signal;
pub mod file_watch;
pub(in crate::rules) mod inline;
pub mod missing_watch_tool;
pub mod stale_file_follow;
pub mod unmounted_reload_path;
pub mod watched_subpath;
