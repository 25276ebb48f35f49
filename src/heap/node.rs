//! Options of Node.js: those of `NODE_OPTIONS` first, then those in front of the script; of
//! repeated ones the last counts.

use crate::shell::Word;
use crate::shell::options::in_front;

use super::environment::Variables;
use super::launch::Launch;
use super::setting::Setting;
use super::size;

/// Endings of scripts: what follows one is the program's.
const SCRIPTS: [&str; 4] = [".js", ".mjs", ".cjs", ".ts"];

/// The option, with dashes for underscores: V8 takes either.
const OPTION: &str = "--max-old-space-size";

/// The size of the old space of the program that the container starts.
pub(super) fn old_space(variables: &Variables<'_>, launch: &Launch<'_>) -> Setting<u64> {
    let inherited = match variables.value("NODE_OPTIONS") {
        Setting::Known(text, _) => match words(text) {
            Some(words) => words
                .into_iter()
                .map(Word::Known)
                .fold(Setting::Absent, |setting, word| after(&word, setting)),
            None => Setting::Unknown,
        },
        Setting::Unknown => Setting::Unknown,
        Setting::Absent => Setting::Absent,
    };
    on_command_line(launch).over(inherited)
}

fn on_command_line(launch: &Launch<'_>) -> Setting<u64> {
    if !launch.is_clear() {
        return Setting::Unknown;
    }
    if let Some(setting) =
        launch.arguments(&["node", "nodejs"]).map(arguments).reduce(Setting::beside)
    {
        return setting;
    }
    let script = |text: &str| text == "--" || SCRIPTS.iter().any(|ending| text.ends_with(ending));
    let loose = launch.loose_words().iter().take_while(|word| !word.known().is_some_and(script));
    loose.fold(Setting::Absent, |setting, word| after(word, setting))
}

/// The setting in the options in front of the script.
fn arguments(words: &[Word]) -> Setting<u64> {
    let mut setting = Setting::Absent;
    in_front("node", words, |given| {
        if given.name.is_none() {
            setting = after(given.word, std::mem::take(&mut setting));
        }
    });
    setting
}

/// The setting after one more word.
fn after(word: &Word, setting: Setting<u64>) -> Setting<u64> {
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
        false => !name.starts_with('-') || OPTION.starts_with(&name) || name.starts_with(OPTION),
    };
    match value {
        _ if !about_heap => setting,
        // V8 takes 0 for its own choice
        Some("0") if certain && name == OPTION => Setting::Absent,
        Some(value) if certain && name == OPTION => {
            Setting::read(size::v8(value), || text.to_owned())
        }
        _ => Setting::Unknown,
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
