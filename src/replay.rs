//! `restraint replay`: what policies would have done, by kube-apiserver's audit logs and by recorded
//! reviews.
//!
//! A log is read a line at a time. What it tells of objects is remembered, because a resize is a
//! patch of a pod that the log shows elsewhere, and each request is judged by the functions that
//! serving uses. Where the log leaves something open every possibility is judged, and nothing is
//! said but what they agree in.

mod case;
mod entry;
mod event;
mod events;
mod files;
mod glance;
mod learn;
mod list;
mod memory;
mod merged;
mod order;
mod patch;
mod recorded;
mod reference;
mod resize;
mod resources;
mod skipped;
mod snapshot;
mod summary;
mod tally;
mod text;
mod webhooks;
mod world;
mod writes;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::judge::mode::Cap;
use crate::judge::policies::Policies;
use crate::manifest::files::Input;
use crate::policies::folder::Folder;
use crate::recording::Decision;
use crate::terminal::{self, Output, OutputFormat, Progress};

use entry::Entry;
use events::Replay;
use merged::{Kind, Merged, kind};
use order::Source;
use skipped::{Skipped, Skips};
use summary::Summary;
use tally::Tally;

/// The exit code where something was found that is to fail the command.
const FOUND: u8 = 1;

/// The exit code where nothing could be read.
const NOTHING: u8 = 2;

/// The most objects whose state is remembered, unless told otherwise.
const REMEMBERED: usize = 100_000;

const MEBIBYTE: usize = 1024 * 1024;

/// What to replay, by which policies.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Audit logs of kube-apiserver and recordings of `restraint serve --record`: files, folders, or
    /// - for standard input; as they are or compressed by gzip.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Folder with one policy in each YAML file [default: the policies built in].
    #[arg(long, env = "RESTRAINT_POLICIES", value_name = "DIR")]
    policies: Option<PathBuf>,

    /// Folder with the policies to compare with [default: what Restraint said then].
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,

    /// The strongest mode that the service would act in.
    #[arg(long, default_value_t = Cap::Enforce, value_name = "enforce|warn|audit")]
    cap: Cap,

    /// How results are printed. JSON is a line for each request.
    #[command(flatten)]
    output: Output,

    /// What fails the command.
    #[arg(
        long,
        default_value = "never",
        value_name = "change|deny|never",
        hide_possible_values = true
    )]
    fail_on: FailOn,

    /// Namespaces that the webhook configuration leaves out; may be given more than once.
    #[arg(long, default_value = "kube-system", value_name = "NAMESPACE")]
    exclude_namespace: Vec<String>,

    /// The most objects whose state is remembered.
    #[arg(long, default_value_t = REMEMBERED, value_name = "NUMBER")]
    remember: usize,

    /// MiB of the longest line of a log that is read.
    #[arg(long, default_value_t = 32, value_name = "MIB")]
    line_limit: usize,
}

/// What fails the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A request that is decided otherwise than before.
    Change,
    /// A request that is denied.
    Deny,
    /// Nothing.
    Never,
}

/// Replays.
///
/// # Errors
///
/// Where a path is not there, or policies are faulty.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let read = |path: &Path| anyhow::Ok(Policies::read(Folder::new(path.to_owned()).read()?)?);
    let fitted = |policies: Policies| policies.under(options.cap).with_whole_messages();
    let policies = options.policies.as_deref().map(read).transpose()?;
    let against = options.against.as_deref().map(read).transpose()?.map(fitted);
    let is_built_in = policies.is_none();
    let policies = fitted(policies.unwrap_or_else(Policies::embedded));
    let mut replay = Replay::of(&policies, against.as_ref(), options.cap, options.remember);
    // what Restraint said then is what its policies say, unless others are asked
    replay.takes_words = is_built_in && against.is_none();
    replay.excluded = &options.exclude_namespace;

    let mut run = Run { replay, skips: Skips::default(), tally: Tally::default(), out: None };
    if options.output.format == OutputFormat::Json {
        run.out = Some(BufWriter::new(io::stdout()));
    }
    let files = run.all(options)?;
    run.finish(options, files)
}

/// What comes of the requests in `log`, a line of JSON for each: an audit log that is in memory.
pub fn replayed(log: &[u8], policies: &Policies) -> Vec<String> {
    let mut replay = Replay::of(policies, None, policies.cap(), REMEMBERED);
    replay.takes_words = true;
    let reader = Box::new(io::Cursor::new(log.to_vec()));
    let mut merged = Merged::of(Vec::new(), log.len().max(1));
    merged.add(Source::of("log".to_owned(), reader));
    let (mut skips, mut lines) = (Skips::default(), Vec::new());
    while let Some(event) = merged.next(&mut skips) {
        if let Ok(Some(entry)) = replay.event(&event.line) {
            lines.extend(serde_json::to_string(&entry));
        }
    }
    lines
}

/// A replay under way.
struct Run<'p> {
    replay: Replay<'p>,
    skips: Skips,
    tally: Tally,
    /// Where lines of JSON go.
    out: Option<BufWriter<io::Stdout>>,
}

