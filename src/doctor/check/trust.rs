//! CA bundles: whether the API server trusts the certificate of the service, and how long.

use rustls::pki_types::CertificateDer;

use crate::certificate::trust::vouches;
use crate::certificate::{Leaf, Pem, PemKind};
use crate::doctor::expiry::{days_left, time_left};
use crate::doctor::facts::{Facts, Installation};
use crate::doctor::hook::{self, Hook};
use crate::doctor::observation::{Observations, Severity};

/// The annotation that makes cert-manager write the bundle.
const INJECTED: &str = "cert-manager.io/inject-ca-from";

/// PemKind is wrong with a bundle.
type Fault = (Severity, String);

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        let hooks: Vec<_> = hook::of(facts, installation).collect();
        let before = observations.count();
        let served = served(installation);
        let faults = hooks
            .iter()
            .filter_map(|hook| Some((*hook, fault(facts, hook, served.as_deref().ok())?)))
            .map(|(hook, fault)| (hook, with_consequence(&hook, fault)));
        report(faults.collect(), observations);
        if let Err(reason) = &served {
            let remedy = "run it with the right to get the Secret, or name it with --tls-secret";
            let what = "whether the bundles match the certificate was";
            observations.unknown(installation.object(), what, reason, remedy);
        }
        if observations.count() == before && !hooks.is_empty() {
            let place = installation.object();
            observations
                .ok(place, "the CA bundle of every webhook matches the serving certificate");
        }
    }
    // without a bundle they trust whom the system trusts
    let foreign = hook::foreign_and_closed(facts).filter(|hook| hook.client.ca_bundle.is_some());
    report(
        foreign.filter_map(|hook| Some((hook, fault(facts, &hook, None)?))).collect(),
        observations,
    );
}

