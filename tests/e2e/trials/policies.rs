//! Policies in a ConfigMap, which the service watches with the rights of the chart.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::deadline::eventually;
use crate::installation::Installation;
use crate::pods::{memory_limit, pod};
use crate::policies::change;
use crate::world::cluster;

use super::trial;

/// The policy that is changed.
const POLICY: &str = "memory-limit-decrease";

pub(super) fn trials() -> Vec<Trial> {
    vec![trial(
        "policies: a changed config map is in force on every replica before a folder shows it",
        in_step,
    )]
}

fn in_step() {
    let installation = Installation::charted(cluster(), "in-step", |_| ());
    let other = installation.start_at("127.0.0.2");
    let space = installation.space();
    space.create(&pod("db")).accepted();
    space.resize("db", &memory_limit("300Mi")).refused();

    change(&installation, POLICY, "warn");
    let digests = eventually("both replicas have other policies", || {
        Some([digest(&installation.log())?, digest(&other.log())?])
    });
    assert_eq!(digests[0], digests[1]);
    let resized = space.resize("db", &memory_limit("300Mi")).accepted();
    resized.assert_warnings(&[POLICY]);

    // what is faulty is refused, and what is in force stays
    change(&installation, POLICY, "loud");
    let refused = |log: &[Value]| {
        let line = last(log, "policies refused, the old ones stay in force")?;
        line["error"].as_str()?.contains("unknown mode \"loud\"").then_some(())
    };
    eventually("both replicas refuse it", || {
        refused(&installation.log())?;
        refused(&other.log())
    });
    space.resize("db", &memory_limit("290Mi")).accepted();
    change(&installation, POLICY, "enforce");
    eventually("both replicas have what is sound", || {
        let both = [digest(&installation.log())?, digest(&other.log())?];
        (both[0] == both[1] && both[0] != digests[0]).then_some(())
    });
    space.resize("db", &memory_limit("280Mi")).refused();
}

/// The digest of the policies that came into force last.
fn digest(log: &[Value]) -> Option<String> {
    last(log, "policies swapped")?["digest"].as_str().map(str::to_owned)
}

fn last<'l>(log: &'l [Value], message: &str) -> Option<&'l Value> {
    log.iter().rfind(|line| line["message"] == message)
}
