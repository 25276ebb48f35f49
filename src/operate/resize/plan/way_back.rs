//! Whether a resize can be put back, told before it is done.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::explain::Effect;
use crate::explain::change::{ChangeContext, explain};
use crate::manifest::unstructured::Unstructured;
use crate::operate::change::{Change, put_back};

/// Whether a resize can be put back once it was carried out. Until then it always can. The names of
/// its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::operate::resize) struct WayBack {
    /// Whether nobody has to agree to it.
    pub(in crate::operate::resize) is_open: bool,
    /// Why, or why not.
    pub(in crate::operate::resize) why: String,
    /// What opens it.
    pub(in crate::operate::resize) remedy: String,
}

impl WayBack {
    /// The way back from `wanted`, as if it were carried out, to `before`, by the policies that are
    /// built in.
    pub(super) fn of(before: &Unstructured, wanted: &Unstructured, changes: &[Change]) -> Self {
        let from = carried_out(wanted);
        let to = put_back(before, &from);
        let context = ChangeContext {
            now: Some(Timestamp::now()),
            is_whole: false,
            ..ChangeContext::default()
        };
        let back = explain(std::slice::from_ref(&from), std::slice::from_ref(&to), &context);
        let closed = back.iter().find(|one| one.effect.is_refusal());
        if let Some(closed) = closed {
            let (who, waiting) = match closed.effect {
                Effect::Denied => (
                    "is denied by the policies that Restraint ships",
                    "a growth that waits or failed can be put back by anybody; ",
                ),
                _ => ("is refused by the API server", ""),
            };
            // what it would do once it is let through is another matter
            let said = closed.why.split("; once it is let through").next().unwrap_or_default();
            return Self {
                is_open: false,
                why: format!("{waiting}once it was carried out the way back {who}: {said}"),
                remedy: closed.remedy.clone(),
            };
        }
        let why = if changes.iter().any(Change::is_growth) {
            "nothing that an approval is needed for falls on it"
        } else {
            "it is growth, to which nobody has to agree"
        };
        Self { is_open: true, why: why.to_owned(), remedy: String::new() }
    }
}

/// The pod once its resize was carried out: nothing waits, and containers have what the spec says.
fn carried_out(pod: &Unstructured) -> Unstructured {
    let mut value = pod.value().clone();
    if let Some(conditions) = value.pointer_mut("/status/conditions").and_then(Value::as_array_mut)
    {
        conditions.retain(|condition| {
            let kind = condition.get("type").and_then(Value::as_str).unwrap_or_default();
            !kind.starts_with("PodResize")
        });
    }
    for (list, statuses) in [
        ("/spec/containers", "/status/containerStatuses"),
        ("/spec/initContainers", "/status/initContainerStatuses"),
    ] {
        let specs = pod.value().pointer(list).and_then(Value::as_array);
        let statuses = value.pointer_mut(statuses).and_then(Value::as_array_mut);
        for status in statuses.into_iter().flatten() {
            let name = status.get("name").cloned();
            let spec = specs.into_iter().flatten().find(|one| one.get("name") == name.as_ref());
            let has = status.get("resources").is_some_and(|resources| !resources.is_null());
            let resources = spec.and_then(|spec| spec.get("resources")).filter(|_| has);
            if let (Some(resources), Some(fields)) = (resources, status.as_object_mut()) {
                fields.insert("resources".to_owned(), resources.clone());
            }
        }
    }
    pod.with(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::explain::wanted::{Wish, resize_wanted};
    use crate::operate::change::changes;

    use super::*;

    fn way_back(list: &'static str, amount: &str) -> WayBack {
        let resources = json!({"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}});
        let before = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "uid": "u"},
            "spec": {"nodeName": "n", "containers": [{"name": "app", "image": "a:1", "resources": resources}]},
            "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [
                {"name": "app", "resources": resources, "state": {"running": {"startedAt": "2026-11-21T12:00:00Z"}}}]},
        });
        let before = Unstructured::of(before, "shop").unwrap();
        let wish = Wish::parse(amount, list, "memory").unwrap();
        let wanted = resize_wanted(&before, &[wish]).unwrap();
        WayBack::of(&before, &wanted, &changes(&before, &wanted))
    }

    #[test]
    fn growth_of_a_limit_needs_an_approval_on_its_way_back() {
        let back = way_back("limits", "app=1Gi");
        assert!(!back.is_open && back.why.contains("1Gi -> 512Mi is not approved"), "{back:?}");
        assert!(back.remedy.contains("restraint.dev/approve=app=512Mi"), "{back:?}");
    }

    #[test]
    fn a_decrease_can_be_put_back_by_anybody() {
        assert!(way_back("limits", "app=300Mi").is_open);
        assert!(way_back("requests", "app=300Mi").is_open);
    }
}
