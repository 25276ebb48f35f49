//! The line `spare-capacity`, with a metrics API.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::metrics_api::MetricsApi;
use crate::space::Space;
use crate::world::cluster;

use super::super::trial;
use super::{begin, ended, workload};

pub(super) fn trials() -> Vec<Trial> {
    vec![trial(
        "restraint restart: a pod that is busy already does not carry another's load",
        spare_capacity,
    )]
}

/// The line of the runbook of "db-1", which is first, and whether it stops the restart.
fn line(space: &Space<'_>, code: i32) -> (Value, Value) {
    let flags = ["--skip", "readiness-probe", "--dry-run"];
    let report = ended(begin(space.kubectl().clone(), "sts/db", &flags), code);
    let mut pod = report["plan"]["pods"][0].clone();
    assert_eq!(pod["pod"], "db-1", "{report}");
    let lines = pod["runbook"].as_array_mut().unwrap();
    let line = lines.iter_mut().find(|line| line["check"] == "spare-capacity").unwrap();
    (line["light"].take(), line["why"].take())
}

fn spare_capacity() {
    let metrics = MetricsApi::serve(cluster());
    let (space, _) = workload("RestartContainer");
    let said = |light: &str, why: &str| (Value::from(light), Value::from(why));
    assert_eq!(line(&space, 0), said("unknown", "no other pod that is ready was measured"));
    // its limit is 64Mi
    metrics.measured(&space, "db-0", "60Mi");
    let busy = "pod \"db-0\" uses 93 % of its memory, more than 80 %";
    assert_eq!(line(&space, 2), said("red", busy));
    assert_eq!(space.pod("db-1")["metadata"]["generation"], 1);
    metrics.measured(&space, "db-0", "32Mi");
    let idle = "pod \"db-0\" uses 50 % of its memory, and no other more of what it has";
    assert_eq!(line(&space, 0), said("green", idle));
}
