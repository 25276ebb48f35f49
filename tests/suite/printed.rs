//! The commands that messages, remedies and pages of rules print, as they stand in the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every command of `program` that is printed anywhere, with its gaps: `{name}`, `NAME`.
pub(crate) fn printed(program: &str) -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |text| {
        for (at, _) in text.match_indices(&format!("{program} ")) {
            commands.extend(command(&text[..at], &text[at..]));
        }
    });
    commands
}

/// What stands in the gaps of `command`: `fill` says it of each by its name.
pub(crate) fn filled(command: &str, fill: impl Fn(&str) -> String) -> String {
    let mut parts = command.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (gap, rest) = part.split_once('}').unwrap();
        // a kind and a name, where no kind stands before, and after it its namespace
        let gap = match gap {
            "" if text.ends_with("-n ") => "namespace",
            "name" if text.ends_with("kubectl delete ") => "target",
            "" if text.ends_with(" pod ") => "name",
            "" => "target",
            gap => gap,
        };
        text = [&text, &*fill(gap), rest].concat();
    }
    let words = text.split(' ').map(|word| {
        let is_gap = word.len() > 2 && word.bytes().all(|letter| letter.is_ascii_uppercase());
        if is_gap { fill(word) } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The command that `rest` begins with, where it is one and not the name of the program.
fn command(before: &str, rest: &str) -> Option<String> {
    let end = match before.chars().next_back() {
        Some('`') => rest.find('`')?,
        // in prose or at the end of a sentence
        Some(' ' | '"' | '}') => [";", ",", ": ", " and ", " of it", "\"", "`", ". "]
            .into_iter()
            .filter_map(|end| rest.find(end))
            .min()?,
        _ => return None,
    };
    let command = rest[..end].trim_end_matches(['.', ' ', '&']);
    let verb = command.split(' ').nth(1)?;
    let quoted = before.ends_with('`');
    let is_verb = verb.len() > 2 && verb.bytes().all(|letter| letter.is_ascii_lowercase());
    (is_verb && (quoted || !PROSE.contains(&verb))).then(|| command.to_owned())
}

/// What follows the name of a program where a sentence is about it.
const PROSE: [&str; 6] = ["authority", "fallback", "reads", "refuses", "replay", "would"];

/// Shows `show` what each file says to people: its text without comments and tests, and the page of
/// a rule.
fn collect(folder: &Path, show: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            collect(&path, show);
        // a page in a browser has tests of its own
        } else if name.ends_with(".rs")
            && !["tests.rs", "testing.rs", "properties.rs"].contains(&name)
        {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
            let is_comment = |line: &&str| line.trim_start().starts_with("//");
            let said: Vec<_> = code.lines().filter(|line| !is_comment(line)).collect();
            // a text may go on in the next line
            let said = said.join("\n").split("\\\n").map(str::trim_start).collect::<String>();
            show(&said.replace("\\\"", "'"));
            let page = code.lines().map_while(|line| line.strip_prefix("//!")).collect::<String>();
            if path.components().any(|part| part.as_os_str() == "rules") {
                show(&page);
            }
        }
    }
}
