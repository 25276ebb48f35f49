//! The admin port: liveness, readiness, metrics. Plain HTTP, no secrets.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use super::health::Health;

/// What metrics are.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The routes of the admin port. Metrics are what `render` says, as OpenMetrics text; `hint` says
/// what there is to whoever asks for something else.
pub(crate) fn routes<R>(health: Arc<Health>, render: R, hint: &'static str) -> Router
where
    R: Fn() -> String + Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route(
            "/readyz",
            get(|State(health): State<Arc<Health>>| async move { health.report() })
                .with_state(health),
        )
        .route("/metrics", get(async move || ([(CONTENT_TYPE, OPEN_METRICS)], render())))
        .fallback(async move || (StatusCode::NOT_FOUND, hint))
}
