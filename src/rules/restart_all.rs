//! Rules about restarts of all containers (KEP-5532).

pub mod restart_all_broad_exit_codes;
pub mod restart_all_init_state;
pub mod restart_all_not_allowed;
pub mod restart_all_skips_pre_stop;
