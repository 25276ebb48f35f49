//! Restraint beside other admission servers, in one run on one machine: the same recorded reviews
//! go to all of them in turn. Peers are started by whoever wants to know; the floor and Restraint
//! by this program.

mod ahead;
mod argument;
mod contender;
mod goals;
mod grown;
mod measure;
mod plot;
mod report;
mod reviews;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::certificate::Certificate;
use crate::machine::Machine;
use crate::measure::show;
use crate::processor::{Processors, pin};
use crate::{account, page, until_interrupted};
use argument::Present;
pub(crate) use argument::{Peer, PeerOptions};
use contender::Contender;
use measure::{Measuring, Plan};
use report::{Report, ReviewFigures, ServerFigures};

/// The plot, as the page shows it.
const PICTURE: &str = "![What a review costs and how late its answer comes at a steady rate, beside other engines](peers.svg)";

/// What to measure, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    peers: PeerOptions,

    /// Rounds, both of the closed loop and at the steady rate.
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    rounds: usize,

    /// Connections in the closed loop.
    #[arg(long, default_value_t = 4, value_name = "COUNT")]
    in_flight: usize,

    /// Seconds that a round of the closed loop gives to each server and review.
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS")]
    seconds: f64,

    /// Seconds that a round at the steady rate gives to each.
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS")]
    steady_seconds: f64,

    /// Seconds for which all servers rest first, to see who works then.
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    rest_seconds: f64,

    /// Reviews in a second at the steady rate.
    #[arg(long, default_value_t = 200.0, value_name = "COUNT")]
    rate: f64,

    /// The same of the large ones.
    #[arg(long, default_value_t = 40.0, value_name = "COUNT")]
    large_rate: f64,

    /// Let them arrive evenly, instead of at random (Poisson).
    #[arg(long)]
    even: bool,

    /// Print JSON instead of Markdown.
    #[arg(long)]
    json: bool,

    /// Write the figures into docs/performance.md, and the plot beside it.
    #[arg(long)]
    write: bool,
}

impl Options {
    fn plan(&self) -> anyhow::Result<Plan> {
        let seconds = |value, flag| Duration::try_from_secs_f64(value).context(flag);
        let is_rate = |rate: &f64| rate.is_finite() && *rate > 0.0;
        let rates = [self.rate, self.large_rate];
        ensure!(rates.iter().all(is_rate), "--rate and --large-rate are above 0");
        Ok(Plan {
            in_flight: self.in_flight.max(1),
            rounds: self.rounds.max(1),
            share: seconds(self.seconds, "--seconds")?,
            steady_share: seconds(self.steady_seconds, "--steady-seconds")?,
            rest: seconds(self.rest_seconds, "--rest-seconds")?,
            rates,
            even: self.even,
        })
    }
}

/// Measures, prints, and says whether every goal is reached.
pub(crate) fn run(options: &Options, restraint: &Path) -> anyhow::Result<bool> {
    let (plan, machine) = (options.plan()?, Machine::look(None));
    let report = until_interrupted(measure(options, plan, machine, restraint));
    show("");
    let report = report?;
    page::print(&report, options.json)?;
    if options.write {
        page::write_block("peers", &format!("{PICTURE}\n\n{report}"))?;
        page::write_picture("peers.svg", &plot::draw(&report))?;
    }
    Ok(report.is_met())
}

async fn measure(
    options: &Options,
    plan: Plan,
    machine: Machine,
    restraint: &Path,
) -> anyhow::Result<Report> {
    let (reviews, folder) = (reviews::all()?, tempfile::tempdir()?);
    let (certificate, processors) = (Certificate::make(folder.path())?, Processors::choose()?);
    let Present { peers, absent } = options.peers.look().await?;
    let first = reviews.first().context("there are no reviews")?;
    show("starting the floor and restraint");
    let mut contenders = vec![
        Contender::floor(&certificate, processors, first).await?,
        Contender::restraint(restraint, &certificate, processors, first).await?,
    ];
    for peer in peers {
        contenders.push(Contender::peer(peer, processors)?);
    }
    pin(processors.sender)?;
    let measuring = Measuring { plan, contenders: &contenders, reviews: &reviews };
    let mut rests = measuring.rest().await?;
    let rows = measuring.rows().await?;
    measuring.peaks(&mut rests);
    let names: Vec<&str> = contenders.iter().map(|contender| &*contender.name).collect();
    let review = |row| reviews.get(row).context("there is no such review");
    let figures = rows
        .iter()
        .map(|row| Ok(ReviewFigures::new(row, &rows, review(row.review)?, &names)))
        .collect::<anyhow::Result<_>>()?;
    let servers = contenders.iter().zip(&rests).map(|(contender, rest)| {
        ServerFigures::new(contender, rest, account::program(contender.process).ok())
    });
    Ok(Report::new(machine, absent, &plan, servers.collect(), figures))
}
