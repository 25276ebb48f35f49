//! `restraint lint`: what the policies would say of manifests, before anybody applies them.
//!
//! Every workload is judged as if it were created, by the same engine as the webhook's. What other
//! documents tell, labels of namespaces and the content of ConfigMaps, is evidence.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "places in a text that is in memory, and counts of what it holds"
)]

mod class;
mod evidence;
mod exemptions;
mod finding;
mod fingerprint;
mod fix;
mod github;
mod kinds;
mod kustomize;
mod read;
mod repair;
mod report;
mod sarif;
mod source;
mod text;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use crate::judge::policies::Policies;
use crate::manifest::files::{self, Input};
use crate::manifest::parallel::in_parallel;
use crate::policies::folder::Folder;
use crate::report::remark_on_room;
use crate::terminal::{self, Color, Progress};

pub use crate::report::FailOn;
use kinds::Kinds;
pub use kinds::{CustomKind, NoKind};
use read::File;
use repair::{FixOutput, Repair};
use report::LintReport;

/// What to lint, and how to tell.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Files, or folders with files that end in .yaml, .yml or .json; "-" is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Folder with one policy in each YAML file [default: the policies built in].
    #[arg(long, env = "RESTRAINT_POLICIES", value_name = "DIR")]
    pub policies: Option<PathBuf>,

    /// Another kind that makes pods, as KIND.GROUP=POINTER, such as
    /// 'Widget.example.com=/spec/parts/*/template'; :Job or another kind after GROUP says by which it
    /// goes [default: Deployment].
    #[arg(long, value_name = "KIND.GROUP=POINTER")]
    pub workload: Vec<CustomKind>,

    /// How findings are printed.
    #[arg(
        short,
        long,
        default_value = "text",
        value_name = "text|json|sarif|github",
        hide_possible_values = true
    )]
    pub format: Format,

    /// The weakest mode of findings that fail the command.
    #[arg(
        long,
        default_value = "enforce",
        value_name = "enforce|warn|audit|never",
        hide_possible_values = true
    )]
    pub fail_on: FailOn,

    /// Fix what can be fixed, in the files themselves; what comes from standard input
    /// goes to standard output.
    #[arg(long)]
    pub fix: bool,

    /// With --fix: print what would change, and change nothing.
    #[arg(long, requires = "fix")]
    pub dry_run: bool,

    /// List exemptions with their ends and reasons instead of findings: of the annotation
    /// restraint.dev/ignore, and of the policies.
    #[arg(long, conflicts_with_all = ["fix", "explain"])]
    pub exemptions: bool,

    /// Print the page of each rule that found something.
    #[arg(long)]
    pub explain: bool,

    /// Whether text is coloured.
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|always|never",
        hide_possible_values = true
    )]
    pub color: Color,

    /// Say of every document why it is not judged.
    #[arg(short, long)]
    pub verbose: bool,
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

/// Lints.
///
/// # Errors
///
/// Where it cannot run: a path that is not there, faulty policies, flags that do not go together.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    options.check()?;
    let policies = policies(options)?.with_whole_messages();
    let inputs = files::inputs(&options.paths)?;
    let kinds = Arc::new(Kinds::with(&options.workload));
    let progress = Progress::start("files");
    let mut files = read::files(&inputs, &kinds, &progress);
    kustomize::apply(&mut files, &inputs);
    drop(progress);
    if options.exemptions {
        return list_exemptions(options, &policies, &files);
    }
    let mut report = LintReport::of(&policies, files);
    let mut repaired = None;
    if options.fix {
        let output = match (&*inputs, options.dry_run) {
            (_, true) => FixOutput::DryRun,
            ([Input::Stdin], false) => FixOutput::Stdout,
            _ => FixOutput::Files,
        };
        let repair = Repair::of(&report, &inputs, output)?;
        report = repair.adopt(&policies, report);
        repaired = Some(repair);
    }
    print(options, &policies, &report, repaired.as_ref())?;
    let is_incomplete = repaired.is_some_and(|repair| repair.is_incomplete());
    Ok(report.exit_code(options.fail_on, is_incomplete))
}

