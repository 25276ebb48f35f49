//! What a restart changes besides.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::cluster::list::list_all;
use crate::operate::keeper::Keeper;

use super::plan::PodPlan;
use super::way::Way;

/// What else these restarts change, and what could not be looked at.
pub(super) async fn of(
    cluster: &Cluster,
    keeper: &Keeper,
    pods: &[PodPlan],
) -> (Vec<String>, Vec<String>) {
    let (mut touches, mut unknown) = (Vec::new(), Vec::new());
    let is_any = |way: Way| pods.iter().any(|pod| !pod.over && pod.way == way);
    if is_any(Way::InPlace) {
        touches.extend(requests(keeper, pods));
        let quotas: Api<ResourceQuota> =
            Api::namespaced(cluster.client.clone(), &cluster.namespace);
        match list_all(&quotas, &ListParams::default()).await {
            Ok(quotas) => touches.extend(quotas.iter().filter_map(counted)),
            Err(error) => {
                unknown.push(format!("quotas cannot be listed: {}", error_message(&error)));
            }
        }
    }
    if is_any(Way::Evict) {
        touches.push("an evicted pod loses its emptyDir volumes, and the next has another UID, perhaps another address and node".to_owned());
    }
    if is_any(Way::Rollout) {
        let target = keeper.target();
        touches.push(format!("the template of {target} gets the annotation kubectl.kubernetes.io/restartedAt: every pod is replaced, and what applies manifests may see a difference"));
    }
    if let Some(operator) = &keeper.operator {
        touches.push(format!(
            "{operator} controls {}, and may put back what it did not ask for",
            keeper.target()
        ));
    }
    (touches, unknown)
}

/// What becomes of the stored requests.
fn requests(keeper: &Keeper, pods: &[PodPlan]) -> Vec<String> {
    let template = if keeper.is_pod() {
        ""
    } else {
        "; the template keeps its own, which the next pod starts with"
    };
    let mut told = vec![format!(
        "the memory request of each container that restarts stays 4 KiB larger{template}"
    )];
    let in_place = pods.iter().filter(|pod| !pod.over && pod.way == Way::InPlace);
    if in_place.flat_map(|pod| &pod.changes).any(|change| change.is_of_limits()) {
        told.push("limits that equal their request grow with it, so that the QoS class stays; a way back is a decrease, which needs an approval".to_owned());
    }
    told
}

/// A quota that counts memory.
fn counted(quota: &ResourceQuota) -> Option<String> {
    let status = quota.status.as_ref()?;
    let counted: Vec<String> = ["requests.memory", "memory", "limits.memory"]
        .into_iter()
        .filter_map(|name| {
            let hard = status.hard.as_ref()?.get(name)?;
            let used = status.used.as_ref()?.get(name)?;
            Some(format!("{name} {} of {} used", used.0, hard.0))
        })
        .collect();
    let name = quota.name_any();
    (!counted.is_empty()).then(|| format!("quota {name:?} counts it: {}", counted.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_a_quota_of_memory_counts() {
        let quota = |amounts: Value| {
            let status = json!({"hard": amounts, "used": amounts});
            let quota = json!({"metadata": {"name": "small"}, "status": status});
            counted(&serde_json::from_value(quota).unwrap())
        };
        assert_eq!(quota(json!({"pods": "3"})), None);
        let said = "quota \"small\" counts it: requests.memory 1Gi of 1Gi used";
        assert_eq!(quota(json!({"requests.memory": "1Gi", "pods": "3"})).unwrap(), said);
    }
}
