//! How strongly a heap above its limit is acted on.

use serde_json::{Value, json};

use restraint::judge::judge;
use restraint::judge::policies::Policies;
use restraint::judge::verdict::Outcome;
use restraint::review::decode;

use crate::subjects::{creation, resize};

#[test]
fn new_pods_and_templates_are_warned_about() {
    let template = json!({"spec": pod("256Mi")["spec"]});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": template}});
    for object in [pod("256Mi"), deployment] {
        assert_eq!(outcomes(&creation(&object)), [Outcome::Warned], "{object}");
    }
}

#[test]
fn a_resize_is_denied_whatever_its_annotations_say() {
    let annotated = |limit: &str, key: &str, value: &str| {
        let mut pod = pod(limit);
        pod["metadata"]["annotations"] = json!({key: value});
        pod
    };
    for (key, value) in
        [("team", "a"), ("approved-by-sre", "true"), ("restraint.dev/ignore", "heap-above-limit")]
    {
        let body = resize(&annotated("1Gi", key, value), &annotated("256Mi", key, value));
        assert_eq!(outcomes(&body), [Outcome::Denied], "{key}");
    }
}

#[test]
fn a_resize_that_leaves_too_little_is_warned_about() {
    for (limit, expected) in [
        ("512Mi", Some(Outcome::Denied)),
        ("513Mi", Some(Outcome::Warned)),
        ("602Mi", Some(Outcome::Warned)),
        ("603Mi", None),
    ] {
        let body = resize(&pod("1Gi"), &pod(limit));
        assert_eq!(outcomes(&body), Vec::from_iter(expected), "{limit}");
    }
}

/// The modes in which the rule acts.
fn outcomes(body: &[u8]) -> Vec<Outcome> {
    let review = decode(body).unwrap();
    let rulings = judge(&Policies::embedded(), &review.subject).rulings;
    rulings
        .into_iter()
        .filter(|ruling| ruling.rule == "heap-above-limit")
        .map(|ruling| ruling.outcome)
        .collect()
}

fn pod(limit: &str) -> Value {
    let container = json!({"name": "app", "command": ["java", "-Xmx512m", "-jar", "app.jar"], "resources": {"limits": {"memory": limit}}});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"}, "spec": {"containers": [container]}})
}
