//! The admin port: liveness, readiness, metrics. Plain HTTP, no secrets.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::health::Health;
use super::metrics::SharedMetrics;

/// The routes of the admin port.
pub(super) fn routes(health: Arc<Health>, metrics: SharedMetrics) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route(
            "/readyz",
            get(|State(health): State<Arc<Health>>| async move { health.report() })
                .with_state(health),
        )
        .route(
            "/metrics",
            get(|State(metrics): State<SharedMetrics>| async move { render(&metrics) })
                .with_state(metrics),
        )
        .fallback(|| async {
            (StatusCode::NOT_FOUND, "this port has /livez, /readyz and /metrics\n")
        })
}

fn render(metrics: &super::metrics::Metrics) -> impl IntoResponse + use<> {
    (
        [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
        metrics.render(),
    )
}
