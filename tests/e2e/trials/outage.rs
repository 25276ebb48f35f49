//! While Restraint is away, what it guards stays shut and everything else goes on.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::autoscalers::in_place;
use crate::hooks;
use crate::installation::Installation;
use crate::kubectl::{Outcome, Person};
use crate::pods::{memory, memory_limit, pod, resources, stored_limit};
use crate::space::Space;
use crate::world::cluster;

use super::approvals::{cpu, grant};
use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "outage: decreases and approvals stay shut, all else goes on, and then it is as before",
            an_outage,
        ),
        trial("outage: only what may take memory is refused, however it is written", amounts),
        trial(
            "outage: lower requests are refused too, where a policy enforces that",
            lower_requests,
        ),
        trial("outage: of 250 containers each may grow, and none may shrink", many_containers),
        trial("outage: of volumes in memory each may grow, and none may shrink", volumes),
    ]
}

fn an_outage() {
    let installation = Installation::new(cluster(), "outage", &["--drain-delay", "0"]);
    let space = installation.space();
    space.create(&pod("db")).accepted();
    space.create(&pod("recommended")).accepted();
    stop(&installation);
    goes_on(&space);
    stays_shut(&space);
    of_automation(&space);

    installation.start();
    space.resize("db", &cpu("300m")).accepted();
    lower_request(&space).assert_warnings(&["memory-request-decrease: container \"app\""]);
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("memory limit 512Mi -> 300Mi is not approved"), "{said}");
    grant(&space, "db", "approved-by-sre=true").accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    space.create(&pod("afterwards")).accepted();
    space.create(&in_place("afterwards")).accepted().assert_warnings(&["vpa-memory-floor: "]);
    assert!(space.pod("afterwards")["spec"]["containers"][0]["resizePolicy"].is_array());
}

/// What nobody needs to be asked about.
fn goes_on(space: &Space<'_>) {
    space.resize("db", &cpu("400m")).accepted();
    lower_request(space).assert_warnings(&[]);
    space.create(&pod("meanwhile")).accepted();
    assert!(
        space.pod("meanwhile")["spec"]["containers"][0]["resizePolicy"].is_null(),
        "nobody was there to add it"
    );
    // advice is for those who can wait for it
    let labels = json!({"app": "a"});
    let mut deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "meanwhile", "annotations": {"reloader.stakater.com/atuo": "true"}},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
    });
    deployment["spec"]["template"]["spec"] = pod("meanwhile")["spec"].take();
    for object in [&deployment, &in_place("meanwhile")] {
        space.create(object).accepted().assert_warnings(&[]);
    }
    for (kind, patch) in [
        ("deployment", json!({"spec": {"replicas": 3}})),
        ("vpa", json!({"spec": {"resourcePolicy": {"containerPolicies": []}}})),
    ] {
        let patch = patch.to_string();
        let line = ["patch", kind, "meanwhile", "--type", "merge", "--patch", &patch];
        space.kubectl().run(&line).accepted();
    }
    grant(space, "db", "team=shop").accepted();
}

/// Memory, and what would let it go.
fn stays_shut(space: &Space<'_>) {
    unreachable(&space.resize("db", &memory_limit("300Mi")).refused(), "resize.restraint.dev");
    for annotation in
        ["approved-by-sre=true", "restraint.dev/approve=true", "restraint.dev/approval=true"]
    {
        unreachable(&grant(space, "db", annotation).refused(), "approval.restraint.dev");
    }
    let mut approved = pod("approved");
    approved["metadata"]["annotations"] = json!({"approved-by-sre": "true"});
    unreachable(&space.create(&approved).refused(), "approval.restraint.dev");
    assert_eq!(stored_limit(&space.pod("db")), "512Mi");
}

/// What an autoscaler wants: nobody puts back what it takes, so that is refused.
fn of_automation(space: &Space<'_>) {
    let updater = |patch: &Value| {
        let patch = patch.to_string();
        let line = ["patch", "pod", "recommended", "--subresource", "resize", "--patch", &patch];
        space.by(Person::Autoscaler).run(&line)
    };
    updater(&memory("512Mi", "1Gi")).accepted().assert_warnings(&[]);
    unreachable(&updater(&memory("300Mi", "1023Mi")).refused(), "resize.restraint.dev");
    let requests = resources(json!({"requests": {"cpu": "300m", "memory": "128Mi"}}));
    updater(&requests).accepted();
    assert_eq!(stored_limit(&space.pod("recommended")), "1Gi");
}

