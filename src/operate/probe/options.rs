//! The flags of probes, for every command that changes something.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::sync::watch;

use crate::cluster::{Cluster, ClusterOptions};
use crate::operate::rights::Right;
use crate::terminal;

use super::condition::{Conditions, MaxErrors};
use super::drive::{Ask, Schedule};
use super::duration::{Milliseconds, duration};
use super::page;
use super::report::{ProbeReport, Terms};
use super::run::Probes;
use super::send::{Means, PodAtHand, send, tls};
use super::target::{Route, Target};

/// The most requests of a probe that wait for an answer at a time.
const MOST_UNDER_WAY: usize = 256;

/// Requests a second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate(f64);

/// Requests that are sent while a change is made.
#[derive(Clone, Debug, Args)]
pub(crate) struct ProbeOptions {
    /// Send requests there before, during and after the change, and tell what became of them; may be
    /// repeated. http://HOST/PATH and https://HOST/PATH leave from here; service:NAME:PORT/PATH and
    /// pod:PORT/PATH (the pod at hand) go through the API server; pod-ip:PORT/PATH goes straight to
    /// the pod at hand.
    #[arg(long = "probe", value_name = "TARGET", help_heading = "Probes")]
    probes: Vec<Target>,

    /// Requests a second of each probe, from 0.1 to 1000; they leave on schedule whatever becomes of
    /// those before.
    #[arg(
        long,
        default_value = "10",
        value_name = "NUMBER",
        value_parser = rate,
        requires = "probes",
        help_heading = "Probes"
    )]
    rate: Rate,

    /// Stop where more requests of a probe fail: a number, or a share such as 1%.
    #[arg(long, value_name = "NUMBER|PERCENT", requires = "probes", help_heading = "Probes")]
    max_errors: Option<MaxErrors>,

    /// Stop where the p99 of a probe's latency is longer, such as 250ms.
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration,
        requires = "probes",
        help_heading = "Probes"
    )]
    max_latency: Option<Duration>,

    /// How long an answer may take.
    #[arg(
        long,
        default_value = "2s",
        value_name = "DURATION",
        value_parser = duration,
        requires = "probes",
        help_heading = "Probes"
    )]
    probe_timeout: Duration,

    /// How long requests are sent before the first change and after the last.
    #[arg(
        long,
        default_value = "5s",
        value_name = "DURATION",
        value_parser = duration,
        requires = "probes",
        help_heading = "Probes"
    )]
    probe_margin: Duration,

    /// Trust every certificate that an https probe is shown.
    #[arg(long, requires = "probes", help_heading = "Probes")]
    probe_insecure: bool,

    /// Write what the probes measured there, as a page for the browser that loads nothing.
    #[arg(long, value_name = "FILE.html", requires = "probes", help_heading = "Probes")]
    report: Option<PathBuf>,
}

impl ProbeOptions {
    /// Starts the probes: none, where none is asked for. `pod` is the pod at hand, if it is known.
    ///
    /// # Errors
    ///
    /// Where the API server cannot be asked, or the certificates that are trusted not be read.
    pub(crate) async fn start(
        &self,
        options: &ClusterOptions,
        cluster: &Cluster,
        pod: Option<PodAtHand>,
    ) -> anyhow::Result<Probes> {
        let needs = |is_needed: fn(&Route) -> bool| {
            self.probes.iter().any(|target| is_needed(&target.route))
        };
        let api_server = if needs(|route| matches!(route, Route::Pod(_) | Route::Service { .. })) {
            Some((options.client_asking_once().await?, cluster.namespace.clone()))
        } else {
            None
        };
        let needs_tls = needs(|route| matches!(route, Route::Host(host) if host.is_tls));
        let tls = needs_tls.then(|| tls(self.probe_insecure)).transpose()?;
        let pod = watch::Sender::new(pod);
        let means = Means { api_server, tls, pod: pod.subscribe(), timeout: self.probe_timeout };
        let ask = |target: &Target| -> Ask {
            let (target, means) = (Arc::new(target.clone()), Arc::new(means.clone()));
            Box::new(move || {
                let (target, means) = (Arc::clone(&target), Arc::clone(&means));
                Box::pin(async move { send(&target, &means).await })
            })
        };
        let probes = self.probes.iter().map(|target| (target.to_string(), ask(target))).collect();
        let conditions = Conditions { max_errors: self.max_errors, max_latency: self.max_latency };
        let interval = Duration::try_from_secs_f64(self.rate.0.recip()).context("no such rate")?;
        let schedule = Schedule { interval, most_under_way: MOST_UNDER_WAY };
        Ok(Probes::start(self.terms(), conditions, schedule, pod, probes))
    }

