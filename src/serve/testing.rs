//! An API server for tests: whatever routes a test gives it.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use kube::{Client, Config};
use serde_json::Value;
use tokio::net::TcpListener;

/// A client of an API server with these routes, which lives as long as the test.
pub(super) async fn api_server(routes: Router) -> Client {
    Client::try_from(access(routes).await).unwrap()
}

/// The way to an API server with these routes, which lives as long as the test.
pub(super) async fn access(routes: Router) -> Config {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Config::new(format!("http://{address}").parse().unwrap())
}

pub(super) async fn body(request: Request) -> Value {
    serde_json::from_slice(&request.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

pub(super) fn json(status: u16, body: &Value) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}
