//! The page of the documentation that quotes the figures: the part between two marks is written
//! anew.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

/// The folder of the documentation.
fn documentation() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Prints `figures` as the page quotes them, or as JSON.
pub(crate) fn print(figures: &(impl Display + Serialize), json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
    } else {
        print!("{figures}");
    }
    Ok(())
}

/// Writes `content` between the marks called `name`.
pub(crate) fn write_block(name: &str, content: &str) -> anyhow::Result<()> {
    let path = documentation().join("performance.md");
    let page =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let page = replaced(&page, name, content)
        .with_context(|| format!("{} has no marks for \"{name}\"", path.display()))?;
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes the picture called `name` beside the page.
pub(crate) fn write_picture(name: &str, picture: &str) -> anyhow::Result<()> {
    let path = documentation().join(name);
    fs::write(&path, picture).with_context(|| format!("cannot write {}", path.display()))
}

fn replaced(page: &str, name: &str, content: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{after}", content.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n";
        let new = replaced(page, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n");
        assert_eq!(replaced(&new, "x", "new").unwrap(), new);
        assert_eq!(replaced(page, "y", "new"), None);
    }
}
