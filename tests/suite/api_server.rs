//! An API server made of routes, and the way to it.

use std::path::PathBuf;

use axum::Router;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Starts to answer with `routes`. A kubeconfig leads there; it is gone with its folder.
pub(crate) async fn api_server(routes: Router) -> (TempDir, PathBuf) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "restraint", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "restraint"}}],
    });
    std::fs::write(&path, config.to_string()).unwrap();
    (folder, path)
}
