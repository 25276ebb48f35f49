//! An inotify watch on mounted configuration that never fires, or dies after the first update.
//!
//! **Why it matters.** The kubelet does not write to mounted files. It writes a new directory and
//! swaps one symbolic link, so a file that is watched is deleted, never modified: a loop on
//! `modify` or `close_write` waits for ever or ends, and nothing says so.
//!
//! **What it looks at.** `inotifywait` in shell text of `command`, `args`, probes and lifecycle
//! hooks of regular containers and sidecars, with a target in a whole mount of a ConfigMap, Secret,
//! projected or downward API volume. What each construct sees was measured against the kubelet's
//! own steps.
//!
//! **What it allows.** Watching the directory for `create`, `moved_to` or `delete`; a file for
//! `delete_self` or `attrib` in a loop; polling. Where the target, the options or the loop cannot
//! be told it is silent. A loop that works only because it does not look at a failure is recorded
//! and nobody is told.
//!
//! **How to fix it.** Watch the mounted directory: `inotifywait -m -e create,moved_to DIR`.

use crate::judge::finding::Findings;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::rules::inline::{finding, missed_watches};
use crate::watch::Tool;

pub(crate) const RULE: Rule =
    Rule::new::<FileWatch>("file-watch", include_str!("../../../policies/file-watch.yaml"))
        .linux_only();

#[derive(Debug, Default)]
struct FileWatch;

impl Check for FileWatch {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            for missed in missed_watches(pod, placed.container, &["inotifywait"], |tool| {
                matches!(tool, Tool::Inotifywait(_))
            }) {
                let remedy = "watch the mounted directory with `inotifywait -m -e create,moved_to DIR`, or compare checksums in a loop";
                findings.report(finding(RULE.name, pod, &placed, &missed, remedy));
            }
        }
    }
}
