//! Options of Node.js: those of `NODE_OPTIONS` first, then those in front of the script; of
//! repeated ones the last counts.

use crate::shell::Word;
use crate::shell::options::in_front;

use super::bound::Size;
use super::environment::Variables;
use super::launch::Launch;
use super::refused::{Refused, is_plain};
use super::setting::{Setting, Source, Written};
use super::size;

/// The variable that Node.js reads.
pub(super) const VARIABLE: &str = "NODE_OPTIONS";

/// Endings of scripts: what follows one is the program's.
const SCRIPTS: [&str; 4] = [".js", ".mjs", ".cjs", ".ts"];

/// The option, with dashes for underscores: V8 takes either.
const OPTION: &str = "--max-old-space-size";

/// The same as a share of the memory limit, since Node.js 25.
const PERCENTAGE: &str = "--max-old-space-size-percentage";

/// What is known of the options, and what Node.js refuses of them.
#[derive(Debug, Default)]
struct Options {
    source: Source<'static>,
    old_space: Setting<Size>,
    refused: Vec<Refused>,
}

/// The size of the old space of the program that the container starts.
pub(super) fn old_space(
    variables: &Variables<'_>,
    launch: &Launch<'_>,
    refused: &mut Vec<Refused>,
) -> Setting<Size> {
    let name = VARIABLE;
    let mut inherited = Options { source: Source::Variable(name), ..Options::default() };
    match variables.value(name) {
        Setting::Known(text, _) => match words(text) {
            Some(words) => {
                words.into_iter().map(Word::Known).for_each(|word| inherited.take(&word))
            }
            None => inherited.old_space = Setting::Unknown,
        },
        Setting::Unknown => inherited.old_space = Setting::Unknown,
        Setting::Absent => {}
    }
    let own = on_command_line(launch);
    refused.extend(inherited.refused);
    refused.extend(own.refused);
    own.old_space.over(inherited.old_space)
}

fn on_command_line(launch: &Launch<'_>) -> Options {
    if !launch.is_clear() {
        return Options { old_space: Setting::Unknown, ..Options::default() };
    }
    if let Some(options) =
        launch.arguments(&["node", "nodejs"]).map(arguments).reduce(Options::beside)
    {
        return options;
    }
    let script = |text: &str| text == "--" || SCRIPTS.iter().any(|ending| text.ends_with(ending));
    let loose = launch.loose_words().iter().take_while(|word| !word.known().is_some_and(script));
    let mut options = Options::default();
    loose.for_each(|word| options.take(word));
    options
}

/// The options in front of the script.
fn arguments(words: &[Word]) -> Options {
    let mut options = Options::default();
    in_front("node", words, |given| {
        if given.name.is_none() {
            options.take(given.word);
        }
    });
    options
}

impl Options {
    fn beside(mut self, mut other: Self) -> Self {
        self.refused.append(&mut other.refused);
        Self { old_space: self.old_space.beside(other.old_space), ..self }
    }

    /// Takes one more word.
    fn take(&mut self, word: &Word) {
        let setting = std::mem::take(&mut self.old_space);
        self.old_space = self.after(word, setting);
    }

    /// The setting after one more word.
    fn after(&mut self, word: &Word, setting: Setting<Size>) -> Setting<Size> {
        let (text, certain) = match word {
            Word::Known(text) => {
                text.split_once("$(").map_or((text.as_str(), true), |(prefix, _)| (prefix, false))
            }
            Word::Unknown { prefix, .. } => (prefix.as_str(), false),
        };
        let (name, value) =
            text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let name = name.replace('_', "-");
        let about_heap = match certain {
            true => name.starts_with(OPTION),
            false => {
                !name.starts_with('-') || OPTION.starts_with(&name) || name.starts_with(OPTION)
            }
        };
        match value {
            _ if !about_heap => setting,
            // V8 takes 0 for its own choice
            Some("0" | "") if certain && name == OPTION => Setting::Absent,
            Some(value) if certain && (name == OPTION || name == PERCENTAGE) => {
                let written = Written::within(text, self.source);
                let size = match name == OPTION {
                    true => size::v8(value).map(Size::Bytes),
                    false => size::percentage(value).map(Size::Share),
                };
                if size.is_none() && is_plain(value) {
                    self.refused.push(Refused { program: "Node.js", written: written.clone() });
                }
                Setting::read(size, || written)
            }
            _ => Setting::Unknown,
        }
    }
}

/// The words of `NODE_OPTIONS` (`node.cc`, `ParseNodeOptionsEnvVar`): parted by blanks, with double
/// quotes, in which a backslash stands before a character that is meant as it is. `None` where a
/// quote stays open.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend(word.take()),
            '\\' if quoted => word.get_or_insert_default().push(characters.next()?),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    (!quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_variable() {
        let of = |text| words(text).unwrap();
        assert_eq!(
            of(r#"--require "./my \"own\" file.js"  --trace-gc"#),
            ["--require", r#"./my "own" file.js"#, "--trace-gc"]
        );
        assert_eq!(of("'a b'\tc\\d"), ["'a", "b'\tc\\d"], "only blanks and double quotes count");
        assert_eq!(of(""), [""; 0]);
        assert_eq!((words("\"open"), words("\"open\\")), (None, None));
    }
}
