//! The command: files, the cluster, printing.

mod change;
mod live;
mod pod;
mod rule;

use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::manifest::object::Document;
use crate::terminal::plain;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// What to explain.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// What to explain.
    #[command(subcommand)]
    pub topic: Topic,
}

/// What can be explained.
#[derive(Clone, Debug, Subcommand)]
pub enum Topic {
    /// What a rule looks at, why, and how to put its findings right.
    Rule(rule::Options),

    /// What a change does to running processes.
    ///
    /// Every difference between two sets of objects, the gravest first: pods that are replaced,
    /// containers that restart, resizes in place, files that change under a process, and what
    /// nobody notices. Ends with 1 where the API server or Restraint would refuse something.
    Change(change::Options),

    /// What happened to a pod: its restarts, and the state of its resize.
    ///
    /// Of each container the API keeps only the last end, and events for about an hour: what cannot
    /// be known is said to be unknown.
    Pod(pod::Options),
}

/// Explains.
///
/// # Errors
///
/// Where there is nothing to explain, or it cannot be read or printed.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    match &options.topic {
        Topic::Rule(options) => rule::run(options),
        Topic::Change(options) => change::run(options),
        Topic::Pod(options) => pod::run(options),
    }
}

/// The objects in a file, or on standard input.
fn read(path: &str, namespace: &str) -> anyhow::Result<Vec<Document>> {
    let mut text = String::new();
    if path == "-" {
        std::io::stdin()
            .lock()
            .take(LARGEST)
            .read_to_string(&mut text)
            .context("standard input cannot be read")?;
    } else {
        let file = fs::File::open(path).with_context(|| format!("{path:?} cannot be read"))?;
        file.take(LARGEST)
            .read_to_string(&mut text)
            .with_context(|| format!("{path:?} cannot be read"))?;
    }
    Document::read(&text, namespace).with_context(|| format!("{path:?} cannot be read"))
}

/// The width of text for people, in characters.
const WIDTH: usize = 110;

/// Adds what is said under `word`, in lines that fit; nothing where nothing is said. Commands stay
/// in one line.
fn said(text: &mut String, word: &str, said: &str) {
    if said.is_empty() {
        return;
    }
    let (said, is_command) = (plain(said), word == "do");
    let mut line = format!("  {word}:");
    let indent = " ".repeat(line.chars().count().min(6));
    for part in said.split(' ') {
        let length = line.chars().count().saturating_add(part.chars().count());
        if length >= WIDTH && !is_command {
            let _ = writeln!(text, "{line}"); // writing to memory cannot fail
            line.clone_from(&indent);
        }
        line.push(' ');
        line.push_str(part);
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_broken_and_commands_are_not() {
        let mut text = String::new();
        said(&mut text, "why", &"word ".repeat(50));
        assert!(
            text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        assert!(
            text.starts_with("  why: word")
                && text.lines().nth(1).unwrap().starts_with("       word"),
            "{text}"
        );
        let mut text = String::new();
        said(&mut text, "do", &format!("`{}`", "word ".repeat(50)));
        said(&mut text, "do", "");
        assert_eq!(text.lines().count(), 1);
    }
}
