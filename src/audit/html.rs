//! The report as one HTML file that loads nothing.
//!
//! What comes from the cluster stays in a block of JSON, of which the script makes text, never
//! markup. Should anything get out of there nevertheless, the page's rules let nothing run or load
//! but the script and the style that are part of it.

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::report::page::{filled, security_policy};

use super::report::NEXT;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = concat!(include_str!("../report/page.css"), include_str!("page.css"));
const SCRIPT: &str = concat!(include_str!("page.js"), include_str!("findings.js"));

/// The page.
///
/// # Errors
///
/// Where the report is not to be had in JSON.
pub(super) fn render(report: &impl Serialize) -> serde_json::Result<String> {
    let report = inert(&serde_json::to_string(report)?);
    let values = [
        ("rules", security_policy(STYLE, Some(SCRIPT))),
        ("style", STYLE.to_owned()),
        ("report", report),
        ("script", SCRIPT.to_owned()),
        ("next", NEXT.to_owned()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    Ok(filled(PAGE, &values))
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
