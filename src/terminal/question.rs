//! A question to whoever sits at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

/// Whether the answer to `question` is yes; `None` where there is no terminal to ask on.
///
/// # Errors
///
/// Where the terminal cannot be written or read.
pub(crate) fn asked(question: &str) -> io::Result<Option<bool>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(Some(is_yes(&answer)))
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", "Y", " yes \n", "YES"].into_iter().all(is_yes));
        assert!(["", "\n", "n", "ja", "yes please", "yy"].into_iter().all(|no| !is_yes(no)));
    }
}
