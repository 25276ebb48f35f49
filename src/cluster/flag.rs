//! Flags of programs that run in the cluster.

/// The value of `flag` among the arguments of a program: `--flag=value`, or `--flag` and `value`.
pub(crate) fn flag_value<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
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
        assert_eq!(flag_value(&arguments, "--cap"), Some("warn"));
        assert_eq!(flag_value(&arguments, "--listen"), Some("0.0.0.0:8443"));
        assert_eq!(flag_value(&arguments, "--admin"), None);
    }
}
