//! Logging: one line per event, on standard error.

pub(crate) mod collector;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use tracing::error;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::with_default;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Lines that wait while standard error is slow, some 4 MiB of them. What comes on top is lost, and
/// counted.
const WAITING: usize = 8_192;

/// How long the first of some lines waits for others: to be woken for each costs more than to write
/// it. Ten denials are written at once where 200 come in a second.
const GATHERING: Duration = Duration::from_millis(50);

/// The bytes that are written at once: what a pipe holds.
const TOGETHER: usize = 64 * 1024;

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    /// Says on standard error why nothing can be served, in the form of the log. `RUST_LOG` has no
    /// say: it is the last that is heard of the program.
    pub fn report_fatal(self, error: &anyhow::Error) {
        match self {
            Self::Text => eprintln!("restraint: {error:#}"),
            Self::Json => {
                let lines = fmt().json().flatten_event(true).with_current_span(false);
                let log = lines.with_max_level(LevelFilter::ERROR).with_writer(io::stderr).finish();
                with_default(log, || error!(error = %format_args!("{error:#}"), "cannot serve"));
            }
        }
    }
}

/// The log, while it lasts. Dropped, it writes what waits, but waits no longer than a second
/// itself.
#[derive(Debug)]
pub(crate) struct Log {
    lost: ErrorCounter,
    _writer: WorkerGuard,
}

impl Log {
    /// Starts logging. `RUST_LOG` chooses what is logged, by default information and up.
    ///
    /// A thread of its own writes the lines, those of some milliseconds in one go: whoever reads
    /// them may stop reading, and reviews go on.
    pub(crate) fn start(format: LogFormat) -> Self {
        let (lines, writer) = NonBlockingBuilder::default()
            .buffered_lines_limit(WAITING)
            .finish(Gathered::to(io::stderr()));
        let lost = lines.error_counter();
        let (registry, layer) = (tracing_subscriber::registry().with(filter()), fmt::layer());
        let layer = layer.with_writer(lines);
        // a second start within one process (a test's) keeps the first
        let _ = match format {
            LogFormat::Text => {
                registry.with(layer.with_ansi(io::stderr().is_terminal())).try_init()
            }
            LogFormat::Json => {
                let layer = layer.json().flatten_event(true).with_current_span(false);
                registry.with(layer).try_init()
            }
        };
        Self { lost, _writer: writer }
    }

    /// Counts the lines that were lost because nobody took them in time.
    pub(crate) fn lost(&self) -> ErrorCounter {
        self.lost.clone()
    }
}

/// What is logged: `RUST_LOG` lists levels, for all or for a target, such as `warn,restraint=debug`.
fn filter() -> Targets {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    without_client(wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)))
}

/// The same without what the client of the API server says of each try, now and then with all of
/// the answer: that an API server is away the service says itself, and once. Whoever wants details
/// or names the client gets to see it.
fn without_client(wanted: Targets) -> Targets {
    let level = wanted.default_level().unwrap_or(LevelFilter::OFF);
    if level > LevelFilter::INFO || wanted.iter().any(|(target, _)| target.starts_with("kube")) {
        return wanted;
    }
    wanted
        .with_target("kube_client::client", LevelFilter::OFF)
        .with_target("kube_client::client::tls", level.min(LevelFilter::WARN))
        .with_target("kube_runtime::watcher", LevelFilter::OFF)
}

/// What is written, in one go with what comes soon after it.
struct Gathered<W: Write> {
    writer: BufWriter<W>,
    gathering: bool,
}

impl<W: Write> Gathered<W> {
    fn to(writer: W) -> Self {
        Self { writer: BufWriter::with_capacity(TOGETHER, writer), gathering: false }
    }
}

/// Written to on a thread that has nothing else to do, a line each time, and flushed when no line
/// waits.
impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !self.gathering {
            self.gathering = true;
            thread::sleep(GATHERING);
        }
        self.writer.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gathering = false;
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    /// What was written, each time.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_client_is_heard_where_somebody_asks_for_it() {
        let tried =
            ["kube_client::client::builder", "kube_client::client", "kube_runtime::watcher"];
        let is_heard = |wanted: &str| {
            let filter = without_client(wanted.parse().unwrap());
            tried.map(|target| filter.would_enable(target, &Level::ERROR))
        };
        for wanted in ["info", "error", "restraint=debug", "info,restraint=debug", "off"] {
            assert_eq!(is_heard(wanted), [false; 3], "{wanted}");
        }
        for wanted in ["debug", "trace,restraint=info", "info,kube_client=error,kube_runtime=warn"]
        {
            assert_eq!(is_heard(wanted), [true; 3], "{wanted}");
        }
        let stale = |wanted: &str| {
            let filter = without_client(wanted.parse().unwrap());
            filter.would_enable("kube_client::client::tls", &Level::WARN)
        };
        assert!(stale("info") && stale("warn") && !stale("error") && !stale("restraint=debug"));
    }

    #[test]
    fn lines_are_written_together_and_none_stays_behind() {
        let mut lines = Gathered::to(Writes::default());
        for batch in [["one\n", "two\n"], ["three\n", "four\n"]] {
            batch.iter().for_each(|line| lines.write_all(line.as_bytes()).unwrap());
            lines.flush().unwrap();
        }
        assert_eq!(lines.writer.get_ref().0, [b"one\ntwo\n".to_vec(), b"three\nfour\n".to_vec()]);
    }
}