/// Half a gibibyte and more, in every spelling.
const NO_LESS: [&str; 11] = [
    "512Mi",
    "0.5Gi",
    "524288Ki",
    "536870912",
    "536870912000m",
    "536870912.5",
    "536870913",
    "600Mi",
    "537M",
    "1e9",
    "9223372036854775807",
];

/// Less than that, and what does not fit 64 bits.
const PERHAPS_LESS: [&str; 6] =
    ["536870911", "536870911.5", "536M", "300Mi", "18446744073709551617", "10E"];

fn amounts() {
    let installation = Installation::new(cluster(), "amounts", &["--drain-delay", "0"]);
    let space = installation.space();
    let limit = |name: &str, memory: Value| {
        let mut pod = pod(name);
        pod["spec"]["containers"][0]["resources"]["limits"] = memory.clone();
        pod["spec"]["containers"][0]["resources"]["requests"] = json!({"cpu": "200m"});
        pod
    };
    let without = [limit("no-limit", json!({})), limit("zero", json!({"memory": "0"}))];
    for pod in parts().iter().chain(&without) {
        space.create(pod).accepted();
    }
    stop(&installation);
    let tried = |name: &str, limit: &str| {
        space.resize_with(name, &part_limit(name, limit), &["--dry-run=server"])
    };
    for name in PARTS {
        for amount in NO_LESS {
            tried(name, amount).accepted();
        }
        for amount in PERHAPS_LESS {
            unreachable(&tried(name, amount).refused(), "resize.restraint.dev");
        }
    }
    let zero = resources(json!({"limits": {"memory": "0"}, "requests": {"memory": "0"}}));
    let none = space.resize_with("app", &zero, &["--dry-run=server"]).refused();
    unreachable(&none, "resize.restraint.dev");
    let with_cpu = resources(json!({"limits": {"cpu": "400m", "memory": "600Mi"}}));
    space.resize_with("app", &with_cpu, &["--dry-run=server"]).accepted();
    for name in ["no-limit", "zero"] {
        unreachable(&tried(name, "8Gi").refused(), "resize.restraint.dev");
    }
}

/// The pods of `parts`.
const PARTS: [&str; 4] = ["app", "sidecar", "init", "whole"];

/// Half a gibibyte, of a container, a sidecar, an init container and a whole pod.
fn parts() -> [Value; 4] {
    let [app, mut sidecar, mut init, mut whole] = PARTS.map(pod);
    let container = app["spec"]["containers"][0].clone();
    init["spec"]["initContainers"] = json!([container]);
    init["spec"]["initContainers"][0]["name"] = json!("first");
    sidecar["spec"]["initContainers"] = init["spec"]["initContainers"].clone();
    sidecar["spec"]["initContainers"][0]["restartPolicy"] = json!("Always");
    whole["spec"]["containers"][0]["resources"] = json!({});
    whole["spec"]["resources"] = container["resources"].clone();
    [app, sidecar, init, whole]
}

/// A patch of the limit of the part that the pod of this name is about.
fn part_limit(name: &str, amount: &str) -> Value {
    let limits = json!({"limits": {"memory": amount}});
    match name {
        "whole" => json!({"spec": {"resources": limits}}),
        "sidecar" | "init" => {
            json!({"spec": {"initContainers": [{"name": "first", "resources": limits}]}})
        }
        _ => memory_limit(amount),
    }
}

/// With the hooks that the chart renders where `memory-request-decrease` is enforced.
fn lower_requests() {
    let installation = Installation::charted(cluster(), "lower-requests", |_| ());
    let space = installation.space();
    space.create(&pod("db")).accepted();
    lower_request(&space).assert_warnings(&["memory-request-decrease: container \"app\""]);
    stop(&installation);
    let tried = |requests: Value| {
        space.resize_with("db", &resources(json!({"requests": requests})), &["--dry-run=server"])
    };
    for amount in ["127Mi", "0", "134217727"] {
        unreachable(&tried(json!({"memory": amount})).refused(), "resize.restraint.dev");
    }
    for amount in ["128Mi", "134217728", "0.125Gi", "300Mi"] {
        tried(json!({"memory": amount})).accepted();
    }
    tried(json!({"cpu": "100m"})).accepted();
    space.resize_with("db", &memory_limit("600Mi"), &["--dry-run=server"]).accepted();
    unreachable(&space.resize("db", &memory_limit("300Mi")).refused(), "resize.restraint.dev");
}

