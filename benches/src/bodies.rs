//! The reviews that are sent: what the API server would send, made by code, the same every time.

mod pod;
mod review;

use bytes::Bytes;

use crate::json::{Json, list, object};
use pod::{Managed, Pod};

/// A pod of one container being created, about 5 KB; with a `resizePolicy` there is nothing left to amend.
pub(crate) fn create_small(resize_policy: bool) -> anyhow::Result<Bytes> {
    let mut container = pod::container("api", "512Mi");
    if resize_policy {
        container = container.with("resizePolicy", pod::resize_policy());
    }
    review::create("api", pod::new("api", pod::spec(Vec::new(), vec![container])))
}

/// A resize that raises the memory of a running pod of two containers, about 20 KB.
pub(crate) fn resize_medium() -> anyhow::Result<Bytes> {
    let spec = |memory: &str| {
        let container = |name: &str, memory: &str| pod::container(name, memory).with("resizePolicy", pod::resize_policy());
        pod::spec(Vec::new(), vec![container("db", memory), container("exporter", "128Mi").without(&["livenessProbe", "readinessProbe"])])
    };
    let running = |memory: &str, generation: i64, writers: &[Managed]| Pod {
        name: "db-0",
        generation,
        annotations: object! { "cluster.example.com/role": "primary", "prometheus.io/scrape": "true", "prometheus.io/port": "9187" },
        spec: spec(memory),
        status: pod::status(&["db", "exporter"]),
        writers: writers.to_vec(),
    };
    let resized = object! { "containers": list![object! { "name": "db", "resources": pod::resources("6Gi") }] };
    let kubelet = pod::status(&["db", "exporter"]);
    let stored = [Managed::new("kube-controller-manager", "", spec("4Gi")), Managed::new("kubelet", "status", kubelet)];
    let changed = [&stored[..], &[Managed::new("kubectl-patch", "resize", resized)]].concat();
    review::resize("db-0", running("6Gi", 2, &changed).to_json(), running("4Gi", 1, &stored).to_json())
}

/// A pod of twelve containers and two init containers being created, each with 28 variables, about 150 KB.
pub(crate) fn create_large() -> anyhow::Result<Bytes> {
    let container = |name: String, index: i64| {
        let java = pod::container(&name, "2Gi").with("command", list!["/bin/sh", "-c"]).with("args", list![pod::java_script(index)]);
        java.with("env", pod::environment(28))
    };
    let containers: Vec<Json> = (0..12).map(|index| container(format!("worker-{index}"), index)).collect();
    let init_containers =
        (0..2).map(|index| container(format!("prepare-{index}"), index).without(&["livenessProbe", "readinessProbe"])).collect();
    // the client wrote less than the API server's defaulting made of it
    let applied = pod::applied("batch", containers.get(..7).unwrap_or_default()).as_annotation()?;
    let spec = pod::spec(init_containers, containers);
    let metadata = object! {
        "name": "batch",
        "namespace": "shop",
        "labels": pod::labels("batch"),
        "annotations": object! { "kubectl.kubernetes.io/last-applied-configuration": applied },
        "managedFields": list![Managed::new("kubectl-client-side-apply", "", spec.clone()).to_json()],
    };
    review::create("batch", object! { "kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": object! {} })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_named() {
        let near = |bytes: Bytes, kilobytes: usize| {
            let size = bytes.len();
            assert!((kilobytes * 1000..kilobytes * 1200).contains(&size), "{size} bytes for {kilobytes} KB");
        };
        near(create_small(false).unwrap(), 5);
        near(create_small(true).unwrap(), 5);
        near(resize_medium().unwrap(), 20);
        near(create_large().unwrap(), 150);
    }
}
