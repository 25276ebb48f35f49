//! What a policy adds in a real API server: none, policies in CEL, Restraint, and peers, side by
//! side in one run.
//!
//! One caller creates pods and resizes one, in a namespace of each in turn, so that what disturbs
//! one disturbs all. All programs share the machine's processors, as no cluster of size would have it:
//! differences count, not levels.

mod caller;
mod hooks;
mod measured;
mod objects;
mod programs;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;

use crate::cases::Size;
use crate::control_plane::assets;
use crate::machine::Machine;
use crate::measure::show;
use crate::peers::{Peer, PeerOptions};
use crate::{page, until_interrupted};
use caller::{Caller, Request};
use measured::{Figures, Measured, Throughput};
use objects::Objects;
use programs::Programs;

/// What to measure, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    peers: PeerOptions,

    /// Requests of each kind in each namespace, one after the other.
    #[arg(long, default_value_t = 400, value_name = "COUNT")]
    requests: u32,

    /// Rounds in which as many requests are made as can be.
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    rounds: u32,

    /// Seconds that a round gives to each kind in each namespace.
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
    seconds: f64,

    /// Requests in flight in these rounds.
    #[arg(long, default_value_t = 8, value_name = "COUNT")]
    in_flight: usize,

    /// About how large the review of a creation is.
    #[arg(long, value_enum, default_value = "5k", value_name = "SIZE")]
    size: Size,

    /// Print JSON instead of Markdown.
    #[arg(long)]
    json: bool,

    /// Write the figures into docs/performance.md.
    #[arg(long)]
    write: bool,
}

/// Who has a say in a namespace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Policy {
    None,
    Cel,
    Restraint,
    Peer(Arc<Peer>),
}

impl Policy {
    /// All that are compared.
    fn all(peers: Vec<Peer>) -> Vec<Self> {
        let peers = peers.into_iter().map(|peer| Self::Peer(Arc::new(peer)));
        [Self::None, Self::Cel, Self::Restraint].into_iter().chain(peers).collect()
    }

    fn namespace(&self) -> String {
        format!("bench-{}", self.key())
    }

    fn key(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Cel => "cel",
            Self::Restraint => "restraint",
            Self::Peer(peer) => &peer.name,
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::None => "no policy",
            Self::Cel => "CEL",
            Self::Restraint => "Restraint",
            Self::Peer(peer) => &peer.name,
        }
    }

    /// Whether new pods are amended, and whether lower limits are denied.
    fn acts(&self) -> [bool; 2] {
        match self {
            Self::None => [false; 2],
            Self::Cel | Self::Restraint => [true; 2],
            Self::Peer(peer) => [peer.mutate.is_some(), peer.validate.is_some()],
        }
    }
}

impl serde::Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key())
    }
}

/// What is asked of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Operation {
    CreateDryRun,
    CreateStored,
    ResizeDryRun,
    ResizeStored,
}

impl Operation {
    pub(crate) const ALL: [Self; 4] =
        [Self::CreateDryRun, Self::CreateStored, Self::ResizeDryRun, Self::ResizeStored];

    fn as_str(self) -> &'static str {
        match self {
            Self::CreateDryRun => "pod create, dry run",
            Self::CreateStored => "pod create, stored",
            Self::ResizeDryRun => "pod resize, dry run",
            Self::ResizeStored => "pod resize, stored",
        }
    }

    fn is_dry_run(self) -> bool {
        matches!(self, Self::CreateDryRun | Self::ResizeDryRun)
    }
}

/// Measures and prints. There is no target: what is added is stated.
pub(crate) fn run(options: &Options, restraint: &Path) -> anyhow::Result<bool> {
    let assets = assets()?;
    let machine = Machine::look(None);
    let figures = until_interrupted(async {
        let peers = options.peers.look().await?.peers;
        let objects = Objects::new(options.size, Policy::all(hooks::usable(peers)))?;
        show("starting etcd, kube-apiserver and restraint");
        let programs =
            Programs::start(&assets, restraint, &objects, options.in_flight.max(1)).await?;
        measure(options, &objects, &programs).await
    });
    show("");
    let measured = Measured { machine, figures: figures? };
    page::print(&measured, options.json)?;
    if options.write {
        page::write_block("cluster", &measured.to_string())?;
    }
    Ok(true)
}

