//! Resizes of memory and cpu, as the developer asks for them.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kubectl::Person;
use crate::pods::{memory_limit, pod, pod_with, resources, stored_limit};
use crate::space::Space;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("resize: cpu alone is not even asked about", cpu_alone),
        trial("resize: more memory is allowed", more_memory),
        trial("resize: less memory is denied, and doing as the message says helps", less_memory),
        trial("resize: a limit of 0, which is none, is allowed", a_limit_of_zero),
        trial("resize: taking the limit of 0 back is denied", a_limit_after_zero),
        trial("resize: the first limit of a running container is denied", a_first_limit),
        trial("resize: the largest pod that is stored can be resized", the_largest_pod),
        trial("resize: less memory for the pod as a whole is denied", less_memory_for_the_pod),
        trial("resize: less memory for a sidecar is denied", less_memory_for_a_sidecar),
        trial("resize: every decrease is told in one answer", several_decreases),
        trial("resize: the same amount in other words is allowed", the_same_in_other_words),
        trial("resize: a lower request is warned about", a_lower_request),
        trial("resize: growth is asked about by the hook that fails open", growth),
        trial("resize: a dry run gets the same answers and changes nothing", a_dry_run),
        trial("resize: a strategic merge patch is judged", || {
            a_patch("strategic", &memory_limit("300Mi"), &memory_limit("600Mi"))
        }),
        trial("resize: a merge patch is judged", || {
            a_patch("merge", &whole_container("300Mi"), &whole_container("600Mi"))
        }),
        trial("resize: a JSON patch is judged", || {
            a_patch("json", &replace_limit("300Mi"), &replace_limit("600Mi"))
        }),
        trial("resize: server-side apply is judged", server_side_apply),
        trial("resize: a whole replacement is judged", a_replacement),
    ]
}

fn cpu_alone() {
    let space = space_with(&pod("db"));
    space
        .resize("db", &resources(json!({"limits": {"cpu": "400m"}, "requests": {"cpu": "100m"}})))
        .accepted();
    assert_eq!(resize_reviews(&space), 0);
    assert_eq!(space.pod("db")["spec"]["containers"][0]["resources"]["limits"]["cpu"], "400m");
    space.resize("db", &memory_limit("600Mi")).accepted();
    assert_eq!(resize_reviews(&space), 1);
}

fn more_memory() {
    let space = space_with(&pod("db"));
    let outcome = space.resize("db", &memory_limit("1Gi")).accepted();
    outcome.assert_warnings(&[]);
    assert_eq!(stored_limit(&space.pod("db")), "1Gi");
}

fn less_memory() {
    let space = space_with(&pod("db"));
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    denied(&said, "container \"app\": memory limit 512Mi -> 300Mi");
    let command = said.split('`').nth(1).unwrap();
    assert_eq!(
        command,
        format!("kubectl annotate pod db -n {} restraint.dev/approve=app=300Mi", space.name())
    );
    assert_eq!(stored_limit(&space.pod("db")), "512Mi");
    space.by(Person::Sre).paste(command).accepted();
    let outcome = space.resize("db", &memory_limit("300Mi")).accepted();
    outcome.assert_warnings(&[]);
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
    let codes: Vec<_> = space
        .audited("pods", "resize", "db", 2)
        .iter()
        .map(|event| (event.user().to_owned(), event.code()))
        .collect();
    let developer = Person::Developer.username().to_owned();
    assert_eq!(codes, [(developer.clone(), 403), (developer, 200)]);
}

fn a_limit_of_zero() {
    let space = space_with(&pod("db"));
    space
        .resize("db", &resources(json!({"limits": {"memory": "0"}, "requests": {"memory": "0"}})))
        .accepted();
}

