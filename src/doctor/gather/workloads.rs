//! Workloads of the whole cluster: Reloader itself, and those with annotations for it.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::core::ObjectMeta;

use crate::doctor::facts::{Fact, Follower};
use crate::doctor::reloader::is_reloader;
use crate::rules::reloader_annotations::is_reloader_key;

use super::look_ups::LookUps;

/// Deployments of Reloader, and the workloads with annotations for it.
pub(super) async fn look_up(
    look_ups: &LookUps<'_>,
) -> (Fact<Vec<Deployment>>, Fact<Vec<Follower>>) {
    let (deployments, stateful_sets, daemon_sets, cron_jobs) = tokio::join!(
        look_ups.every::<Deployment>(),
        look_ups.every::<StatefulSet>(),
        look_ups.every::<DaemonSet>(),
        look_ups.every::<CronJob>(),
    );
    let followers = || -> Fact<Vec<Follower>> {
        let mut followers = Vec::new();
        for workload in deployments.as_ref().map_err(Clone::clone)? {
            let template = workload.spec.as_ref().map(|spec| &spec.template);
            followers.extend(follower("Deployment", &workload.metadata, template));
        }
        for workload in &stateful_sets? {
            let template = workload.spec.as_ref().map(|spec| &spec.template);
            followers.extend(follower("StatefulSet", &workload.metadata, template));
        }
        for workload in &daemon_sets? {
            let template = workload.spec.as_ref().map(|spec| &spec.template);
            followers.extend(follower("DaemonSet", &workload.metadata, template));
        }
        for workload in &cron_jobs? {
            let template = workload.spec.job_template.spec.as_ref().map(|spec| &spec.template);
            followers.extend(follower("CronJob", &workload.metadata, template));
        }
        Ok(followers)
    };
    let followers = followers();
    (
        deployments.map(|deployments| deployments.into_iter().filter(is_reloader).collect()),
        followers,
    )
}

fn follower(
    kind: &'static str,
    metadata: &ObjectMeta,
    template: Option<&PodTemplateSpec>,
) -> Option<Follower> {
    let of_template = template.and_then(|template| template.metadata.as_ref());
    let annotations = [Some(metadata), of_template]
        .into_iter()
        .flatten()
        .filter_map(|metadata| metadata.annotations.as_ref());
    let is_follower =
        annotations.flat_map(|annotations| annotations.keys()).any(|key| is_reloader_key(key));
    is_follower.then(|| Follower {
        kind,
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::doctor::testing::read;

    use super::*;

    #[test]
    fn annotations_of_workload_and_template_count() {
        let is_follower = |own: &str, of_template: &str| {
            let metadata =
                read(json!({"name": "web", "namespace": "shop", "annotations": {own: "true"}}));
            let template = read(json!({"metadata": {"annotations": {of_template: "true"}}}));
            follower("Deployment", &metadata, Some(&template)).is_some()
        };
        assert!(
            is_follower("reloader.stakater.com/auto", "team")
                && is_follower("team", "secret.reloader.stakater.com/reload")
        );
        assert!(!is_follower("team", "checksum/config"));
    }
}
