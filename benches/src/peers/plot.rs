//! The figures as a picture: what a review costs each server at the steady rate, and its p99.

use std::fmt::Write;

use crate::plot::{LEFT, PANEL, Panel, RIGHT, legend, picture, text};

use super::contender::{FLOOR, RESTRAINT};
use super::report::{Figures, Report};

/// The colours of peers.
const COLOURS: [&str; 6] = ["#e0a030", "#b5651d", "#3a9d5d", "#7fbf5f", "#8e5fa8", "#444"];

/// Space between reviews.
const GAP: f64 = 16.0;

/// The whole picture, as SVG.
pub(super) fn draw(report: &Report) -> String {
    let classes: String = COLOURS
        .iter()
        .enumerate()
        .map(|(index, colour)| format!(".peer-{index}{{fill:{colour}}}"))
        .collect();
    let ticks = [10.0, 1e2, 1e3, 1e4, 1e5, 1e6];
    let panel = |top| Panel { top, range: [10.0, 1e6] };
    let names: Vec<&str> = report.servers.iter().map(|server| &*server.name).collect();
    let colours: Vec<String> =
        names.iter().enumerate().map(|(index, name)| class(name, index)).collect();
    picture(&classes, |out| {
        panel(0.0).frame(out, "CPU of a review in microseconds, at the steady rate", &ticks);
        bars(out, report, &panel(0.0), &colours, |figures| figures.microseconds);
        panel(PANEL).frame(out, "p99 in microseconds, at the steady rate", &ticks);
        bars(out, report, &panel(PANEL), &colours, |figures| figures.p99);
        let entries = colours.iter().zip(names).map(|(class, name)| (&**class, name));
        legend(out, entries);
    })
}

fn class(name: &str, index: usize) -> String {
    match name {
        FLOOR | RESTRAINT => name.to_owned(),
        // the bench's own come first
        _ => format!("peer-{}", index.saturating_sub(2) % COLOURS.len()),
    }
}

/// A group for each review, a bar for each server; whoever was not measured has none.
fn bars(
    out: &mut String,
    report: &Report,
    panel: &Panel,
    colours: &[String],
    value: fn(&Figures) -> f64,
) {
    let servers = report.servers.len().max(1);
    let groups: Vec<_> = report.reviews.chunks(servers).collect();
    let step = (RIGHT - LEFT) / groups.len().max(1) as f64;
    let width = (step - GAP) / servers as f64;
    for (group, rows) in groups.into_iter().enumerate() {
        let left = LEFT + step * group as f64;
        let name = rows.first().map_or("", |row| &row.review);
        text(out, left, panel.bottom() + 18.0, "start", "", name);
        for (index, (row, class)) in rows.iter().zip(colours).enumerate() {
            let Some(figures) = row.steady else { continue };
            let value = value(&figures);
            let (x, y) = (left + width * index as f64, panel.y(value));
            let (height, shown) = (panel.bottom() - y, width - 1.0);
            let _ = writeln!(
                out,
                r#"<rect x="{x:.1}" y="{y:.1}" width="{shown:.1}" height="{height:.1}" class="{class}"><title>{}, {name}: {value:.0}</title></rect>"#,
                row.server
            );
        }
    }
}
