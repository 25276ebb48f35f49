//! Latency over time as a drawing (SVG): answers, errors, phases, steps of the command.

mod frame;

use std::fmt::Write;
use std::time::Duration;

use crate::report::page::escaped;

use super::duration::shown;
use super::report::{Measured, ProbeReport};
use frame::{Frame, LEFT, RIGHT, WIDTH};

/// How high the lane of errors is, below the plot.
const LANE: f64 = 12.0;

/// How high a line of text is.
const LINE: f64 = 15.0;

/// The most lines of labels above the plot; steps that find no room are in the list alone.
const MOST_LINES: usize = 6;

/// The most letters of a label.
const MOST_LETTERS: usize = 44;

/// How wide a letter is, about.
const LETTER: f64 = 6.1;

/// The narrowest gap that is worth its colour.
const NARROWEST: f64 = 3.0;

/// Writing to memory cannot fail.
macro_rules! draw {
    ($drawing:expr, $($words:tt)*) => { let _ = writeln!($drawing, $($words)*); };
}

/// The drawing of one probe.
pub(super) fn plot(measured: &Measured, report: &ProbeReport) -> String {
    let labels = Labels::of(report);
    let frame = Frame::of(measured, report, LINE * (labels.lines() + 1.0) + 4.0);
    let mut drawing = String::new();
    let name = escaped(&measured.probe);
    let height = frame.lane() + LANE + 1.5 * LINE;
    draw!(
        drawing,
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"latency of {name} over time\">"
    );
    phases(&mut drawing, &frame, report);
    gap(&mut drawing, &frame, measured);
    axes(&mut drawing, &frame, report);
    answers(&mut drawing, &frame, measured);
    errors(&mut drawing, &frame, measured);
    labels.draw(&mut drawing, &frame);
    drawing.push_str("</svg>\n");
    drawing
}

fn phases(drawing: &mut String, frame: &Frame, report: &ProbeReport) {
    let ends = report.phases.iter().skip(1).map(|next| next.start.0);
    let ends = ends.chain(std::iter::once(report.length.0));
    for (span, end) in report.phases.iter().zip(ends) {
        let (from, to) = (frame.x(span.start.0), frame.x(end));
        let (name, width, top) = (span.phase.as_str(), to - from, frame.top);
        draw!(
            drawing,
            "<rect class=\"{name}\" x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{}\"/>",
            frame.height()
        );
        if width > 45.0 {
            let (x, y) = (from + 4.0, top - 4.0);
            draw!(drawing, "<text class=\"phase\" x=\"{x:.1}\" y=\"{y:.1}\">{name}</text>");
        }
    }
}

fn gap(drawing: &mut String, frame: &Frame, measured: &Measured) {
    let (start, length) = (measured.gap_start.0, measured.whole.gap.0);
    let (from, to) = (frame.x(start), frame.x(start.saturating_add(length)));
    if to - from < NARROWEST {
        return;
    }
    let (top, height, length) = (frame.top, frame.height(), shown(length));
    draw!(
        drawing,
        "<rect class=\"gap\" x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{height}\">\
         <title>{length} without a successful answer</title></rect>",
        to - from
    );
}

