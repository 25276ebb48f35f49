//! `restraint test`: cases that somebody wrote down, judged by the policies that they are about.
//!
//! A case is a request and what is expected of it: the decision, and every finding. It is judged
//! like a recording, by the functions that serving uses, and in the order in which the API server
//! calls the hooks: a pod is amended first, and what comes of that is judged.

mod case;
mod choice;
mod composed;
mod evidence;
mod expected;
mod file;
mod flaw;
mod found;
mod junit;
mod manifests;
mod matching;
mod report;
mod request;
mod resize;
mod review;
mod text;
mod update;
mod wanted;
mod way;
mod written;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::manifest::files::{self, Input};
use crate::manifest::parallel::in_parallel;
use crate::terminal::{self, Color};

use choice::Choices;
use file::CaseFile;
use report::TestReport;

/// What to test, and how to tell.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Files with cases, or folders that are searched for them.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Folder with one policy in each YAML file [default: what each file names, else the folder above
    /// it if that has policies, else the policies built in].
    #[arg(long, env = "RESTRAINT_POLICIES", value_name = "DIR")]
    pub policies: Option<PathBuf>,

    /// How results are printed.
    #[arg(
        short = 'o',
        long = "output",
        alias = "format",
        default_value = "text",
        value_name = "text|json|junit",
        hide_possible_values = true
    )]
    pub format: Format,

    /// Write what comes of each case into its file, where something else is expected.
    #[arg(long)]
    pub update: bool,

    /// Name the cases that pass, too.
    #[arg(short, long)]
    pub verbose: bool,

    /// Whether text is coloured.
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|always|never",
        hide_possible_values = true
    )]
    pub color: Color,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For what shows results of tests: the XML of JUnit.
    Junit,
}

/// Tests.
///
/// # Errors
///
/// Where there is nothing to test: a path that is not there, or a folder without cases.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let inputs = files::inputs(&options.paths)?;
    if inputs.contains(&Input::Stdin) {
        bail!("\"-\" cannot be tested: a case names other files by where its own stands");
    }
    let read = |_: usize, input: &Input| {
        let Input::File(path) = input else { return None };
        CaseFile::read(path, input.name(), options.paths.contains(path))
    };
    let read: Vec<CaseFile> = in_parallel(&inputs, read).into_iter().flatten().collect();
    if read.is_empty() {
        bail!(
            "no cases in {}: a file of cases has \"cases\" at its top",
            options
                .paths
                .iter()
                .map(|path| format!("\"{}\"", path.display()))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    let mut choices = Choices::of(options.policies.as_deref());
    let mut report = TestReport::default();
    for file in read {
        let mut tested = report::FileReport::of(&file, &mut choices);
        if options.update {
            update::update(&file, &mut tested);
        }
        report.files.push(tested);
    }
    print(options, &report)?;
    Ok(report.exit_code())
}

fn print(options: &Options, report: &TestReport) -> anyhow::Result<()> {
    match options.format {
        Format::Text => {
            let look =
                text::Look { coloured: options.color.is_wanted(false), verbose: options.verbose };
            terminal::print(&text::render(report, look))
        }
        Format::Json => terminal::print_json(&report.to_json()),
        Format::Junit => terminal::print(&junit::render(report)),
    }
}