fn a_limit_after_zero() {
    let mut unlimited = pod("db");
    unlimited["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "200m", "memory": "0"}, "limits": {"cpu": "500m", "memory": "0"}});
    let space = space_with(&unlimited);
    denied(
        &space.resize("db", &memory_limit("8Gi")).refused(),
        "container \"app\": memory limit unlimited -> 8Gi",
    );
}

fn a_first_limit() {
    let mut unlimited = pod("db");
    unlimited["spec"]["containers"][0]["resources"] =
        json!({"requests": {"cpu": "200m", "memory": "256Mi"}});
    let space = space_with(&unlimited);
    let running = json!({"status": {
        "phase": "Running",
        "containerStatuses": [{
            "name": "app", "image": "registry.k8s.io/pause:3.10", "imageID": "", "ready": true, "restartCount": 0,
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}},
        }],
    }});
    space
        .kubectl()
        .run(&["patch", "pod", "db", "--subresource", "status", "--patch", &running.to_string()])
        .accepted();
    denied(
        &space.resize("db", &memory_limit("8Gi")).refused(),
        "container \"app\": memory limit unlimited -> 8Gi",
    );
}

/// In JSON the API server writes six bytes for each of these.
fn the_largest_pod() {
    let space = enforcing().space();
    let mut large = pod("large");
    large["spec"]["containers"][0]["env"] =
        json!([{"name": "HTML", "value": "<".repeat(1_400_000)}]);
    // kubectl itself would write six bytes, too
    let path = format!("/api/v1/namespaces/{}/pods", space.name());
    let line = ["create", "--raw", &path, "--filename", "-"];
    space.by(Person::Developer).feed(&line, &large.to_string()).accepted();
    let said = space.resize("large", &memory_limit("300Mi")).refused();
    assert!(said.contains("memory limit 512Mi -> 300Mi is not approved"), "{said}");
    space.resize("large", &memory_limit("600Mi")).accepted().assert_warnings(&[]);
}

fn less_memory_for_the_pod() {
    let space = space_with(&pod_with(
        "db",
        json!({
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
            "containers": [{"name": "app", "image": "registry.k8s.io/pause:3.10"}],
        }),
    ));
    let patch = |amount: &str| json!({"spec": {"resources": {"limits": {"memory": amount}}}});
    denied(
        &space.resize("db", &patch("1500Mi")).refused(),
        "pod level: memory limit 2Gi -> 1500Mi",
    );
    space.resize("db", &patch("3Gi")).accepted();
}

fn less_memory_for_a_sidecar() {
    let mut pod = pod("db");
    let mut proxy = pod["spec"]["containers"][0].clone();
    proxy["name"] = json!("proxy");
    proxy["restartPolicy"] = json!("Always");
    pod["spec"]["initContainers"] = json!([proxy]);
    let space = space_with(&pod);
    let patch = json!({"spec": {"initContainers": [{"name": "proxy", "resources": {"limits": {"memory": "300Mi"}}}]}});
    denied(
        &space.resize("db", &patch).refused(),
        "container \"proxy\": memory limit 512Mi -> 300Mi",
    );
}

fn several_decreases() {
    let mut pod = pod("db");
    let mut second = pod["spec"]["containers"][0].clone();
    second["name"] = json!("exporter");
    pod["spec"]["containers"].as_array_mut().unwrap().push(second);
    let space = space_with(&pod);
    let patch = json!({"spec": {"containers": [
        {"name": "app", "resources": {"limits": {"memory": "300Mi"}}},
        {"name": "exporter", "resources": {"limits": {"memory": "400Mi"}}},
    ]}});
    let said = space.resize("db", &patch).refused();
    denied(&said, "container \"app\": memory limit 512Mi -> 300Mi");
    denied(&said, "container \"exporter\": memory limit 512Mi -> 400Mi");
}

fn the_same_in_other_words() {
    let mut pod = pod("db");
    pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("900Mi");
    let space = space_with(&pod);
    space.resize("db", &memory_limit("943718400")).accepted();
    assert_eq!(stored_limit(&space.pod("db")), "943718400");
    assert_eq!(resize_reviews(&space), 1, "it was judged");
    denied(
        &space.resize("db", &memory_limit("943718399")).refused(),
        "container \"app\": memory limit 943718400 -> 943718399",
    );
}

fn a_lower_request() {
    let space = space_with(&pod("db"));
    let outcome =
        space.resize("db", &resources(json!({"requests": {"memory": "128Mi"}}))).accepted();
    outcome.assert_warnings(&[
        "memory-request-decrease: container \"app\": memory request 256Mi -> 128Mi",
    ]);
}