impl Run<'_> {
    /// Reads everything; the number of files.
    fn all(&mut self, options: &Options) -> anyhow::Result<usize> {
        let limit = options.line_limit.saturating_mul(MEBIBYTE).max(1);
        let inputs = files::inputs(&options.paths)?;
        let (mut logs, mut recordings, mut stdin) = (Vec::new(), Vec::new(), None);
        for input in &inputs {
            if *input == Input::Stdin {
                stdin = Some(input);
                continue;
            }
            match kind(input, limit) {
                Ok(Kind::Log(first)) => logs.push((first, input.clone())),
                Ok(Kind::Recordings) => recordings.push(input),
                Ok(Kind::Empty) => self.skips.fault(&files::name(input), &"it is empty"),
                Ok(Kind::Foreign) => self.skips.fault(
                    &files::name(input),
                    &"neither an audit log of kube-apiserver (audit.k8s.io/v1, JSON lines) nor a recording",
                ),
                Err(error) => self.skips.fault(&files::name(input), &error),
            }
        }
        let mut merged = Merged::of(logs, limit);
        if let Some(input) = stdin {
            let mut reader = files::open(input)?;
            if reader.fill_buf()?.trim_ascii_start().starts_with(RECORDING) {
                self.recorded(reader, &files::name(input))?;
            } else {
                merged.add(Source::of(files::name(input), reader));
            }
        }
        for input in recordings {
            match files::open(input) {
                Ok(reader) => self.recorded(reader, &files::name(input))?,
                Err(error) => self.skips.fault(&files::name(input), &error),
            }
        }
        self.events(merged)?;
        Ok(inputs.len())
    }

    fn events(&mut self, mut merged: Merged) -> anyhow::Result<()> {
        let progress = Progress::start("requests");
        while let Some(event) = merged.next(&mut self.skips) {
            match self.replay.event(&event.line) {
                Ok(None) => {}
                Ok(Some(entry)) => {
                    progress.one_more();
                    self.take(&entry)?;
                }
                Err(()) => self.skips.count(Skipped::Malformed, "events"),
            }
        }
        Ok(())
    }

    fn recorded(&mut self, reader: Box<dyn io::BufRead>, name: &str) -> anyhow::Result<()> {
        let policies = (self.replay.policies, self.replay.against);
        let mut skips = std::mem::take(&mut self.skips);
        let take = |entry, assumed: case::Assumed| {
            self.replay.assumed.usage |= assumed.usage;
            self.replay.assumed.node |= assumed.node;
            self.take(&entry)
        };
        let outcome = recorded::replay(reader, name, policies, &mut skips, take);
        self.skips = skips;
        outcome
    }

    fn take(&mut self, entry: &Entry) -> anyhow::Result<()> {
        self.tally.add(entry);
        let Some(out) = &mut self.out else { return Ok(()) };
        let written = serde_json::to_writer(&mut *out, entry).map_err(io::Error::from);
        match written.and_then(|()| out.write_all(b"\n")) {
            // whoever stops reading early has enough
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.out = None,
            Err(error) => bail!(error),
            Ok(()) => {}
        }
        Ok(())
    }

    fn finish(mut self, options: &Options, files: usize) -> anyhow::Result<ExitCode> {
        if let Some(mut out) = self.out.take() {
            match out.flush() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => bail!(error),
                _ => {}
            }
        }
        let mut skipped = self.skips.lines();
        let counted = [
            (
                self.replay.memory.forgotten,
                "states of objects were forgotten: --remember is too small",
            ),
            (self.replay.repeated, "events came twice and were counted once"),
            (self.replay.left_out, "requests in namespaces of --exclude-namespace"),
        ];
        skipped.extend(
            counted
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}")),
        );
        let name = |path: &PathBuf| path.display().to_string();
        let summary = Summary {
            policies: options.policies.as_ref().map_or("built in".to_owned(), name),
            cap: options.cap,
            against: Some(options.against.as_ref().map_or("what was said then".to_owned(), name)),
            files,
            events: self.skips.events,
            recordings: self.skips.recordings,
            assumptions: self.assumptions(),
            skipped,
            tally: self.tally,
        };
        match options.output.format {
            OutputFormat::Text => terminal::print(&text::render(&summary))?,
            OutputFormat::Json => summary.skipped.iter().for_each(|line| terminal::remark(line)),
        }
        Ok(exit_code(options.fail_on, self.skips.has_read(), &summary))
    }

    fn assumptions(&self) -> Vec<String> {
        let assumed = self.replay.assumed;
        let asks_for_labels = self.replay.policies.unresolvable().next().is_some();
        let mut lines = Vec::new();
        if assumed.namespaces {
            lines.push("no namespace has a label that caps its policies (restraint.dev/cap), unless the log shows it");
        }
        if assumed.namespaces && asks_for_labels {
            lines.push("namespaces have whatever labels the scope of a policy asks for, unless the log shows others");
        }
        if assumed.usage {
            lines.push("live memory use is no matter: rules that ask for it were silent");
        }
        if assumed.node {
            lines.push("nodes have room: rules that ask for it were silent");
        }
        if assumed.requests_alone {
            lines.push("no MutatingAdmissionPolicy changed what was asked for, and nothing was applied server-side from YAML: neither is in a log of level Request");
        }
        lines.into_iter().map(str::to_owned).collect()
    }
}

/// How a recording begins.
const RECORDING: &[u8] = b"{\"schema\":\"restraint.dev/recording/";

fn exit_code(fail_on: FailOn, has_read: bool, summary: &Summary) -> ExitCode {
    let fails = match fail_on {
        FailOn::Change => summary.tally.changed() > 0,
        FailOn::Deny => summary.tally.of(Decision::Denied) > 0,
        FailOn::Never => false,
    };
    match (has_read, fails) {
        (false, _) => ExitCode::from(NOTHING),
        (true, true) => ExitCode::from(FOUND),
        (true, false) => ExitCode::SUCCESS,
    }
}
