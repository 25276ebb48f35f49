//! The latest report, for browsers and for programs.

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use std::sync::Arc;

use crate::audit::html;
use crate::audit::report::Report;
use crate::terminal;

/// What is said before there is any.
const NONE: &str = "no audit is done yet: /readyz says why\n";

/// The latest report.
#[derive(Debug, Default)]
pub(super) struct Site(ArcSwapOption<Page>);

#[derive(Debug)]
struct Page {
    html: Bytes,
    json: Bytes,
}

impl Site {
    /// Shows this report from now on.
    ///
    /// # Errors
    ///
    /// Where it cannot be written as JSON.
    pub(super) fn show(&self, report: &Report) -> anyhow::Result<()> {
        let page = Page {
            html: Bytes::from(html::render(report)?),
            json: Bytes::from(terminal::json(report)?),
        };
        self.0.store(Some(Arc::new(page)));
        Ok(())
    }

    fn answer(&self, kind: &'static str, of: impl Fn(&Page) -> &Bytes) -> Response {
        let page = self.0.load();
        let Some(page) = &*page else {
            return (StatusCode::SERVICE_UNAVAILABLE, NONE).into_response();
        };
        let headers = [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, of(page).clone()).into_response()
    }
}

/// Where it is.
pub(super) fn routes(site: Arc<Site>) -> Router {
    let html = |State(site): State<Arc<Site>>| async move {
        site.answer("text/html; charset=utf-8", |page| &page.html)
    };
    let json = |State(site): State<Arc<Site>>| async move {
        site.answer("application/json", |page| &page.json)
    };
    Router::new().route("/", get(html)).route("/report.json", get(json)).with_state(site)
}
