//! The pods of a target.

use anyhow::{Context, anyhow};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::api::ListParams;
use kube::core::Selector;
use kube::{Api, ResourceExt};

use super::{Cluster, Kind, PAGE, Target, complaint, list_all};

impl Cluster {
    /// The pod, or the present pods that the workload controls, in order of name.
    ///
    /// # Errors
    ///
    /// Where the target cannot be read, or controls no pod.
    pub async fn pods_of(&self, target: &Target) -> anyhow::Result<Vec<Pod>> {
        let unreadable = |error: kube::Error| {
            anyhow!(
                "{target} cannot be read in namespace {:?}: {}",
                self.namespace,
                complaint(&error)
            )
        };
        let (selector, owners) = match target.kind {
            Kind::Pod => return Ok(vec![self.pods().get(&target.name).await.map_err(unreadable)?]),
            Kind::StatefulSet => {
                let set = Api::<StatefulSet>::namespaced(self.client.clone(), &self.namespace)
                    .get(&target.name)
                    .await
                    .map_err(unreadable)?;
                (selector(set.spec.map(|spec| spec.selector))?, Vec::from_iter(set.metadata.uid))
            }
            Kind::Deployment => {
                let sets = Api::<Deployment>::namespaced(self.client.clone(), &self.namespace);
                let deployment = sets.get(&target.name).await.map_err(unreadable)?;
                let selector = selector(deployment.spec.map(|spec| spec.selector))?;
                let owners = self
                    .replica_sets(&selector, &Vec::from_iter(deployment.metadata.uid))
                    .await
                    .map_err(unreadable)?;
                (selector, owners)
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
        let mut parameters = ListParams::default().limit(PAGE).labels_from(selector);
        let mut found = Vec::new();
        loop {
            let page = sets.list_metadata(&parameters).await?;
            found.extend(
                page.items
                    .into_iter()
                    .filter(|set| is_controlled(&set.metadata, owners))
                    .filter_map(|set| set.metadata.uid),
            );
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters = parameters.continue_token(&token),
                None => return Ok(found),
            }
        }
    }

    async fn pods_owned(&self, selector: &Selector, owners: &[String]) -> kube::Result<Vec<Pod>> {
        let mut pods = list_all(&self.pods(), &ListParams::default().labels_from(selector)).await?;
        pods.retain(|pod| is_controlled(&pod.metadata, owners));
        Ok(pods)
    }
}

/// Why nothing will ever be resized in `pod` any more.
pub fn set_aside(pod: &Pod) -> Option<&'static str> {
    if pod.metadata.deletion_timestamp.is_some() {
        return Some("is terminating");
    }
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")).then_some("has finished")
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

    #[test]
    fn pods_that_are_over_are_set_aside() {
        assert_eq!(set_aside(&pod(json!({"status": {"phase": "Running"}}))), None);
        assert_eq!(set_aside(&pod(json!({"status": {"phase": "Pending"}}))), None);
        assert_eq!(set_aside(&pod(json!({}))), None);
        assert_eq!(set_aside(&pod(json!({"status": {"phase": "Failed"}}))), Some("has finished"));
        assert_eq!(
            set_aside(&pod(json!({"metadata": {"deletionTimestamp": "2026-11-21T12:00:00Z"}}))),
            Some("is terminating")
        );
    }
}
