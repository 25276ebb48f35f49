//! The values of a container's variables.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::heap::{is_memory_variable, is_options_variable, may_hold_flag};
use crate::kube::container::Container;
use crate::shell::POLLING_VARIABLES;

use super::mark::Marks;
use super::names::{is_path, is_secret};
use super::options::options;
use super::secrets::scrub;

/// Variables that shells ask for without being told.
const OF_SHELLS: [&str; 4] = ["HOME", "PATH", "PWD", "TMPDIR"];

/// What is read of the variables of one container.
#[derive(Debug, Default)]
pub(super) struct Environment<'c> {
    /// Those that a command or a script refers to, by itself or through others.
    used: BTreeSet<&'c str>,
    /// Those that options of memory refer to.
    of_options: BTreeSet<&'c str>,
    /// Those that amounts of memory refer to.
    of_memory: BTreeSet<&'c str>,
    /// Where its volumes are mounted: rules ask whether a value names a file there.
    folders: BTreeSet<&'c str>,
}

impl<'c> Environment<'c> {
    pub(super) fn of(container: &'c Container<'_>) -> Self {
        let texts = || {
            let texts = container.texts().flat_map(|(command, args)| command.iter().chain(args));
            texts.map(|text| &**text)
        };
        let mut used = BTreeSet::new();
        if texts().any(|text| text.contains('$')) {
            used.extend(texts().flat_map(identifiers));
        }
        let referred = |refers: fn(&str, &str) -> bool| {
            let all = container.env.iter();
            let refer = all.filter(|variable| refers(&variable.name, &variable.value));
            with_what_they_need(container, refer.flat_map(|one| references(&one.value)).collect())
        };
        let folders = container.volume_mounts.iter();
        Self {
            used: with_what_they_need(container, used),
            of_options: referred(holds_options),
            of_memory: referred(|name, _| is_memory_variable(name)),
            folders: folders
                .map(|mount| mount.mount_path.trim_end_matches('/'))
                .filter(|folder| !folder.is_empty())
                .collect(),
        }
    }

    /// The value of the variable `name`, as it may be written down.
    pub(super) fn value(&self, marks: &Marks<'_>, name: &str, value: &str) -> String {
        let is_kept = POLLING_VARIABLES.contains(&name) || OF_SHELLS.contains(&name);
        if self.used.contains(name) && is_secret(name) && !may_hold_flag(value) {
            if is_path(value) { value.to_owned() } else { self.marked(marks, value) }
        } else if is_kept || self.used.contains(name) {
            scrub(marks, value)
        } else if is_memory_variable(name) || (self.of_memory.contains(name) && !is_secret(name)) {
            self.memory(marks, value)
        } else if holds_options(name, value) || self.of_options.contains(name) {
            options(marks, &|part| self.marked_part(marks, part), value)
        } else {
            self.marked(marks, value)
        }
    }