/// As many as fit the budget of a match condition.
fn many_containers() {
    let installation = Installation::charted(cluster(), "many-containers", |_| ());
    let space = installation.space();
    let mut many = pod("db");
    let container = many["spec"]["containers"][0].clone();
    let named = |number: usize| {
        let mut container = container.clone();
        container["name"] = json!(format!("container-with-a-name-{number}"));
        container
    };
    many["spec"]["containers"] = (0..250).map(named).collect();
    space.create(&many).accepted();
    stop(&installation);
    let all = |amount: &str, last: &str| {
        let limit = |number: usize| {
            let amount = if number == 249 { last } else { amount };
            json!({"name": named(number)["name"], "resources": {"limits": {"memory": amount}}})
        };
        let patch = json!({"spec": {"containers": (0..250).map(limit).collect::<Value>()}});
        space.resize_with("db", &patch, &["--dry-run=server"])
    };
    all("600Mi", "600Mi").accepted();
    unreachable(&all("600Mi", "511Mi").refused(), "resize.restraint.dev");
}

/// Kubernetes 1.36 puts a volume back before it asks who validates: hooks that mutate see the request.
fn volumes() {
    let installation = Installation::new(cluster(), "volumes", &["--drain-delay", "0"]);
    let space = installation.space();
    let sizes = [
        ("small", json!({"sizeLimit": "512Mi"})),
        ("open", json!({})),
        ("none", json!({"sizeLimit": "0"})),
    ];
    for (name, size) in &sizes {
        let mut pod = pod(name);
        pod["spec"]["volumes"] = json!([{"name": "shm", "emptyDir": size}, {"name": "disk", "emptyDir": {"sizeLimit": "1Gi"}}]);
        pod["spec"]["volumes"][0]["emptyDir"]["medium"] = json!("Memory");
        space.create(&pod).accepted();
    }
    hooks::change(&installation, |hook| {
        if hook["name"] == "restore.restraint.dev" {
            hook["failurePolicy"] = json!("Fail");
            let conditions = hook["matchConditions"].as_array_mut().unwrap();
            conditions.retain(|condition| condition["name"] == "may-take-memory");
        }
    });
    stop(&installation);
    let tried = |name: &str, volume: &str, size: &str| {
        let volumes = json!([{"name": volume, "emptyDir": {"sizeLimit": size}}]);
        space.resize_with(name, &json!({"spec": {"volumes": volumes}}), &["--dry-run=server"])
    };
    for size in ["512Mi", "0.5Gi", "536870912", "1G", "0"] {
        tried("small", "shm", size).accepted();
    }
    for (name, size) in
        [("small", "511Mi"), ("small", "536870911"), ("open", "8Gi"), ("none", "8Gi")]
    {
        unreachable(&tried(name, "shm", size).refused(), "restore.restraint.dev");
    }
    tried("small", "disk", "1Mi").accepted();
    space.resize_with("open", &cpu("300m"), &["--dry-run=server"]).accepted();
}

fn stop(installation: &Installation<'_>) {
    let mut replica = installation.take().unwrap();
    replica.terminate();
    assert!(replica.wait().success());
}

fn lower_request(space: &Space<'_>) -> Outcome {
    let request =
        space.pod("db")["spec"]["containers"][0]["resources"]["requests"]["memory"].take();
    let less = if request == "256Mi" { "128Mi" } else { "64Mi" };
    space.resize("db", &resources(json!({"requests": {"memory": less}}))).accepted()
}

/// That this hook was called, and nobody answered.
#[track_caller]
fn unreachable(said: &str, webhook: &str) {
    let failed = format!("failed calling webhook \"{webhook}\": failed to call webhook: ");
    assert!(said.contains(&failed) && said.contains("connection refused"), "{said}");
}
