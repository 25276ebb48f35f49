//! A panic costs one review.

use std::time::Duration;

use serde_json::{Value, json};

use crate::judge::finding::Findings;
use crate::judge::mode::Mode;
use crate::judge::policy::Policy;
use crate::judge::rule::Check;
use crate::judge::scope::Scope;
use crate::judge::view::PodView;
use crate::rules::RULES;
use crate::serve::authority::Authorities;
use crate::serve::evidence::Live;
use crate::serve::metrics::Metrics;

use super::*;

/// A rule with a bug.
#[derive(Debug)]
struct Faulty;

impl Check for Faulty {
    fn pod(&self, pod: &PodView<'_>, _findings: &mut Findings) {
        assert!(pod.metadata.name.is_empty(), "on purpose, about {:?}", pod.metadata.name);
    }
}

fn reviews() -> Reviews {
    let policy =
        Policy { name: "faulty".to_owned(), rule: &RULES[0], mode: Mode::Enforce, scope: Scope::default(), check: Box::new(Faulty) };
    let metrics = Arc::new(Metrics::new());
    Reviews {
        policies: Arc::new(ArcSwap::from_pointee(Policies::of(vec![policy]))),
        namespaces: Arc::default(),
        seal_keys: SharedSealKeys::default(),
        sources: Sources::new(Authorities::new(None, Duration::ZERO), Live::new(None, Duration::ZERO, Arc::clone(&metrics))),
        events: Events::start(None, Arc::clone(&metrics)),
        metrics,
        room: room(0),
        deadline: Duration::from_secs(3_600),
    }
}

async fn ask(reviews: &Reviews, name: &str) -> (StatusCode, Bytes) {
    let pod = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "app"}]}});
    let resource = json!({"group": "", "version": "v1", "resource": "pods"});
    let request = json!({"uid": "u", "operation": "CREATE", "resource": resource, "object": pod});
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    let request = Request::post("/validate").body(Body::from(review.to_string())).unwrap();
    let answer = reviews.answer(Path::Validate, request).await;
    (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn a_panic_costs_one_review() {
    let reviews = reviews();
    let room = reviews.room.available_permits();
    for _ in 0..3 {
        let (status, text) = ask(&reviews, "secret").await;
        assert_eq!((status, &*text), (StatusCode::INTERNAL_SERVER_ERROR, &b"judging failed; this is a bug in restraint"[..]));
        let (status, answer) = ask(&reviews, "").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(serde_json::from_slice::<Value>(&answer).unwrap()["response"]["allowed"], true);
    }
    assert_eq!(reviews.room.available_permits(), room, "room is given back");
    let metrics = reviews.metrics.render();
    assert!(metrics.contains(r#"resource="unknown",subresource="",outcome="panicked"} 3"#), "{metrics}");
}
