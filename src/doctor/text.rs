//! Observations for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::terminal::{paint, plain};

use super::observation::{Observation, Severity};

/// The width of the longest word for a severity, in characters.
const COLUMN: usize = 7;

/// Each check with its observations, of two lines each: the message and the remedy. The summary is
/// the last line.
pub fn render(observations: &[Observation], coloured: bool) -> String {
    let (mut text, mut check) = (String::new(), "");
    for observation in observations {
        if observation.check != check {
            check = observation.check;
            let heading = paint(check, Style::new().bold(), coloured);
            let _ = writeln!(text, "{}{heading}", if text.is_empty() { "" } else { "\n" }); // writing to memory cannot fail
        }
        write(&mut text, observation, coloured);
    }
    let _ = writeln!(text, "\n{}", summary(observations));
    text
}

fn write(text: &mut String, observation: &Observation, coloured: bool) {
    let word = format!("{:COLUMN$}", observation.severity.as_str());
    let word = paint(&word, style(observation.severity), coloured);
    let _ =
        writeln!(text, "  {word}  {}: {}", plain(&observation.object), plain(&observation.message));
    if let Some(remedy) = &observation.remedy {
        let remedy = format!("fix: {}", plain(remedy));
        let _ =
            writeln!(text, "  {:COLUMN$}  {}", "", paint(&remedy, Style::new().dimmed(), coloured));
    }
}

fn style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Ok => AnsiColor::Green,
        Severity::Note => AnsiColor::Cyan,
        Severity::Unknown => AnsiColor::Magenta,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Problem => AnsiColor::Red,
    };
    colour.on_default().bold()
}

/// How many observations there are of each severity.
fn summary(observations: &[Observation]) -> String {
    let count = |severity| {
        observations.iter().filter(|observation| observation.severity == severity).count()
    };
    let counted = |severity, word: &str| match count(severity) {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    format!(
        "{}, {}, {}, {} ok, {} not examined",
        counted(Severity::Problem, "problem"),
        counted(Severity::Warning, "warning"),
        counted(Severity::Note, "note"),
        count(Severity::Ok),
        count(Severity::Unknown),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(severity: Severity, remedy: Option<&str>) -> Observation {
        let (object, message) = ("Service shop/a\u{1b}".to_owned(), "is there".to_owned());
        Observation {
            check: "service",
            severity,
            object,
            message,
            remedy: remedy.map(str::to_owned),
            namespaces: None,
        }
    }

    #[test]
    fn every_severity_has_a_line_and_a_place_in_the_summary() {
        let all =
            [Severity::Problem, Severity::Warning, Severity::Unknown, Severity::Note, Severity::Ok];
        let text = render(&all.map(|severity| seen(severity, Some("do it"))), false);
        assert!(
            text.starts_with(
                "service\n  problem  Service shop/a\\u{1b}: is there\n           fix: do it\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("\n1 problem, 1 warning, 1 note, 1 ok, 1 not examined\n"), "{text}");
        assert!(render(&[seen(Severity::Ok, None)], true).contains("\u{1b}[1m\u{1b}[32mok"));
    }
}
