//! `restraint explain change`.

mod resize;
mod text;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::cluster::{self, ClusterOptions};
use crate::explain::Explanation;
use crate::explain::apply;
use crate::explain::change::{ChangeContext, ConfigFinding, config_findings, explain};
use crate::explain::live;
use crate::judge::subject::Resource;
use crate::manifest::unstructured::Unstructured;
use crate::terminal::{self, Output, OutputFormat};

use super::read;

/// What stands before the name of an object in the cluster.
const LIVE: &str = "live:";

/// What ends with refusals.
const REFUSED: u8 = 1;

/// An entry of the JSON. What a rule says of configuration has `rule`, what comes of a difference
/// `effect`.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'e> {
    Finding(&'e ConfigFinding),
    Explanation(&'e Explanation),
}

/// What to compare.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// What is there: a file, "-" for standard input, or live:KIND/NAME.
    #[arg(long, value_name = "OLD")]
    pub from: String,

    /// What is wanted: a file, "-" for standard input, or live:KIND/NAME.
    #[arg(
        long,
        value_name = "NEW",
        required_unless_present_any = ["amounts", "patch"],
        conflicts_with_all = ["amounts", "patch"]
    )]
    pub to: Option<String>,

    /// Instead of a whole manifest: how a pod is to be resized.
    #[command(flatten)]
    pub resize: resize::Options,

    /// Namespace of objects that name none [default: the context's with live:, else "default"].
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// How results are printed.
    #[command(flatten)]
    pub output: Output,

    /// Which cluster, and as whom.
    #[command(flatten)]
    pub cluster: ClusterOptions,
}

/// Explains every difference.
pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let to = options.to.as_deref();
    if options.from == "-" && to == Some("-") {
        bail!("standard input can be read once: give a file for one side");
    }
    let is_live = |side: &str| side.starts_with(LIVE);
    let (old, new, mut context) = if is_live(&options.from) || to.is_some_and(is_live) {
        live_sides(options)?
    } else {
        let namespace = options.namespace.as_deref().unwrap_or("default");
        let mut old = read(&options.from, namespace)?;
        let mut new = match to {
            Some(to) => read(to, namespace)?,
            None => options.resize.of_each(&old)?,
        };
        if to.is_some() {
            complete(&mut old, &mut new);
        }
        (old, new, ChangeContext::default())
    };
    context.now = Some(Timestamp::now());
    let explanations = explain(&old, &new, &context);
    let findings = config_findings(&old, &new, &context);
    match options.output.format {
        OutputFormat::Json => {
            let explanations = explanations.iter().map(Entry::Explanation);
            let entries = explanations.chain(findings.iter().map(Entry::Finding));
            terminal::print_json(&entries.collect::<Vec<_>>())?;
        }
        OutputFormat::Text => terminal::print(&text::text(&findings, &explanations))?,
    }
    let is_refused = explanations.iter().any(|explanation| explanation.effect.is_refusal());
    Ok(if is_refused { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS })
}

/// Both sides, where one at least is in a cluster. A file says what is wanted, not all that is
/// there: what it leaves out stays, unless it was applied before.
fn live_sides(
    options: &Options,
) -> anyhow::Result<(Vec<Unstructured>, Vec<Unstructured>, ChangeContext)> {
    cluster::block_on(async {
        let cluster = options.cluster.connect(options.namespace.as_deref()).await?;
        let mut sides = Vec::new();
        for side in std::iter::once(&options.from).chain(&options.to) {
            sides.push(match side.strip_prefix(LIVE) {
                Some(name) => Side::Live(live::read(&cluster, &name.parse()?).await?),
                None => Side::File(read(side, &cluster.namespace)?),
            });
        }
        let mut sides = sides.into_iter();
        let (old, new) = match (sides.next(), sides.next()) {
            (Some(Side::Live(live)), Some(Side::File(mut file))) => {
                let wanted = counterpart(&live, &mut file)?;
                *wanted = apply::over(&live, wanted);
                (vec![live], file)
            }
            (Some(Side::File(mut file)), Some(Side::Live(live))) => {
                let past = counterpart(&live, &mut file)?;
                *past = apply::under(&live, past);
                (file, vec![live])
            }
            (Some(Side::Live(old)), Some(Side::Live(new))) => (vec![old], vec![new]),
            (Some(Side::Live(live)), None) => {
                let wanted = options.resize.of_each(std::slice::from_ref(&live))?;
                (vec![live], wanted)
            }
            _ => bail!("there are two sides"),
        };
        let mut others = live::users(&cluster, old.iter().chain(&new)).await;
        others.extend(live::node(&cluster, &old).await);
        Ok((old, new, ChangeContext { others, is_whole: false, ..ChangeContext::default() }))
    })
}

/// The object of the file that is the one in the cluster.
fn counterpart<'f>(
    live: &Unstructured,
    file: &'f mut [Unstructured],
) -> anyhow::Result<&'f mut Unstructured> {
    if file.is_empty() {
        bail!("the file holds no object");
    }
    file.iter_mut()
        .rfind(|object| object.is_same_object(live))
        .with_context(|| format!("the file holds no {live}"))
}

/// Exports are completed as what is in a cluster is: where an export says what was applied last, a
/// file beside it says what is wanted, and so it does of a pod, of which nothing can be removed.
fn complete(old: &mut [Unstructured], new: &mut [Unstructured]) {
    let is_applied_to = |export: &Unstructured, file: &Unstructured| {
        export.is_read()
            && !file.is_read()
            && (export.resource() == Resource::Pod || apply::last_applied(export).is_some())
    };
    for old in old {
        let Some(new) = new.iter_mut().rfind(|new| new.is_same_object(old)) else { continue };
        if is_applied_to(old, new) {
            *new = apply::over(old, new);
        } else if is_applied_to(new, old) {
            *old = apply::under(new, old);
        }
    }
}

enum Side {
    Live(Unstructured),
    File(Vec<Unstructured>),
}
