//! `status` of a pod, as far as it says what became of a resize (KEP-1287).

use crate::json::fields;
use crate::json::text::Text;

use super::resources::Resources;

/// The words without which a status says nothing of a resize: the names of both its conditions
/// begin with them.
const RESIZE_CONDITIONS: &str = "\"PodResize";

/// `status` of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodStatus<'a> {
    conditions: Vec<Condition<'a>>,
    /// Once read, those of init containers as well, in order of name.
    container_statuses: Vec<ContainerStatus<'a>>,
    init_container_statuses: Vec<ContainerStatus<'a>>,
    /// What the pod itself has (pod-level resources, KEP-5419).
    pub resources: Resources<'a>,
}

fields!(PodStatus {
    "conditions" => conditions,
    "containerStatuses" => container_statuses,
    "initContainerStatuses" => init_container_statuses,
    "resources" => resources,
});

/// An entry of `conditions`.
#[derive(Clone, Debug, Default)]
struct Condition<'a> {
    kind: Text<'a>,
    status: Text<'a>,
    reason: Text<'a>,
    message: Text<'a>,
    last_transition_time: Text<'a>,
    observed_generation: Option<i64>,
}

fields!(Condition {
    "type" => kind,
    "status" => status,
    "reason" => reason,
    "message" => message,
    "lastTransitionTime" => last_transition_time,
    "observedGeneration" => observed_generation,
});

/// An entry of `containerStatuses` or `initContainerStatuses`.
#[derive(Clone, Debug, Default)]
struct ContainerStatus<'a> {
    name: Text<'a>,
    resources: Resources<'a>,
}

fields!(ContainerStatus { "name" => name, "resources" => resources });

/// A resize that is not done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LingeringResize<'s> {
    /// `Deferred`, `Infeasible`, `Error` or `InProgress`.
    pub reason: &'s str,
    /// What the kubelet says.
    pub message: &'s str,
    /// When it began to be so.
    pub since: &'s str,
}

impl<'a> PodStatus<'a> {
    /// The status written in `json`; `None` where it cannot be read.
    pub(crate) fn read(json: &'a str) -> Option<Self> {
        let mut status: Self = crate::json::read(json).ok()?;
        status.sort_containers();
        Some(status)
    }

    /// Each container of the pod is looked for.
    fn sort_containers(&mut self) {
        self.container_statuses.append(&mut self.init_container_statuses);
        self.container_statuses.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// The resize that is not done, what waits before what is under way.
    pub(crate) fn lingering_resize(&self) -> Option<LingeringResize<'_>> {
        let standing = |kind: &str| {
            let mut conditions = self.conditions.iter();
            conditions.find(|condition| &*condition.kind == kind && &*condition.status == "True")
        };
        let condition = standing("PodResizePending").or_else(|| standing("PodResizeInProgress"))?;
        let reason = if condition.reason.is_empty() { "InProgress" } else { &condition.reason };
        let (message, since) = (&*condition.message, &*condition.last_transition_time);
        Some(LingeringResize { reason, message, since })
    }

    /// The status written in `json`, if the kubelet says there that the resize of this
    /// `generation` waits or failed: then the pod has what its status says, not what its spec asks
    /// for. A status that cannot be read, is of another generation, or shows a resize that is
    /// simply under way says nothing.
    pub(crate) fn of_resize_not_carried_out(
        json: &'a str,
        generation: Option<i64>,
    ) -> Option<Self> {
        if !json.contains(RESIZE_CONDITIONS) {
            return None;
        }
        let mut status: Self = crate::json::read(json).ok()?;
        if !status.shows_resize_not_carried_out(generation?) {
            return None;
        }
        status.sort_containers();
        Some(status)
    }

