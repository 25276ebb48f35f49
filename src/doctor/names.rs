//! Words for objects and lists of them.

/// The most names that a sentence has.
const MOST: usize = 6;

/// `Kind namespace/name`.
pub(super) fn object(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}

/// Names in a sentence, of which the first few are told.
pub(super) fn some<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    let told: Vec<_> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(MOST) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// The value of `flag` among the arguments of a program: `--flag=value`, or `--flag` and `value`.
pub(super) fn flag<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    let of_one = |argument: &'a String| argument.strip_prefix(flag)?.strip_prefix('=');
    let of_two =
        || arguments.iter().skip_while(|argument| *argument != flag).nth(1).map(String::as_str);
    arguments.iter().find_map(of_one).or_else(of_two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_in_both_spellings() {
        let arguments =
            ["serve", "--cap=warn", "--listen", "0.0.0.0:8443", "--capital=x"].map(str::to_owned);
        assert_eq!(flag(&arguments, "--cap"), Some("warn"));
        assert_eq!(flag(&arguments, "--listen"), Some("0.0.0.0:8443"));
        assert_eq!(flag(&arguments, "--admin"), None);
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some(["a", "b"]), "a, b");
        assert_eq!(some(["a"; 8]), "a, a, a, a, a, a and 2 more");
    }
}
