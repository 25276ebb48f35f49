//! What commands print: results on standard output or into a file, remarks on standard error.

mod file;
mod paragraph;
mod progress;
mod question;
mod table;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use serde::Serialize;

pub(crate) use file::write_file;
pub(crate) use paragraph::paragraph;
pub(crate) use progress::Progress;
pub(crate) use question::asked;
pub(crate) use table::table;

/// How results are printed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Output {
    /// How results are printed.
    #[arg(
        short = 'o',
        long = "output",
        alias = "format",
        default_value = "text",
        value_name = "text|json",
        hide_possible_values = true
    )]
    pub format: OutputFormat,
}

/// A format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether text on standard output has colours; with `on_stderr` that on standard error.
    pub(crate) fn is_wanted(self, on_stderr: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if on_stderr => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
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
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
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
pub(crate) fn print_on_stderr(text: &str) -> anyhow::Result<()> {
    Ok(io::stderr().lock().write_all(text.as_bytes())?)
}

/// Prints `value` as JSON.
///
/// # Errors
///
/// Where standard output cannot be written.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&json(value)?)
}

/// `value` as JSON for people to read.
///
/// # Errors
///
/// Where it is not to be had in JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Prints a remark on standard error.
pub(crate) fn remark(text: &str) {
    // nobody is left to be told that standard error is closed
    let _ = writeln!(io::stderr().lock(), "{}", plain_lines(text));
}

/// The same, where somebody watches: a pipe or a file has the results alone.
pub(crate) fn progress_remark(text: &str) {
    if io::stderr().is_terminal() {
        remark(text);
    }
}

/// `text` in one line that no terminal takes for commands: whoever may annotate pods wrote parts of
/// it.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
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
