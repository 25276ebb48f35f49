//! Signals a script sends: to whom, and whether the script itself may have started that process.

use crate::shell::{SHELLS, Script, base_name};

use super::delegate::started;
use super::feeding;
use super::process::process;
use super::recipient::Recipient;
use super::sender::sent;

/// A signal that a script sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The program that sends it: `kill`, `pkill`, `nginx`.
    pub sender: String,
    /// Who gets it.
    pub recipient: Recipient,
    /// The position in [`Script::commands`] of the command that sends it or has it sent.
    pub command: usize,
}

/// Programs whose arguments are names of processes or plain text, so that a name there starts
/// nothing.
const MENTIONS: [&str; 27] = [
    "command", "which", "type", "kill", "pkill", "killall", "pidof", "pgrep", "ps", "grep",
    "egrep", "awk", "sed", "echo", "printf", "cat", "ls", "test", "[", "[[", "mkdir", "touch",
    "chown", "chmod", "cp", "rm", "logger",
];

/// How many programs may start one another before nothing more is told.
const DEEPEST: usize = 4;

/// Programs that start others by rules of their own.
const OPAQUE: [&str; 14] = [
    ".",
    "source",
    "eval",
    "supervisord",
    "s6-svscan",
    "runsvdir",
    "runit",
    "init",
    "systemctl",
    "monit",
    "pm2",
    "nsenter",
    "su",
    "make",
];

/// The signals a script sends, in the order of the text. `kill -0` only asks, and is none.
pub fn signals(script: &Script) -> Vec<Signal> {
    signals_within(script, DEEPEST)
}

fn signals_within(script: &Script, depth: usize) -> Vec<Signal> {
    let mut found = Vec::new();
    for (position, command) in script.commands.iter().enumerate() {
        let mut sent = sent(script, command);
        if let Some(depth) = depth.checked_sub(1)
            && let Some(inner) = started(command)
        {
            // What feeds `xargs kill` is known out here only.
            let fed = process(feeding(script, position));
            sent.extend(signals_within(&inner, depth).into_iter().map(|signal| {
                let recipient = match (signal.recipient, &fed) {
                    (Recipient::Unknown, Some(name)) => Recipient::Named(name.clone()),
                    (recipient, _) => recipient,
                };
                (signal.sender, recipient)
            }));
        }
        found.extend(sent.into_iter().map(|(sender, recipient)| Signal {
            sender,
            recipient,
            command: position,
        }));
    }
    found
}

/// Whether a script may itself have started a process by this name: it runs that program, hands its
/// name to another, or runs something of which that is unknown.
pub fn may_start(script: &Script, name: &str) -> bool {
    may_start_within(script, name, DEEPEST)
}

fn may_start_within(script: &Script, name: &str, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return true;
    };
    script.commands.iter().any(|command| {
        let Some(program) = command.program() else {
            return true;
        };
        if !sent(script, command).is_empty() && program != "haproxy" || MENTIONS.contains(&program)
        {
            return false;
        }
        let tests = command
            .arguments()
            .iter()
            .any(|word| matches!(word.known(), Some("-t" | "-T" | "-v" | "-V" | "-tq" | "-qt")));
        if let Some(inner) = started(command) {
            return may_start_within(&inner, name, depth);
        }
        program == name && !tests
            || OPAQUE.contains(&program)
            || SHELLS.contains(&program)
            || program.ends_with(".sh")
            || program.contains("entrypoint")
            || program != name
                && command.arguments().iter().any(|word| is_program(word.prefix(), name))
    })
}

/// Whether an argument is a program by this name, bare or in a directory of programs, such as
/// `/usr/sbin/nginx`.
fn is_program(argument: &str, name: &str) -> bool {
    argument == name || argument.contains("bin/") && base_name(argument) == name
}
