//! The pods of a target.

use anyhow::{Context, anyhow};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::api::{ListParams, PartialObjectMeta};
use kube::core::Selector;
use kube::{Api, ResourceExt};

use super::Cluster;
use super::error::error_message;
use super::list::{list_all, list_metadata};
use super::target::{Target, TargetKind};

impl Cluster {
    /// The pod, or the present pods that the workload controls, in order of name.
    ///
    /// # Errors
    ///
    /// Where the target cannot be read, or controls no pod.
    pub(crate) async fn pods_of(&self, target: &Target) -> anyhow::Result<Vec<Pod>> {
        let unreadable = |error: kube::Error| {
            let (namespace, error) = (&self.namespace, error_message(&error));
            anyhow!("{target} cannot be read in namespace {namespace:?}: {error}")
        };
        let (selector, owners) = match target.kind {
            TargetKind::Pod => {
                return Ok(vec![self.pods().get(target.name()).await.map_err(unreadable)?]);
            }
            TargetKind::StatefulSet => {
                let sets = Api::<StatefulSet>::namespaced(self.client.clone(), &self.namespace);
                let set = sets.get(target.name()).await.map_err(unreadable)?;
                (selector(set.spec.map(|spec| spec.selector))?, Vec::from_iter(set.metadata.uid))
            }
            TargetKind::DaemonSet => {
                let sets = Api::<DaemonSet>::namespaced(self.client.clone(), &self.namespace);
                let set = sets.get(target.name()).await.map_err(unreadable)?;
                (selector(set.spec.map(|spec| spec.selector))?, Vec::from_iter(set.metadata.uid))
            }
            TargetKind::Deployment => {
                let sets = Api::<Deployment>::namespaced(self.client.clone(), &self.namespace);
                let deployment = sets.get(target.name()).await.map_err(unreadable)?;
                let selector = selector(deployment.spec.map(|spec| spec.selector))?;
                let owners = Vec::from_iter(deployment.metadata.uid);
                let sets = self.replica_sets(&selector, &owners).await.map_err(unreadable)?;
                (selector, sets)
            }
        };
        let mut pods = self.pods_owned(&selector, &owners).await.map_err(unreadable)?;
        if pods.is_empty() {
            anyhow::bail!("{target} has no pods");
        }
        pods.sort_by_key(ResourceExt::name_any);
        Ok(pods)
    }

    /// The `metadata.uid` of the ReplicaSets that `owners` control.
    async fn replica_sets(
        &self,
        selector: &Selector,
        owners: &[String],
    ) -> kube::Result<Vec<String>> {
        let sets = Api::<ReplicaSet>::namespaced(self.client.clone(), &self.namespace);
        let owned = |set: PartialObjectMeta<ReplicaSet>| {
            if is_controlled(&set.metadata, owners) { set.metadata.uid } else { None }
        };
        list_metadata(&sets, &ListParams::default().labels_from(selector), owned).await
    }

    async fn pods_owned(&self, selector: &Selector, owners: &[String]) -> kube::Result<Vec<Pod>> {
        let mut pods = list_all(&self.pods(), &ListParams::default().labels_from(selector)).await?;
        pods.retain(|pod| is_controlled(&pod.metadata, owners));
        Ok(pods)
    }
}

/// Whether one of `owners` controls it. Labels alone may be anybody's.
fn is_controlled(metadata: &ObjectMeta, owners: &[String]) -> bool {
    let mut references = metadata.owner_references.iter().flatten();
    references.any(|owner| owner.controller == Some(true) && owners.contains(&owner.uid))
}

fn selector(selector: Option<LabelSelector>) -> anyhow::Result<Selector> {
    Selector::try_from(selector.unwrap_or_default())
        .context("the workload's selector cannot be read")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(fields: Value) -> Pod {
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn only_the_controller_counts_as_owner() {
        let owned = |controller: Value, uid: &str| {
            let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": uid, "controller": controller});
            is_controlled(
                &pod(json!({"metadata": {"ownerReferences": [owner]}})).metadata,
                &["u1".to_owned(), "u2".to_owned()],
            )
        };
        assert!(owned(json!(true), "u1") && owned(json!(true), "u2"));
        assert!(
            !owned(json!(false), "u1") && !owned(Value::Null, "u1") && !owned(json!(true), "u3")
        );
        assert!(!is_controlled(&ObjectMeta::default(), &["u1".to_owned()]));
    }
}
