//! Which process a number or a pattern means.

use crate::shell::options::Arguments;
use crate::shell::{Command, Script, Word, WordOrigin, base_name};

use super::recipient::Recipient;

/// Whose number a word is.
pub(super) fn identified(script: &Script, word: &Word) -> Recipient {
    match word {
        Word::Known(text) => match text.as_str() {
            "0" | "1" | "-1" => Recipient::Own,
            _ if text.starts_with('%') => Recipient::Own,
            _ => Recipient::Unknown,
        },
        Word::Unknown { origin: WordOrigin::Child | WordOrigin::Shell, .. } => Recipient::Own,
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
        program @ ("pidof" | "pgrep") => {
            pattern(Arguments::of(program, first.arguments()).operands.first()?.known()?)
        }
        "cat" | "head" => {
            let file = first
                .arguments()
                .iter()
                .filter_map(Word::known)
                .find(|text| text.ends_with(".pid"))?;
            pattern(base_name(file).strip_suffix(".pid")?)
        }
        "ps" => {
            let mut greps = commands
                .iter()
                .filter(|command| command.program() == Some("grep"))
                .map(|grep| Arguments::of("grep", grep.arguments()));
            let options = greps.find(|options| !options.has("invert-match"))?;
            let operand = || options.operands.first().and_then(|word| word.known());
            pattern(options.value("regexp").or_else(operand)?)
        }
        _ => None,
    }
}

/// The name of a program in a pattern for names or command lines: `^nginx$`, `[n]ginx: master`,
/// `/usr/sbin/nginx`.
pub(super) fn pattern(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !"[]^".contains(*letter)).collect();
    let word = text.split([' ', ':', '$']).next()?;
    let name = base_name(word);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.+".contains(letter);
    (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}
