//! The reviews that are sent: what the API server would send, made by code, the same every time.
//! The tests of the main crate count the allocations of the same reviews.

// with their paths, because the tests of the main crate take this file in from elsewhere
#[path = "bodies/json.rs"]
pub(crate) mod json;
#[path = "bodies/pod.rs"]
mod pod;
#[path = "bodies/review.rs"]
mod review;
#[path = "bodies/workload.rs"]
mod workload;

use json::{Json, list, object};
use pod::{Managed, Pod};

/// What a review asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A pod is created that has no `resizePolicy` yet.
    Creation,
    /// The same pod, amended.
    AmendedCreation,
    /// The memory of a running pod is raised.
    Increase,
    /// The memory of a running pod is lowered, and nobody approved it.
    Decrease,
    /// A Deployment with ten faults is created.
    FaultyWorkload,
}

/// About how large a review is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// 5 KB.
    Small,
    /// 20 KB.
    Medium,
    /// 150 KB.
    Large,
    /// 1 MB.
    Huge,
}

/// How much stands in a pod.
#[derive(Clone, Copy)]
struct Measure {
    containers: usize,
    init_containers: usize,
    variables: usize,
    /// Of how many containers the last applied configuration tells.
    applied: usize,
    probes: bool,
    /// Whether variables come from ConfigMaps and Secrets.
    references: bool,
}

/// The review, as JSON.
pub(crate) fn body(asked: Asked, weight: Weight) -> serde_json::Result<String> {
    let measure = measure(asked, weight);
    match asked {
        Asked::Creation => creation(measure, false),
        Asked::AmendedCreation => creation(measure, true),
        Asked::Increase => resize(measure, "6Gi"),
        Asked::Decrease => resize(measure, "2Gi"),
        Asked::FaultyWorkload => {
            review::create_deployment("shop", workload::faulty(&containers(measure, true)))
        }
    }
}

fn measure(asked: Asked, weight: Weight) -> Measure {
    let of = |containers, variables| Measure {
        containers,
        init_containers: 0,
        variables,
        applied: 0,
        probes: true,
        references: true,
    };
    match (asked, weight) {
        (Asked::Creation | Asked::AmendedCreation, Weight::Small) => of(1, 4),
        (Asked::Creation | Asked::AmendedCreation, Weight::Medium) => of(2, 30),
        (Asked::Creation | Asked::AmendedCreation, Weight::Large) => {
            Measure { init_containers: 2, applied: 7, ..of(12, 28) }
        }
        (Asked::Creation | Asked::AmendedCreation, Weight::Huge) => {
            Measure { init_containers: 4, applied: 24, ..of(47, 64) }
        }
        (Asked::Increase | Asked::Decrease, Weight::Small) => Measure { probes: false, ..of(1, 5) },
        (Asked::Increase | Asked::Decrease, Weight::Medium) => of(2, 4),
        (Asked::Increase | Asked::Decrease, Weight::Large) => of(8, 30),
        (Asked::Increase | Asked::Decrease, Weight::Huge) => of(33, 60),
        // without references, which nothing here would roll out: they would be more faults
        (Asked::FaultyWorkload, Weight::Small) => Measure { probes: false, ..of(0, 0) },
        (Asked::FaultyWorkload, Weight::Medium) => Measure { references: false, ..of(3, 12) },
        (Asked::FaultyWorkload, Weight::Large) => Measure { references: false, ..of(18, 32) },
        (Asked::FaultyWorkload, Weight::Huge) => Measure { references: false, ..of(74, 60) },
    }
}

/// The containers of a pod; with a `resizePolicy` there is nothing to amend.
fn containers(measure: Measure, resize_policy: bool) -> Vec<Json> {
    (0..measure.containers)
        .map(|index| container(measure, &format!("backend-{index}"), "4Gi", resize_policy))
        .collect()
}

