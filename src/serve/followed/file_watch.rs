//! When files and directories may have changed, never what changed.
//!
//! A watch is a hint only, because it cannot be a promise: the kubelet swaps a symlink beside the
//! files it shows, queues overflow, and overlay and network file systems stay silent. So
//! directories are watched, not files, a poll heals what was missed, and whoever follows reads
//! again and compares contents.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

/// How often to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) struct Intervals {
    /// The longest time between two looks, whatever the watch says.
    pub(in crate::serve) poll: Duration,
    /// How long to wait after the first event, so that one change of many steps is one look.
    pub(in crate::serve) settle: Duration,
}

impl Default for Intervals {
    /// A poll every 60 s, as often as the kubelet syncs volumes; 200 ms to settle.
    fn default() -> Self {
        Self { poll: Duration::from_secs(60), settle: Duration::from_millis(200) }
    }
}

/// Files and directories under observation. Dropping it ends the observation.
///
/// Start it *before* the first read, or a change between the two waits for the poll.
#[derive(Debug)]
pub(in crate::serve) struct FileWatch {
    paths: Vec<PathBuf>,
    intervals: Intervals,
    bell: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    fault: Option<notify::Error>,
    rung: bool,
    due: Instant,
}

impl FileWatch {
    /// Starts to observe `paths`: of a directory its entries (not those of its subdirectories), of
    /// a file everything beside it. What does not exist yet, or goes away, is waited for.
    ///
    /// Never fails: where nothing can be watched (the inotify limit is a usual reason) it says so
    /// once and polls.
    pub(in crate::serve) fn start(paths: Vec<PathBuf>, intervals: Intervals) -> Self {
        let mut watch = Self {
            paths: paths
                .into_iter()
                .map(|path| std::path::absolute(&path).unwrap_or(path))
                .collect(),
            intervals,
            bell: Arc::default(),
            watcher: None,
            fault: None,
            rung: false,
            due: after(intervals.poll),
        };
        watch.arm();
        watch
    }

    /// Waits until something may have changed, or the poll is due. Safe to cancel: no hint is lost.
    pub(in crate::serve) async fn changed(&mut self) {
        if !self.rung {
            self.rung = timeout_at(self.due, self.bell.notified()).await.is_ok();
        }
        if self.rung {
            sleep(self.intervals.settle).await;
            self.rung = false;
        }
        self.arm();
        self.due = after(self.intervals.poll);
    }

    // Watches hang on inodes, so after a swap they may sit on a directory nobody can reach any
    // more. Laying all of them anew before each hint needs no book-keeping, and the reader reads
    // after they lie: nothing falls between.
    fn arm(&mut self) {
        let bell = Arc::new(Notify::new());
        let fault = match watch(&self.paths, Arc::clone(&bell)) {
            Ok((watcher, fault)) => {
                self.bell = bell;
                self.watcher = Some(watcher);
                fault
            }
            // At the system's limit a second watcher cannot be had, and the first may still be of
            // use.
            Err(error) => Some(error),
        };
        match (&self.fault, &fault) {
            (None, Some(fault)) => warn!(
                "cannot watch {:?}, looking every {:?} instead: {fault}",
                self.paths, self.intervals.poll
            ),
            (Some(_), None) => info!("watching {:?} again", self.paths),
            _ => {}
        }
        self.fault = fault;
    }
}

fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}

/// Watches the directories that hold `paths` and, for the day they are swapped, all above them.
/// Comes with the reason why one that holds them cannot be watched, if so.
fn watch(
    paths: &[PathBuf],
    bell: Arc<Notify>,
) -> notify::Result<(RecommendedWatcher, Option<notify::Error>)> {
    let homes: BTreeSet<PathBuf> = paths.iter().map(|path| home(path)).collect();
    let above: BTreeSet<PathBuf> =
        homes.iter().flat_map(|home| home.ancestors()).map(Path::to_path_buf).collect();
    let near = homes.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error is a hint too: events may have been lost.
        if event.map_or(true, |event| matters(&event, &near)) {
            bell.notify_one();
        }
    })?;
    let mut fault = None;
    for directory in above {
        match watcher.watch(&directory, RecursiveMode::NonRecursive) {
            Err(error) if homes.contains(&directory) => fault = Some(error),
            // Many a container may not list what lies above its volumes.
            Ok(()) | Err(_) => {}
        }
    }
    Ok((watcher, fault))
}

/// The directory whose entries show a change of `path`.
fn home(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_path_buf();
    }
    path.parent().unwrap_or(path).to_path_buf()
}

/// Whether an event may mean a change: of an entry of a home, of a directory on the way to one, or
/// of the kubelet's `..data` beside one, through which it shows the subdirectories of a volume.
fn matters(event: &Event, homes: &BTreeSet<PathBuf>) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
        // Reading is an event as well; heeding it would make each look the cause of the next.
        EventKind::Access(_) => return false,
        _ => {}
    }
    let concerns = |path: &Path, home: &Path| {
        let parent = path.parent();
        home.starts_with(path)
            || parent == Some(home)
            || (parent == home.parent() && path.ends_with("..data"))
    };
    event.paths.is_empty()
        || event.paths.iter().any(|path| homes.iter().any(|home| concerns(path, home)))
}

#[cfg(test)]
mod tests;
