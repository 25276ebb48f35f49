//! Lines over time as an SVG, one panel above the other.

use std::fmt::Write;

/// One panel.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// Names and points.
    pub(crate) lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 28.0;
const COLOURS: [&str; 3] = ["#1f77b4", "#d62728", "#2ca02c"];

/// The picture.
pub(crate) fn draw(panels: &[Series], across: &str) -> String {
    let rows = f64::from(u32::try_from(panels.len()).unwrap_or(u32::MAX));
    let (width, height) = (LEFT + WIDTH + 70.0, rows * (HEIGHT + TOP + 22.0) + 20.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut top = TOP;
    for panel in panels {
        let points = || panel.lines.iter().flat_map(|(_, points)| points);
        let end = points().map(|(x, _)| *x).fold(f64::EPSILON, f64::max);
        let most = rounded(points().map(|(_, y)| *y).fold(f64::EPSILON, f64::max));
        let place = |(x, y): (f64, f64)| (LEFT + x / end * WIDTH, top + HEIGHT - y / most * HEIGHT);
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{}</text>",
            top - 8.0,
            panel.name
        );
        for share in [0.0, 0.5, 1.0] {
            let (_, y) = place((0.0, most * share));
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>",
                LEFT + WIDTH
            );
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                most * share
            );
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666\">{:.0}</text>",
                LEFT + share * WIDTH,
                top + HEIGHT + 16.0,
                end * share
            );
        }
        for ((name, points), colour) in panel.lines.iter().zip(COLOURS.iter().cycle()) {
            let path: Vec<_> = points
                .iter()
                .map(|point| place(*point))
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect();
            let _ = writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
                path.join(" ")
            );
            if let Some((x, y)) = points.last().map(|point| place(*point)) {
                let _ = writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
                    x + 6.0,
                    y + 4.0
                );
            }
        }
        top += HEIGHT + TOP + 22.0;
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666\">{across}</text>\n</svg>",
        LEFT + WIDTH / 2.0,
        height - 8.0
    );
    svg
}

/// The next 1, 2 or 5 times a power of ten.
fn rounded(most: f64) -> f64 {
    let power = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= most)
        .unwrap_or(most)
}