fn container(measure: Measure, name: &str, memory: &str, resize_policy: bool) -> Json {
    let mut container = pod::container(name, memory)
        .with("env", pod::environment(measure.variables, measure.references));
    if !measure.probes {
        container =
            container.without(&["livenessProbe", "readinessProbe", "securityContext", "args"]);
    }
    if resize_policy { container.with("resizePolicy", pod::resize_policy()) } else { container }
}

fn creation(measure: Measure, resize_policy: bool) -> serde_json::Result<String> {
    let script = |index: usize, container: Json| {
        // a JVM with the flags of a large service; small ones start their program
        if measure.containers < 4 {
            return container;
        }
        container
            .with("command", list!["/bin/sh", "-c"])
            .with("args", list![pod::java_script(index)])
    };
    let containers: Vec<Json> = containers(measure, resize_policy)
        .into_iter()
        .enumerate()
        .map(|(index, container)| script(index, container))
        .collect();
    let init_container = |index| {
        container(Measure { probes: false, ..measure }, &format!("prepare-{index}"), "2Gi", false)
    };
    let init_containers = (0..measure.init_containers).map(init_container).collect();
    // the client wrote less than the API server's defaulting made of it
    let mut annotations = object! { "checksum/config": pod::CHECKSUM };
    if measure.applied > 0 {
        let applied = pod::applied("batch", containers.get(..measure.applied).unwrap_or_default())
            .as_annotation()?;
        annotations = annotations.with("kubectl.kubernetes.io/last-applied-configuration", applied);
    }
    review::create_pod(
        "batch",
        pod::new("batch", annotations, pod::spec(init_containers, containers)),
    )
}

/// Changes the memory of the first container from 4Gi.
fn resize(measure: Measure, memory: &str) -> serde_json::Result<String> {
    let names: Vec<String> =
        (0..measure.containers).map(|index| format!("backend-{index}")).collect();
    let spec = |memory: &str| {
        let container = |(index, name): (usize, &String)| {
            container(measure, name, if index == 0 { memory } else { "4Gi" }, true)
        };
        let spec = pod::spec(Vec::new(), names.iter().enumerate().map(container).collect());
        if measure.probes {
            spec
        } else {
            spec.without(&["volumes", "tolerations", "securityContext"])
        }
    };
    let status = if measure.probes {
        pod::status(&names)
    } else {
        object! { "phase": "Running", "qosClass": "Burstable" }
    };
    let running = |memory: &str, generation: i64, writers: &[Managed]| Pod {
        name: "db-0",
        generation,
        annotations: object! { "cluster.example.com/role": "primary", "prometheus.io/scrape": "true", "prometheus.io/port": "9187" },
        spec: spec(memory),
        status: status.clone(),
        writers: writers.to_vec(),
    };
    let change = object! { "containers": list![object! { "name": "backend-0", "resources": pod::resources(memory) }] };
    let stored = if measure.probes {
        vec![
            Managed::new("kube-controller-manager", "", spec("4Gi")),
            Managed::new("kubelet", "status", status.clone()),
        ]
    } else {
        vec![]
    };
    let changed = [&stored[..], &[Managed::new("kubectl-patch", "resize", change)]].concat();
    review::resize(
        "db-0",
        running(memory, 2, &changed).to_json(),
        running("4Gi", 1, &stored).to_json(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_named() {
        let mut faults = Vec::new();
        for asked in [
            Asked::Creation,
            Asked::AmendedCreation,
            Asked::Increase,
            Asked::Decrease,
            Asked::FaultyWorkload,
        ] {
            for (weight, kilobytes) in [
                (Weight::Small, 5),
                (Weight::Medium, 20),
                (Weight::Large, 150),
                (Weight::Huge, 1000),
            ] {
                let size = body(asked, weight).unwrap().len();
                if !(kilobytes * 900..kilobytes * 1300).contains(&size) {
                    faults.push(format!("{asked:?}: {size} bytes for {kilobytes} KB"));
                }
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
