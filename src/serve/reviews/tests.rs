//! A panic costs one review.

use std::time::Duration;

use serde_json::{Value, json};

use crate::judge::finding::{Finding, Findings};
use crate::judge::mode::Mode;
use crate::judge::policies::Policies;
use crate::judge::policy::Policy;
use crate::judge::rule::{Check, Stages};
use crate::judge::scope::Scope;
use crate::judge::view::PodView;
use crate::rules::RULES;
use crate::serve::authority::Authorities;
use crate::serve::evidence::Live;
use crate::serve::metrics::Metrics;

use http_body_util::BodyExt;
use hyper::header::CONTENT_LENGTH;

use super::body::LEAST_WEIGHT;
use super::*;

/// A rule with a bug, and much to say about one pod.
#[derive(Debug)]
struct Faulty;

/// The pod that there is much to say about.
const WORDY: &str = "wordy";

impl Check for Faulty {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if *pod.metadata.name == *WORDY {
            return findings.report(Finding::new(
                "faulty",
                "/".repeat(20_000),
                |_| String::new(),
                "",
            ));
        }
        assert!(pod.metadata.name.is_empty(), "on purpose, about {:?}", pod.metadata.name);
    }
}

fn reviews() -> Reviews {
    let policy = Policy {
        name: "faulty".to_owned(),
        rule: &RULES[0],
        mode: Mode::Enforce,
        scope: Scope::default(),
        stages: Stages::of(Faulty),
    };
    let metrics = Arc::new(Metrics::new());
    Reviews {
        policies: Arc::new(Followed::new(Some(Policies::of(vec![policy]).into()))),
        namespaces: Arc::default(),
        config_users: Arc::default(),
        seal_keys: Arc::default(),
        sources: Sources::new(
            Authorities::new(None, Duration::ZERO),
            Live::new(None, Duration::ZERO, Arc::clone(&metrics)),
        ),
        events: Events::start(None, Arc::clone(&metrics)),
        metrics,
        recorder: None,
        restorations: Restorations::default(),
        memory_budget: memory_budget(0),
        deadline: Duration::from_secs(3_600),
    }
}

async fn ask(reviews: &Reviews, name: &str) -> (StatusCode, Bytes) {
    let pod = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "app"}]}});
    let answer = reviews.answer(Path::Validate, review(&pod)).await;
    (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn a_panic_costs_one_review() {
    let reviews = reviews();
    let free = reviews.memory_budget.available_permits();
    for _ in 0..3 {
        let (status, text) = ask(&reviews, "secret").await;
        assert_eq!(
            (status, &*text),
            (StatusCode::INTERNAL_SERVER_ERROR, &b"judging failed; this is a bug in restraint"[..])
        );
        let (status, answer) = ask(&reviews, "").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(serde_json::from_slice::<Value>(&answer).unwrap()["response"]["allowed"], true);
    }
    assert_eq!(reviews.memory_budget.available_permits(), free, "what was reserved is given back");
    let metrics = reviews.metrics.render();
    assert!(
        metrics.contains(r#"resource="unknown",subresource="",outcome="panicked"} 3"#),
        "{metrics}"
    );
}

fn review(pod: &Value) -> Request<Full<Bytes>> {
    let resource = json!({"group": "", "version": "v1", "resource": "pods"});
    let request = json!({"uid": "u", "operation": "CREATE", "resource": resource, "object": pod});
    let review =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    Request::post("/validate").body(Full::from(review.to_string())).unwrap()
}

#[tokio::test]
async fn an_answer_takes_room_until_it_is_gone() {
    let reviews = reviews();
    let free = reviews.memory_budget.available_permits();
    let answer = reviews
        .answer(Path::Validate, review(&json!({})))
        .await
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    assert_eq!(
        reviews.memory_budget.available_permits(),
        free - 1,
        "a KiB of an answer that waits"
    );
    drop(answer);
    assert_eq!(reviews.memory_budget.available_permits(), free);
}

#[tokio::test]
async fn an_answer_that_is_larger_than_its_review_takes_more_room_or_is_refused() {
    let reviews = reviews();
    let ask = async || {
        let mut request = review(&json!({"metadata": {"name": WORDY}}));
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("300"));
        reviews.answer(Path::Validate, request).await
    };
    let free = reviews.memory_budget.available_permits();
    let answer = ask().await.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(reviews.memory_budget.available_permits(), free - kibibytes(&answer));
    drop(answer);
    assert_eq!(reviews.memory_budget.available_permits(), free);

    let rest = reviews.take(u32::try_from(free - LEAST_WEIGHT).unwrap()).unwrap();
    assert_eq!(ask().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(rest);
    assert_eq!(reviews.memory_budget.available_permits(), free);
    let metrics = reviews.metrics.render();
    assert!(
        metrics.contains(r#"outcome="denied"} 1"#)
            && metrics.contains(r#"outcome="overloaded"} 1"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn reviews_have_two_paths_and_one_method() {
    let reviews = reviews();
    let ask = async |method: Method, path: &str| {
        let request =
            Request::builder().method(method).uri(path).body(Full::<Bytes>::default()).unwrap();
        let response = reviews.serve(request).await;
        let allow =
            response.headers().get(ALLOW).map(|methods| methods.to_str().unwrap().to_owned());
        (response.status().as_u16(), allow)
    };
    assert_eq!(ask(Method::POST, "/validate?timeout=2s").await.0, 400);
    assert_eq!(ask(Method::POST, "/mutate").await.0, 400);
    assert_eq!(ask(Method::GET, "/mutate").await, (405, Some("POST".to_owned())));
    assert_eq!(ask(Method::POST, "/validate/").await, (404, None));
    assert_eq!(ask(Method::GET, "/").await, (404, None));
}
