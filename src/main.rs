//! The `restraint` command.

use std::process::ExitCode;

use clap::Parser;

use restraint::cli::{Cli, Command};
use restraint::serve;

// the review path hardly allocates; this keeps what little there is from fragmenting over months
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a command that could not run.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(options) => serve::run(options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("restraint: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}