    /// What the probes take besides.
    pub(in crate::operate) fn rights(&self) -> Vec<Right> {
        let goes =
            |wanted: fn(&Route) -> bool| self.probes.iter().any(|target| wanted(&target.route));
        let services = goes(|route| matches!(route, Route::Service { .. }));
        let pods = goes(|route| matches!(route, Route::Pod(_)));
        let services = services.then(|| Right::new("get", "", "services/proxy"));
        services.into_iter().chain(pods.then(|| Right::new("get", "", "pods/proxy"))).collect()
    }

    /// How long requests are sent before the first change and after the last.
    pub(crate) fn margin(&self) -> Duration {
        self.probe_margin
    }

    /// Writes the page, if one is wanted, with this heading.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn write_page(&self, heading: &str, report: &ProbeReport) -> anyhow::Result<()> {
        let Some(path) = &self.report else { return Ok(()) };
        terminal::write_file(path, &page::render(heading, report))
            .with_context(|| format!("\"{}\" cannot be written", path.display()))
    }

    fn terms(&self) -> Terms {
        Terms {
            per_second: self.rate.0,
            timeout: Milliseconds(self.probe_timeout),
            max_errors: self.max_errors.map(|limit| limit.to_string()),
            max_latency: self.max_latency.map(Milliseconds),
        }
    }
}

fn rate(text: &str) -> Result<Rate, String> {
    let rate = text.parse().ok().filter(|rate| (0.1..=1000.0).contains(rate));
    rate.map(Rate)
        .ok_or_else(|| "a rate is a number of requests a second, from 0.1 to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        probes: ProbeOptions,
    }

    fn parsed(words: &str) -> Result<ProbeOptions, String> {
        let words = std::iter::once("command").chain(words.split_whitespace());
        let command = Command::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(command.probes)
    }

    #[test]
    fn the_flags_are_sound() {
        Command::command().debug_assert();
        let options = parsed("").unwrap();
        assert!(options.probes.is_empty() && options.rate == Rate(10.0));
        let all = "--probe http://web/ --probe service:web:80/x --rate 0.5 --max-errors 1% \
                   --max-latency 250ms --probe-timeout 1s --probe-margin 10s --probe-insecure \
                   --report page.html";
        let options = parsed(all).unwrap();
        assert_eq!((options.probes.len(), options.rate), (2, Rate(0.5)));
        assert_eq!(options.max_errors, Some(MaxErrors::Share(10_000)));
        assert_eq!(options.max_latency, Some(Duration::from_millis(250)));
        assert!(options.probe_insecure && options.margin() == Duration::from_secs(10));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (words, said) in [
            ("--max-errors 1%", "--probe"),
            ("--rate 5", "--probe"),
            ("--report a.html", "--probe"),
            ("--probe localhost:80", "\"localhost:80\" is none of http://HOST/PATH"),
            ("--probe http://web --rate 0", "from 0.1 to 1000"),
            ("--probe http://web --rate NaN", "from 0.1 to 1000"),
            ("--probe http://web --rate fast", "from 0.1 to 1000"),
            ("--probe http://web --max-errors 5x", "expected a number of requests such as 5"),
            ("--probe http://web --max-latency 5", "expected a duration such as"),
        ] {
            let error = parsed(words).unwrap_err();
            assert!(error.contains(said), "{words}: {error}");
        }
    }
}
