//! What the Helm chart renders.

use libtest_mimic::Trial;

use crate::installation::CHART;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("chart: the API server knows every field of what it renders", accepted)]
}

fn accepted() {
    let installation = enforcing();
    let rendered = installation.filled_in(CHART);
    let kubectl = installation.cluster.kubectl().within(&installation.namespace());
    let line = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--validate=strict",
        "--dry-run=server",
        "--filename",
        "-",
    ];
    let said = kubectl.feed(&line, &rendered).printed();
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
        .feed(&line, &rendered.replace("terminationGracePeriodSeconds", "terminationGraceSeconds"))
        .refused();
    assert!(said.contains("terminationGraceSeconds"), "{said}");
}
