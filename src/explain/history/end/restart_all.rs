//! Restarts of all containers of a pod by a rule of one.

use super::diagnosis::Diagnosis;
use crate::explain::history::case::Case;
use crate::explain::history::cause::Cause;
use crate::explain::history::certainty::Certainty;
use crate::explain::history::record::Told;
use crate::kube::container::Container;

/// A rule had all containers of the pod restarted. Their true ends are not kept.
pub(super) fn by_reason(case: &Case<'_>, told: Told<'_>) -> Diagnosis {
    let mut why = "a container left with an exit code that a rule of restartPolicyRules answers with RestartAllContainers: all were \
                   removed and started anew in the same pod (same UID, IP and volumes), init containers first; SIGTERM, 2 s later \
                   SIGKILL, no preStop, whatever the grace period; the exit code 137 is made up by the kubelet for each, and how they \
                   ended is not kept"
        .to_owned();
    let sources = sources(case);
    if !sources.is_empty() {
        why = format!("{why}; the rule is that of {}", sources.join(" or "));
    }
    let has_hook = case
        .container(&told.status.name)
        .is_some_and(|container| container.lifecycle.pre_stop.is_some());
    if has_hook {
        why.push_str("; the preStop of this container did not run");
    }
    Diagnosis::new(Cause::RestartAllContainers, Certainty::Certain, why)
        .with("look at why that container left with that exit code; the logs of before are gone with the containers")
}

/// The containers whose rules restart all, with the codes that do.
fn sources(case: &Case<'_>) -> Vec<String> {
    let containers = case.object.into_iter().flat_map(|object| object.spec.all_containers());
    let source = |container: &Container<'_>| {
        let rule = container.restart_all_rules().next()?;
        let values = &rule.exit_codes.values;
        let codes = values.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
        let operator = if rule.exit_codes.is_exclusion() { "other than " } else { "" };
        Some(format!("container {:?} (exit code {operator}{codes})", &*container.name))
    };
    containers.filter_map(|placed| source(placed.container)).collect()
}

/// The kubelet says that it kills one for it.
pub(super) fn by_kill(case: &Case<'_>, said: &str, certainty: Certainty) -> Diagnosis {
    let why = format!(
        "{said}, as it does where a rule of restartPolicyRules restarts all containers: no preStop, 2 s after SIGTERM{}",
        sources(case)
            .first()
            .map(|source| format!("; the rule is that of {source}"))
            .unwrap_or_default()
    );
    Diagnosis::new(Cause::RestartAllContainers, certainty, why)
}
