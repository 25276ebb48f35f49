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
            only(Arguments::of(program, first.arguments()).operands.first()?.known()?)
        }
        "cat" | "head" => {
            let file = first
                .arguments()
                .iter()
                .filter_map(Word::known)
                .find(|text| text.ends_with(".pid"))?;
            only(base_name(file).strip_suffix(".pid")?)
        }
        "ps" => {
            let mut greps = commands
                .iter()
                .filter(|command| command.program() == Some("grep"))
                .map(|grep| Arguments::of("grep", grep.arguments()));
            let options = greps.find(|options| !options.has("invert-match"))?;
            let operand = || options.operands.first().and_then(|word| word.known());
            only(options.value("regexp").or_else(operand)?)
        }
        _ => None,
    }
}

/// The one name in a pattern.
fn only(text: &str) -> Option<String> {
    match names(text)?.as_slice() {
        [name] => Some(name.clone()),
        _ => None,
    }
}

/// The names of programs in a pattern for names or command lines: `^nginx$`, `[n]ginx: master`,
/// `/usr/sbin/nginx`, `haproxy|hapee-lb`. `None` where one of them is unknown.
pub(super) fn names(pattern: &str) -> Option<Vec<String>> {
    /// With more of them it is nobody's pattern.
    const MANY: usize = 8;
    let pattern = pattern.strip_prefix("(?:").unwrap_or(pattern);
    pattern.splitn(MANY, '|').map(name).collect()
}

fn name(pattern: &str) -> Option<String> {
    let text: String = pattern.chars().filter(|letter| !"[]()^".contains(*letter)).collect();
    let text = text.trim_start_matches(".*").trim_end_matches(".*");
    let word = text.split([' ', ':', '$']).next()?;
    let name = base_name(word);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.+".contains(letter);
    (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}
