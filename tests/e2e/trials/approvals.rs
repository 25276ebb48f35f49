//! Approvals: how they are given and used.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::installation::Installation;
use crate::kubectl::{Kubectl, Outcome, Person};
use crate::pods::{memory_limit, pod, pod_with, resources, stored_limit};
use crate::space::Space;
use crate::world::{cluster, enforcing};

use super::trial;

mod pending;

/// The annotation with the stamp.
pub(super) const STAMP: &str = "restraint.dev/approval";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("approval: a grant becomes a stamp, and the same words grant again", granted),
        trial("approval: a precise grant allows its floor and nothing below", to_the_floor),
        trial(
            "approval: one grant covers container, sidecar, init container and pod level",
            for_every_part,
        ),
        trial(
            "approval: a first limit and the limit after 0 are granted like any decrease",
            a_first_limit,
        ),
        trial("approval: server-side apply and every kind of patch grant", every_way_to_write),
        trial("approval: a grant that is none says what a grant is", malformed),
        trial("approval: a dry run grants nothing", a_dry_run),
        trial("approval: the last of two approvers counts", two_approvers),
        trial("approval: an approved decrease of a live process is warned about", live),
        trial("approval: restraint approves, lists and revokes", with_the_command),
        trial("approval: what was denied is pending until it is granted", pending::trial),
        trial("approval: of two at a time one counts", two_at_a_time),
        trial("approval: replicas share the keys of a Secret", a_shared_secret),
        trial("approval: grant, use and denial are told on the pod, and no dry run is", events),
        trial("automation: what the autoscaler takes is restored, and the rest passes", autoscaler),
        trial(
            "automation: an approved decrease by the autoscaler passes",
            autoscaler_with_approval,
        ),
    ]
}

fn granted() {
    let space = space_with_pod();
    for _ in 0..2 {
        grant(&space, "db", "approved-by-sre=true").accepted();
        let pod = space.pod("db");
        assert!(pod["metadata"]["annotations"]["approved-by-sre"].is_null(), "{pod}");
        let stamp = stamp(&pod);
        assert_eq!(
            (&stamp["approver"], &stamp["memory"]),
            (&json!("alice@example.com"), &json!("true"))
        );
        assert_eq!(
            (&stamp["uid"], &stamp["generation"]),
            (&pod["metadata"]["uid"], &pod["metadata"]["generation"])
        );
    }
    space.resize("db", &memory_limit("300Mi")).accepted();
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
}

fn to_the_floor() {
    let space = space_with_pod();
    grant(&space, "db", "restraint.dev/approve=app=300Mi; for=30m; reason=INC-4711").accepted();
    let said = space.resize("db", &memory_limit("299Mi")).refused();
    assert!(said.contains("memory limit 512Mi -> 299Mi is approved down to 300Mi only"), "{said}");
    space.resize("db", &memory_limit("300Mi")).accepted();
}

fn for_every_part() {
    let space = enforcing().space();
    let limited = |name: &str, memory: &str| json!({"name": name, "image": "registry.k8s.io/pause:3.10", "resources": {"limits": {"memory": memory}, "requests": {"memory": "16Mi"}}});
    let mut side = limited("side", "128Mi");
    side["restartPolicy"] = "Always".into();
    let spec = json!({
        "resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": "64Mi"}},
        "initContainers": [side],
        "containers": [limited("app", "512Mi")],
    });
    space.create(&pod_with("db", spec)).accepted();
    let decrease = json!({"spec": {
        "resources": {"limits": {"memory": "512Mi"}},
        "initContainers": [{"name": "side", "resources": {"limits": {"memory": "64Mi"}}}],
        "containers": [{"name": "app", "resources": {"limits": {"memory": "256Mi"}}}],
    }});
    let said = space.resize("db", &decrease).refused();
    assert!(said.contains("3 findings"), "{said}");
    grant(&space, "db", "restraint.dev/approve=app=256Mi,side=64Mi").accepted();
    let said = space.resize("db", &decrease).refused();
    assert!(said.contains("pod level: memory limit 1Gi -> 512Mi is not in the approval"), "{said}");
    let command = said.split('`').nth(1).unwrap();
    space.by(Person::Sre).paste(command).accepted();
    space.resize("db", &decrease).accepted();
}

