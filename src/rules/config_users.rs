//! Who uses which ConfigMaps and Secrets: a workload with every use of them in its template.

use crate::json::text::Text;
use crate::json::{self, Raw, fields};
use crate::judge::context::PolicyContext;
use crate::judge::subject::{Evidence, Resource, Subject};
use crate::judge::view::{PodView, View};
use crate::kube::config_use::config_uses;
use crate::kube::config_user::{ConfigUser, Life, UserUse};
use crate::kube::container::Container;
use crate::kube::object::Object;
use crate::kube::volume::VolumeSource;

use super::trigger::Triggers;

/// What the workload or pod in `json` uses, as `resource` keeps it; `None` where nothing, and where it
/// cannot be read.
pub fn config_user_in(resource: Resource, json: &str) -> Option<ConfigUser> {
    let object: Object<'_> = json::read(json).ok()?;
    let namespace = object.metadata.namespace.to_string();
    config_user(resource, &namespace, object)
}

/// What `object`, a workload or a pod, uses of ConfigMaps and Secrets; `None` where it has no pods or
/// its pods use none. A pod that a controller made is left to its maker.
pub(crate) fn config_user(
    resource: Resource,
    namespace: &str,
    object: Object<'_>,
) -> Option<ConfigUser> {
    let is_made = object.metadata.controller().is_some();
    if is_made && matches!(resource, Resource::Pod | Resource::ReplicaSet | Resource::Job) {
        return None;
    }
    let subject = Subject::created(resource, namespace.into(), object, Evidence::default());
    let context = PolicyContext::default();
    let Some(View::Pod { new: pod, .. }) = View::of(&subject, &context) else { return None };
    let triggers = Triggers::of(&pod);
    let uses: Vec<UserUse> = config_uses(pod.spec)
        .into_iter()
        .map(|used| UserUse {
            is_rolled: triggers.fire_for(VolumeSource::of(used.kind, &used.name)),
            restarts_in_place: pod.app_containers().any(|placed| {
                *placed.container.name == *used.container && in_place(placed.container)
            }),
            used: used.into_owned(),
        })
        .collect();
    let life = life(&pod, subject.object.status);
    let name = subject.object.metadata.name.to_string();
    (!uses.is_empty()).then(|| ConfigUser { kind: resource.kind(), name, life, uses })
}

/// Whether a resize restarts the container in place: its memory policy says so, and its memory
/// request can grow.
fn in_place(container: &Container<'_>) -> bool {
    let restarts = container
        .policy_for("memory")
        .is_some_and(|policy| &*policy.restart_policy == "RestartContainer");
    restarts && container.resources.requests.memory.is_some()
}

fn life(pod: &PodView<'_>, status: Option<Raw<'_>>) -> Life {
    let status: Status<'_> = status.and_then(|raw| json::read(raw.get()).ok()).unwrap_or_default();
    match pod.resource {
        Resource::Pod if matches!(&*status.phase, "Succeeded" | "Failed") => Life::OVER,
        // whatever runs once is not there twice
        Resource::Pod => Life {
            holds: true,
            starts: &*pod.spec.restart_policy != "Never" || &*status.phase == "Pending",
        },
        Resource::DaemonSet => Life::RUNNING,
        Resource::CronJob => Life::NOT_YET,
        Resource::Job if status.has_ended() => Life::OVER,
        Resource::Job => Life::NOT_YET,
        _ if pod.workload.replicas == Some(0) => Life::OVER,
        _ => Life::RUNNING,
    }
}

/// What the status of a pod or a Job tells of its end.
#[derive(Debug, Default)]
struct Status<'a> {
    phase: Text<'a>,
    conditions: Vec<Condition<'a>>,
}

fields!(Status { "phase" => phase, "conditions" => conditions });

#[derive(Debug, Default)]
struct Condition<'a> {
    kind: Text<'a>,
    status: Text<'a>,
}

