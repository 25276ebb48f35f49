//! A program that keeps the first version of a mounted file open.
//!
//! **Why it matters.** The kubelet replaces mounted files, it does not append to them. `tail -f`
//! goes on reading the file that was deleted; `watchmedo` waits for a name that no event carries;
//! `stat` without `-L` looks at a symbolic link that never changes; `watchfiles` sees the first
//! update and no other.
//!
//! **What it looks at.** `tail -f`, `watchmedo` with patterns, `watchfiles` on a file, and `stat
//! -c` without `-L`, in shell text of `command`, `args`, probes and lifecycle hooks of regular
//! containers and sidecars, on files in a whole mount of a ConfigMap, Secret, projected or downward
//! API volume.
//!
//! **What it allows.** `tail -F`, `entr`, `nodemon`, `chokidar`, checksums, `stat -L`, `readlink`
//! in a loop, and whatever cannot be told.
//!
//! **How to fix it.** Follow the name instead of the file: `tail -F`, `stat -L`, or watch the
//! directory.

use crate::judge::finding::Findings;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::rules::inline::{finding, missed_watches};
use crate::watch::Tool;

pub(crate) const RULE: Rule = Rule::new::<StaleFileFollow>(
    "stale-file-follow",
    include_str!("../../../policies/stale-file-follow.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct StaleFileFollow;

/// Any program this rule looks at is spelled with one of these.
const WORDS: [&str; 4] = ["tail", "watchmedo", "watchfiles", "stat"];

impl Check for StaleFileFollow {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            for missed in missed_watches(pod, placed.container, &WORDS, keeps_a_file) {
                let remedy = "follow the name, not the file: `tail -F`, `stat -L`, or a watch on the mounted directory";
                findings.report(finding(RULE.name, pod, &placed, &missed, remedy));
            }
        }
    }
}

fn keeps_a_file(tool: &Tool) -> bool {
    matches!(
        tool,
        Tool::Tail { .. } | Tool::Watchmedo { .. } | Tool::Watchfiles | Tool::Stat { .. }
    )
}
