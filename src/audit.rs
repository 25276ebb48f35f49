//! `restraint audit`: what the policies would say of everything that a cluster has stored, and what
//! only a cluster knows: resizes that are not done, limits that differ from the spec, approvals.
//!
//! Objects come page by page, as text, and are read by the decoder of reviews, so that memory does
//! not grow with the cluster.

mod autoscalers;
mod configuration;
mod gather;
mod html;
mod pods;
mod policies;
mod report;
mod reports;
mod sarif;
mod scope;
mod service;
#[cfg(test)]
mod testing;
mod text;
mod workloads;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::cluster::{self, Cluster, ClusterOptions, NamespaceOptions};
use crate::judge::mode::Cap;
use crate::judge::policies::Policies;
use crate::report::{FailOn, remark_on_room};
use crate::service::LogFormat;
use crate::terminal;

use gather::Gathered;
use policies::Chosen;
use report::{Report, SCHEMA, Totals};
use scope::Scope;
use service::options::ServiceOptions;

/// The exit code where there are findings.
const FOUND: u8 = 1;

/// The exit code where something could not be read, for whoever is strict.
const INCOMPLETE: u8 = 2;

/// What to audit, and how to tell.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where they are.
    #[command(flatten)]
    place: NamespaceOptions,

    /// Only objects with these labels, as kubectl has it: app=web,tier!=cache.
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,

    /// Folder with one policy in each YAML file [default: the policies of the installation in the
    /// cluster, or those built in].
    #[arg(long, env = "RESTRAINT_POLICIES", value_name = "DIR")]
    policies: Option<PathBuf>,

    /// The strongest mode that the service would act in [default: that of the installation in the
    /// cluster, or enforce].
    #[arg(long, value_name = "enforce|warn|audit")]
    cap: Option<Cap>,

    /// How the report is printed.
    #[arg(
        short = 'o',
        long = "output",
        alias = "format",
        default_value = "text",
        value_name = "text|json|sarif|html",
        hide_possible_values = true
    )]
    format: Format,

    /// Write the report there instead, whole or not at all.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The weakest mode of findings that fail the command.
    #[arg(
        long,
        default_value = "never",
        value_name = "enforce|warn|audit|never",
        hide_possible_values = true
    )]
    fail_on: FailOn,

    /// Exit with 2 where anything could not be read.
    #[arg(long)]
    strict: bool,

    /// Which cluster, and as whom.
    #[command(flatten)]
    cluster: ClusterOptions,

    /// How to go on.
    #[command(flatten)]
    service: ServiceOptions,
}

impl Options {
    /// How it is said that nothing can be audited.
    pub fn log_format(&self) -> LogFormat {
        self.service.log_format
    }
}

/// How the report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For tools that collect findings: SARIF 2.1.0.
    Sarif,
    /// For a browser: one file that loads nothing.
    Html,
}

/// Audits, with `--every` until SIGTERM or SIGINT.
///
/// # Errors
///
/// Where the cluster cannot be reached at all, or the policies are faulty.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if let Some(every) = options.service.every {
        let place = (&options.cluster, options.place.namespace.as_deref());
        // policies may change meanwhile, and so may the installation whose they are
        return service::run(&options.service, every, place, async |cluster| {
            audit(cluster, options).await.map(|(report, _)| report)
        });
    }
    let (report, policies) = cluster::block_on(async {
        let cluster = options.cluster.connect(options.place.namespace.as_deref()).await?;
        audit(&cluster, options).await
    })?;
    let text = match options.format {
        Format::Text => text::render(&report),
        Format::Json => terminal::json(&report)?,
        Format::Sarif => {
            remark_on_room(report.findings.len());
            terminal::json(&sarif::render(&report, &policies))?
        }
        Format::Html => html::render(&report)?,
    };
    match &options.file {
        Some(path) => terminal::write_file(path, &text)
            .with_context(|| format!("\"{}\" cannot be written", path.display()))?,
        None => terminal::print(&text)?,
    }
    Ok(exit_code(options, &report))
}

/// What is found, and the policies that found it.
async fn audit(cluster: &Cluster, options: &Options) -> anyhow::Result<(Report, Policies)> {
    let version = cluster.version().await?;
    let Chosen { policies, from, installation, mut missing } =
        Chosen::of(cluster, options.policies.as_ref(), options.cap).await?;
    let now = Timestamp::now();
    let namespace = (!options.place.all_namespaces).then_some(cluster.namespace.as_str());
    let selector = options.selector.as_deref();
    let scope = Scope { policies: &policies, namespace, selector, now };
    let gathered = gather::gather(cluster, &scope).await;
    let Gathered { namespaces, objects, findings, pods, autoscalers, .. } = gathered;
    missing.extend(gathered.missing);
    let namespaces = namespaces.len();
    let mut totals = Totals { namespaces, objects, pods: pods.count, ..Totals::default() };
    totals.count(&findings);
    let report = Report {
        schema: SCHEMA,
        time: now,
        version: env!("CARGO_PKG_VERSION"),
        cluster: version,
        namespace: namespace.map(str::to_owned),
        selector: selector.map(str::to_owned),
        policies: from,
        cap: policies.cap().as_str(),
        installation,
        totals,
        findings,
        resizes: pods.resizes,
        differing: pods.differing,
        approvals: pods.approvals,
        autoscalers,
        missing,
        next: (),
    };
    Ok((report, policies))
}

fn exit_code(options: &Options, report: &Report) -> ExitCode {
    let fails = |weakest| report.findings.iter().any(|finding| finding.mode.mode() >= weakest);
    if options.strict && !report.missing.is_empty() {
        ExitCode::from(INCOMPLETE)
    } else if options.fail_on.weakest().is_some_and(fails) {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    }
}