fields!(Condition { "type" => kind, "status" => status });

impl Status<'_> {
    fn has_ended(&self) -> bool {
        self.conditions.iter().any(|condition| {
            matches!(&*condition.kind, "Complete" | "Failed") && &*condition.status == "True"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(kind: (&str, &str), json: &str) -> Option<ConfigUser> {
        config_user(Resource::of_kind(kind.0, kind.1), "shop", json::read(json).unwrap())
    }

    const SPEC: &str =
        r#"{"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "app"}}]}]}"#;

    fn life(kind: (&str, &str), spec: &str, status: &str) -> Option<Life> {
        let json =
            format!(r#"{{"metadata": {{"name": "web"}}, "spec": {spec}, "status": {status}}}"#);
        user(kind, &json).map(|user| user.life)
    }

    #[test]
    fn lives() {
        let template = |fields: &str| format!(r#"{{{fields} "template": {{"spec": {SPEC}}}}}"#);
        let ended = r#"{"conditions": [{"type": "Complete", "status": "True"}]}"#;
        let cron = format!(r#"{{"jobTemplate": {{"spec": {}}}}}"#, template(""));
        for (kind, spec, status, expected) in [
            (("apps", "Deployment"), template(""), "{}", Life::RUNNING),
            (("apps", "Deployment"), template(r#""replicas": 0,"#), "{}", Life::OVER),
            (("apps", "DaemonSet"), template(""), "{}", Life::RUNNING),
            (("batch", "CronJob"), cron, "{}", Life::NOT_YET),
            (("batch", "Job"), template(""), "{}", Life::NOT_YET),
            (("batch", "Job"), template(""), ended, Life::OVER),
            (("", "Pod"), SPEC.to_owned(), r#"{"phase": "Running"}"#, Life::RUNNING),
            (("", "Pod"), SPEC.to_owned(), r#"{"phase": "Failed"}"#, Life::OVER),
        ] {
            assert_eq!(life(kind, &spec, status), Some(expected), "{kind:?} {spec} {status}");
        }
        let never =
            SPEC.replace("{\"containers\"", "{\"restartPolicy\": \"Never\", \"containers\"");
        let once = Life { holds: true, starts: false };
        assert_eq!(life(("", "Pod"), &never, r#"{"phase": "Running"}"#), Some(once));
    }

    #[test]
    fn uses_know_what_rolls_them_and_what_restarts_in_place() {
        let json = r#"{"metadata": {"name": "web", "annotations": {"configmap.reloader.stakater.com/reload": "rolled"}},
            "spec": {"template": {"spec": {"containers": [{"name": "app",
                "resources": {"requests": {"memory": "64Mi"}},
                "resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}],
                "envFrom": [{"configMapRef": {"name": "rolled"}}, {"configMapRef": {"name": "app"}}]},
                {"name": "side", "envFrom": [{"configMapRef": {"name": "app"}}]}]}}}}"#;
        let user = user(("apps", "Deployment"), json).unwrap();
        let told: Vec<_> = user
            .uses
            .iter()
            .map(|one| {
                (&*one.used.name, &*one.used.container, one.is_rolled, one.restarts_in_place)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("rolled", "app", true, true),
                ("app", "app", false, true),
                ("app", "side", false, false)
            ]
        );
        assert_eq!(user.target(), "deploy/web");
    }

    #[test]
    fn what_was_made_and_what_uses_nothing_is_left_out() {
        let made = format!(
            r#"{{"metadata": {{"name": "web-x", "ownerReferences": [{{"controller": true, "kind": "ReplicaSet", "name": "web"}}]}}, "spec": {SPEC}}}"#
        );
        assert_eq!(user(("", "Pod"), &made), None);
        assert_eq!(user(("", "Pod"), r#"{"spec": {"containers": [{"name": "app"}]}}"#), None);
        assert_eq!(user(("", "ConfigMap"), "{}"), None);
    }
}
