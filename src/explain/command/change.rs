//! `restraint explain change`.

mod overlay;
mod text;

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;

use crate::cluster::{self, ClusterOptions};
use crate::explain::change::{ChangeContext, explain};
use crate::manifest::unstructured::Unstructured;
use crate::terminal::{self, Output, OutputFormat};

use super::live;
use super::read;

/// What stands before the name of an object in the cluster.
const LIVE: &str = "live:";

/// What ends with refusals.
const REFUSED: u8 = 1;

/// What to compare.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// What is there: a file, "-" for standard input, or live:KIND/NAME.
    #[arg(long, value_name = "OLD")]
    pub from: String,

    /// What is wanted: a file, "-" for standard input, or live:KIND/NAME.
    #[arg(long, value_name = "NEW")]
    pub to: String,

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
    if options.from == "-" && options.to == "-" {
        bail!("standard input can be read once: give a file for one side");
    }
    let is_live = |side: &str| side.starts_with(LIVE);
    let (old, new, mut context) = if is_live(&options.from) || is_live(&options.to) {
        live_sides(options)?
    } else {
        let namespace = options.namespace.as_deref().unwrap_or("default");
        (read(&options.from, namespace)?, read(&options.to, namespace)?, ChangeContext::default())
    };
    context.now = Some(Timestamp::now());
    let explanations = explain(&old, &new, &context);
    match options.output.format {
        OutputFormat::Json => terminal::print_json(&explanations)?,
        OutputFormat::Text => terminal::print(&text::text(&explanations))?,
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
        for side in [&options.from, &options.to] {
            sides.push(match side.strip_prefix(LIVE) {
                Some(name) => Side::Live(live::read(&cluster, &name.parse()?).await?),
                None => Side::File(read(side, &cluster.namespace)?),
            });
        }
        let mut sides = sides.into_iter();
        let (old, new) = match (sides.next(), sides.next()) {
            (Some(Side::Live(live)), Some(Side::File(file))) => {
                let wanted = overlay::over(&live, &file)?;
                (vec![live], with(file, wanted))
            }
            (Some(Side::File(file)), Some(Side::Live(live))) => {
                let past = overlay::under(&live, &file)?;
                (with(file, past), vec![live])
            }
            (Some(Side::Live(old)), Some(Side::Live(new))) => (vec![old], vec![new]),
            _ => bail!("there are two sides"),
        };
        let others = live::users(&cluster, old.iter().chain(&new)).await;
        Ok((old, new, ChangeContext { others, is_whole: false, ..ChangeContext::default() }))
    })
}

enum Side {
    Live(Unstructured),
    File(Vec<Unstructured>),
}

/// The objects of a file, one of them completed.
fn with(mut file: Vec<Unstructured>, whole: Unstructured) -> Vec<Unstructured> {
    if let Some(same) = file.iter_mut().find(|document| document.is_same_object(&whole)) {
        *same = whole;
    }
    file
}
