//! A change of a ConfigMap: values are compared where they lie in the body, so what it costs follows
//! the number of keys and of those who use it, not their size.

use std::sync::Arc;

use allocation_counter::measure;
use serde_json::{Map, Value, json};

use restraint::judge::judge;
use restraint::judge::policies::Policies;
use restraint::judge::subject::Resource;
use restraint::kube::config_user::ConfigUser;
use restraint::policies::embedded_files;
use restraint::review::{answer, decode};
use restraint::rules::config_users::config_user_in;

const RULES: [&str; 3] =
    ["broken-config-file.yaml", "missing-config-key.yaml", "unseen-config-change.yaml"];

/// As many as share a ConfigMap in a large namespace.
const USERS: usize = 50;

#[test]
fn a_large_config_map_costs_its_keys_and_users_and_no_text() {
    let small = cost(&update(90, 100));
    let large = cost(&update(90, 10_000));
    assert!(large.body > 1_800_000, "{}", large.body);
    assert_eq!(large.allocations, small.allocations, "what is compared is not copied");
    // decoding: two maps; judging: both contents as maps, the one key that changed, and who uses it
    assert!(large.allocations <= 400, "{large:?}");
    assert!(large.most <= 256 * 1024, "{large:?}");
    assert!(large.reply.contains("45 more workloads"), "{}", large.reply);
}

#[derive(Debug)]
struct Cost {
    body: usize,
    allocations: u64,
    /// Bytes held at once.
    most: u64,
    reply: String,
}

fn cost(body: &[u8]) -> Cost {
    let measured = |name: &str| RULES.contains(&name);
    let policies = Policies::read(embedded_files().filter(|(name, _)| measured(name))).unwrap();
    let users = Arc::new((0..USERS).map(user).collect::<Vec<_>>());
    let once = || {
        let mut review = decode(body).unwrap();
        review.subject.evidence.config_users = Some(Arc::clone(&users));
        answer(&review.uid, &judge(&policies, &review.subject))
    };
    let reply = String::from_utf8(once()).unwrap(); // whatever is worked out once in a process is there
    let info = measure(|| drop(once()));
    Cost { body: body.len(), allocations: info.count_total, most: info.bytes_max, reply }
}

fn user(index: usize) -> ConfigUser {
    let container = json!({"name": "app", "envFrom": [{"configMapRef": {"name": "app"}}]});
    let deployment = json!({
        "metadata": {"name": format!("web-{index:02}"), "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    });
    config_user_in(Resource::Deployment, &deployment.to_string()).unwrap()
}

fn update(keys: usize, length: usize) -> Vec<u8> {
    let map = |changed: &str| {
        let value = |index: usize| {
            let letter = if index == 7 { changed } else { "a" };
            (format!("key-{index:02}"), Value::from(letter.repeat(length)))
        };
        let data: Map<_, _> = (0..keys).map(value).collect();
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "shop"}, "data": data})
    };
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "operation": "UPDATE", "namespace": "shop", "name": "app",
        "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
        "resource": {"group": "", "version": "v1", "resource": "configmaps"},
        "userInfo": {"username": "alice"}, "object": map("b"), "oldObject": map("a"),
    }});
    serde_json::to_vec(&review).unwrap()
}
