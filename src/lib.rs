//! Restraint: admission control for restarts and resizes in Kubernetes.
//!
//! ```text
//!  serve   AdmissionReview over HTTPS --+                                   +--> AdmissionReview reply
//!  lint    YAML files, standard input --+--> Subject --> Policies --> Verdict --> text, JSON, SARIF; exit code
//!                                                        judge / amend
//! ```
//!
//! Judging is a pure function of policies and a subject: no client, clock, async or error inside.
//! The shell looks things up first and puts them into the subject. Every failure that is not a
//! finding (bad JSON, too large, overloaded, a panic) is an HTTP error, and the webhook
//! configuration's `failurePolicy` decides.
//!
//! The words, which code, logs, metrics, policies and documentation share:
//!
//! - **Subject**: what is under judgement and everything a rule may know ([`judge::subject`]).
//! - **View**: the part of a subject that a rule looks at (`judge::view`).
//! - **Evidence**: facts looked up before judging; absent evidence is a value.
//! - **Rule**: code that looks at a view and reports findings ([`judge::rule`], [`rules`]).
//! - **Finding**: one thing that is wrong, perhaps with an edit that fixes it ([`judge::finding`]).
//! - **Policy**: one rule, its settings, its scope, its mode (`judge::policy`).
//! - **Mode** and **Cap**: how strongly a policy acts, and the strongest it may ([`judge::mode`]).
//! - **Verdict**: denials, warnings, notes and the amendment ([`judge::verdict`]).
//! - **Approval**: a person's agreement to one pod's decrease ([`approval`]).
//!
//! Without the default feature `shell` only the pure part is built.

#![cfg_attr(
    not(feature = "shell"),
    allow(dead_code, unreachable_pub, reason = "the shell uses the rest")
)]
#![cfg_attr(
    test,
    allow(
        clippy::allow_attributes_without_reason,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::disallowed_methods,
        clippy::string_slice,
        clippy::unreachable,
        reason = "a panic is how a test fails"
    )
)]

pub mod approval;
pub mod config_file;
pub mod explain;
pub mod heap;
pub mod json;
pub mod judge;
pub mod kube;
pub mod manifest;
pub mod policies;
pub mod recording;
pub mod review;
pub mod rules;
pub mod shell;
pub mod watch;
mod yaml;

#[cfg(feature = "shell")]
pub mod audit;
#[cfg(feature = "shell")]
pub mod cases;
#[cfg(feature = "shell")]
pub(crate) mod certificate;
#[cfg(feature = "shell")]
pub mod cli;
#[cfg(feature = "shell")]
pub mod cluster;
#[cfg(feature = "shell")]
pub mod command;
#[cfg(feature = "shell")]
pub mod doctor;
#[cfg(feature = "shell")]
pub mod lint;
#[cfg(feature = "shell")]
pub mod operate;
#[cfg(feature = "shell")]
pub mod replay;
#[cfg(feature = "shell")]
mod report;
#[cfg(feature = "shell")]
pub mod serve;
#[cfg(feature = "shell")]
mod service;
#[cfg(feature = "shell")]
mod signals;
#[cfg(feature = "shell")]
pub(crate) mod terminal;
