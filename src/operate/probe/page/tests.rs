//! What must be true of every page, and the page that the browser looks at.

use super::*;
use crate::operate::probe::testing::{HOSTILE, report};

const HARMLESS: &str = "service:web:80/";

#[test]
fn nothing_leaves_its_place() {
    let page = render(HOSTILE, &report(HOSTILE));
    let plain = render(HARMLESS, &report(HARMLESS));
    for mark in ["<", ">", "{{style}}", "\u{2028}", "\u{202e}"] {
        let expected = if mark.starts_with('{') { 0 } else { plain.matches(mark).count() };
        let found = page.matches(mark).count();
        let names =
            if mark.starts_with('{') { page.matches("`{{style}}&lt;!--").count() } else { 0 };
        assert_eq!(found, expected + names, "{mark:?}");
    }
    for tag in ["<script", "<img", "</text></svg></"] {
        assert!(!page.contains(tag), "{tag}");
    }
    // an attribute ends where it ended
    let quotes = |page: &str| page.matches('"').count();
    assert_eq!(quotes(&page), quotes(&plain));
    assert_eq!(page.matches(STYLE).count(), 1);
}

#[test]
fn the_page_loads_and_runs_nothing_and_is_small() {
    let page = render(HARMLESS, &report(HARMLESS));
    assert!(page.len() < 128 * 1024, "{}", page.len());
    assert!(!page.contains("{{"), "something is not filled in");
    let text = page.replace("http://web.shop", "");
    for way in ["http:", "https:", "url(", "@import", "src=", "href", "<script", " style=", " on"] {
        let prose = [" on its", " on this"].iter().map(|words| text.matches(words).count());
        let expected = if way == " on" { prose.sum() } else { 0 };
        assert_eq!(text.matches(way).count(), expected, "{way}");
    }
    assert!(page.contains(&security_policy(STYLE, None)));
}

#[test]
fn the_page_shows_tables_plots_steps_and_what_is_broken() {
    let page = render("Resize of pod/db-0", &report(HARMLESS));
    for shown in [
        "<title>Resize of pod/db-0</title>",
        "2026-01-02 03:04:05 UTC, for 60 s; 10 requests a second of each probe",
        "--max-errors 1%; --max-latency 250 ms",
        "<tr><td>before</td><td>100</td><td>100</td><td>0</td>",
        "<p class=\"errors\">errors during: 60 refused, 2 status 503</p>",
        "62 of 500 requests failed (--max-errors 1%)",
        "7.23 s without a successful answer",
        "<tr><td>20 s</td><td>container &quot;app&quot; ended</td></tr>",
        "<text class=\"step end\"",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert_eq!(page.matches("<svg ").count(), 2);
    // a minute has points of 200 ms, and 6.2 seconds of it have errors
    assert_eq!(page.matches("<rect class=\"error\"").count(), 2 * 31);
    for phase in ["before", "during", "after"] {
        assert_eq!(page.matches(&format!("<rect class=\"{phase}\"")).count(), 2, "{phase}");
    }
}

/// Where `RESTRAINT_PROBE_PAGE` names a file, it becomes the page that a browser looks at.
#[test]
fn the_page_for_a_browser() {
    let page = render("Resize of pod/db-0", &report(HOSTILE));
    if let Some(path) = std::env::var_os("RESTRAINT_PROBE_PAGE") {
        std::fs::write(path, page).unwrap();
    }
}
