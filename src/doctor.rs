//! `restraint doctor`: what could lock a cluster out, and mistakes around Restraint.
//!
//! Looking things up is apart from judging them: what the API server refuses to tell, or cannot, is
//! a fact too, and the checks that need it say that they did not examine it. Judging is pure.
//! Nothing is written, but for the pod of `--probe`.

pub mod check;
pub mod facts;
mod gather;
mod hook;
mod names;
pub mod observation;
mod probe;
pub mod text;

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::cluster::{self, Access, SecretName};
use crate::terminal::{self, Color, Form};

use observation::{Observation, Severity};

/// The exit code where there is what `--fail-on` says.
const FOUND: u8 = 1;

/// What to examine, and how to tell.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Namespace that Restraint is installed in [default: every one in which it is found].
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Name of the installation, which is that of its Service [default: every one that is found].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Secret with the serving certificate [default: the one that the Deployment names].
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub tls_secret: Option<SecretName>,

    /// Days before its end from which on a certificate is warned about.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=3650))]
    pub expiry_days: u16,

    /// Measure how long the API server waits for Restraint: resizes a pod of its own in dry runs,
    /// and deletes it again.
    #[arg(long)]
    pub probe: bool,

    /// Namespace for that pod, which has to be one that Restraint looks after [default: the
    /// context's].
    #[arg(long, value_name = "NAME", requires = "probe")]
    pub probe_namespace: Option<String>,

    /// How many resizes of each sort are measured.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub probe_count: u16,

    /// The weakest severity that fails the command.
    #[arg(
        long,
        default_value = "problem",
        value_name = "problem|warning|never",
        hide_possible_values = true
    )]
    pub fail_on: FailOn,

    /// How results are printed.
    #[arg(
        short,
        long,
        alias = "format",
        default_value = "text",
        value_name = "text|json",
        hide_possible_values = true
    )]
    pub output: Form,

    /// Whether text is coloured.
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|always|never",
        hide_possible_values = true
    )]
    pub color: Color,

    /// Which cluster, and as whom.
    #[command(flatten)]
    pub access: Access,
}

/// The weakest severity that fails the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A problem.
    Problem,
    /// A warning, too.
    Warning,
    /// Nothing.
    Never,
}

/// Examines.
///
/// # Errors
///
/// Where it cannot run: no cluster, no answer from it.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let facts = cluster::converse(async {
        // where Restraint is installed need not be where the user works
        let cluster = options.access.connect(options.probe_namespace.as_deref()).await?;
        gather::gather(&cluster, options).await
    })?;
    let observations = check::examine(&facts);
    match options.output {
        Form::Json => terminal::print_json(&observations)?,
        Form::Text => {
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
