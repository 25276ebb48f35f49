//! Stopping: what is in flight is answered, and nothing new is taken.

use std::io::ErrorKind;

use hyper::StatusCode;
use tokio::net::TcpStream;

use crate::server::{Server, eventually};
use crate::subjects::recorded;

#[tokio::test]
async fn what_is_half_sent_is_answered() {
    let mut server = Server::start(&[]);
    let body = review();
    let (one, other) = body.split_at(body.len() / 2);
    let mut idle = server.client().await;
    assert_eq!(idle.try_post("/validate", body.clone()).await.unwrap().0, StatusCode::OK);
    let mut sender = server.begin(&format!("content-length: {}", body.len())).await;
    sender.write(one).await;

    server.terminate();
    server.line("stopping");
    eventually("a closed port", async || refused(&server).await.then_some(())).await;
    let unready = async || {
        Some(server.admin("/readyz").await)
            .filter(|(status, _)| *status == StatusCode::SERVICE_UNAVAILABLE)
    };
    let (_, text) = eventually("unready", unready).await;
    assert!(text.starts_with("stopping\n"), "{text}");
    assert_eq!(
        server.admin("/livez").await.0,
        StatusCode::OK,
        "alive while it has something to answer"
    );
    assert!(idle.try_post("/validate", body.clone()).await.is_err(), "idle connections end");

    sender.write(other).await;
    let answer = sender.read_all().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"allowed\":true"), "{answer}");
    assert_eq!(server.wait().code(), Some(0));
}

#[tokio::test]
async fn nothing_in_flight_is_no_wait() {
    let mut server = Server::start(&[]);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    assert!(refused(&server).await);
}

#[tokio::test]
async fn the_second_signal_is_obeyed_at_once() {
    let mut server = Server::start(&[]);
    let _sender = server.begin("content-length: 1000").await;
    server.terminate();
    server.line("stopping");
    server.terminate();
    assert_eq!(server.wait().code(), Some(130));
}

/// Whether nobody listens any more.
async fn refused(server: &Server) -> bool {
    TcpStream::connect(server.reviews)
        .await
        .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// A review that is allowed.
fn review() -> Vec<u8> {
    recorded()
        .into_iter()
        .find(|(name, _)| name == "resize-cpu-only.pods-resize.validate")
        .unwrap()
        .1
}
