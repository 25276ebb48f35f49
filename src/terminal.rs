//! What commands print: results on standard output, remarks on standard error.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use serde::Serialize;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

impl Color {
    /// Whether text on standard output has colours; with `aside` that on standard error.
    pub(crate) fn is_wanted(self, aside: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if aside => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            Self::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        }
    }
}

/// `text` in this style, where it is coloured at all.
pub(crate) fn paint(text: &str, style: Style, coloured: bool) -> String {
    if coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// Prints `text` on standard output. Whoever stops reading early is no error.
///
/// # Errors
///
/// Where standard output cannot be written.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints `text` on standard error, where standard output is for something else.
///
/// # Errors
///
/// Where standard error cannot be written.
pub fn print_aside(text: &str) -> anyhow::Result<()> {
    Ok(io::stderr().lock().write_all(text.as_bytes())?)
}

/// Prints `value` as JSON.
///
/// # Errors
///
/// Where standard output cannot be written.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Says something on standard error.
pub fn remark(text: &str) {
    // nobody is left to be told that standard error is closed
    let _ = writeln!(io::stderr().lock(), "{}", plain_lines(text));
}

/// How long nothing is said of progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many things are done, on standard error where somebody watches and it takes a while. Erased
/// at the end.
#[derive(Debug)]
pub(crate) struct Progress {
    things: &'static str,
    since: Option<Instant>,
    done: AtomicUsize,
    /// The tenth of a second in which it was said last.
    said: AtomicUsize,
}

impl Progress {
    /// Nothing is done yet of these `things`.
    pub(crate) fn start(things: &'static str) -> Self {
        let since = io::stderr().is_terminal().then(Instant::now);
        Self { things, since, done: AtomicUsize::new(0), said: AtomicUsize::new(0) }
    }

    /// One more is done.
    pub(crate) fn one_more(&self) {
        self.more(1);
    }

    /// So many more are done.
    pub(crate) fn more(&self, count: usize) {
        let done = self.done.fetch_add(count, Ordering::Relaxed).saturating_add(count);
        let Some(elapsed) =
            self.since.map(|since| since.elapsed()).filter(|elapsed| *elapsed > PATIENCE)
        else {
            return;
        };
        let tenths = usize::try_from(elapsed.as_millis() / 100).unwrap_or(usize::MAX);
        if self.said.swap(tenths, Ordering::Relaxed) != tenths {
            let _ = write!(io::stderr(), "\r{done} {}\u{1b}[K", self.things); // erases the rest of the line
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.said.load(Ordering::Relaxed) > 0 {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

/// `text` in one line that no terminal takes for commands: whoever may annotate pods wrote parts of
/// it.
pub fn plain(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// The same, with its line breaks.
fn plain_lines(text: &str) -> Cow<'_, str> {
    escape(text, |letter| letter != '\n' && is_unsafe(letter))
}

fn escape(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unsafe(letter) {
            let _ = write!(escaped, "{}", letter.escape_default()); // writing to memory cannot fail
        } else {
            escaped.push(letter);
        }
    }
    Cow::Owned(escaped)
}

/// Control characters, and those that turn the direction of writing.
fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_commands_the_terminal() {
        assert_eq!(plain("alice@example.com für \"db\""), "alice@example.com für \"db\"");
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
        assert_eq!(plain_lines("a\nb\u{7}"), "a\nb\\u{7}");
    }
}
