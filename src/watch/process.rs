//! Which process a number or a pattern means.

use crate::shell::{Command, Script, Source, Word, base_name};

use super::options::{Grammar, parse};
use super::signal::Recipient;

/// Whose number a word is.
pub(super) fn identified(script: &Script, word: &Word) -> Recipient {
    match word {
        Word::Known(text) => match text.as_str() {
            "0" | "1" | "-1" => Recipient::Own,
            _ if text.starts_with('%') => Recipient::Own,
            _ => Recipient::Unknown,
        },
        Word::Unknown { source: Source::Child | Source::Shell, .. } => Recipient::Own,
        Word::Unknown { .. } => {
            let commands = script.output(word);
            match commands.first().and_then(Command::program) {
                Some("jobs") => Recipient::Own,
                _ => process(commands).map_or(Recipient::Unknown, Recipient::Named),
            }
        }
    }
}

/// The process whose number a pipeline prints: `pidof nginx`, `cat /run/nginx.pid`, `ps | grep
/// nginx | ..`.
pub(super) fn process(commands: &[Command]) -> Option<String> {
    let first = commands.first()?;
    match first.program()? {
        "pidof" => {
            const GRAMMAR: Grammar = Grammar { short: "oS", long: &[], strict: false };
            pattern(parse(first.arguments(), &GRAMMAR).operands.first()?.known()?)
        }
        "pgrep" => pattern(parse(first.arguments(), &PGREP).operands.first()?.known()?),
        "cat" | "head" => {
            let file = first
                .arguments()
                .iter()
                .filter_map(Word::known)
                .find(|text| text.ends_with(".pid"))?;
            pattern(base_name(file).strip_suffix(".pid")?)
        }
        "ps" => {
            let grep = commands.iter().find(|command| {
                command.program() == Some("grep")
                    && !command.arguments().iter().any(|word| word.prefix().starts_with("-v"))
            })?;
            let word = grep.arguments().iter().find(|word| !word.prefix().starts_with('-'))?;
            pattern(word.known()?)
        }
        _ => None,
    }
}

/// Options of `pgrep` and `pkill` that take a value.
pub(super) const PGREP: Grammar = Grammar {
    short: "uUPgGstdFr",
    long: &[
        "uid",
        "euid",
        "parent",
        "pgroup",
        "group",
        "session",
        "terminal",
        "delimiter",
        "pidfile",
        "signal",
        "ns",
        "nslist",
        "runstates",
    ],
    strict: false,
};

/// The name of a program in a pattern for names or command lines: `^nginx$`, `[n]ginx: master`,
/// `/usr/sbin/nginx`.
pub(super) fn pattern(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !"[]^".contains(*letter)).collect();
    let word = text.split([' ', ':', '$']).next()?;
    let name = base_name(word);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.+".contains(letter);
    (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}