fn a_first_limit() {
    let space = enforcing().space();
    let mut unlimited = pod("db");
    unlimited["spec"]["containers"][0]["resources"] =
        json!({"requests": {"cpu": "200m", "memory": "0"}, "limits": {"memory": "0"}});
    space.create(&unlimited).accepted();
    let said = space.resize("db", &memory_limit("1Gi")).refused();
    assert!(said.contains("memory limit unlimited -> 1Gi is not approved"), "{said}");
    grant(&space, "db", "restraint.dev/approve=app=1Gi").accepted();
    space.resize("db", &memory_limit("1Gi")).accepted();
    // back to 0, which is no limit, is no decrease and needs none
    space.resize("db", &memory_limit("0")).accepted();
    space.resize("db", &memory_limit("1Gi")).refused();
}

fn every_way_to_write() {
    let space = space_with_pod();
    let sre = space.by(Person::Sre);
    let merge =
        json!({"metadata": {"annotations": {"restraint.dev/approve": "app=300Mi"}}}).to_string();
    let add = json!([{"op": "add", "path": "/metadata/annotations/restraint.dev~1approve", "value": "app=301Mi"}]).to_string();
    let apply = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "annotations": {"restraint.dev/approve": "app=302Mi"}}});
    let apply = |memory: &str| {
        let text = apply.to_string().replace("302Mi", memory);
        sre.feed(
            &[
                "apply",
                "--server-side",
                "--force-conflicts",
                "--field-manager",
                "approver",
                "--filename",
                "-",
            ],
            &text,
        )
        .accepted();
    };
    let memory = || stamp(&space.pod("db"))["memory"].as_str().unwrap().to_owned();
    sre.run(&["patch", "pod", "db", "--type", "merge", "--patch", &merge]).accepted();
    assert_eq!(memory(), "app=300Mi");
    sre.run(&["patch", "pod", "db", "--type", "json", "--patch", &add]).accepted();
    assert_eq!(memory(), "app=301Mi");
    sre.run(&["patch", "pod", "db", "--type", "strategic", "--patch", &merge]).accepted();
    assert_eq!(memory(), "app=300Mi");
    apply("302Mi");
    assert_eq!(memory(), "app=302Mi");
    apply("303Mi");
    assert_eq!(memory(), "app=303Mi");
    let mut whole = space.pod("db");
    whole["metadata"]["annotations"]["approved-by-sre"] = "true".into();
    sre.feed(&["replace", "--filename", "-"], &whole.to_string()).accepted();
    assert_eq!(memory(), "true");
    space.resize("db", &memory_limit("303Mi")).accepted();
}

fn malformed() {
    let space = space_with_pod();
    for (annotation, error) in [
        (
            "approved-by-sre=yes",
            "\"approved-by-sre\" is no grant: neither \"true\" nor PART=QUANTITY",
        ),
        ("restraint.dev/approve=app=lots", "the floor of \"app\" is no quantity"),
        ("restraint.dev/approve=true; for=25h", "\"for=\" must be from 1s to 24h"),
    ] {
        let said = grant(&space, "db", annotation).refused();
        assert!(said.contains(error) && said.contains("app=256Mi,@pod=1Gi; for=30m"), "{said}");
    }
    assert!(space.pod("db")["metadata"]["annotations"].is_null());
}

fn a_dry_run() {
    let space = space_with_pod();
    let sre = space.by(Person::Sre);
    let line =
        ["annotate", "pod", "db", "approved-by-sre=true", "--dry-run=server", "--output", "json"];
    let tried = sre.run(&line).accepted().object();
    let text = tried["metadata"]["annotations"][STAMP].as_str().unwrap();
    assert!(space.pod("db")["metadata"]["annotations"].is_null());
    let said = sre.run(&["annotate", "pod", "db", &format!("{STAMP}={text}")]).refused();
    assert!(said.contains("the stamp is not sealed by this service for this pod"), "{said}");
    space.resize("db", &memory_limit("300Mi")).refused();
}

