//! The report as one HTML file that loads nothing.
//!
//! What comes from the cluster stays in a block of JSON, of which the script makes text, never
//! markup. Should anything get out of there nevertheless, the page's rules let nothing run or load
//! but the script and the style that are part of it.

#[cfg(test)]
mod tests;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::report::NEXT;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(include_str!("page.js"), include_str!("findings.js"));

/// The page.
///
/// # Errors
///
/// Where the report is not to be had in JSON.
pub(super) fn render(report: &impl Serialize) -> serde_json::Result<String> {
    let report = inert(&serde_json::to_string(report)?);
    let rules = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src {}; script-src {}",
        hash(STYLE),
        hash(SCRIPT)
    );
    let mut page = String::with_capacity(report.len().saturating_add(1 << 15));
    // only the page's own text is looked through for what is to be filled in
    for piece in PAGE.split("{{") {
        let (name, rest) = piece.split_once("}}").unwrap_or(("", piece));
        page.push_str(match name {
            "rules" => &rules,
            "style" => STYLE,
            "report" => &report,
            "script" => SCRIPT,
            "next" => NEXT,
            _ => "",
        });
        page.push_str(rest);
    }
    Ok(page)
}

/// JSON without any letter that means something to a reader of HTML or of old JavaScript. Outside
/// of strings JSON has none of them.
fn inert(json: &str) -> String {
    let mut inert = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' => inert.push_str("\\u003c"),
            '>' => inert.push_str("\\u003e"),
            '&' => inert.push_str("\\u0026"),
            '\u{2028}' => inert.push_str("\\u2028"),
            '\u{2029}' => inert.push_str("\\u2029"),
            _ => inert.push(letter),
        }
    }
    inert
}

/// How the page's rules name a text that may run, or style.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}
