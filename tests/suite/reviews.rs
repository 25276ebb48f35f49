//! The recorded reviews, sent to a running server through TLS: one golden answer each.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use serde_json::Value;

use crate::server::Server;
use crate::subjects::recorded;

#[tokio::test]
async fn recorded_reviews_get_their_golden_answers() {
    let server = Server::start(&[]);
    golden(&server, "enforce").await;
}

#[tokio::test]
async fn under_a_cap_of_audit_nothing_is_denied_or_changed() {
    let server = Server::start(&["--cap", "audit"]);
    golden(&server, "audit").await;
}

async fn golden(server: &Server, cap: &str) {
    let mut client = server.client().await;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let reviews = recorded();
    assert_eq!(reviews.len(), 102);
    for (name, body) in reviews {
        let path = if name.ends_with(".mutate") { "/mutate" } else { "/validate" };
        let (status, answer) = client.post(path, body.clone()).await;
        assert_eq!(status, StatusCode::OK, "{name}");
        let response = checked(&body, &answer, path);
        if cap == "audit" {
            assert_eq!(response["allowed"], true, "{name}");
            assert!(
                response.get("patch").is_none() && response.get("warnings").is_none(),
                "{name}"
            );
        }
        settings.bind(|| insta::assert_json_snapshot!(format!("{cap}/{name}"), response));
    }
}

/// The response, with its patch readable, after what holds for every answer was checked.
fn checked(body: &[u8], answer: &[u8], path: &str) -> Value {
    let (request, mut answer): (Value, Value) =
        (serde_json::from_slice(body).unwrap(), serde_json::from_slice(answer).unwrap());
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    let mut response = answer["response"].take();
    assert_eq!(response["uid"], request["request"]["uid"]);
    response.as_object_mut().unwrap().remove("uid");
    assert_eq!(response.get("patch").is_some(), response.get("patchType").is_some());
    if let Some(patch) = response.get_mut("patch") {
        assert_eq!(path, "/mutate");
        *patch =
            serde_json::from_slice(&STANDARD.decode(patch.as_str().unwrap()).unwrap()).unwrap();
    }
    if response["allowed"] == false {
        assert_eq!(
            (&response["status"]["code"], &response["status"]["reason"]),
            (&403.into(), &"Forbidden".into())
        );
    }
    for warning in response.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        let warning = warning.as_str().unwrap();
        assert!(warning.chars().count() <= 120 && !warning.contains(char::is_control), "{warning}");
    }
    for key in response
        .get("auditAnnotations")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|notes| notes.keys())
    {
        assert!(key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'), "{key}");
    }
    if let Some(cause) = response.pointer_mut("/auditAnnotations/fix-missed") {
        // which of them it is depends on how long ago the server started
        assert!(["mutating-hook", "other-policies"].contains(&cause.as_str().unwrap()), "{cause}");
        *cause = "probable cause".into();
    }
    response
}
