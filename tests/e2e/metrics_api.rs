//! The metrics API, as far as it tells what containers use: nobody measures here, so a definition
//! takes its place, and its objects are what was measured.

use std::sync::MutexGuard;

use serde_json::json;

use crate::cluster::Cluster;
use crate::deadline::eventually;
use crate::space::Space;
use crate::world;

const NAME: &str = "pods.metrics.k8s.io";

/// The API, until it is dropped.
pub(crate) struct MetricsApi {
    cluster: &'static Cluster,
    _alone: MutexGuard<'static, ()>,
}

impl MetricsApi {
    /// Serves it. Others who need it to be there or to be absent wait.
    pub(crate) fn serve(cluster: &'static Cluster) -> Self {
        let api = Self { cluster, _alone: world::metrics_api() };
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": NAME, "annotations": {"api-approved.kubernetes.io": "unapproved, it takes the place of an aggregated API in tests"}},
            "spec": {
                "group": "metrics.k8s.io",
                "scope": "Namespaced",
                "names": {"plural": "pods", "singular": "podmetrics", "kind": "PodMetrics", "listKind": "PodMetricsList"},
                "versions": [{
                    "name": "v1beta1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                }],
            },
        });
        let kubectl = cluster.kubectl();
        kubectl.feed(&["create", "--filename", "-"], &definition.to_string()).accepted();
        eventually("the metrics API is served", || {
            let path = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods";
            kubectl.run(&["get", "--raw", path]).succeeded().then_some(())
        });
        api
    }

    /// Says that the container `app` of the pod uses so much memory.
    pub(crate) fn measured(&self, space: &Space<'_>, pod: &str, memory: &str) {
        let metrics = json!({
            "apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "metadata": {"name": pod},
            "timestamp": "2026-01-01T00:00:00Z", "window": "15s",
            "containers": [{"name": "app", "usage": {"cpu": "10m", "memory": memory}}],
        });
        let line = ["apply", "--filename", "-"];
        // kubectl hears of the kind in its own time
        eventually("the usage is known", || {
            space.kubectl().feed(&line, &metrics.to_string()).succeeded().then_some(())
        });
    }
}

impl Drop for MetricsApi {
    fn drop(&mut self) {
        let _ = self.cluster.kubectl().run(&["delete", "customresourcedefinition", NAME]);
    }
}