fn two_approvers() {
    let space = space_with_pod();
    grant(&space, "db", "restraint.dev/approve=app=300Mi").accepted();
    space.kubectl().run(&["annotate", "pod", "db", "restraint.dev/approve=app=400Mi"]).accepted();
    let pod = space.pod("db");
    assert_eq!(
        (&stamp(&pod)["approver"], &stamp(&pod)["memory"]),
        (&json!("admin"), &json!("app=400Mi"))
    );
    space.resize("db", &memory_limit("300Mi")).refused();
    space.resize("db", &memory_limit("400Mi")).accepted();
}

fn live() {
    let space = enforcing().space();
    let mut pod = pod("db");
    pod["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "memory", "restartPolicy": "NotRequired"}]);
    space.create(&pod).accepted();
    grant(&space, "db", "approved-by-sre=true").accepted();
    let outcome = space.resize("db", &memory_limit("300Mi")).accepted();
    outcome.assert_warnings(&["live-memory-shrink: container \"app\": live shrink 512Mi -> 300Mi"]);
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
}

fn with_the_command() {
    let space = space_with_pod();
    let (sre, developer) = (space.by(Person::Sre), space.by(Person::Developer));
    let approve =
        ["approve", "pod/db", "--memory", "app=300Mi", "--for", "30m", "--reason", "INC-4711"];
    let said = developer.restraint(&approve).refused();
    assert!(said.contains("\"dev@example.com\" may not approve pods/resize of \"db\""), "{said}");
    sre.restraint(&[&approve[..], &["--dry-run", "server"]].concat()).accepted();
    assert!(space.pod("db")["metadata"]["annotations"].is_null());
    let said = sre.restraint(&approve).printed();
    assert!(
        said.starts_with("pod/db approved: app down to 300Mi, by alice@example.com, until "),
        "{said}"
    );
    let list = sre.restraint(&["approvals", "--output", "json"]).accepted().object();
    assert_eq!(
        (&list[0]["pod"], &list[0]["state"], &list[0]["reason"]),
        (&json!("db"), &json!("usable"), &json!("INC-4711"))
    );
    sre.restraint(&["revoke", "pod/db"]).accepted();
    assert_eq!(sre.restraint(&["approvals", "--output", "json"]).accepted().object(), json!([]));
    space.resize("db", &memory_limit("300Mi")).refused();
    sre.restraint(&approve).accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
}

fn two_at_a_time() {
    let space = space_with_pod();
    let (sre, admin) = (space.by(Person::Sre), space.kubectl().clone());
    let approve = |kubectl: Kubectl, memory: &'static str| {
        std::thread::spawn(move || {
            kubectl.run(&[
                "annotate",
                "--overwrite",
                "pod",
                "db",
                &format!("restraint.dev/approve=app={memory}"),
            ])
        })
    };
    let both = [approve(sre, "300Mi"), approve(admin, "400Mi")];
    for outcome in both.map(|thread| thread.join().unwrap()) {
        outcome.accepted();
    }
    let pod = space.pod("db");
    assert!(pod["metadata"]["annotations"]["restraint.dev/approve"].is_null(), "{pod}");
    let stamp = stamp(&pod);
    let whole =
        [(json!("alice@example.com"), json!("app=300Mi")), (json!("admin"), json!("app=400Mi"))];
    assert!(whole.contains(&(stamp["approver"].clone(), stamp["memory"].clone())), "{stamp}");
}

fn a_shared_secret() {
    let installation = Installation::new(
        cluster(),
        "sealed",
        &["--seal-secret", "restraint-sealed/restraint-seal", "--drain-delay", "0"],
    );
    let space = installation.space();
    space.create(&pod("db")).accepted();
    grant(&space, "db", "approved-by-sre=true").accepted();
    let keys = || {
        cluster()
            .kubectl()
            .within("restraint-sealed")
            .run(&["get", "secret", "restraint-seal", "--output", "json"])
            .accepted()
            .object()["data"]
            .take()
    };
    let before = keys();
    assert_eq!(before.as_object().unwrap().len(), 1);
    let other = installation.start_at("127.0.0.2");
    installation.lead_to("127.0.0.2");
    let mut first = installation.replace(other);
    first.terminate();
    assert!(first.wait().success());
    let answered = || {
        space
            .resize_with("db", &memory_limit("300Mi"), &["--dry-run=server"])
            .succeeded()
            .then_some(())
    };
    eventually("the other replica knows the key", answered);
    space.resize("db", &memory_limit("300Mi")).accepted();
    assert_eq!(keys(), before);
}