fn list_exemptions(
    options: &Options,
    policies: &Policies,
    files: &[File],
) -> anyhow::Result<ExitCode> {
    let listed = exemptions::all(policies, files, jiff::Timestamp::now());
    match options.format {
        Format::Json => terminal::print_json(&listed)?,
        _ => terminal::print(&exemptions::render(&listed))?,
    }
    let is_incomplete = files.iter().any(|file| file.is_unreadable);
    Ok(if is_incomplete { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

/// What the linter says of a text, and what it makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linted {
    /// The findings: rule and message.
    pub before: Vec<String>,
    /// Those that are left once what can be fixed is.
    pub after: Vec<String>,
    /// The text with that fixed.
    pub text: String,
}

/// Lints the text of a manifest and fixes what can be fixed, without any file.
pub fn linted(policies: &Policies, text: &str) -> Linted {
    let kinds = Arc::new(Kinds::with(&[]));
    // on threads with a stack that holds the deepest document
    let lint = |text: &str| {
        let read = |_: usize, text: &&str| File::of(String::new(), text, &kinds);
        LintReport::of(policies, in_parallel(&[text], read))
    };
    let sentences = |report: &LintReport| {
        report
            .findings
            .iter()
            .map(|finding| format!("{}: {}", finding.rule, finding.message))
            .collect()
    };
    let report = lint(text);
    let fixed = in_parallel(&report.files, |_, file| {
        fix::fix(text, &file.documents, &report.findings, &kinds).text
    });
    let text = fixed.into_iter().next().unwrap_or_else(|| text.to_owned());
    Linted { before: sentences(&report), after: sentences(&lint(&text)), text }
}

impl Options {
    fn check(&self) -> anyhow::Result<()> {
        let reads_input = self.paths.iter().any(|path| path.as_os_str() == files::STDIN_PATH);
        if self.fix && reads_input && self.paths.len() > 1 {
            bail!("--fix prints what comes from standard input, so \"-\" goes with no other path");
        }
        if self.format != Format::Text && self.fix && (self.dry_run || reads_input) {
            bail!("--fix prints the text here, so it goes with --format text");
        }
        if self.exemptions && !matches!(self.format, Format::Text | Format::Json) {
            bail!("--exemptions goes with --format text or json");
        }
        if self.format != Format::Text && self.explain {
            bail!("--explain goes with --format text");
        }
        Ok(())
    }

    /// Whether standard output is for something else than the report.
    fn reports_aside(&self) -> bool {
        self.fix
            && (self.dry_run || self.paths.iter().any(|path| path.as_os_str() == files::STDIN_PATH))
    }

    fn is_coloured(&self) -> bool {
        self.color.is_wanted(self.reports_aside())
    }
}

fn policies(options: &Options) -> anyhow::Result<Policies> {
    let Some(path) = &options.policies else { return Ok(Policies::embedded()) };
    Ok(Policies::read(Folder::new(path.clone()).read()?)?)
}

/// Remarks go to standard error, findings to standard output. The summary is part of the text.
fn print(
    options: &Options,
    policies: &Policies,
    report: &LintReport,
    repair: Option<&Repair>,
) -> anyhow::Result<()> {
    let remarks: Vec<_> = report
        .remarks(options.verbose)
        .chain(repair.into_iter().flat_map(Repair::remarks))
        .collect();
    for remark in &remarks {
        terminal::remark(&remark.to_string());
    }
    if let Some(repair) = repair {
        terminal::remark(&repair.summary());
    }
    let findings = &report.findings;
    let summary = report.summary();
    match options.format {
        Format::Text => {
            let look = text::Look { coloured: options.is_coloured(), explained: options.explain };
            let text = format!(
                "{}{}{summary}\n",
                text::render(findings, look),
                if findings.is_empty() { "" } else { "\n" }
            );
            return if options.reports_aside() {
                terminal::print_on_stderr(&text)
            } else {
                terminal::print(&text)
            };
        }
        Format::Json => terminal::print_json(findings)?,
        Format::Sarif => {
            remark_on_room(findings.len());
            terminal::print_json(&sarif::render(findings, &remarks, policies))
                .context("findings cannot be printed")?;
        }
        Format::Github => terminal::print(&github::render(findings))?,
    }
    terminal::remark(&summary);
    Ok(())
}
