//! What looks like a secret in a text that rules read whole: a command, an argument, a script.

use std::ops::Range;

use super::mark::Marks;
use super::names::{is_path, is_secret};

/// `text` without the secrets in it. References to variables and what commands print stay.
pub(super) fn scrub(marks: &Marks<'_>, text: &str) -> String {
    let mut found = secrets(text);
    found.sort_by_key(|range| range.start);
    let (mut scrubbed, mut from) = (String::with_capacity(text.len()), 0);
    for Range { start, end } in found {
        // of two that overlap the first counts, and what is left of the other
        let start = start.max(from);
        let Some(secret) = text.get(start..end).filter(|secret| !secret.is_empty()) else {
            continue;
        };
        scrubbed.push_str(text.get(from..start).unwrap_or_default());
        scrubbed.push_str(&marks.of_part(secret));
        from = end;
    }
    scrubbed.push_str(text.get(from..).unwrap_or_default());
    scrubbed
}

/// `words`, a command as the kernel gets it, without the secrets in it.
pub(super) fn scrub_words<'w>(
    marks: &Marks<'_>,
    words: impl IntoIterator<Item = &'w str>,
) -> Vec<String> {
    let mut before = "";
    let scrubbed = words.into_iter().map(|word| {
        let flag = std::mem::replace(&mut before, word);
        if is_flag(flag) && is_secret(flag) && !word.starts_with('-') {
            return value(marks, word);
        }
        match (is_user(flag), word.split_once(':')) {
            (true, Some((user, password))) if !is_number(password) => {
                format!("{user}:{}", value(marks, password))
            }
            _ => scrub(marks, word),
        }
    });
    scrubbed.collect()
}

/// A secret value, but for what refers to another one.
fn value(marks: &Marks<'_>, text: &str) -> String {
    let end = literal(text);
    let (secret, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    if is_path(secret) && rest.is_empty() {
        return text.to_owned();
    }
    format!("{}{rest}", marks.of_part(secret))
}

fn is_flag(word: &str) -> bool {
    // what has its value in the same word takes no other one
    word.starts_with('-') && !word.contains('=') && !word.contains(char::is_whitespace)
}

/// Whether a user and a password follow: `curl -u admin:secret`.
fn is_user(word: &str) -> bool {
    matches!(word, "-u" | "--user")
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where secrets stand in `text`.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = in_addresses(text);
    for Range { start, end } in names(text) {
        let name = text.get(start..end).unwrap_or_default();
        let rest = text.get(end..).unwrap_or_default();
        let secret = if is_user(name) {
            password_of_user(rest)
        } else if is_secret(name) {
            assigned(rest).or_else(|| named(rest)).or_else(|| following(name, rest))
        } else {
            None
        };
        if let Some(Range { start, end: last }) = secret {
            let place = end.saturating_add(start)..end.saturating_add(last);
            let secret = text.get(place.clone()).unwrap_or_default();
            if !secret.is_empty() && !is_path(secret) {
                found.push(place);
            }
        }
    }
    found
}

/// The names in `text`: runs of what names of flags and variables are made of.
fn names(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let bytes = text.as_bytes();
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let start = at.saturating_add(rest.iter().position(is_part)?);
        let length = bytes.get(start..)?.iter().position(|byte| !is_part(byte));
        let end = length.map_or(bytes.len(), |length| start.saturating_add(length));
        at = end;
        Some(start..end)
    })
}

/// `=secret`, `="the secret"`.
fn assigned(rest: &str) -> Option<Range<usize>> {
    rest.strip_prefix('=').map(|value| quoted_or(value, 1, ends_word))
}

/// `: secret`, `": "secret"`: a field of JSON or YAML, or a header.
fn named(rest: &str) -> Option<Range<usize>> {
    let quote = usize::from(rest.starts_with(['"', '\'']));
    let value = rest.get(quote..)?.strip_prefix(':')?;
    let blanks = value.len().saturating_sub(value.trim_start_matches([' ', '\t']).len());
    let start = quote.saturating_add(1).saturating_add(blanks);
    (quote > 0 || blanks > 0)
        .then(|| quoted_or(rest.get(start..).unwrap_or_default(), start, ends_line))
}

/// `--flag secret`.
fn following(name: &str, rest: &str) -> Option<Range<usize>> {
    let value = rest.trim_start_matches([' ', '\t']);
    let start = rest.len().saturating_sub(value.len());
    let is_value = name.starts_with('-') && start > 0 && !value.starts_with('-');
    is_value.then(|| quoted_or(value, start, ends_word))
}

/// ` admin:secret` behind `-u`.
fn password_of_user(rest: &str) -> Option<Range<usize>> {
    let value = rest.trim_start_matches([' ', '\t', '=', '"', '\'']);
    let start = rest.len().saturating_sub(value.len());
    let end = value.find(ends_word).unwrap_or(value.len());
    let (user, password) = value.get(..end)?.split_once(':')?;
    let start = start.saturating_add(user.len()).saturating_add(1);
    let end = start.saturating_add(literal(password));
    (!is_number(password)).then_some(start..end)
}

