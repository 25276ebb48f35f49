//! Tests from the outside: the core through its public interface, the server as a process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::string_slice,
    clippy::unreachable,
    reason = "a panic is how a test fails"
)]

mod acceptance;
mod admin;
mod allocations;
mod allowances;
mod api_server;
mod approvals;
mod approving;
mod auditing;
mod away;
mod caps;
mod cases;
mod client;
mod commands;
mod config_map;
mod depth;
mod doctor;
mod documentation;
mod documented_limits;
mod drain;
mod evidence;
mod exemptions;
mod explaining;
mod fixing;
mod fixtures;
mod following;
mod fuzzing;
mod heaps;
mod histories;
mod layers;
mod limits;
mod lint;
mod listing;
mod logging;
mod messages;
mod missed_fixes;
mod operating;
mod pending;
mod pods;
mod printed;
mod properties;
mod reach;
mod recording;
mod redaction;
mod releasing;
mod replaying;
mod reviews;
mod server;
mod subjects;
mod suggested;
mod together;
mod waiting;
mod whole_answers;
