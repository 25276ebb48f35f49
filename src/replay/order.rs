//! Events in the order in which they were done, out of files that hold them in about that order.
//!
//! An event is written when its request ends, by many hands and, where there are several API
//! servers, into several files. So events wait a while for those that were written late. The order
//! is that of `stageTimestamp`: of two writes of one pod the one that ended first was stored first,
//! whichever came in first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead};

use jiff::Timestamp;

use crate::manifest::files::Input;
use crate::recording::{Line, next_line};

use super::files;
use super::glance::Glance;
use super::skipped::{Skipped, Skips};

/// So many events of one file wait for earlier ones.
const WAITING: usize = 2_048;

/// No more bytes of them wait, the last one aside.
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Events of one file that are further apart were not written in another order.
pub(super) const SPREAD_SECONDS: i64 = 60;

/// An event's line, and when it was written.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dated {
    pub(super) time: Timestamp,
    /// The place of it among all that were read, so that those of one time stay in order.
    number: u64,
    pub(super) line: Vec<u8>,
}

/// One file that is being read.
pub(super) struct Source {
    pub(super) name: String,
    reader: Option<Box<dyn BufRead>>,
    waiting: BinaryHeap<Reverse<Dated>>,
    bytes: usize,
    newest: Timestamp,
    buffer: Vec<u8>,
    number: u64,
}

impl Source {
    /// Opens `input`.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub(super) fn open(input: &Input) -> io::Result<Self> {
        Ok(Self::of(files::name(input), files::open(input)?))
    }

    /// What `reader` has, called `name`.
    pub(super) fn of(name: String, reader: Box<dyn BufRead>) -> Self {
        Self {
            name,
            reader: Some(reader),
            waiting: BinaryHeap::new(),
            bytes: 0,
            newest: Timestamp::MIN,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// When its next event was written; `None` where there is none left.
    pub(super) fn next_time(&mut self, limit: usize, skips: &mut Skips) -> Option<Timestamp> {
        while self.must_wait() {
            self.read_line(limit, skips);
        }
        self.waiting.peek().map(|Reverse(event)| event.time)
    }

    /// Its next event.
    pub(super) fn take(&mut self) -> Option<Dated> {
        let Reverse(event) = self.waiting.pop()?;
        self.bytes = self.bytes.saturating_sub(event.line.len());
        Some(event)
    }

    /// Whether nothing is left of it.
    pub(super) fn is_over(&self) -> bool {
        self.reader.is_none() && self.waiting.is_empty()
    }

    /// Whether an earlier event than all that wait may still come.
    fn must_wait(&self) -> bool {
        let Some(Reverse(first)) = self.waiting.peek() else { return self.reader.is_some() };
        let apart = self.newest.as_second().saturating_sub(first.time.as_second());
        self.reader.is_some()
            && self.waiting.len() < WAITING
            && self.bytes < WAITING_BYTES
            && apart <= SPREAD_SECONDS
    }

    fn read_line(&mut self, limit: usize, skips: &mut Skips) {
        let Some(reader) = &mut self.reader else { return };
        match next_line(&mut **reader, &mut self.buffer, limit) {
            Ok(Line::None) => self.reader = None,
            Ok(Line::TooLong) => skips.count(Skipped::TooLong, &self.name),
            Ok(line @ (Line::Whole | Line::Unended)) => {
                skips.read(self.buffer.len());
                self.take_line(line, skips);
            }
            Err(error) => {
                skips.fault(&self.name, &error);
                self.reader = None;
            }
        }
    }

    fn take_line(&mut self, line: Line, skips: &mut Skips) {
        if self.buffer.trim_ascii().is_empty() {
            return;
        }
        match Glance::at(&self.buffer) {
            Glance::Event(time) => {
                let line = self.buffer.clone();
                self.keep(time, line, skips);
            }
            Glance::Other(time) => {
                skips.event();
                self.see(time, skips);
            }
            Glance::List => self.take_list(skips),
            Glance::OtherVersion(version) => skips.version(&version, &self.name),
            Glance::Recording => skips.count(Skipped::Recording, &self.name),
            Glance::Foreign => skips.count(Skipped::Foreign, &self.name),
            Glance::Broken if line == Line::Unended => skips.count(Skipped::CutOff, &self.name),
            Glance::Broken => skips.count(Skipped::Broken, &self.name),
        }
    }

    /// The events of a list, as the API server sends them to a webhook.
    fn take_list(&mut self, skips: &mut Skips) {
        let buffer = std::mem::take(&mut self.buffer);
        for item in super::list::items(&buffer) {
            match Glance::at(&item) {
                Glance::Event(time) => self.keep(time, item, skips),
                Glance::Other(time) => {
                    skips.event();
                    self.see(time, skips);
                }
                _ => skips.count(Skipped::Foreign, &self.name),
            }
        }
        self.buffer = buffer;
    }

    fn keep(&mut self, time: Option<Timestamp>, line: Vec<u8>, skips: &mut Skips) {
        skips.event();
        self.see(time, skips);
        self.number = self.number.saturating_add(1);
        self.bytes = self.bytes.saturating_add(line.len());
        // one without a time stays where it is
        let time = time.unwrap_or(self.newest);
        self.waiting.push(Reverse(Dated { time, number: self.number, line }));
    }

    /// Takes note of a time; one that is far before the newest is told.
    fn see(&mut self, time: Option<Timestamp>, skips: &mut Skips) {
        let Some(time) = time else { return skips.count(Skipped::NoTime, &self.name) };
        if self.newest.as_second().saturating_sub(time.as_second()) > SPREAD_SECONDS {
            skips.count(Skipped::Backwards, &self.name);
        }
        self.newest = self.newest.max(time);
    }
}