fn growth() {
    let mut java = pod("db");
    java["spec"]["containers"][0]["command"] = json!(["java", "-Xmx256m", "-jar", "/app.jar"]);
    // as a program that came with its own resizePolicy
    java["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "memory", "restartPolicy": "NotRequired"}]);
    let space = space_with(&java);
    space.resize("db", &memory_limit("1Gi")).accepted();
    let events = space.audited("pods", "resize", "db", 1);
    let noted = events[0].annotation("resize-advice.restraint.dev/noted");
    assert!(noted.starts_with("fixed-heap-growth: container \"app\": "), "{noted}");
}

fn a_dry_run() {
    let space = space_with(&pod("db"));
    let before = space.pod("db");
    let try_out =
        |amount: &str| space.resize_with("db", &memory_limit(amount), &["--dry-run=server"]);
    denied(&try_out("300Mi").refused(), "container \"app\": memory limit 512Mi -> 300Mi");
    assert_eq!(stored_limit(&try_out("600Mi").accepted().object()), "600Mi");
    assert_eq!(space.pod("db"), before);
    assert!(
        space
            .reviews()
            .iter()
            .filter(|review| review["subresource"] == "resize")
            .all(|review| review["dry_run"] == true)
    );
}

fn a_patch(style: &str, less: &Value, more: &Value) {
    let space = space_with(&pod("db"));
    denied(
        &space.resize_with("db", less, &["--type", style]).refused(),
        "container \"app\": memory limit 512Mi -> 300Mi",
    );
    space.resize_with("db", more, &["--type", style]).accepted();
    assert_eq!(stored_limit(&space.pod("db")), "600Mi");
}

fn server_side_apply() {
    let space = space_with(&pod("db"));
    let apply = |amount: &str| {
        let mut configuration = pod_with("db", memory_limit(amount)["spec"].take());
        configuration["metadata"]["namespace"] = json!(space.name());
        let line = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--subresource",
            "resize",
            "--filename",
            "-",
        ];
        space.by(Person::Developer).feed(&line, &configuration.to_string())
    };
    denied(&apply("300Mi").refused(), "container \"app\": memory limit 512Mi -> 300Mi");
    apply("600Mi").accepted();
    assert_eq!(stored_limit(&space.pod("db")), "600Mi");
}

fn a_replacement() {
    let space = space_with(&pod("db"));
    let replace = |amount: &str| {
        let mut pod = space.pod("db");
        pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!(amount);
        space
            .by(Person::Developer)
            .feed(&["replace", "--subresource", "resize", "--filename", "-"], &pod.to_string())
    };
    denied(&replace("300Mi").refused(), "container \"app\": memory limit 512Mi -> 300Mi");
    replace("600Mi").accepted();
    assert_eq!(stored_limit(&space.pod("db")), "600Mi");
}

/// A merge patch replaces the list of containers: resources and policies that it leaves out would
/// be removed, which the API server refuses. So a pod that got its resizePolicy from Restraint
/// wants it in every merge patch.
fn whole_container(limit: &str) -> Value {
    let mut patch = resources(
        json!({"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": limit}}),
    );
    patch["spec"]["containers"][0]["resizePolicy"] = json!([
        {"resourceName": "cpu", "restartPolicy": "NotRequired"},
        {"resourceName": "memory", "restartPolicy": "RestartContainer"},
    ]);
    patch
}

fn replace_limit(amount: &str) -> Value {
    json!([{"op": "replace", "path": "/spec/containers/0/resources/limits/memory", "value": amount}])
}

fn space_with(pod: &Value) -> Space<'static> {
    let space = enforcing().space();
    space.create(pod).accepted();
    space
}

fn resize_reviews(space: &Space<'_>) -> usize {
    space.reviews().iter().filter(|review| review["subresource"] == "resize").count()
}

/// That it was this decrease, and Restraint, that it was denied for.
#[track_caller]
fn denied(said: &str, change: &str) {
    assert!(said.starts_with("Error from server (Forbidden): "), "{said}");
    assert!(
        said.contains("admission webhook \"resize.restraint.dev\" denied the request: "),
        "{said}"
    );
    assert!(
        said.contains(&format!("memory-limit-decrease: {change} is not approved; an approver grants it with `kubectl annotate pod db -n ")),
        "{said}"
    );
}
