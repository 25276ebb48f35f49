//! A memory limit that is lowered to what the process has in use, or below.
//!
//! **Why it matters.** The kubelet does not lower a limit below what is in use: it tries again and
//! again, the resize stays in error, and the stored limit is one that nobody has. Where it just
//! fits, the next request for memory is an OOM kill. Whoever waits until less is in use is spared
//! both.
//!
//! **What it looks at.** The pod and the containers whose effective limit falls, and their working
//! set in the metrics API (`metrics.k8s.io/v1beta1`, which metrics-server or an adapter serves): is
//! it above the new limit less the margin? Of the pod the containers count together.
//!
//! **What it allows.** Limits that leave the margin; whatever was not measured, such as a container
//! that just started. It is silent where the metrics API is absent, refuses, or takes longer than
//! `--evidence-deadline` (100 ms): the verdict is then the same as without this rule, and
//! `restraint_look_ups_total` counts why.
//!
//! The kubelet compares *usage*, page cache included, and the metrics API tells the *working set*,
//! which leaves out the cache that can be dropped at once. So silence is no promise: a process that
//! reads many files may stay above the new limit with the kubelet although its working set is far
//! below. What is told is some 15 to 60 seconds old.
//!
//! **How to fix it.** Wait until less is in use, or drain the pod first.
//!
//! **Switching it on.** The policy comes with mode `off`, because it needs the metrics API and the
//! right to `get` `pods` of the API group `metrics.k8s.io`. Set `warn`. With `enforce` a decrease
//! is denied for what was in use at one moment.
//!
//! **Settings.** `margin`: the percentage of the new limit that is to stay free, 0 to 99 (default
//! 10).

use serde::{Deserialize, Deserializer};

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, LookUp, Rule};
use crate::judge::settings::Setting;
use crate::judge::view::{MemoryChange, ResizeView};
use crate::kube::part::Part;
use crate::kube::requests::memory_text;

pub(crate) const RULE: Rule = Rule::with_settings::<MemoryAboveUsage>(
    "memory-above-usage",
    include_str!("../../../policies/memory-above-usage.yaml"),
    &[Setting::plain("margin")],
)
.not_ignorable();

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MemoryAboveUsage {
    /// In percent of the new limit.
    #[serde(deserialize_with = "margin")]
    margin: u8,
}

impl Default for MemoryAboveUsage {
    fn default() -> Self {
        Self { margin: 10 }
    }
}

impl Check for MemoryAboveUsage {
    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        let Some(usage) = resize.usage() else { return };
        for change in resize.memory_changes().filter(MemoryChange::limit_falls) {
            let used = match change.part {
                Part::Pod => Some(usage.total()),
                Part::Container(name) => usage.of(name),
            };
            let limit = change.limit.1;
            let (Some(used), Some(bytes)) =
                (used, limit.bytes().and_then(|bytes| i128::try_from(bytes).ok()))
            else {
                continue;
            };
            if !self.is_too_much(used, bytes) {
                continue;
            }
            let share = if used > bytes { String::new() } else { format!("{}% of ", self.rest()) };
            let (part, used) = (change.part, memory_text(used));
            let message = |names: Names| {
                format!(
                    "{}: {used} in use, above {share}new memory limit {limit}",
                    names.part(part)
                )
            };
            let remedy = "wait until less is in use, or drain the pod first";
            findings.report(
                Finding::new(RULE.name, change.pointer("limits"), message, remedy).about_part(part),
            );
        }
    }

    fn asks_for(&self, resize: &ResizeView<'_>) -> Option<LookUp> {
        let falls = resize.memory_changes().any(|change| change.limit_falls());
        falls.then_some(LookUp::Usage)
    }
}

impl MemoryAboveUsage {
    /// Whether `used` bytes are above the limit less the margin.
    fn is_too_much(&self, used: i128, limit: i128) -> bool {
        used.saturating_mul(100) > limit.saturating_mul(self.rest().into())
    }

    /// What is left of the limit without the margin, in percent.
    fn rest(&self) -> u8 {
        100_u8.saturating_sub(self.margin)
    }
}

fn margin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let percent = u8::deserialize(deserializer).ok().filter(|percent| *percent < 100);
    percent.ok_or_else(|| serde::de::Error::custom("not a percentage from 0 to 99"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_of_the_new_limit() {
        let too_much = |margin: u8, used: i128, limit: i128| {
            MemoryAboveUsage { margin }.is_too_much(used, limit)
        };
        assert!(!too_much(10, 900, 1000), "exactly the margin is left");
        assert!(too_much(10, 901, 1000));
        assert!(!too_much(0, 1000, 1000));
        assert!(too_much(0, 1001, 1000));
        assert!(too_much(99, 11, 1000) && !too_much(99, 10, 1000));
        assert!(!too_much(10, 0, 1) && too_much(10, 1, 1));
        assert!(too_much(10, i128::MAX, i64::MAX.into()));
    }

    #[test]
    fn the_margin_is_a_percentage() {
        let read = |margin: &str| {
            serde_json::from_str::<MemoryAboveUsage>(&format!(r#"{{"margin": {margin}}}"#))
        };
        assert_eq!(read("0").unwrap().margin, 0);
        assert_eq!(read("99").unwrap().margin, 99);
        for refused in ["100", "-1", "10.5", "\"10%\"", "300", "null"] {
            assert!(
                read(refused).unwrap_err().to_string().starts_with("not a percentage from 0 to 99"),
                "{refused}"
            );
        }
    }
}
