//! The `restraint` command.

use std::process::ExitCode;

use clap::CommandFactory;

use restraint::cli::{Cli, Command};
use restraint::command::{approvals, approve, certs, completions, explain, revoke};
use restraint::operate::{resize, restart};
use restraint::serve::LogFormat;
use restraint::{audit, cases, doctor, lint, replay, serve};

// the review path hardly allocates; this keeps what little there is from fragmenting over months
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a command that could not run.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let command = Cli::read().command;
    let log_format = match &command {
        Command::Audit(options) => options.log_format(),
        Command::Serve(options) => options.log_format,
        _ => LogFormat::Text,
    };
    let result = match command {
        Command::Approvals(options) => approvals::run(&options),
        Command::Approve(options) => approve::run(&options),
        Command::Audit(options) => audit::run(&options),
        Command::Certs(options) => certs::run(&options),
        Command::Completions(options) => completions::run(&options, Cli::command()),
        Command::Doctor(options) => doctor::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Lint(options) => lint::run(&options),
        Command::Man(options) => completions::man(&options, Cli::command()),
        Command::Replay(options) => replay::run(&options),
        Command::Resize(options) => resize::run(&options),
        Command::Restart(options) => restart::run(&options),
        Command::Revoke(options) => revoke::run(&options),
        Command::Serve(options) => serve::run(*options).map(|()| ExitCode::SUCCESS),
        Command::Test(options) => cases::run(&options),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            log_format.report_fatal(&error);
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}