fn events() {
    let space = space_with_pod();
    let dry = ["--dry-run=server"];
    space.resize_with("db", &memory_limit("200Mi"), &dry).refused();
    space.resize("db", &memory_limit("300Mi")).refused();
    grant(&space, "db", "approved-by-sre=true; reason=INC-4711").accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    let told = |reasons: &[&str]| {
        let list = space.object(&["get", "events.events.k8s.io"]);
        let events: Vec<_> = list["items"].as_array().unwrap().clone();
        reasons
            .iter()
            .all(|reason| events.iter().any(|event| event["reason"] == **reason))
            .then_some(events)
    };
    let reasons = ["ResizeDenied", "ApprovalGranted", "ApprovalUsed"];
    let events = eventually("an event for each", || told(&reasons));
    assert_eq!(events.len(), 3, "{events:#?}");
    let uid = &space.pod("db")["metadata"]["uid"];
    for event in &events {
        assert_eq!(
            (&event["regarding"]["name"], &event["regarding"]["uid"]),
            (&json!("db"), uid),
            "{event}"
        );
        assert!(!event["note"].as_str().unwrap().contains("200Mi"), "{event}");
    }
}

fn autoscaler() {
    let space = space_with_pod();
    let outcome = recommend(&space.by(Person::Autoscaler), "300m", "400Mi", "200Mi").accepted();
    outcome.assert_warnings(&["memory-limit-decrease: container \"app\": memory limit restored to 512Mi, not 400Mi: no approval"]);
    let restored = &space.pod("db")["spec"]["containers"][0]["resources"];
    assert_eq!(
        *restored,
        json!({"requests": {"cpu": "300m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}})
    );
    // more is left as it is
    recommend(&space.by(Person::Autoscaler), "300m", "600Mi", "300Mi")
        .accepted()
        .assert_warnings(&[]);
    assert_eq!(stored_limit(&space.pod("db")), "600Mi");
    // a person gets no such favour
    recommend(&space.by(Person::Developer), "300m", "400Mi", "200Mi").refused();
}

fn autoscaler_with_approval() {
    let space = space_with_pod();
    grant(&space, "db", "restraint.dev/approve=app=400Mi").accepted();
    recommend(&space.by(Person::Autoscaler), "300m", "400Mi", "200Mi")
        .accepted()
        .assert_warnings(&[]);
    assert_eq!(stored_limit(&space.pod("db")), "400Mi");
}

/// The autoscaler's own kind of patch.
fn recommend(kubectl: &Kubectl, cpu: &str, limit: &str, request: &str) -> Outcome {
    let path = |field: &str| format!("/spec/containers/0/resources/{field}");
    let patch = json!([
        {"op": "add", "path": path("requests/cpu"), "value": cpu},
        {"op": "add", "path": path("requests/memory"), "value": request},
        {"op": "add", "path": path("limits/memory"), "value": limit},
    ]);
    kubectl.run(&[
        "patch",
        "pod",
        "db",
        "--subresource",
        "resize",
        "--type",
        "json",
        "--patch",
        &patch.to_string(),
    ])
}

/// A space with the pod `db`.
pub(super) fn space_with_pod() -> Space<'static> {
    let space = enforcing().space();
    space.create(&pod("db")).accepted();
    space
}

/// Annotates a pod as the SRE.
pub(super) fn grant(space: &Space<'_>, pod: &str, annotation: &str) -> Outcome {
    space.by(Person::Sre).run(&["annotate", "pod", pod, annotation])
}

/// The stamp of a pod.
pub(super) fn stamp(pod: &Value) -> Value {
    serde_json::from_str(pod["metadata"]["annotations"][STAMP].as_str().unwrap_or("null")).unwrap()
}

/// Some change of the spec that has nothing to do with memory.
pub(super) fn cpu(amount: &str) -> Value {
    resources(json!({"limits": {"cpu": amount}}))
}
