//! Logging: one line per event, on standard error.

use std::io::{BufWriter, IsTerminal};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Lines that wait while standard error is slow, some 4 MiB of them. What comes on top is lost, and counted.
const WAITING: usize = 8_192;

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// The log, while it lasts. Dropped, it writes what waits, but waits no longer than a second itself.
#[derive(Debug)]
pub struct Log {
    lost: ErrorCounter,
    _writer: WorkerGuard,
}

impl Log {
    /// Starts logging. `RUST_LOG` chooses what is logged, by default information and up.
    ///
    /// A thread of its own writes the lines, those that wait in one go: whoever reads them may stop reading, and reviews
    /// go on.
    pub fn start(format: LogFormat) -> Self {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let (lines, writer) = NonBlockingBuilder::default().buffered_lines_limit(WAITING).finish(BufWriter::new(std::io::stderr()));
        let lost = lines.error_counter();
        let builder = fmt().with_env_filter(filter).with_writer(lines);
        // a second start within one process (a test's) keeps the first
        let _ = match format {
            LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
            LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
        };
        Self { lost, _writer: writer }
    }

    /// Counts the lines that were lost because nobody took them in time.
    pub fn lost(&self) -> ErrorCounter {
        self.lost.clone()
    }
}
