//! The servers that Restraint is compared with, on the stack that Restraint uses: own accept loop,
//! rustls with aws-lc-rs, hyper.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response as AxumResponse};
use axum::routing::post;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Resource;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview};
use rustls::ServerConfig;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::certificate::Certificate;

/// The largest body, as Restraint has it.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// What the floor answers.
const CONSTANT: &[u8] = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"bf5d9867-fdbc-45ed-8049-01f043a3b5ac","allowed":true}}"#;

/// A server of this benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rival {
    /// Reads the body and answers a constant.
    Floor,
    /// Reads the body into kube's `AdmissionReview` of its type and allows it.
    Kube,
}

/// Serves until standard input ends: with the process that started it. Prints its address first.
pub(crate) fn run(rival: Rival, certificate: &Certificate) -> anyhow::Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let mut config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()?
    .with_no_client_auth()
    .with_single_cert(vec![certificate.read()?], certificate.read_key()?)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        let tls = TlsAcceptor::from(Arc::new(config));
        match rival {
            Rival::Floor => accept(listener, tls, service_fn(constant)).await,
            Rival::Kube => accept(listener, tls, TowerToHyperService::new(kube_routes())).await,
        }
    })
}

async fn accept<S, B>(listener: TcpListener, tls: TlsAcceptor, service: S) -> anyhow::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let (tls, service) = (tls.clone(), service.clone());
        tokio::spawn(async move {
            if let Ok(tls) = tls.accept(tcp).await {
                // a connection that breaks shows at the other end
                let _ = Builder::new(TokioExecutor::new())
                    .http1_only()
                    .serve_connection(TokioIo::new(tls), service)
                    .await;
            }
        });
    }
}

async fn constant(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let complete =
        request.into_body().collect().await.is_ok_and(|body| !body.to_bytes().is_empty());
    let mut response = Response::new(Full::new(Bytes::from_static(CONSTANT)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if !complete {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

fn kube_routes() -> Router {
    let routes = Router::new()
        .route("/pods", post(allow::<Pod>))
        .route("/configmaps", post(allow::<ConfigMap>))
        .route("/deployments", post(allow::<Deployment>));
    routes.layer(DefaultBodyLimit::max(BODY_LIMIT))
}

async fn allow<K: Resource<DynamicType = ()> + DeserializeOwned>(body: Bytes) -> AxumResponse {
    let request = serde_json::from_slice::<AdmissionReview<K>>(&body)
        .ok()
        .and_then(|review| review.try_into().ok());
    let Some(request): Option<AdmissionRequest<K>> = request else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match serde_json::to_vec(&AdmissionResponse::from(&request).into_review()) {
        Ok(answer) => {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], answer).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
