//! `restraint doctor`: webhooks that could lock a cluster out, and mistakes in the setup of
//! Restraint.
//!
//! Facts are gathered first and checked then. What could not be looked up is a fact too: checks that
//! need it report that they did not examine it. Checks are pure. Only `--probe` writes anything.

mod autoscaler;
pub mod check;
pub mod coverage;
mod door;
mod expiry;
pub mod facts;
mod gather;
mod hook;
mod names;
mod need;
pub mod observation;
mod options;
mod probe;
mod reach;
mod reloader;
mod rights;
mod scope;
pub mod text;

use std::process::ExitCode;

use crate::cluster;
use crate::terminal::{self, OutputFormat};

use observation::{Observation, Severity};
use options::FailOn;
pub use options::Options;

/// The exit code if there is an observation as severe as `--fail-on` says.
const FOUND: u8 = 1;

/// Checks a cluster.
///
/// # Errors
///
/// If there is no cluster, or it does not answer.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let facts = cluster::block_on(async {
        // where Restraint is installed need not be where the user works
        let cluster = options.cluster.connect(options.probe_namespace.as_deref()).await?;
        gather::gather(&cluster, options).await
    })?;
    let observations = check::examine(&facts);
    match options.output.format {
        OutputFormat::Json => terminal::print_json(&observations)?,
        OutputFormat::Text => {
            terminal::print(&text::render(&observations, options.color.is_wanted(false)))?
        }
    }
    Ok(exit_code(&observations, options.fail_on))
}

fn exit_code(observations: &[Observation], fail_on: FailOn) -> ExitCode {
    let weakest = match fail_on {
        FailOn::Problem => Severity::Problem,
        FailOn::Warning => Severity::Warning,
        FailOn::Never => return ExitCode::SUCCESS,
    };
    let fails = observations.iter().any(|observation| observation.severity >= weakest);
    if fails { ExitCode::from(FOUND) } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weakest_severity_that_fails_can_be_chosen() {
        let seen = |severity| {
            [Observation {
                check: "a",
                severity,
                object: String::new(),
                message: String::new(),
                remedy: None,
                namespaces: None,
            }]
        };
        let code = |severity, fail_on| format!("{:?}", exit_code(&seen(severity), fail_on));
        let (success, failure) =
            (format!("{:?}", ExitCode::SUCCESS), format!("{:?}", ExitCode::from(FOUND)));
        assert_eq!(code(Severity::Problem, FailOn::Problem), failure);
        assert_eq!(code(Severity::Warning, FailOn::Problem), success);
        assert_eq!(code(Severity::Warning, FailOn::Warning), failure);
        assert_eq!(code(Severity::Unknown, FailOn::Warning), success);
        assert_eq!(code(Severity::Problem, FailOn::Never), success);
    }
}