/// The value that begins with `value`, whose first byte is the `start`th, to where its quote ends or
/// else to what `ends` it.
fn quoted_or(value: &str, start: usize, ends: fn(char) -> bool) -> Range<usize> {
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (inner, start) = match quote {
        Some(_) => (value.get(1..).unwrap_or_default(), start.saturating_add(1)),
        None => (value, start),
    };
    let end = match quote {
        Some(quote) => inner.find(quote),
        None => inner.find(ends),
    };
    let inner = inner.get(..end.unwrap_or(inner.len())).unwrap_or_default();
    start..start.saturating_add(literal(inner))
}

/// How long `text` is up to what refers to something else.
fn literal(text: &str) -> usize {
    text.find(['$', '`', '\\', '\n']).unwrap_or(text.len())
}

fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || ";|&<>()\"',}".contains(letter)
}

fn ends_line(letter: char) -> bool {
    matches!(letter, '\n' | '"' | '\'' | ',' | '}')
}

/// Passwords in addresses: `https://user:secret@host`, `https://token@host`.
fn in_addresses(text: &str) -> Vec<Range<usize>> {
    let found = text.match_indices("://").filter_map(|(at, separator)| {
        let start = at.saturating_add(separator.len());
        let rest = text.get(start..)?;
        let end = rest.find(|letter: char| letter.is_whitespace() || "/?#\"'<>|;".contains(letter));
        let (user, _) = rest.get(..end.unwrap_or(rest.len()))?.rsplit_once('@')?;
        let before = match user.split_once(':') {
            Some((name, _)) => name.len().saturating_add(1),
            None if user == "git" => return None,
            None => 0,
        };
        let secret = user.get(before..)?;
        let start = start.saturating_add(before);
        Some(start..start.saturating_add(literal(secret)))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str) -> String {
        scrub(&Marks::by(&|_| 0), text).replace(":0000000000000000", "")
    }

    #[test]
    fn secrets_go_and_scripts_stay() {
        for (text, expected) in [
            ("DB_PASSWORD=hunter2 exec app", "DB_PASSWORD=redacted:7 exec app"),
            ("export TOKEN='a b';run", "export TOKEN='redacted:3';run"),
            ("--password=hunter2", "--password=redacted:7"),
            ("app --password hunter2 -v", "app --password redacted:7 -v"),
            ("app --password -v", "app --password -v"),
            ("app --password=$PASSWORD", "app --password=$PASSWORD"),
            ("app --password=x$(cat f)", "app --password=redacted:1$(cat f)"),
            ("TOKEN=$(cat /run/token)", "TOKEN=$(cat /run/token)"),
            ("TOKEN=/run/token watch", "TOKEN=/run/token watch"),
            ("PASSWORD_FILE=/x", "PASSWORD_FILE=/x"),
            (
                "curl -H 'Authorization: Bearer abc' http://x",
                "curl -H 'Authorization: redacted:10' http://x",
            ),
            ("curl -u admin:pw http://x/-/reload", "curl -u admin:redacted:2 http://x/-/reload"),
            ("su-exec -u 1000:1000", "su-exec -u 1000:1000"),
            ("https://u:pw@host/p", "https://u:redacted:2@host/p"),
            ("https://ghp_x@host/p", "https://redacted:5@host/p"),
            ("ssh://git@host", "ssh://git@host"),
            (r#"{"password": "x y", "user": "z"}"#, r#"{"password": "redacted:3", "user": "z"}"#),
            ("password: a b\nuser: c", "password: redacted:3\nuser: c"),
            ("[ -z \"$TOKEN\" ] && exit", "[ -z \"$TOKEN\" ] && exit"),
            ("cd $PWD; java -Xmx1g -jar app.jar", "cd $PWD; java -Xmx1g -jar app.jar"),
        ] {
            assert_eq!(scrubbed(text), expected);
        }
    }

    #[test]
    fn words_of_a_command() {
        let marks = Marks::by(&|_| 0);
        let scrubbed = |words: &[&str]| scrub_words(&marks, words.iter().copied());
        assert_eq!(scrubbed(&["a", "--token", "x", "y"])[2], "redacted:1:0000000000000000");
        assert_eq!(scrubbed(&["a", "--token", "$(TOKEN)"]), ["a", "--token", "$(TOKEN)"]);
        assert_eq!(scrubbed(&["a", "--token", "/run/token"]), ["a", "--token", "/run/token"]);
        assert_eq!(scrubbed(&["a", "-x $(TOKEN)", "y"])[2], "y");
        assert_eq!(scrubbed(&["curl", "-u", "a:b"])[2], "a:redacted:1:0000000000000000");
    }
}
