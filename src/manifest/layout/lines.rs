//! Lines of a text, and what stands before a place in one.

/// The blanks before `offset`, if nothing else stands before it in its line.
pub(crate) fn indentation_before(text: &str, offset: usize) -> Option<&str> {
    text.get(line_start(text, offset)..offset)
        .filter(|before| before.bytes().all(|byte| byte == b' ' || byte == b'\t'))
}

/// Where the line of `offset` begins.
pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// How the line at `offset` ends; where it does not, how the one before does.
pub(crate) fn line_break(text: &str, offset: usize) -> &'static str {
    let line_end = text.get(offset..).and_then(|rest| rest.find('\n')).map(|at| offset + at);
    let at = line_end.or_else(|| text.rfind('\n'));
    let is_wide = at.and_then(|at| text.get(..at)).is_some_and(|before| before.ends_with('\r'));
    if is_wide { "\r\n" } else { "\n" }
}
