//! Ordinary failures restart every container of the pod.
//!
//! **Why it matters.** `RestartAllContainers` is the largest of hammers: no preStop hook runs, two
//! seconds are left, and containers that had finished run again. Most programs end with 1 on any
//! error, the kernel's OOM kill shows as 137, a stop by SIGTERM as 143. On these codes a single
//! crash takes the whole pod along, and a crash loop all of it.
//!
//! **What it looks at.** Rules with action `RestartAllContainers` of every container: operator `In`
//! with 1, 137 or 143, and every `NotIn`. Only codes count that no earlier rule of the container
//! takes, because the first one wins.
//!
//! **What it allows.** `In` with other codes. An `In` without codes, which never matches.
//!
//! **How to fix it.** Let the program say with an exit code of its own, such as 88, that all
//! must start anew.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::restart::RestartAll;

pub(crate) const RULE: Rule = Rule::new::<RestartAllBroadExitCodes>(
    "restart-all-broad-exit-codes",
    include_str!("../../../policies/restart-all-broad-exit-codes.yaml"),
);

#[derive(Debug, Default)]
struct RestartAllBroadExitCodes;

/// The codes of ordinary failures: an error, an OOM kill, a stop.
const ORDINARY: [u8; 3] = [1, 137, 143];

impl Check for RestartAllBroadExitCodes {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.all_containers() {
            for rule in placed.container.restart_all_rules() {
                let Some(codes) = broad(&rule) else { continue };
                let name = &placed.container.name;
                let message = |names: Names| {
                    format!(
                        "container {}: {codes} restarts all containers of the pod",
                        names.quoted(name)
                    )
                };
                let remedy = "give the program an exit code of its own for it, such as 88, and list that one alone";
                let pointer = pod.container_pointer(
                    &placed,
                    &format!("restartPolicyRules/{}/exitCodes", rule.index),
                );
                findings.report(
                    Finding::new(RULE.name, pointer, message, remedy)
                        .in_container(name)
                        .about(format!("{:?}", rule.exit_codes.values)),
                );
            }
        }
    }
}

/// The most excluded codes that are written out.
const WRITTEN_OUT: usize = 4;

/// The codes that are too common; `None` where the rule is about special ones.
fn broad(rule: &RestartAll<'_>) -> Option<String> {
    let listed =
        |codes: &mut dyn Iterator<Item = String>, word| codes.collect::<Vec<_>>().join(word);
    if rule.exit_codes.is_exclusion() {
        let values = &rule.exit_codes.values;
        return Some(match values.len() {
            0 => "every exit code".to_owned(),
            1..=WRITTEN_OUT => format!(
                "every exit code but {}",
                listed(&mut values.iter().map(ToString::to_string), ", ")
            ),
            count => format!("every exit code but a list of {count}"),
        });
    }
    let ordinary = listed(
        &mut ORDINARY
            .into_iter()
            .filter(|code| rule.codes.contain(*code))
            .map(|code| code.to_string()),
        " or ",
    );
    (!ordinary.is_empty()).then(|| format!("exit code {ordinary}"))
}