    /// A variable that says something of memory by its name: an amount stays, and of properties the
    /// line that says it.
    fn memory(&self, marks: &Marks<'_>, value: &str) -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" .%-+,$()_".contains(&byte);
        if value.bytes().all(is_plain) {
            return value.to_owned();
        }
        let mark = |part: &str| self.marked_part(marks, part);
        let line = |line: &str| match line.split_once(':') {
            Some((key, _)) if key.contains(".memory.") => line.to_owned(),
            _ if has_options(value) => options(marks, &mark, line),
            _ => mark(line),
        };
        value.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    /// The mark of `value`, with the names of files below folders of the container.
    fn marked(&self, marks: &Marks<'_>, value: &str) -> String {
        if self.files(value).is_empty() { marks.of(value) } else { self.marked_part(marks, value) }
    }

    /// The same of a part of a value.
    fn marked_part(&self, marks: &Marks<'_>, value: &str) -> String {
        let (mut marked, mut from) = (String::new(), 0);
        for Range { start, end } in self.files(value) {
            let start = start.max(from);
            marked.push_str(&marks.of_part(value.get(from..start).unwrap_or_default()));
            // with what ends the name
            let rest = value.get(end..).unwrap_or_default();
            let end = end.saturating_add(rest.chars().next().map_or(0, char::len_utf8));
            marked.push_str(value.get(start..end).unwrap_or_default());
            from = end.max(from);
        }
        marked.push_str(&marks.of_part(value.get(from..).unwrap_or_default()));
        marked
    }

    /// Where `value` names files below folders, first to last.
    fn files(&self, value: &str) -> Vec<Range<usize>> {
        let below = |folder: &&'c str| {
            let length = folder.len();
            value.match_indices(*folder).filter_map(move |(start, _)| {
                let rest = value.get(start.saturating_add(length)..)?;
                let name = rest.strip_prefix('/')?;
                let is_part =
                    |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
                let name = name.find(|letter| !is_part(letter)).unwrap_or(name.len());
                Some(start..start.saturating_add(length).saturating_add(1).saturating_add(name))
            })
        };
        let mut files: Vec<_> = self.folders.iter().flat_map(below).collect();
        files.sort_by_key(|file| (file.start, std::cmp::Reverse(file.end)));
        files.dedup_by_key(|file| file.start);
        files
    }
}

/// Whether a variable holds options, or may once its references are filled in.
fn holds_options(name: &str, value: &str) -> bool {
    is_memory_variable(name) || is_options_variable(name) || has_options(value)
}

fn has_options(value: &str) -> bool {
    may_hold_flag(value) || value.contains("$(")
}

/// `names`, and the variables that their values refer to.
fn with_what_they_need<'c>(
    container: &'c Container<'_>,
    mut names: BTreeSet<&'c str>,
) -> BTreeSet<&'c str> {
    // a value refers to variables before it
    for variable in container.env.iter().rev() {
        if names.contains(&*variable.name) {
            names.extend(references(&variable.value));
        }
    }
    names
}

/// The names in `$(NAME)`.
fn references(value: &str) -> impl Iterator<Item = &str> {
    value.split("$(").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// Whatever in `text` may be the name of a variable.
fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| !word.is_empty()).chain(references(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTAINER: &str = r#"{
        "name": "app",
        "command": ["sh", "-c", "inotifywait $DIR; curl -u $DB_PASSWORD x"],
        "volumeMounts": [{"name": "tls", "mountPath": "/etc/tls"}],
        "env": [
            {"name": "ROOT", "value": "/etc/app"},
            {"name": "DIR", "value": "$(ROOT)/conf"},
            {"name": "DB_PASSWORD", "value": "hunter2!"},
            {"name": "JAVA_OPTS", "value": "-Xmx1g -Dpw=hunter2!"},
            {"name": "GOMEMLIMIT", "value": "900MiB"},
            {"name": "URL", "value": "pg://u:hunter2!@h/?cert=/etc/tls/ca.pem&x=hunter2!"},
            {"name": "OTHER", "value": "hunter2!"},
            {"name": "CONFIG_HASH", "value": "8f2d0c5b1e"}
        ]
    }"#;

    #[test]
    fn what_is_read_stays() {
        let container = Container::from_json(CONTAINER).unwrap();
        let environment = Environment::of(&container);
        let marks = Marks::by(&|_| 0);
        let values = container.env.iter().map(|variable| {
            let value = environment.value(&marks, &variable.name, &variable.value);
            (variable.name.to_string(), value.replace(":0000000000000000", ""))
        });
        let expected = [
            ("ROOT", "/etc/app"),
            ("DIR", "$(ROOT)/conf"),
            ("DB_PASSWORD", "redacted:8"),
            ("JAVA_OPTS", "-Xmx1g -Dpw=redacted:8"),
            ("GOMEMLIMIT", "900MiB"),
            ("URL", "redacted:24/etc/tls/ca.pem&redacted:10"),
            ("OTHER", "redacted:8"),
            ("CONFIG_HASH", "redacted10x0000000000000000"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }
}
