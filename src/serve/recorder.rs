//! Recording reviews: redacted and written by a thread of its own, behind a queue that is bounded.
//! A slow or full disk costs recordings, never an answer.

mod line;
mod segments;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::{hmac, rand};
use bytes::Bytes;
use tracing::{info, warn};

use crate::judge::policies::Policies;
use crate::judge::subject::{Resource, Subject};
use crate::judge::verdict::{MissedFix, Verdict};
use crate::recording::Facts;
use crate::review::Path;

use super::metrics::{RecordingOutcome, SharedMetrics};
use line::{Taken, line};
pub(super) use segments::Segments;

/// The most reviews that wait to be written.
const WAITING: usize = 1024;

/// The most bytes of reviews and answers that wait to be written: one of the largest reviews, or
/// thousands of common ones.
const WAITING_BYTES: usize = 24 * 1024 * 1024;

/// How long the end of the server waits for what is still to be written.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Takes reviews to be recorded.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    queue: SyncSender<Message>,
    /// Bytes that wait.
    waiting: Arc<AtomicUsize>,
    metrics: SharedMetrics,
}

/// What the writing thread is told.
enum Message {
    /// A review that was answered.
    Review(Box<Taken>),
    /// Nothing comes any more that counts.
    Stop(Sender<()>),
}

impl Recorder {
    /// Takes note of a review that came by `path` as `body` and is answered with `reply`. Waits for
    /// nothing.
    pub(super) fn take(
        &self,
        path: Path,
        policies: &Policies,
        subject: &Subject<'_>,
        verdict: &Verdict,
        (body, reply): (&Bytes, &[u8]),
    ) {
        if subject.resource == Resource::Secret {
            // nothing of these is kept
            return;
        }
        let size = body.len().saturating_add(reply.len());
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        let settling = verdict.missed_fix == Some(MissedFix::OtherPolicies);
        let taken = (before.saturating_add(size) <= WAITING_BYTES).then(|| {
            Box::new(Taken {
                path,
                cap: policies.cap(),
                annotations: policies.context().approval_annotations.clone(),
                time: subject.evidence.now.unwrap_or_default(),
                facts: Facts::of(&subject.evidence, settling),
                body: body.clone(),
                reply: reply.to_vec(),
            })
        });
        let sent = taken.is_some_and(|taken| self.queue.try_send(Message::Review(taken)).is_ok());
        if !sent {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            self.metrics.recording(RecordingOutcome::Dropped);
        }
    }
}

/// The thread that writes, while it lasts.
pub(super) struct RecorderThread {
    recorder: Recorder,
}

impl RecorderThread {
    /// Starts to write into `segments`.
    ///
    /// # Errors
    ///
    /// Where the system gives no thread or no random bytes.
    pub(super) fn start(segments: Segments, metrics: SharedMetrics) -> anyhow::Result<Self> {
        info!(folder = %segments.folder().display(), "reviews are recorded");
        let (queue, messages) = sync_channel(WAITING);
        let recorder = Recorder { queue, waiting: Arc::default(), metrics };
        let writing = Writing {
            segments,
            key: key()?,
            waiting: Arc::clone(&recorder.waiting),
            metrics: Arc::clone(&recorder.metrics),
            fails: false,
        };
        thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || writing.run(&messages))
            .context("cannot start the thread that records")?;
        Ok(Self { recorder })
    }

    /// Where reviews are taken.
    pub(super) fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Waits until what was taken is written, though not for ever.
    pub(super) fn stop(self) {
        let (done, written) = channel();
        if self.recorder.queue.try_send(Message::Stop(done)).is_ok() {
            let _ = written.recv_timeout(LAST_WORDS); // who comes too late is lost
        }
    }
}

/// A key that nobody else has, and that is written nowhere: equal values have equal marks as long as
/// the process lives, and nobody can try values out.
fn key() -> anyhow::Result<hmac::Key> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).ok().context("the system gives no random bytes")?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

struct Writing {
    segments: Segments,
    key: hmac::Key,
    waiting: Arc<AtomicUsize>,
    metrics: SharedMetrics,
    /// Whether the last one could not be written: it is said once.
    fails: bool,
}

impl Writing {
    fn run(mut self, messages: &Receiver<Message>) {
        for message in messages {
            match message {
                Message::Review(taken) => self.write(&taken),
                Message::Stop(done) => {
                    let _ = done.send(()); // nobody may wait any more
                }
            }
        }
    }

    fn write(&mut self, taken: &Taken) {
        let hash = |bytes: &[u8]| self.hash(bytes);
        // a panic is a bug: it costs this recording, never those that follow
        let line = catch_unwind(AssertUnwindSafe(|| line(taken, &hash))).ok().flatten();
        let written = match line {
            Some(line) => self.segments.append(&line).map_err(|error| error.to_string()),
            None => Err("a review could not be redacted; this is a bug in restraint".to_owned()),
        };
        self.waiting.fetch_sub(taken.size(), Ordering::Relaxed);
        let outcome = match &written {
            Ok(()) => RecordingOutcome::Written,
            Err(_) => RecordingOutcome::Failed,
        };
        self.metrics.recording(outcome);
        match written {
            Ok(()) if self.fails => info!("reviews are recorded again"),
            Err(error) if !self.fails => warn!(error, "reviews are not recorded"),
            _ => {}
        }
        self.fails = outcome == RecordingOutcome::Failed;
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let tag = hmac::sign(&self.key, bytes);
        tag.as_ref().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }
}

#[cfg(test)]
mod tests;
