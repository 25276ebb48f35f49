//! The same values in the workload's template.

use anyhow::{anyhow, bail};
use kube::api::{Patch, PatchParams};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::cluster::kind::Kind;
use crate::explain::wanted::Wish;
use crate::manifest::unstructured::Unstructured;
use crate::operate::keeper::Keeper;

/// What becomes of the template. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Persistence {
    /// The workload.
    pub(super) workload: String,
    /// The strategic merge patch.
    pub(super) patch: Value,
    /// Whether its controller replaces the pods then.
    pub(super) rolls: bool,
    /// What comes of it.
    pub(super) why: String,
}

impl Persistence {
    /// What `wishes` are in the template that `keeper` keeps, by what they make of a pod.
    ///
    /// # Errors
    ///
    /// Where there is no template that can be changed.
    pub(super) fn of(
        keeper: &Keeper,
        (before, wanted): (&Unstructured, &Unstructured),
        wishes: &[Wish],
    ) -> anyhow::Result<Self> {
        let workload = keeper.target();
        if keeper.is_pod() {
            bail!("--persist writes into a template, and {workload} has none: nobody keeps it");
        }
        let Some(object) = &keeper.object else {
            bail!("--persist writes into the template of {workload}, which cannot be read");
        };
        if !matches!(
            keeper.kind.as_str(),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"
        ) {
            bail!(
                "the template of {workload} cannot change: --persist is for Deployments, StatefulSets and DaemonSets"
            );
        }
        let (rolls, why) = rollout(object);
        Ok(Self { workload, patch: patch(before, wanted, wishes), rolls, why })
    }

    /// Writes it, or with `dry_run` asks what would be answered.
    ///
    /// # Errors
    ///
    /// Where it is refused.
    pub(super) async fn write(
        &self,
        cluster: &Cluster,
        keeper: &Keeper,
        dry_run: bool,
    ) -> anyhow::Result<()> {
        let Some(kind) = Kind::find(&keeper.kind) else { bail!("{} is not known", keeper.kind) };
        let parameters = PatchParams { dry_run, ..PatchParams::default() };
        let patch = Patch::Strategic(&self.patch);
        let written = kind.api(cluster).patch(&keeper.name, &parameters, &patch).await;
        written.map(drop).map_err(|error| {
            anyhow!(
                "the template of {} cannot be changed: {}",
                self.workload,
                error_message(&error)
            )
        })
    }
}

/// Whether a change of the template replaces pods.
fn rollout(workload: &Unstructured) -> (bool, String) {
    let strategy = workload.text("/spec/updateStrategy/type");
    let (rolls, why) = match (workload.kind.as_str(), strategy) {
        ("StatefulSet" | "DaemonSet", Some("OnDelete")) => (
            false,
            "its update strategy is OnDelete: a pod has it from the template once it is deleted",
        ),
        ("ReplicaSet", _) => (false, "only pods that are made later have it"),
        ("Deployment", _) if workload.is_true("/spec/paused") => {
            (false, "the Deployment is paused: its pods are replaced once it goes on")
        }
        _ => (
            true,
            "the template changes, so its controller replaces the pods that were just resized, one after the other",
        ),
    };
    (rolls, why.to_owned())
}

/// The wished values, by container, as the pod gets them.
fn patch(before: &Unstructured, wanted: &Unstructured, wishes: &[Wish]) -> Value {
    let is_guaranteed = before.text("/status/qosClass") == Some("Guaranteed");
    let mut spec = Map::new();
    for list in ["containers", "initContainers"] {
        let containers = wanted.value().pointer(&format!("/spec/{list}")).and_then(Value::as_array);
        let containers: Vec<&Value> = containers.into_iter().flatten().collect();
        let only = containers.len() == 1 && list == "containers";
        for container in containers {
            let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
            let is_meant = |wish: &&Wish| match &wish.container {
                Some(named) => named == name,
                None => only,
            };
            let mut resources = json!({});
            for wish in wishes.iter().filter(is_meant) {
                for kept in ["limits", "requests"]
                    .into_iter()
                    .filter(|kept| is_guaranteed || *kept == wish.list)
                {
                    if let Some(fields) = resources.as_object_mut() {
                        let amounts = fields.entry(kept).or_insert_with(|| json!({}));
                        if let Some(amounts) = amounts.as_object_mut() {
                            amounts.insert(wish.resource.to_owned(), wish.amount.clone().into());
                        }
                    }
                }
            }
            if resources.as_object().is_some_and(|fields| !fields.is_empty()) {
                let items = spec.entry(list).or_insert_with(|| json!([]));
                if let Some(items) = items.as_array_mut() {
                    items.push(json!({"name": name, "resources": resources}));
                }
            }
        }
    }
    json!({"spec": {"template": {"spec": spec}}})
}

#[cfg(test)]
mod tests {
    use crate::explain::wanted::resize_wanted;

    use super::*;

    #[test]
    fn exactly_what_was_wished_is_written() {
        let resources =
            json!({"requests": {"cpu": "1", "memory": "256Mi"}, "limits": {"memory": "512Mi"}});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0"}, "spec": {
            "containers": [{"name": "app", "resources": resources}],
            "initContainers": [{"name": "side", "restartPolicy": "Always", "resources": {}}]}});
        let before = Unstructured::of(pod, "shop").unwrap();
        let wishes = [
            Wish::parse("1Gi", "limits", "memory").unwrap(),
            Wish::parse("side=100m", "requests", "cpu").unwrap(),
        ];
        let wanted = resize_wanted(&before, &wishes).unwrap();
        let expected = json!({"spec": {"template": {"spec": {
            "containers": [{"name": "app", "resources": {"limits": {"memory": "1Gi"}}}],
            "initContainers": [{"name": "side", "resources": {"requests": {"cpu": "100m"}}}]}}}});
        assert_eq!(patch(&before, &wanted, &wishes), expected);
    }

    #[test]
    fn what_rolls_is_told() {
        let rolls = |kind: &str, spec: Value| {
            let object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec});
            rollout(&Unstructured::of(object, "shop").unwrap()).0
        };
        assert!(rolls("StatefulSet", json!({"updateStrategy": {"type": "RollingUpdate"}})));
        assert!(!rolls("StatefulSet", json!({"updateStrategy": {"type": "OnDelete"}})));
        assert!(rolls("Deployment", json!({})) && !rolls("Deployment", json!({"paused": true})));
    }
}
