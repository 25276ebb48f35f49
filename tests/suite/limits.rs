//! What is no review gets an HTTP error of one sentence, and the server goes on.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use restraint::serve::BODY_LIMIT;

use crate::server::{Server, eventually};
use crate::subjects::recorded;

/// The longest body of a length that nobody said.
const UNANNOUNCED: usize = 8 << 20;

#[tokio::test]
async fn what_cannot_be_judged_is_told_in_one_sentence() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let cases = malformed();
    for path in ["/validate", "/mutate"] {
        for (name, body, expected) in &cases {
            let (status, answer) = client.post(path, body.clone()).await;
            let answer = std::str::from_utf8(&answer).unwrap();
            assert_eq!(status, StatusCode::BAD_REQUEST, "{name}: {answer}");
            assert!(answer.starts_with(expected), "{name}: {answer}");
            assert!(expected.ends_with(' ') || answer == *expected, "{name}: {answer}");
            assert!(answer.len() < 200 && !answer.contains(char::is_control), "{name}: {answer}");
        }
    }
    judges(&server).await;
    let counted =
        server.metrics().await.sum("restraint_reviews_total", &[("outcome", "malformed")]);
    assert_eq!(counted, 2.0 * cases.len() as f64);
}

/// Bodies that are no review: what is wrong with each, and the sentence about it.
fn malformed() -> [(&'static str, Vec<u8>, &'static str); 17] {
    let request = |request: Value| {
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
            .to_string()
            .into_bytes()
    };
    let pods = json!({"group": "", "version": "v1", "resource": "pods"});
    let of_version = |version: &str| {
        json!({"apiVersion": version, "kind": "AdmissionReview", "request": {"uid": "u"}})
            .to_string()
            .into_bytes()
    };
    let pod = |object: Value| {
        request(json!({"uid": "u", "operation": "CREATE", "resource": pods, "object": object}))
    };
    let version = "the body is not an AdmissionReview of admission.k8s.io/v1: list v1 in admissionReviewVersions of the webhook configuration";
    let shape = "the AdmissionReview has a value of the wrong type, a repeated field, a quantity that is none or too many entries: line 1, column ";
    let nested = format!("{}null{}", r#"{"spec":{"template":"#.repeat(10_000), "}}".repeat(10_000));
    [
        ("nothing", Vec::new(), "the body is not JSON: line 1, column 0"),
        ("bytes", b"\xff\xfe".to_vec(), "the body is not JSON: it is not UTF-8"),
        ("text", b"hello".to_vec(), "the body is not JSON: line 1, column "),
        ("half of it", b"{\"kind\":".to_vec(), "the body is not JSON: line 1, column 8"),
        (
            "two of them",
            [pod(json!({})), b"{}".to_vec()].concat(),
            "the body is not JSON: line 1, column ",
        ),
        ("a number", b"7".to_vec(), shape),
        ("another object", b"{}".to_vec(), version),
        ("another kind", br#"{"apiVersion":"v1","kind":"Pod"}"#.to_vec(), version),
        ("an old version", of_version("admission.k8s.io/v1beta1"), version),
        ("no request", request(Value::Null), "the AdmissionReview has no request"),
        ("no uid", request(json!({})), "the AdmissionReview's request has no uid"),
        ("no object", pod(Value::Null), "the AdmissionReview's request has no object"),
        (
            "no old object",
            request(
                json!({"uid": "u", "operation": "UPDATE", "resource": pods, "subResource": "resize", "object": {}}),
            ),
            "the AdmissionReview's request has no oldObject: an update is judged by its change",
        ),
        ("a wrong type", pod(json!({"spec": {"containers": "none"}})), shape),
        (
            "no quantity",
            pod(json!({"spec": {"containers": [{"resources": {"limits": {"memory": "much"}}}]}})),
            shape,
        ),
        ("a repeated field", pod(json!({})).replace_text("{}", r#"{"spec":{},"spec":{}}"#), shape),
        ("deep nesting", pod(json!({})).replace_text("{}", &nested), shape),
    ]
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_not_read() {
    let server = Server::start(&[]);
    for length in [BODY_LIMIT + 1, 1 << 62] {
        let mut raw = server.raw().await;
        raw.write(format!(
            "POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
        ))
        .await;
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.ends_with("the body is larger than 20971520 bytes"), "{answer}");
    }
    judges(&server).await;
    assert_eq!(
        server.metrics().await.sum("restraint_reviews_total", &[("outcome", "too-large")]),
        2.0
    );
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_cut_short() {
    let server = Server::start(&[]);
    let mut raw = server.begin("transfer-encoding: chunked").await;
    raw.write(format!("{:x}\r\n", UNANNOUNCED + 1)).await;
    raw.write(vec![b' '; UNANNOUNCED + 1]).await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    judges(&server).await;
}

/// Whoever writes into a closed connection never sees the answer.
#[tokio::test]
async fn who_sends_in_vain_may_send_to_the_end() {
    let server = Server::start(&["--body-memory", "20", "--request-deadline", "600000"]);
    let in_vain = async |headers: &str, body: Vec<u8>, status: &str| {
        let mut raw = server.raw().await;
        raw.write(format!("POST /validate HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n\r\n")).await;
        raw.write(body).await;
        let answer = raw.answer().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    };
    let long = BODY_LIMIT * 3 / 2;
    in_vain(&format!("content-length: {long}"), vec![b' '; long], "413").await;
    let chunk = [format!("{long:x}\r\n").into(), vec![b' '; long], b"\r\n0\r\n\r\n".into()];
    in_vain("transfer-encoding: chunked", chunk.concat(), "413").await;
    // with all the room taken
    let _sender = server.begin(&format!("content-length: {BODY_LIMIT}")).await;
    in_vain(&format!("content-length: {BODY_LIMIT}"), vec![b' '; BODY_LIMIT], "503").await;
}

#[tokio::test]
async fn the_largest_body_is_judged() {
    let server = Server::start(&[]);
    let (_, mut body) = recorded().swap_remove(0);
    body.resize(BODY_LIMIT, b' ');
    assert_eq!(server.client().await.post("/validate", body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_given_up() {
    let server = Server::start(&["--request-deadline", "200"]);
    let mut raw = server.begin("content-length: 1000").await;
    raw.write("{").await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.ends_with("the body took longer than 200 ms"), "{answer}");
    // a review in one piece takes no 200 ms to arrive, but nothing here depends on it
    eventually("an answer", async || {
        (server.client().await.post("/validate", review()).await.0 == StatusCode::OK).then_some(())
    })
    .await;
    assert!(
        server.metrics().await.sum("restraint_reviews_total", &[("outcome", "too-slow")]) >= 1.0
    );
}

#[tokio::test]
async fn slow_senders_use_up_the_memory_and_no_more() {
    let server = Server::start(&["--body-memory", "8"]);
    let length = BODY_LIMIT / 2;
    let mut senders = Vec::new();
    for _ in 0..2 {
        senders.push(server.begin(&format!("content-length: {length}")).await);
    }
    let (status, answer) = server.client().await.post("/validate", review()).await;
    assert_eq!(
        (status, &*answer),
        (StatusCode::SERVICE_UNAVAILABLE, &b"too many reviews are in flight"[..])
    );
    assert_eq!(
        server.admin("/livez").await.0,
        StatusCode::OK,
        "the admin port has room of its own"
    );

    // one that ends leaves its room to others
    let mut first = senders.swap_remove(0);
    first.write([review(), vec![b' '; length - review().len()]].concat()).await;
    let answer = first.answer().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"allowed\":"), "{answer}");
    judges(&server).await;
    assert_eq!(
        server.metrics().await.sum("restraint_reviews_total", &[("outcome", "overloaded")]),
        1.0
    );
}

#[tokio::test]
async fn a_sender_that_goes_away_leaves_its_room() {
    let server = Server::start(&["--body-memory", "8"]);
    let _first = server.begin(&format!("content-length: {}", BODY_LIMIT - UNANNOUNCED)).await;
    // of unknown length, so it may need all the room there is
    let sender = server.begin("transfer-encoding: chunked").await;
    assert_eq!(
        server.client().await.post("/validate", review()).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    drop(sender);
    eventually("room", async || {
        (server.client().await.post("/validate", review()).await.0 == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_refusal_never_asks_to_be_asked_again() {
    let server = Server::start(&["--body-memory", "8"]);
    let _sender = server.begin(&format!("content-length: {BODY_LIMIT}")).await;
    let mut raw = server.raw().await;
    raw.write("POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}").await;
    let answer = raw.answer().await.to_lowercase();
    assert!(answer.starts_with("http/1.1 503 ") && !answer.contains("retry-after"), "{answer}");
}

#[tokio::test]
async fn a_body_shorter_than_it_says_is_refused() {
    let server = Server::start(&[]);
    let mut raw = server.begin("content-length: 1000").await;
    raw.write(r#"{"apiVersion":"admission.k8s.io/v1"}"#).await;
    raw.finish().await;
    let rest = raw.read_all().await;
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 400 "), "{rest}");
    let counted = async || {
        (server.metrics().await.sum("restraint_reviews_total", &[("outcome", "malformed")]) == 1.0)
            .then_some(())
    };
    eventually("a refusal", counted).await;
    judges(&server).await;
}

#[tokio::test]
async fn a_body_longer_than_it_says_is_refused() {
    let server = Server::start(&[]);
    let mut raw = server.raw().await;
    let review = String::from_utf8(review()).unwrap();
    let length = review.len() - 10;
    raw.write(format!(
        "POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{review}"
    ))
    .await;
    let answers = raw.read_all().await;
    // the first is cut off in the middle of its JSON, and what is left of it is no request
    assert!(
        answers.starts_with("HTTP/1.1 400 ") && answers.contains("the body is not JSON: line "),
        "{answers}"
    );
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{answers}");
    judges(&server).await;
}

#[tokio::test]
async fn lengths_that_contradict_themselves_are_refused() {
    let server = Server::start(&[]);
    for headers in
        ["content-length: x", "content-length: -1", "content-length: 1\r\ncontent-length: 2"]
    {
        let mut raw = server.raw().await;
        raw.write(format!("POST /validate HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n\r\n{{}}"))
            .await;
        let answer = raw.read_all().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers}: {answer}");
    }
    judges(&server).await;
}

#[tokio::test]
async fn other_methods_and_paths_are_told_so() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    for path in ["/validate", "/mutate", "/validate?timeout=10s"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            assert_eq!(
                client.ask(method.clone(), path).await.0,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
    }
    for path in ["/", "/validate/", "/metrics", "/livez", "/readyz"] {
        let (status, text) = client.get(path).await;
        assert_eq!(
            (status, &*text),
            (StatusCode::NOT_FOUND, "reviews go to POST /validate or POST /mutate"),
            "{path}"
        );
    }
    // the API server tells its own deadline so
    assert_eq!(client.post("/validate?timeout=10s", review()).await.0, StatusCode::OK);
    judges(&server).await;
}

#[tokio::test]
async fn one_caller_s_faults_are_not_another_s() {
    let server = Server::start(&[]);
    let mut good = server.client().await;
    let mut waiting = server.begin("content-length: 1000").await;
    for _ in 0..10 {
        assert_eq!(server.client().await.post("/validate", "{").await.0, StatusCode::BAD_REQUEST);
        assert_eq!(good.post("/validate", review()).await.0, StatusCode::OK);
    }
    waiting.write(vec![b' '; 1000]).await;
    assert!(waiting.answer().await.starts_with("HTTP/1.1 400 "));
}

/// A review that is allowed.
fn review() -> Vec<u8> {
    recorded()
        .into_iter()
        .find(|(name, _)| name == "resize-cpu-only.pods-resize.validate")
        .unwrap()
        .1
}

/// Checks that a review is judged, as if nothing had happened.
async fn judges(server: &Server) {
    let (status, body) = server.client().await.post("/validate", review()).await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer["response"]["allowed"], true);
}

trait ReplaceText {
    /// The same bytes with the last occurrence of `from` as `to`.
    fn replace_text(self, from: &str, to: &str) -> Vec<u8>;
}

impl ReplaceText for Vec<u8> {
    fn replace_text(self, from: &str, to: &str) -> Vec<u8> {
        let text = String::from_utf8(self).unwrap();
        let (before, after) = text.rsplit_once(from).unwrap();
        format!("{before}{to}{after}").into_bytes()
    }
}
