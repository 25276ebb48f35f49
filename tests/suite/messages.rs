//! Messages fit where they are shown, however long the names are, and still say what is wrong.

use serde_json::{Value, json};

use restraint::judge::judge;
use restraint::judge::message::WARNING_LIMIT;
use restraint::judge::policies::Policies;
use restraint::review::decode;

use crate::subjects::{self, creation, examine, resize};

/// The longest name of a container: 63 characters.
const CONTAINER: &str = "payment-reconciliation-worker-for-the-european-settlement-batch";

#[test]
fn the_longest_names_leave_every_message_whole() {
    let mut cut = Vec::new();
    for body in [creation(&pod()), creation(&deployment()), shrink(true), shrink(false)] {
        let mut review = decode(&body).unwrap();
        examine(&mut review.subject);
        for ruling in judge(&Policies::embedded(), &review.subject).rulings {
            let message = ruling.finding.message;
            assert!(
                message.chars().count() <= WARNING_LIMIT && !message.contains(char::is_control),
                "{message}"
            );
            // a name may be shortened in its middle, the sentence may not lose its end
            if message.ends_with('…') {
                cut.push(format!("{}: {message}", ruling.rule));
            }
        }
    }
    assert!(cut.is_empty(), "{cut:#?}");
}

fn approved() -> Value {
    json!({"approved-by-sre": "true"})
}

/// A pod with everything that can be wrong with a new one.
fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p".repeat(253), "namespace": "shop", "annotations": approved()},
        "spec": spec(),
    })
}

fn deployment() -> Value {
    let template = json!({"metadata": {"annotations": approved()}, "spec": spec()});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": template}})
}

fn spec() -> Value {
    let name = |letter: &str| letter.repeat(253);
    let mount = |volume: &str| json!({"name": volume, "mountPath": format!("/etc/{volume}/{}", "d".repeat(200)), "subPath": "app.yaml"});
    json!({
        "containers": [{
            "name": CONTAINER,
            "resources": {"limits": {"memory": "1Gi"}},
            "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}],
            "envFrom": [{"configMapRef": {"name": name("c")}}, {"secretRef": {"name": name("s")}}],
            "volumeMounts": [mount("config"), mount("secret"), mount("token"), mount("projected")],
        }],
        "volumes": [
            {"name": "config", "configMap": {"name": name("c")}},
            {"name": "secret", "secret": {"secretName": name("s")}},
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
            {"name": "projected", "projected": {"sources": [{"configMap": {"name": name("c")}}]}},
        ],
    })
}

/// A resize that takes memory from the pod and its container.
fn shrink(approved: bool) -> Vec<u8> {
    let pod = |limit: &str, request: &str, other: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "db", "namespace": "shop", "annotations": {}},
            "spec": {
                "resources": {"limits": {"memory": limit}},
                "containers": [
                    {"name": CONTAINER, "resources": {"limits": {"memory": limit}}},
                    {"name": format!("{}-2", &CONTAINER[..61]), "resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": request}}},
                    {"name": format!("{}-3", &CONTAINER[..61]), "resources": {"limits": {"memory": other}}},
                ],
            },
        })
    };
    let old = pod("1099511627776", "536870912", "536870912");
    resize(
        &if approved { subjects::approved(old) } else { old },
        &pod("1073741824000", "268435456", "268435456"),
    )
}
