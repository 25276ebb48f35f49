//! A server that starts without sound policies: in a pod it waits for them, elsewhere it ends.

use std::fs;

use hyper::StatusCode;

use crate::approving::call;
use crate::following::{VolumeFolder, policy};
use crate::server::{IN_POD, Server, eventually};
use crate::subjects::recorded;

const FAULT: &str = "memory-limit-decrease.yaml:3:7: unknown mode \"loud\"";

#[tokio::test]
async fn in_a_pod_it_is_not_ready_until_sound_policies_come() {
    let folder = VolumeFolder::new(&[policy("memory-limit-decrease", "loud")]);
    let server = Server::start_in_pod(&["--policies", folder.path()]);
    let (status, readiness) = server.admin("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let expected = format!("waiting for sound policies\npolicies: refused:\n  {FAULT}");
    assert!(readiness.starts_with(&expected), "{readiness}");
    assert!(readiness.contains("\ncertificate: for "), "the rest is there: {readiness}");
    assert_eq!(server.admin("/livez").await.0, StatusCode::OK, "nobody should start it again");
    let (status, said) = ask(&server).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "failurePolicy decides");
    assert!(said.starts_with("no policies are in force yet"), "{said}");
    let metrics = server.metrics().await;
    assert_eq!(metrics.sum("restraint_policies_refused", &[]), 1.0);
    assert_eq!(metrics.sum("restraint_policies", &[]), 0.0);
    assert_eq!(metrics.label("restraint_policies_info", "digest"), None);
    assert_eq!(metrics.sum("restraint_reviews_total", &[("outcome", "no-policies")]), 1.0);

    // what is faulty in another way is told as well
    folder.swap(&[policy("file-wacth", "warn")]);
    let line = server.line("policies refused, and none are in force");
    assert_eq!(line["level"], "ERROR");
    assert!(line["error"].as_str().unwrap().contains("unknown rule \"file-wacth\""), "{line}");

    folder.swap(&[policy("memory-limit-decrease", "enforce")]);
    let ready = async || (server.admin("/readyz").await.0 == StatusCode::OK).then_some(());
    eventually("readiness", ready).await;
    assert_eq!(ask(&server).await.0, StatusCode::OK);
    let metrics = server.metrics().await;
    assert_eq!(metrics.sum("restraint_policies_refused", &[]), 0.0);
    assert_eq!(metrics.sum("restraint_policies", &[]), 1.0);
    let readiness = server.admin("/readyz").await.1;
    let in_force =
        format!("ok\npolicies: 1 in force, cap enforce, digest {}\n", server.digest().await);
    assert!(readiness.starts_with(&in_force), "{readiness}");

    // from now on there is something to keep
    folder.swap(&[policy("memory-limit-decrease", "loud")]);
    assert_eq!(server.line("policies refused, the old ones stay in force")["level"], "WARN");
    assert_eq!(server.admin("/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn in_a_pod_a_folder_that_is_not_there_is_waited_for() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("policies");
    let mut server = Server::start_in_pod(&["--policies", folder.to_str().unwrap()]);
    let readiness = server.admin("/readyz").await.1;
    assert!(readiness.contains("policies\" cannot be read: "), "{readiness}");
    let (name, text) = policy("file-watch", "warn");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
    let ready = async || (server.admin("/readyz").await.0 == StatusCode::OK).then_some(());
    eventually("readiness", ready).await;
    server.terminate();
    assert!(server.wait().success());
}

#[tokio::test]
async fn it_can_be_stopped_while_it_waits() {
    let folder = VolumeFolder::new(&[policy("file-watch", "loud")]);
    let mut server = Server::start_in_pod(&["--policies", folder.path()]);
    server.terminate();
    assert!(server.wait().success());
}

#[test]
fn whoever_waits_for_an_answer_gets_it() {
    let folder = VolumeFolder::new(&[policy("memory-limit-decrease", "loud")]);
    let serve = ["serve", "--policies", folder.path()];
    let check = [&serve[..], &["--check"]].concat();
    for (variables, flags) in [(&[][..], &serve[..]), (&[], &check), (&[IN_POD], &check)] {
        let (code, text, error) = call(env!("CARGO_BIN_EXE_restraint"), variables, flags);
        assert_eq!((code, &*text), (2, ""), "{variables:?} {flags:?}");
        assert!(error.contains(&format!("restraint: {FAULT}")), "{error}");
    }
}

/// What no file that comes later can put right ends it, in a pod as well.
#[test]
fn other_faults_end_it_in_a_pod_too() {
    let folder = VolumeFolder::new(&[policy("memory-limit-decrease", "loud")]);
    let serve = ["serve", "--policies", folder.path()];
    for (flags, expected) in [
        (&["--cap", "loud"][..], "a cap is \"enforce\", \"warn\" or \"audit\""),
        (&["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "cannot read certificate"),
        (&["--tls", "self"], "--tls self needs --tls-secret"),
    ] {
        let flags = [&serve[..], flags].concat();
        let (code, _, error) = call(env!("CARGO_BIN_EXE_restraint"), &[IN_POD], &flags);
        assert_eq!(code, 2, "{flags:?}");
        assert!(error.contains(expected), "{error}");
    }
}

/// What comes of a recorded review.
async fn ask(server: &Server) -> (StatusCode, String) {
    let (_, body) = recorded().into_iter().find(|(name, _)| name.ends_with(".validate")).unwrap();
    let (status, said) = server.client().await.post("/validate", body).await;
    (status, String::from_utf8(said.to_vec()).unwrap())
}