async fn measure(
    options: &Options,
    objects: &Objects,
    programs: &Programs,
) -> anyhow::Result<Vec<Figures>> {
    let each = |operation| {
        objects.policies.iter().map(move |policy| Figures::new(operation, policy.clone()))
    };
    let mut figures: Vec<Figures> = Operation::ALL.into_iter().flat_map(each).collect();
    one_by_one(options, objects, programs, &mut figures).await?;
    together(options, objects, programs, &mut figures).await?;
    Ok(figures)
}

/// One request after the other, for how long each takes.
async fn one_by_one(
    options: &Options,
    objects: &Objects,
    programs: &Programs,
    figures: &mut [Figures],
) -> anyhow::Result<()> {
    let mut caller = programs.caller().await?;
    for figure in &*figures {
        let request = objects.request(figure.operation, &figure.policy, 0);
        for _ in 0..20 {
            caller.call(&request()).await?;
        }
    }
    let policies = objects.policies.len();
    for (index, group) in figures.chunks_mut(policies).enumerate() {
        for turn in 0..options.requests as usize {
            show(&format!(
                "request {turn} of {}, kind {} of {}",
                options.requests,
                index + 1,
                Operation::ALL.len()
            ));
            // another one begins each turn, so that none always follows the same
            for place in 0..group.len() {
                let Some(figure) = group.get_mut((turn + place) % policies) else {
                    continue;
                };
                let request = objects.request(figure.operation, &figure.policy, 0)();
                let begun = Instant::now();
                caller.call(&request).await?;
                figure.latencies.push(begun.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    Ok(())
}

/// As many requests as can be, for how much processor time each takes.
async fn together(
    options: &Options,
    objects: &Objects,
    programs: &Programs,
    figures: &mut [Figures],
) -> anyhow::Result<()> {
    let share = Duration::try_from_secs_f64(options.seconds).context("--seconds")?;
    let mut callers = Vec::new();
    for _ in 0..options.in_flight {
        callers.push(programs.caller().await?);
    }
    for round in 0..options.rounds as usize {
        for place in 0..figures.len() {
            let count = figures.len();
            let Some(figure) = figures.get_mut((place + round) % count) else { continue };
            show(&format!(
                "round {} of {}: {}, {}",
                round + 1,
                options.rounds,
                figure.operation.as_str(),
                figure.policy.as_str()
            ));
            let before = programs.on_processor(&figure.policy)?;
            let request = |caller| objects.request(figure.operation, &figure.policy, caller);
            let (requests, elapsed) = flood(&mut callers, request, share).await?;
            let after = programs.on_processor(&figure.policy)?;
            figure.throughputs.push(Throughput::new(requests, elapsed, before, after));
        }
    }
    Ok(())
}

/// Closed loop: every caller makes its next request when it has the answer to the last.
async fn flood<R: Fn() -> Request + Send + 'static>(
    callers: &mut Vec<Caller>,
    request: impl Fn(usize) -> R,
    share: Duration,
) -> anyhow::Result<(u64, Duration)> {
    let mut running = JoinSet::new();
    let begun = Instant::now();
    for (index, mut caller) in std::mem::take(callers).into_iter().enumerate() {
        let request = request(index);
        running.spawn(async move {
            let mut requests = 0u64;
            while begun.elapsed() < share {
                caller.call(&request()).await?;
                requests += 1;
            }
            anyhow::Ok((caller, requests))
        });
    }
    let mut requests = 0;
    while let Some(ended) = running.join_next().await {
        let (caller, own) = ended??;
        callers.push(caller);
        requests += own;
    }
    Ok((requests, begun.elapsed()))
}
