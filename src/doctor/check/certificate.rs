//! The serving certificate: whether it exists, is for the right name, and is valid long enough.

use crate::certificate::{Pem, PemKind};
use crate::cluster::NamespacedName;
use crate::doctor::expiry::{days_left, time_left};
use crate::doctor::facts::{Facts, Installation};
use crate::doctor::observation::Observations;
use crate::kube::name::describe;

const RENEW: &str = "renew it: with cert-manager, --tls self, or as in certs/README.md";

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        examine(facts, installation, observations);
    }
}

fn examine(facts: &Facts, installation: &Installation, observations: &mut Observations<'_>) {
    let certificate = match &installation.certificate {
        Ok(certificate) => certificate,
        Err(reason) => {
            let place = installation.object();
            let remedy = "run it with the right to get the Secret, or look at restraint_certificate_expiry_timestamp";
            return observations.unknown(place, "its certificate was", reason, remedy);
        }
    };
    let secret = describe("Secret", &certificate.secret.namespace, &certificate.secret.name);
    let Some(text) = certificate.chain.clone() else {
        let message = "does not exist or has no tls.crt: the service has no certificate";
        return observations.problem(
            secret,
            message,
            "create it, or name another with --tls-secret",
        );
    };
    let chain = match (Pem { origin: "tls.crt".to_owned(), text })
        .read_certificates(PemKind::Certificate)
    {
        Ok(chain) => chain,
        Err(error) => return observations.problem(secret, error.to_string(), RENEW),
    };
    let Some((_, leaf)) = chain.first() else { return };
    let now = facts.now.as_second();
    let before = observations.count();
    if let Some(fault) = leaf.fault(now) {
        observations.problem(&secret, fault, RENEW);
    } else if days_left(leaf.not_after, now) < i64::from(facts.expiry_days) {
        observations.warning(
            &secret,
            format!("certificate expires in {}", time_left(leaf.not_after, now)),
            RENEW,
        );
    }
    let NamespacedName { namespace, name } = &installation.service;
    let host = format!("{name}.{namespace}.svc");
    if !leaf.names.is_empty() && !leaf.names.iter().any(|name| is_for(name, &host)) {
        let message = format!(
            "certificate is for {}, but the API server expects {host}",
            leaf.names.join(", ")
        );
        observations.problem(&secret, message, RENEW);
    }
    if observations.count() == before {
        observations.ok(
            &secret,
            format!("certificate is for {host} and expires in {}", time_left(leaf.not_after, now)),
        );
    }
}

/// Whether a certificate with this name is for `host`.
fn is_for(name: &str, host: &str) -> bool {
    let any = |rest: &str| {
        host.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest))
    };
    name.eq_ignore_ascii_case(host) || name.strip_prefix("*.").is_some_and(any)
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{YEAR, authority, healthy, lines, with_certificate, worst};

    use super::*;

    fn with(names: &[&str], until: i32) -> String {
        let mut facts = healthy();
        with_certificate(&mut facts, &authority().issue("restraint", names, until).certificate);
        worst(check, &facts)
    }

    #[test]
    fn a_certificate_is_for_a_name_and_a_time() {
        let facts = healthy();
        let [line] = &lines(check, &facts)[..] else { panic!("one line") };
        assert!(line.starts_with("ok: Secret restraint/restraint-tls: certificate is for restraint.restraint.svc and expires in "), "{line}");
        assert!(with(&["*.restraint.svc"], YEAR + 1).starts_with("ok: "));
        assert!(
            with(&["restraint.restraint.svc"], YEAR - 1)
                .starts_with("problem: Secret restraint/restraint-tls: certificate expired ")
        );
        assert!(with(&["gate.restraint.svc"], YEAR + 1).ends_with(
            "is for gate.restraint.svc, but the API server expects restraint.restraint.svc"
        ));
        assert!(with(&[], YEAR + 1).contains("names no host"));
        assert!(!is_for("*.svc", "restraint.restraint.svc"));
    }

    #[test]
    fn a_certificate_that_expires_soon_is_warned_about() {
        let mut facts = healthy();
        facts.expiry_days = 3650;
        assert!(
            worst(check, &facts)
                .starts_with("warning: Secret restraint/restraint-tls: certificate expires in ")
        );
    }

    #[test]
    fn no_certificate_and_no_right_to_see_it_differ() {
        let mut facts = healthy();
        facts.installations[0].certificate.as_mut().unwrap().chain = None;
        assert!(worst(check, &facts).starts_with(
            "problem: Secret restraint/restraint-tls: does not exist or has no tls.crt"
        ));
        facts.installations[0].certificate.as_mut().unwrap().chain = Some(b"none".to_vec());
        assert!(worst(check, &facts).contains("no certificate in \"tls.crt\""));
        facts.installations[0].certificate = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
    }
}
