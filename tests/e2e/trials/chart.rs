//! What the Helm chart renders.

use libtest_mimic::Trial;
use serde_json::json;

use crate::installation::CHART;
use crate::world::enforcing;

use super::trial;

/// What the chart renders otherwise in each kind of cluster that needs values of its own.
const KINDS: &str = include_str!("../chart-kinds.yaml");

/// The heading of each kind in [`KINDS`].
const HEADING: &str = "# kind of cluster: ";

/// As Helm 4 applies it, but for good.
const TRY: [&str; 7] = [
    "apply",
    "--server-side",
    "--force-conflicts",
    "--validate=strict",
    "--dry-run=server",
    "--filename",
    "-",
];

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("chart: the API server knows every field of what it renders", accepted),
        trial(
            "chart: the API server knows every field of it in every kind of cluster",
            accepted_in_every_kind,
        ),
    ]
}

fn accepted() {
    let installation = enforcing();
    let rendered = installation.filled_in(CHART);
    let kubectl = installation.cluster.kubectl().within(&installation.namespace());
    let said = kubectl.feed(&TRY, &rendered).printed();
    for kind in [
        "deployment.apps/",
        "service/",
        "networkpolicy.networking.k8s.io/",
        "role.rbac.authorization.k8s.io/",
    ] {
        assert!(said.contains(kind), "{said}");
    }
    // and what it does not know is refused, so that the above says something
    let said = kubectl
        .feed(&TRY, &rendered.replace("terminationGracePeriodSeconds", "terminationGraceSeconds"))
        .refused();
    assert!(said.contains("terminationGraceSeconds"), "{said}");
}

/// And no pod asks for more than the strictest standard of Kubernetes allows, save for the network
/// of its node.
fn accepted_in_every_kind() {
    let installation = enforcing();
    let space =
        installation.space_labelled(&json!({"pod-security.kubernetes.io/warn": "restricted"}));
    let tried = |rendered: &str| {
        let rendered = rendered.replace("restraint-${INSTALLATION}", space.name());
        space.kubectl().feed(&TRY, &installation.filled_in(&rendered)).accepted()
    };
    tried(CHART).assert_warnings(&[]);
    let mut kinds = KINDS.split(HEADING).skip(1).peekable();
    assert!(kinds.peek().is_some(), "no kind of cluster");
    for rendered in kinds {
        // the rest of the heading's line is its name
        let tried = tried(&format!("{HEADING}{rendered}"));
        match rendered.contains("hostNetwork: true") {
            true => tried.assert_warnings(&[
                "would violate PodSecurity \"restricted:latest\": host namespaces (hostNetwork=true)",
            ]),
            false => tried.assert_warnings(&[]),
        }
    }
}
