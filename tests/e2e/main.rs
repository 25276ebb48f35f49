//! End to end: Restraint asked by a real API server, and the API server asked by people with
//! kubectl.
//!
//! `docs/e2e.md` says what this needs and how it is run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::string_slice,
    clippy::unreachable,
    reason = "a panic is how a trial fails"
)]

mod audit;
mod auditor;
mod autoscalers;
mod certificate;
mod cluster;
mod deadline;
mod dry_run;
mod fallback;
mod hooks;
mod injector;
mod installation;
mod kubectl;
mod kubelet;
mod linter;
mod manifests;
mod metrics_api;
mod pods;
mod policies;
#[path = "../suite/printed.rs"]
mod printed;
mod process;
mod recorded;
mod replica;
mod space;
mod trials;
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, run};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let assets = match world::assets() {
        Ok(assets) => assets,
        Err(error) => {
            eprintln!("e2e: {error}");
            return ExitCode::FAILURE;
        }
    };
    if assets.is_none() && !arguments.list {
        println!(
            "e2e: skipped, because {} does not name a folder with etcd, kube-apiserver and kubectl",
            world::ASSETS
        );
    }
    let trials = trials::all().into_iter().map(|trial| {
        // those on a node are ignored where there is none
        let is_ignored = trial.has_ignored_flag() || assets.is_none();
        trial.with_ignored_flag(is_ignored)
    });
    let trials = trials.collect();
    let conclusion = run(&arguments, trials);
    world::stop(conclusion.has_failed());
    conclusion.exit_code()
}
