//! A webhook of somebody else: an injector of sidecars that renders its container anew each time it
//! is asked, as several do. What others wrote into that container is lost.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::certificate::Certificate;

/// The name of what it injects.
pub(crate) const SIDECAR: &str = "proxy";

/// A running injector.
pub(crate) struct Injector {
    port: u16,
    authority: String,
    _runtime: Runtime,
}

impl Injector {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let certificate = Certificate::new(&["127.0.0.1"]);
        let chain =
            vec![CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        runtime.spawn(serve(listener, acceptor));
        Self { port, authority: certificate.authority, _runtime: runtime }
    }

    /// What makes the API server ask it about new pods in namespaces with the label `label`. Hooks
    /// are asked in the order of the names of their configurations.
    pub(crate) fn configuration(&self, name: &str, label: (&str, &str)) -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{
                "name": "inject.e2e.example",
                "clientConfig": {
                    "url": format!("https://127.0.0.1:{}/", self.port),
                    "caBundle": STANDARD.encode(&self.authority),
                },
                "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
                "namespaceSelector": {"matchLabels": {label.0: label.1}},
                "reinvocationPolicy": "IfNeeded",
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "timeoutSeconds": 30,
                "admissionReviewVersions": ["v1"],
            }],
        })
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            let _ = connection.await; // the API server may leave when it likes
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let review: Value = serde_json::from_slice(&body).unwrap();
    let patch = json!([{"op": "add", "path": "/spec/initContainers", "value": injected(&review["request"]["object"])}]);
    let answer = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": review["request"]["uid"], "allowed": true,
            "patchType": "JSONPatch", "patch": STANDARD.encode(patch.to_string()),
        },
    });
    let response = Response::builder().header(CONTENT_TYPE, "application/json");
    Ok(response.body(Full::from(answer.to_string())).unwrap())
}

/// The init containers of `pod` with its own, as it makes it.
fn injected(pod: &Value) -> Vec<Value> {
    let others = pod["spec"]["initContainers"].as_array().into_iter().flatten();
    let sidecar = json!({
        "name": SIDECAR, "image": "registry.k8s.io/pause:3.10", "restartPolicy": "Always",
        "resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    });
    others.filter(|container| container["name"] != SIDECAR).cloned().chain([sidecar]).collect()
}