    fn shows_resize_not_carried_out(&self, generation: i64) -> bool {
        let standing = || self.conditions.iter().filter(|condition| &*condition.status == "True");
        let of_now = |condition: &Condition<'_>| condition.observed_generation == Some(generation);
        let under_way = |condition: &Condition<'_>| {
            &*condition.kind == "PodResizeInProgress" && &*condition.reason != "Error"
        };
        let waits_or_failed = |condition: &Condition<'_>| match &*condition.kind {
            "PodResizePending" => matches!(&*condition.reason, "Deferred" | "Infeasible"),
            "PodResizeInProgress" => &*condition.reason == "Error",
            _ => false,
        };
        !standing().any(under_way) && standing().any(|each| of_now(each) && waits_or_failed(each))
    }

    /// What the container `name` has; `None` where the status does not say so once.
    pub(crate) fn container(&self, name: &str) -> Option<&Resources<'a>> {
        let first = self.container_statuses.partition_point(|status| &*status.name < name);
        let rest = self.container_statuses.get(first..)?;
        let mut same = rest.iter().take_while(|status| &*status.name == name);
        same.next().filter(|_| same.next().is_none()).map(|status| &status.resources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(conditions: &str) -> String {
        format!(
            r#"{{"conditions": [{conditions}],
                "initContainerStatuses": [{{"name": "proxy", "resources": {{"limits": {{"memory": "64Mi"}}}}}}],
                "containerStatuses": [{{"name": "twice"}}, {{"name": "app", "resources":
                {{"limits": {{"memory": "512Mi"}}}}}}, {{"name": "twice"}}]}}"#
        )
    }

    fn condition(kind: &str, status: &str, reason: &str, generation: i64) -> String {
        format!(
            r#"{{"type": "{kind}", "status": "{status}", "reason": "{reason}", "observedGeneration": {generation}}}"#
        )
    }

    fn counts(conditions: &[String]) -> bool {
        let status = status(&conditions.join(","));
        PodStatus::of_resize_not_carried_out(&status, Some(3)).is_some()
    }

    #[test]
    fn what_waits_or_failed_is_told_from_what_is_under_way() {
        let (pending, progress) = ("PodResizePending", "PodResizeInProgress");
        assert!(counts(&[condition(pending, "True", "Deferred", 3)]));
        assert!(counts(&[condition(pending, "True", "Infeasible", 3)]));
        assert!(counts(&[condition(progress, "True", "Error", 3)]));
        assert!(counts(&[
            condition(progress, "True", "Error", 2),
            condition(pending, "True", "Deferred", 3)
        ]));
        for silent in [
            condition(pending, "False", "Deferred", 3),
            condition(pending, "True", "", 3),
            condition(pending, "True", "Deferred", 2),
            condition(pending, "True", "Deferred", 4),
            condition(progress, "True", "", 3),
            condition("Ready", "True", "Error", 3),
        ] {
            assert!(!counts(std::slice::from_ref(&silent)), "{silent}");
        }
        assert!(!counts(&[
            condition(progress, "True", "", 2),
            condition(pending, "True", "Deferred", 3)
        ]));
        let without = r#"{"type": "PodResizePending", "status": "True", "reason": "Deferred"}"#;
        assert!(!counts(&[without.to_owned()]), "of nobody knows which generation");
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        let pending = condition("PodResizePending", "True", "Deferred", 3);
        let read = |json: &str, generation| {
            PodStatus::of_resize_not_carried_out(json, generation).is_some()
        };
        assert!(!read(&status(&pending), None), "a pod without a generation");
        for garbage in ["", "[]", "\"PodResizePending", r#"{"conditions": "PodResizePending"}"#] {
            assert!(!read(garbage, Some(3)), "{garbage}");
        }
        let unreadable = status(&pending).replace("512Mi", "much");
        assert!(!read(&unreadable, Some(3)));
    }

    #[test]
    fn containers_are_found_in_any_order_and_none_that_is_named_twice() {
        let status = status(&condition("PodResizePending", "True", "Deferred", 3));
        let status = PodStatus::of_resize_not_carried_out(&status, Some(3)).unwrap();
        for (name, expected) in [("app", "512Mi"), ("proxy", "64Mi")] {
            let limit = status.container(name).unwrap().limits.memory.as_ref().unwrap();
            assert_eq!(limit.text(), expected);
        }
        assert!(status.container("twice").is_none() && status.container("other").is_none());
    }

    #[test]
    fn of_what_lingers_that_which_waits_is_told_first() {
        let told = |conditions: &[String]| {
            let text = status(&conditions.join(","));
            let status = PodStatus::read(&text).unwrap();
            assert!(status.container("app").is_some(), "they are in order");
            status.lingering_resize().map(|resize| resize.reason.to_owned())
        };
        let progress = condition("PodResizeInProgress", "True", "", 3);
        let waits = condition("PodResizePending", "True", "Deferred", 3);
        let over = condition("PodResizePending", "False", "Deferred", 3);
        let ready = condition("Ready", "True", "Ready", 3);
        assert_eq!(told(&[ready.clone(), progress.clone(), waits]).as_deref(), Some("Deferred"));
        assert_eq!(told(&[over.clone(), progress]).as_deref(), Some("InProgress"));
        assert_eq!(told(&[ready, over]), None);
    }
}
