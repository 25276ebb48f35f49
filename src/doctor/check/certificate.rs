//! The serving certificate: whether it is there, for the right name, and how long.

use crate::certificate::{Pem, What};
use crate::doctor::facts::{Facts, Installation};
use crate::doctor::names::object;
use crate::doctor::observation::Observations;

/// Seconds.
const DAY: i64 = 24 * 60 * 60;

const RENEW: &str =
    "have it issued anew: cert-manager, the service itself with --tls self, or certs/README.md";

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        examine(facts, installation, observations);
    }
}

fn examine(facts: &Facts, installation: &Installation, observations: &mut Observations<'_>) {
    let certificate = match &installation.certificate {
        Ok(certificate) => certificate,
        Err(reason) => {
            let place = object("Service", &installation.namespace, &installation.name);
            let remedy = "run it with the right to get the Secret, or look at restraint_certificate_expiry_timestamp";
            return observations.unknown(place, "its certificate was", reason, remedy);
        }
    };
    let secret = object("Secret", &certificate.secret.0, &certificate.secret.1);
    let Some(text) = certificate.chain.clone() else {
        let message = "has no tls.crt, or is not there: the service has no certificate to show";
        return observations.problem(secret, message, "make it, or name another with --tls-secret");
    };
    let chain =
        match (Pem { origin: "tls.crt".to_owned(), text }).read_certificates(What::Certificate) {
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
            format!("certificate ends in {}", time_left(leaf.not_after, now)),
            RENEW,
        );
    }
    let host = format!("{}.{}.svc", installation.name, installation.namespace);
    if !leaf.names.is_empty() && !leaf.names.iter().any(|name| is_for(name, &host)) {
        let message = format!(
            "certificate is for {}, and the API server looks for {host}",
            leaf.names.join(", ")
        );
        observations.problem(&secret, message, RENEW);
    }
    if observations.count() == before {
        observations.ok(
            &secret,
            format!("certificate is for {host} and ends in {}", time_left(leaf.not_after, now)),
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

/// Whole days from `now` to `end`, both in seconds since 1970.
pub(super) fn days_left(end: i64, now: i64) -> i64 {
    end.saturating_sub(now).div_euclid(DAY)
}

/// The time from `now` to `end` in words.
pub(super) fn time_left(end: i64, now: i64) -> String {
    match days_left(end, now) {
        0 => format!("{} h", end.saturating_sub(now) / 3600),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::testing::{YEAR, authority, healthy, said, with_certificate, worst};

    use super::*;

    fn with(names: &[&str], until: i32) -> String {
        let mut facts = healthy();
        with_certificate(&mut facts, &authority().issue("restraint", names, until).certificate);
        worst(check, &facts)
    }

    #[test]
    fn a_certificate_is_for_a_name_and_a_time() {
        let facts = healthy();
        let [line] = &said(check, &facts)[..] else { panic!("one line") };
        assert!(line.starts_with("ok: Secret restraint/restraint-tls: certificate is for restraint.restraint.svc and ends in "), "{line}");
        assert!(with(&["*.restraint.svc"], YEAR + 1).starts_with("ok: "));
        assert!(
            with(&["restraint.restraint.svc"], YEAR - 1)
                .starts_with("problem: Secret restraint/restraint-tls: certificate expired ")
        );
        assert!(with(&["gate.restraint.svc"], YEAR + 1).ends_with(
            "is for gate.restraint.svc, and the API server looks for restraint.restraint.svc"
        ));
        assert!(with(&[], YEAR + 1).contains("names no host"));
        assert!(!is_for("*.svc", "restraint.restraint.svc"));
    }

    #[test]
    fn a_certificate_that_ends_soon_is_warned_about() {
        let mut facts = healthy();
        facts.expiry_days = 3650;
        assert!(
            worst(check, &facts)
                .starts_with("warning: Secret restraint/restraint-tls: certificate ends in ")
        );
        assert_eq!(
            (time_left(DAY, 0), time_left(5 * DAY, 1), time_left(7200, 0)),
            ("1 day".to_owned(), "4 days".to_owned(), "2 h".to_owned())
        );
    }

    #[test]
    fn no_certificate_and_no_right_to_see_it_differ() {
        let mut facts = healthy();
        facts.installations[0].certificate.as_mut().unwrap().chain = None;
        assert!(
            worst(check, &facts)
                .starts_with("problem: Secret restraint/restraint-tls: has no tls.crt")
        );
        facts.installations[0].certificate.as_mut().unwrap().chain = Some(b"none".to_vec());
        assert!(worst(check, &facts).contains("no certificate in \"tls.crt\""));
        facts.installations[0].certificate = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
    }
}
