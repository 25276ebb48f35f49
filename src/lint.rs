//! `restraint lint`: what the policies would say of manifests, before anybody applies them.
//!
//! Every workload is judged as if it were created, by the same engine as the webhook's. What other documents tell,
//! labels of namespaces and the content of ConfigMaps, is evidence.

mod decode;
mod document;
mod evidence;
mod files;
mod finding;
mod manifest;
mod place;
mod read;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::judge::mode::{Cap, Mode};
use crate::judge::policies::Policies;
use crate::serve::folder::Folder;
use crate::terminal::{self, plain};

use evidence::Evidences;
use finding::Finding;
use read::{File, Remark};

/// What to lint, and how to tell.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Files, or folders with files that end in .yaml, .yml or .json; "-" is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Folder with one policy in each YAML file [default: the policies built in].
    #[arg(long, env = "RESTRAINT_POLICIES", value_name = "DIR")]
    pub policies: Option<PathBuf>,

    /// How findings are printed.
    #[arg(short, long, default_value = "text", value_name = "text|json|sarif|github", hide_possible_values = true)]
    pub format: Format,

    /// The weakest mode of findings that fail the command.
    #[arg(long, default_value = "enforce", value_name = "enforce|warn|audit|never", hide_possible_values = true)]
    pub fail_on: FailOn,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: an array of objects.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For GitHub Actions: workflow commands.
    Github,
}

/// The weakest mode of findings that fail the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// What would be denied.
    Enforce,
    /// What would be warned about, too.
    Warn,
    /// What would only be recorded, too.
    Audit,
    /// Nothing.
    Never,
}

/// The exit code where there are findings.
const FOUND: u8 = 1;

/// The exit code where something could not be read.
const COULD_NOT_READ: u8 = 2;

/// Lints.
///
/// # Errors
///
/// Where it cannot run: a path that is not there, faulty policies.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let policies = policies(options)?;
    let sources = files::sources(&options.paths)?;
    let files = read::files(&sources);
    let outcome = judge(&policies, &files);
    for remark in outcome.remarks() {
        terminal::remark(&remark.to_string());
    }
    print(options, &outcome)?;
    Ok(outcome.exit_code(options.fail_on))
}

fn policies(options: &Options) -> anyhow::Result<Policies> {
    let Some(path) = &options.policies else { return Ok(Policies::embedded()) };
    let folder = Folder::new(path.clone(), Cap::Enforce);
    Ok(folder.policies(&folder.read()?)?)
}

/// What came of it.
struct Outcome<'f> {
    files: &'f [File],
    /// Findings in order of file and place.
    findings: Vec<Finding>,
    /// What could not be judged although it was read.
    malformed: Vec<Remark>,
}

fn judge<'f>(policies: &Policies, files: &'f [File]) -> Outcome<'f> {
    let evidences = Evidences::of(files);
    let judged = read::in_parallel(files, |index, file| finding::of_file(policies, &evidences, index, file));
    let (mut findings, mut malformed) = (Vec::new(), Vec::new());
    for (found, remarks) in judged {
        findings.extend(found);
        malformed.extend(remarks);
    }
    Outcome { files, findings, malformed }
}

fn print(options: &Options, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    match options.format {
        Format::Json => terminal::print_json(&outcome.findings).context("findings cannot be printed"),
        _ => {
            let lines = outcome.findings.iter().map(|finding| {
                format!("{}:{}: {}: {}: {}\n", plain(&finding.file), finding.line, finding.mode, finding.rule, plain(&finding.message))
            });
            terminal::print(&lines.collect::<String>())
        }
    }
}

impl Outcome<'_> {
    /// What is to be said of what was not judged, in order of file.
    fn remarks(&self) -> impl Iterator<Item = &Remark> {
        self.files.iter().flat_map(|file| &file.remarks).chain(&self.malformed)
    }

    fn exit_code(&self, fail_on: FailOn) -> ExitCode {
        let weakest = match fail_on {
            FailOn::Enforce => Some(Mode::Enforce),
            FailOn::Warn => Some(Mode::Warn),
            FailOn::Audit => Some(Mode::Audit),
            FailOn::Never => None,
        };
        if self.files.iter().any(|file| file.is_unreadable) {
            ExitCode::from(COULD_NOT_READ)
        } else if weakest.is_some_and(|weakest| self.findings.iter().any(|finding| finding.mode.is_at_least(weakest))) {
            ExitCode::from(FOUND)
        } else {
            ExitCode::SUCCESS
        }
    }
}
