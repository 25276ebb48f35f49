//! The figures as a picture: what a review costs beside the floor, and how late answers come as
//! load grows.

use std::fmt::Write;

use crate::cases::{Answerer, Size};
use crate::report::{OVER_FLOOR, Report};

const WIDTH: f64 = 820.0;
/// The height of a panel.
pub(crate) const PANEL: f64 = 300.0;
pub(crate) const LEFT: f64 = 64.0;
pub(crate) const RIGHT: f64 = 804.0;

const STYLE: &str = ".title{font-size:15px;font-weight:bold}.grid{stroke:#ddd}.target{stroke:#c00;stroke-dasharray:6 4}.floor{fill:#9aa5b1;stroke:#9aa5b1}.kube{fill:#e0a030;stroke:#e0a030}.restraint{fill:#2f6fb2;stroke:#2f6fb2}text{stroke:none;fill:#222}polyline{fill:none!important;stroke-width:2}";

/// A panel with values upwards, logarithmic.
pub(crate) struct Panel {
    pub(crate) top: f64,
    /// The values at the bottom and at the top.
    pub(crate) range: [f64; 2],
}

impl Panel {
    /// Where `value` lies.
    pub(crate) fn y(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        let share = (value.max(low) / low).ln() / (high / low).ln();
        self.top + 40.0 + (PANEL - 90.0) * (1.0 - share.clamp(0.0, 1.0))
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y(self.range[0])
    }

    pub(crate) fn frame(&self, out: &mut String, title: &str, ticks: &[f64]) {
        text(out, LEFT, self.top + 22.0, "start", "title", title);
        for tick in ticks.iter().filter(|tick| (self.range[0]..=self.range[1]).contains(tick)) {
            let y = self.y(*tick);
            let _ = writeln!(
                out,
                r#"<line x1="{LEFT}" y1="{y:.1}" x2="{RIGHT}" y2="{y:.1}" class="grid"/>"#
            );
            text(out, LEFT - 8.0, y + 4.0, "end", "", &format!("{tick}"));
        }
    }
}

/// The whole picture, as SVG.
pub(crate) fn draw(report: &Report) -> String {
    picture("", |out| {
        costs(out, report, &Panel { top: 0.0, range: [0.5, 20.0] });
        latencies(out, report, &Panel { top: PANEL, range: [50.0, 50_000.0] });
        legend(out, Answerer::ALL.map(|server| (server.as_str(), server.as_str())));
    })
}

/// A picture of two panels and a legend. `classes` are colours beyond the usual ones.
pub(crate) fn picture(classes: &str, content: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    let height = 2.0 * PANEL + 20.0;
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">"#
    );
    let _ = writeln!(out, "<style>{STYLE}{classes}</style>");
    let _ = writeln!(out, r##"<rect width="{WIDTH}" height="{height}" fill="#fff"/>"##);
    content(&mut out);
    out.push_str("</svg>\n");
    out
}

/// Bars: each review's cost over the floor's.
fn costs(out: &mut String, report: &Report, panel: &Panel) {
    panel.frame(
        out,
        "CPU of a whole review over TLS, times the floor's",
        &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0],
    );
    let bars: Vec<_> = report.rows.iter().filter(|row| row.server != Answerer::Floor).collect();
    let step = (RIGHT - LEFT) / bars.len().max(1) as f64;
    let mut label: Option<(Size, f64)> = None;
    for (index, row) in bars.iter().enumerate() {
        let (x, y) = (LEFT + step * index as f64, panel.y(row.ratio));
        let height = panel.bottom() - y;
        let (class, name) = (
            row.server.as_str(),
            format!("{}, {}: {:.2}", row.size.as_str(), row.what.as_str(), row.ratio),
        );
        let width = step - 3.0;
        let _ = writeln!(
            out,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="{class}"><title>{class}, {name}</title></rect>"#
        );
        if label.is_none_or(|(size, _)| size != row.size) {
            text(out, x, panel.bottom() + 18.0, "start", "", row.size.as_str());
            label = Some((row.size, x));
        }
    }
    let y = panel.y(OVER_FLOOR);
    let _ =
        writeln!(out, r#"<line x1="{LEFT}" y1="{y:.1}" x2="{RIGHT}" y2="{y:.1}" class="target"/>"#);
    text(out, RIGHT, y - 5.0, "end", "", &format!("target {OVER_FLOOR}"));
}

/// Lines: the p99 of each server as the load grows, one group for each size.
fn latencies(out: &mut String, report: &Report, panel: &Panel) {
    let title = "p99 in microseconds, open loop, at 25, 50 and 75 % of each server's capacity";
    panel.frame(out, title, &[50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4]);
    let sizes = [Size::Small, Size::Medium, Size::Large, Size::Huge];
    let step = (RIGHT - LEFT) / sizes.len() as f64;
    for (index, size) in sizes.into_iter().enumerate() {
        let left = LEFT + step * index as f64 + 20.0;
        text(out, left, panel.bottom() + 18.0, "start", "", size.as_str());
        for server in Answerer::ALL {
            let rows =
                report.latencies.iter().filter(|row| row.size == size && row.server == server);
            let points = rows.filter_map(|row| {
                Some((left + row.load? / 100.0 * (step - 40.0), panel.y(row.p99)))
            });
            let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                out,
                r#"<polyline points="{}" class="{}"/>"#,
                points.join(" "),
                server.as_str()
            );
        }
    }
}

/// Names of colours, below the panels.
pub(crate) fn legend<'l>(out: &mut String, entries: impl IntoIterator<Item = (&'l str, &'l str)>) {
    let (mut x, y) = (LEFT, 2.0 * PANEL + 8.0);
    for (class, name) in entries {
        let _ = writeln!(
            out,
            r#"<rect x="{x:.1}" y="{}" width="12" height="12" class="{class}"/>"#,
            y - 10.0,
        );
        text(out, x + 18.0, y, "start", "", name);
        // about as wide as its letters
        x += 32.0 + 6.2 * name.len() as f64;
    }
}

pub(crate) fn text(out: &mut String, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
    let _ = writeln!(
        out,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{text}</text>"#
    );
}
