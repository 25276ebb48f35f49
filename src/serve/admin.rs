//! The admin port: liveness, readiness, metrics. Plain HTTP, no secrets.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::metrics::SharedMetrics;

/// What readiness depends on. Policies and keys are loaded before the port opens, so only stopping,
/// namespaces that were never listed, and seal keys or a shared certificate that were never read
/// make a server unready; what was refused since is told as a detail, and so is a ca bundle that
/// cannot be written: callers may well have it.
#[derive(Debug, Default)]
pub struct Health {
    stopping: AtomicBool,
    policies: Mutex<Detail>,
    certificate: Mutex<Detail>,
    namespaces: Mutex<Detail>,
    seal_keys: Mutex<Detail>,
    bundle: Mutex<Detail>,
    awaited: AtomicBool,
    seal_keys_awaited: AtomicBool,
    certificate_awaited: AtomicBool,
}

/// What there is to say of something that is followed.
#[derive(Clone, Debug, Default)]
struct Detail {
    in_force: String,
    trouble: Option<Trouble>,
}

/// Why what is in force is not the newest.
#[derive(Clone, Debug)]
enum Trouble {
    /// What there is now is faulty.
    Refused(String),
    /// What there is now can be neither read nor put right.
    Unreachable(String),
}

impl Health {
    /// From now on the server is not ready: it is about to stop.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// From now on the server is not ready until namespaces were listed.
    pub fn await_namespaces(&self) {
        self.awaited.store(true, Ordering::Relaxed);
    }

    /// Takes note of what is known of namespaces; whatever it is, they are not awaited any longer.
    pub fn namespaces(&self, known: String) {
        note(&self.namespaces, known, None);
        self.awaited.store(false, Ordering::Relaxed);
    }

    /// From now on the server is not ready until it has seal keys.
    pub fn await_seal_keys(&self) {
        self.seal_keys_awaited.store(true, Ordering::Relaxed);
    }

    /// Takes note of the seal keys in force, which are not awaited any longer.
    pub fn seal_keys(&self, in_force: String) {
        note(&self.seal_keys, in_force, None);
        self.seal_keys_awaited.store(false, Ordering::Relaxed);
    }

    /// Takes note of why seal keys cannot be read now. Those in force stay; where there is none
    /// yet, they are awaited on.
    pub fn seal_keys_unread(&self, why: String) {
        self.seal_keys.lock().unwrap_or_else(PoisonError::into_inner).trouble =
            Some(Trouble::Unreachable(why));
    }

    /// Takes note of the policies in force, and of why a newer set was refused.
    pub fn policies(&self, in_force: String, refused: Option<String>) {
        note(&self.policies, in_force, refused);
    }

    /// Takes note of the certificate in force, and of why a newer one was refused.
    pub fn certificate(&self, in_force: String, refused: Option<String>) {
        note(&self.certificate, in_force, refused);
    }

    /// From now on the server is not ready until it serves the certificate that replicas share.
    pub fn await_certificate(&self) {
        self.certificate_awaited.store(true, Ordering::Relaxed);
    }

    /// Takes note that the server serves the certificate that replicas share.
    pub fn certificate_served(&self) {
        self.certificate_awaited.store(false, Ordering::Relaxed);
    }

    /// Takes note of why the certificate that replicas share cannot be read or written now.
    pub fn certificate_unread(&self, why: String) {
        self.certificate.lock().unwrap_or_else(PoisonError::into_inner).trouble =
            Some(Trouble::Unreachable(why));
    }

    /// Takes note of whether callers were told whom to trust.
    pub fn bundle(&self, known: String) {
        note(&self.bundle, known, None);
    }

    pub(super) fn report(&self) -> (StatusCode, String) {
        let (stopping, awaited) =
            (self.stopping.load(Ordering::Relaxed), self.awaited.load(Ordering::Relaxed));
        let reasons = [
            (stopping, "stopping"),
            (awaited, "waiting for the list of namespaces"),
            (self.seal_keys_awaited.load(Ordering::Relaxed), "waiting for seal keys"),
            (
                self.certificate_awaited.load(Ordering::Relaxed),
                "waiting for the shared certificate",
            ),
        ];
        let reason = reasons.into_iter().find(|(holds, _)| *holds);
        let (status, word) = reason.map_or((StatusCode::OK, "ok"), |(_, reason)| {
            (StatusCode::SERVICE_UNAVAILABLE, reason)
        });
        let mut report = format!("{word}\n");
        let details = [
            ("policies", &self.policies),
            ("certificate", &self.certificate),
            ("ca bundle", &self.bundle),
            ("namespaces", &self.namespaces),
            ("seal keys", &self.seal_keys),
        ];
        for (what, detail) in details {
            let Detail { in_force, trouble } =
                detail.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if !in_force.is_empty() {
                let _ = writeln!(report, "{what}: {in_force}");
            }
            let (trouble, why) = match trouble {
                None => continue,
                Some(Trouble::Refused(why)) => ("a newer one is refused", why),
                Some(Trouble::Unreachable(why)) => ("cannot be read or written now", why),
            };
            let _ =
                writeln!(report, "{what}: {trouble}:\n  {}", why.trim_end().replace('\n', "\n  "));
        }
        (status, report)
    }
}

/// The routes of the admin port.
pub fn routes(health: Arc<Health>, metrics: SharedMetrics) -> Router {
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

fn note(detail: &Mutex<Detail>, in_force: String, refused: Option<String>) {
    *detail.lock().unwrap_or_else(PoisonError::into_inner) =
        Detail { in_force, trouble: refused.map(Trouble::Refused) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_faulty_and_what_cannot_be_read_are_told_apart() {
        let health = Health::default();
        health.certificate("for a".to_owned(), Some("no key\nat all\n".to_owned()));
        health.await_seal_keys();
        health.seal_keys_unread("forbidden".to_owned());
        let report = "waiting for seal keys\ncertificate: for a\ncertificate: a newer one is refused:\n  no key\n  at all\n\
                      seal keys: cannot be read or written now:\n  forbidden\n";
        assert_eq!(health.report(), (StatusCode::SERVICE_UNAVAILABLE, report.to_owned()));
        health.seal_keys("k1".to_owned());
        health.certificate_unread("timeout".to_owned());
        let report = "ok\ncertificate: for a\ncertificate: cannot be read or written now:\n  timeout\nseal keys: k1\n";
        assert_eq!(health.report(), (StatusCode::OK, report.to_owned()));
    }
}