fn axes(drawing: &mut String, frame: &Frame, report: &ProbeReport) {
    for latency in frame.decades() {
        let (y, label) = (frame.y(latency), shown(latency));
        draw!(drawing, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
        let (x, y) = (LEFT - 6.0, y + 4.0);
        draw!(drawing, "<text class=\"end\" x=\"{x}\" y=\"{y:.1}\">{label}</text>");
    }
    let y = frame.lane() + LANE;
    draw!(drawing, "<text class=\"end\" x=\"{}\" y=\"{:.1}\">errors</text>", LEFT - 6.0, y - 2.0);
    for (time, label) in frame.times() {
        let x = frame.x(time);
        draw!(drawing, "<path class=\"grid\" d=\"M{x:.1} {y:.1}v4\"/>");
        draw!(drawing, "<text class=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>", y + LINE);
    }
    if let Some(limit) = report.terms.max_latency {
        let (y, limit) = (frame.y(limit.0), shown(limit.0));
        draw!(
            drawing,
            "<path class=\"limit\" d=\"M{LEFT} {y:.1}H{RIGHT}\"><title>--max-latency {limit}</title></path>"
        );
    }
}

/// A bar from the mean to the slowest answer of each point, and the means as a line, which breaks
/// off where nothing answered.
fn answers(drawing: &mut String, frame: &Frame, measured: &Measured) {
    let (mut bars, mut line, mut is_broken) = (String::new(), String::new(), true);
    for (time, point) in measured.series.points() {
        let Some(mean) = point.mean() else {
            // between two requests of a slow rate there is nothing to answer
            is_broken |= point.errors > 0;
            continue;
        };
        let (x, y) = (frame.x(time), frame.y(mean));
        let _ = write!(bars, "M{x:.1} {y:.1}V{:.1}", frame.y(point.slowest) - 0.5);
        let _ = write!(line, "{}{x:.1} {y:.1}h0.1", if is_broken { 'M' } else { 'L' });
        is_broken = false;
    }
    let width = (frame.wide(measured.series.width()) - 0.5).clamp(1.0, 5.0);
    draw!(drawing, "<path class=\"slowest\" stroke-width=\"{width:.1}\" d=\"{bars}\"/>");
    draw!(drawing, "<path class=\"mean\" d=\"{line}\"/>");
}

fn errors(drawing: &mut String, frame: &Frame, measured: &Measured) {
    let width = frame.wide(measured.series.width()).max(1.5);
    for (time, point) in measured.series.points().filter(|(_, point)| point.errors > 0) {
        let start = time.saturating_sub(measured.series.half());
        let (x, y, start) = (frame.x(start), frame.lane(), shown(start));
        let (failed, all) = (point.errors, point.errors.saturating_add(point.answers));
        draw!(
            drawing,
            "<rect class=\"error\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{LANE}\">\
             <title>{start}: {failed} of {all} requests failed</title></rect>"
        );
    }
}

/// The steps of the command, each on the first line where it finds room.
struct Labels<'a> {
    placed: Vec<(Duration, &'a str, Option<usize>)>,
}

impl<'a> Labels<'a> {
    fn of(report: &'a ProbeReport) -> Self {
        let mut ends = [f64::MIN; MOST_LINES];
        let place = |mark: &'a super::report::Mark| {
            let from = frame::x(mark.time.0, report.length.0);
            let letters = mark.label.chars().take(MOST_LETTERS).map(|_| LETTER).sum::<f64>();
            // near the right edge a label stands on the left of its line
            let (from, to) =
                if turns(from, letters) { (from - letters, from) } else { (from, from + letters) };
            let free = ends.iter_mut().enumerate().find(|(_, end)| **end < from);
            let line = free.map(|(line, end)| {
                *end = to + 2.0 * LETTER;
                line
            });
            (mark.time.0, mark.label.as_str(), line)
        };
        Self { placed: report.marks.iter().map(place).collect() }
    }

    /// How many lines they need.
    fn lines(&self) -> f64 {
        let most = self.placed.iter().filter_map(|(_, _, line)| *line).max();
        most.map_or(0.0, |most| offset(most) + 1.0)
    }

    fn draw(&self, drawing: &mut String, frame: &Frame) {
        for (time, label, line) in &self.placed {
            let (x, bottom) = (frame.x(*time), frame.lane() + LANE);
            let full = escaped(label);
            let top = line.map_or(frame.top, |line| LINE * (offset(line) + 1.0) - 11.0);
            draw!(
                drawing,
                "<path class=\"step\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"><title>{full}</title></path>"
            );
            let Some(line) = line else { continue };
            let short: String = label.chars().take(MOST_LETTERS).collect();
            let letters = short.chars().map(|_| LETTER).sum();
            let more = if short.len() < label.len() { "…" } else { "" };
            let (class, x) =
                if turns(x, letters) { ("step end", x - 3.0) } else { ("step", x + 3.0) };
            let (y, short) = (LINE * (offset(*line) + 1.0), escaped(&short));
            draw!(
                drawing,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{short}{more}</text>"
            );
        }
    }
}

/// Whether a label of this width stands on the left of its line.
fn turns(x: f64, width: f64) -> bool {
    x + width + 2.0 * LETTER > RIGHT
}

fn offset(line: usize) -> f64 {
    u32::try_from(line).map_or(0.0, f64::from)
}