fn report(faults: Vec<(Hook<'_>, Fault)>, observations: &mut Observations<'_>) {
    for severity in [Severity::Problem, Severity::Warning, Severity::Note] {
        let same = faults
            .iter()
            .filter(|(_, fault)| fault.0 == severity)
            .map(|(hook, fault)| (*hook, fault.1.clone()));
        for (object, message) in hook::grouped(same) {
            let remedy = "renew the bundle: with cert-manager's injector, --webhook-configuration and --tls self, or tls.caBundle";
            observations.add(severity, object, message, Some(remedy.to_owned()));
        }
    }
}

/// The fault of one of our webhooks, with what happens while the API server does not trust it, where
/// nobody would notice.
fn with_consequence(hook: &Hook<'_>, (severity, message): Fault) -> Fault {
    if severity == Severity::Problem && hook.name == hook::PODS && !hook.fails_closed {
        return (severity, format!("{message}: {}", hook::WITHOUT_PODS));
    }
    (severity, message)
}

/// The chain that is served.
fn served(installation: &Installation) -> Result<Vec<(CertificateDer<'static>, Leaf)>, String> {
    let certificate = installation.certificate.as_ref().map_err(Clone::clone)?;
    let secret = format!("Secret {}", certificate.secret);
    let missing = || format!("there is no certificate in {secret}");
    let text = certificate.chain.clone().ok_or_else(missing)?;
    let pem = Pem { origin: secret, text };
    pem.read_certificates(PemKind::Certificate).map_err(|error| error.to_string())
}

/// PemKind is wrong with the bundle of a hook, as far as the certificates are known that it is for.
fn fault(
    facts: &Facts,
    hook: &Hook<'_>,
    served: Option<&[(CertificateDer<'static>, Leaf)]>,
) -> Option<Fault> {
    let Some(bundle) = hook.client.ca_bundle.as_ref().filter(|bundle| !bundle.0.is_empty()) else {
        let hint =
            if is_injected(facts, hook) { ": cert-manager has not written it yet" } else { "" };
        return Some((
            Severity::Problem,
            format!("has no CA bundle, so the API server does not trust the service{hint}"),
        ));
    };
    let pem = Pem { origin: "caBundle".to_owned(), text: bundle.0.clone() };
    let authorities = match pem.read_certificates(PemKind::Authority) {
        Ok(authorities) => authorities,
        Err(error) => return Some((Severity::Problem, error.to_string())),
    };
    let now = facts.now.as_second();
    let holds = |authority: &Leaf| (authority.not_before..=authority.not_after).contains(&now);
    let current: Vec<_> = authorities.iter().filter(|(_, authority)| holds(authority)).collect();
    let trusted: Vec<_> = match served {
        Some(chain) => {
            current.iter().filter(|(authority, _)| is_trusted(authority, chain)).collect()
        }
        None => current.iter().collect(),
    };
    let Some(longest) = trusted.iter().map(|(_, authority)| authority.not_after).max() else {
        let message = if current.is_empty() {
            "every authority in its CA bundle has expired".to_owned()
        } else {
            "its CA bundle does not match the certificate of the service".to_owned()
        };
        return Some((Severity::Problem, message));
    };
    if days_left(longest, now) < i64::from(facts.expiry_days) {
        return Some((
            Severity::Warning,
            format!("the authority in its CA bundle ends in {}", time_left(longest, now)),
        ));
    }
    let ended = authorities.len().saturating_sub(current.len());
    (ended > 0).then(|| {
        (
            Severity::Note,
            format!(
                "{ended} of the {} authorities in its CA bundle have expired or are not valid yet",
                authorities.len()
            ),
        )
    })
}

/// Whether callers who trust `authority` accept this chain: because it vouches for it, or because
/// it is the very same.
fn is_trusted(
    authority: &CertificateDer<'static>,
    chain: &[(CertificateDer<'static>, Leaf)],
) -> bool {
    let Some((leaf, fields)) = chain.first() else { return false };
    let certificates: Vec<_> = chain.iter().map(|(certificate, _)| certificate.clone()).collect();
    // dates of the certificate are looked at elsewhere
    leaf == authority || vouches(authority, &certificates, fields.not_before)
}

fn is_injected(facts: &Facts, hook: &Hook<'_>) -> bool {
    let mutating = facts.mutating.iter().flatten().map(|configuration| &configuration.metadata);
    let validating = facts.validating.iter().flatten().map(|configuration| &configuration.metadata);
    let mut named = mutating
        .chain(validating)
        .filter(|metadata| metadata.name.as_deref() == Some(hook.configuration));
    named.any(|metadata| {
        metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(INJECTED))
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use crate::certificate::testing::Authority;
    use crate::doctor::testing::{
        YEAR, authority, healthy, hook_mut, lines, mutating_mut, with_certificate, worst,
    };

    use super::*;

    #[test]
    fn every_bundle_has_to_vouch_for_the_certificate() {
        let facts = healthy();
        assert_eq!(
            lines(check, &facts),
            [
                "ok: Service restraint/restraint: the CA bundle of every webhook matches the serving certificate"
            ]
        );

        let mut facts = healthy();
        let other = ByteString(Authority::new().pem().into_bytes());
        hook_mut(&mut facts, "resize.restraint.dev").client_config.ca_bundle = Some(other.clone());
        hook_mut(&mut facts, "advice.restraint.dev").client_config.ca_bundle = Some(other.clone());
        assert_eq!(
            lines(check, &facts),
            [
                "problem: ValidatingWebhookConfiguration restraint, hook resize.restraint.dev, advice.restraint.dev: its CA bundle does not \
                 match the certificate of the service"
            ]
        );
        let both = [authority().pem(), String::from_utf8(other.0).unwrap()].concat();
        for name in ["resize.restraint.dev", "advice.restraint.dev"] {
            hook_mut(&mut facts, name).client_config.ca_bundle =
                Some(ByteString(both.clone().into_bytes()));
        }
        assert!(worst(check, &facts).starts_with("ok: "), "during a rotation both are trusted");
    }

    #[test]
    fn bundles_that_are_none_are_told() {
        let mut facts = healthy();
        mutating_mut(&mut facts, "pods.restraint.dev").client_config.ca_bundle = None;
        assert_eq!(
            worst(check, &facts),
            "problem: MutatingWebhookConfiguration restraint, hook pods.restraint.dev: has no CA bundle, so the API server does \
             not trust the service: new pods get no resizePolicy; policies in mode fix warn about them (only record those \
             of controllers) and count them in restraint_fix_missed_total, policies in mode enforce deny them"
        );
        mutating_mut(&mut facts, "pods.restraint.dev").client_config.ca_bundle =
            Some(ByteString(b"no pem".to_vec()));
        assert!(worst(check, &facts).contains("no authority in \"caBundle\""));
    }

    #[test]
    fn without_the_certificate_the_bundles_are_looked_at_alone() {
        let mut facts = healthy();
        facts.installations[0].certificate = Err("forbidden".to_owned());
        assert!(
            worst(check, &facts)
                .starts_with("unknown: Service restraint/restraint: whether the bundles match the certificate was not examined: forbidden")
        );
        mutating_mut(&mut facts, "pods.restraint.dev").client_config.ca_bundle = None;
        assert!(worst(check, &facts).starts_with("problem: "));
    }

    #[test]
    fn an_expired_certificate_is_not_the_bundles_fault() {
        let mut facts = healthy();
        let pair = authority().issue("restraint", &["restraint.restraint.svc"], YEAR - 1);
        with_certificate(&mut facts, &pair.certificate);
        assert!(worst(check, &facts).starts_with("ok: "));
    }
}
