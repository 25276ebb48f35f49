//! The events of several files in one order.

use std::io;

use jiff::Timestamp;

use crate::manifest::files::Input;
use crate::recording::{Line, next_line};

use super::files;
use super::glance::Glance;
use super::order::{Dated, SPREAD_SECONDS, Source};
use super::skipped::Skips;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Events, the first of which was written then.
    Log(Timestamp),
    /// Recorded reviews.
    Recordings,
    /// Nothing at all.
    Empty,
    /// Something else.
    Foreign,
}

/// The lines that are looked at before a file is taken for something else: a rotated log may begin
/// in the middle of a line.
const LOOKED_AT: usize = 100;

/// What `input` holds, by its first lines.
///
/// # Errors
///
/// Where it cannot be read.
pub(super) fn kind(input: &Input, limit: usize) -> io::Result<Kind> {
    let (mut reader, mut buffer, mut is_empty) = (files::open(input)?, Vec::new(), true);
    for _ in 0..LOOKED_AT {
        let line = next_line(&mut *reader, &mut buffer, limit)?;
        if line == Line::None {
            break;
        }
        is_empty &= buffer.trim_ascii().is_empty() && line != Line::TooLong;
        match Glance::at(&buffer) {
            Glance::Event(time) | Glance::Other(time) => {
                return Ok(Kind::Log(time.unwrap_or(Timestamp::MIN)));
            }
            Glance::List | Glance::OtherVersion(_) => return Ok(Kind::Log(Timestamp::MIN)),
            Glance::Recording => return Ok(Kind::Recordings),
            Glance::Foreign | Glance::Broken => {}
        }
    }
    Ok(if is_empty { Kind::Empty } else { Kind::Foreign })
}

/// Logs that are read together. A file is opened when its turn comes.
pub(super) struct Merged {
    /// By the time of their first events, the latest first.
    later: Vec<(Timestamp, Input)>,
    open: Vec<Source>,
    limit: usize,
}

impl Merged {
    /// These logs, each with the time of its first event; lines longer than `limit` are skipped.
    pub(super) fn of(mut logs: Vec<(Timestamp, Input)>, limit: usize) -> Self {
        logs.sort_by(|one, other| other.cmp(one));
        Self { later: logs, open: Vec::new(), limit }
    }

    /// Reads what `source` has as well.
    pub(super) fn add(&mut self, source: Source) {
        self.open.push(source);
    }

    /// The next event of all files.
    pub(super) fn next(&mut self, skips: &mut Skips) -> Option<Dated> {
        loop {
            let limit = self.limit;
            let times = self
                .open
                .iter_mut()
                .enumerate()
                .filter_map(|(index, source)| Some((source.next_time(limit, skips)?, index)));
            let first = times.min();
            if let Some(input) = self.due(first.map(|(time, _)| time)) {
                match Source::open(&input) {
                    Ok(source) => self.open.push(source),
                    Err(error) => skips.fault(&files::name(&input), &error),
                }
                continue;
            }
            let event = first.and_then(|(_, index)| self.open.get_mut(index)?.take());
            self.open.retain(|source| !source.is_over());
            return event;
        }
    }

    /// The next file, if one of its events may come before `time`.
    fn due(&mut self, time: Option<Timestamp>) -> Option<Input> {
        let is_due = |(first, _): &mut (Timestamp, Input)| {
            time.is_none_or(|time| {
                first.as_second().saturating_sub(SPREAD_SECONDS) <= time.as_second()
            })
        };
        self.later.pop_if(is_due).map(|(_, input)| input)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn event(second: u32, id: &str) -> String {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"{id}","stage":"ResponseComplete","verb":"create","objectRef":{{"resource":"pods","apiVersion":"v1"}},"stageTimestamp":"2026-11-21T10:{:02}:{:02}Z"}}"#,
            second / 60,
            second % 60,
        )
    }

    fn file(folder: &Path, name: &str, events: &[(u32, &str)]) -> Input {
        let lines: Vec<_> = events.iter().map(|(second, id)| event(*second, id)).collect();
        fs::write(folder.join(name), lines.join("\n") + "\n").unwrap();
        Input::File(folder.join(name))
    }

    fn merged(inputs: Vec<Input>) -> Merged {
        let dated = |input: Input| match kind(&input, 9_999).unwrap() {
            Kind::Log(time) => (time, input),
            kind => panic!("{kind:?}"),
        };
        Merged::of(inputs.into_iter().map(dated).collect(), 9_999)
    }

    fn ids(inputs: Vec<Input>) -> (Vec<String>, Skips) {
        let (mut skips, mut ids) = (Skips::default(), Vec::new());
        let mut merged = merged(inputs);
        while let Some(event) = merged.next(&mut skips) {
            let event = String::from_utf8(event.line).unwrap();
            ids.push(event.split("auditID\":\"").nth(1).unwrap()[..1].to_owned());
        }
        (ids, skips)
    }

    #[test]
    fn files_are_read_in_the_order_of_their_events() {
        let folder = tempfile::tempdir().unwrap();
        let late = file(folder.path(), "a.log", &[(600, "f"), (599, "e"), (700, "g")]);
        let early = file(folder.path(), "b.log", &[(1, "a"), (5, "c"), (9, "d")]);
        let beside = file(folder.path(), "c.log", &[(3, "b"), (2_000, "h")]);
        let (ids, skips) = ids(vec![early, late, beside]);
        assert_eq!(ids.concat(), "abcdefgh");
        assert!(skips.lines().is_empty() && skips.events == 8, "{skips:?}");
    }

    #[test]
    fn a_file_is_open_from_its_first_event_to_its_last() {
        let folder = tempfile::tempdir().unwrap();
        let logs = vec![
            file(folder.path(), "a.log", &[(1, "a")]),
            file(folder.path(), "b.log", &[(600, "b")]),
        ];
        let (mut merged, mut skips) = (merged(logs), Skips::default());
        merged.next(&mut skips).unwrap();
        assert_eq!((merged.open.len(), merged.later.len()), (0, 1));
        merged.next(&mut skips).unwrap();
        assert!(merged.next(&mut skips).is_none() && merged.open.is_empty());
    }

    #[test]
    fn a_clock_that_is_put_back_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = file(folder.path(), "a.log", &[(500, "a"), (900, "b"), (100, "c"), (950, "d")]);
        let (ids, skips) = ids(vec![log]);
        assert_eq!(ids.len(), 4);
        assert!(skips.lines()[0].contains("1 events more than a minute out of order"), "{skips:?}");
    }

    #[test]
    fn what_a_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let of = |text: &str| {
            fs::write(folder.path().join("x"), text).unwrap();
            kind(&Input::File(folder.path().join("x")), 9_999).unwrap()
        };
        assert_eq!(of("\n\n"), Kind::Empty);
        assert_eq!(of("hello\nworld"), Kind::Foreign);
        assert_eq!(of("{\"schema\":\"restraint.dev/recording/v1\"}\n"), Kind::Recordings);
        let cut = format!("stage\":\"x\"}}\n{}\n", event(60, "a"));
        assert_eq!(of(&cut), Kind::Log("2026-11-21T10:01:00Z".parse().unwrap()));
    }
}
