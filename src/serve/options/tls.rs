//! The flags about the serving certificate, and how they go together.

use anyhow::bail;
use jiff::SignedDuration;

use crate::cluster::NamespacedName;
use crate::serve::tls::shared::{Lifetimes, Sharing};

use super::Options;

/// The shortest and the longest lifetime of a certificate, in seconds: what a trial needs, and ten
/// years.
const LIFETIMES: std::ops::RangeInclusive<i64> = 15..=10 * 365 * 86_400;

/// Where the serving certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TlsSource {
    /// From files.
    Files,
    /// From the service itself.
    #[value(name = "self")]
    Own,
}

impl Options {
    /// What is shared with other replicas, if the service keeps its certificates.
    ///
    /// # Errors
    ///
    /// Where flags do not go together.
    pub(in crate::serve) fn sharing(&self) -> anyhow::Result<Option<Sharing>> {
        let files = self.tls_cert.is_some();
        let secret = match (self.tls, &self.tls_secret) {
            (Some(TlsSource::Files), _) if !files => {
                bail!("--tls files needs --tls-cert and --tls-key")
            }
            (Some(TlsSource::Files) | None, None) => return Ok(None),
            (Some(TlsSource::Files) | None, Some(_)) => bail!("--tls-secret is for --tls self"),
            (Some(TlsSource::Own), None) => bail!("--tls self needs --tls-secret"),
            (Some(TlsSource::Own), Some(_)) if files => {
                bail!("--tls self and --tls-cert exclude each other")
            }
            (Some(TlsSource::Own), Some(secret)) => secret.clone(),
        };
        let Some(service) = &self.tls_service else { bail!("--tls self needs --tls-service") };
        let lifetimes = Lifetimes { leaf: self.leaf_lifetime, authority: self.ca_lifetime };
        if lifetimes.authority < lifetimes.leaf.saturating_mul(3) {
            bail!(
                "--ca-lifetime {:#} is less than three times --leaf-lifetime {:#}",
                lifetimes.authority,
                lifetimes.leaf
            );
        }
        Ok(Some(Sharing {
            names: names(service, &secret),
            secret,
            configurations: self.webhook_configuration.clone(),
            lifetimes,
        }))
    }
}

/// The names of a Service in the namespace of `secret`, sorted.
fn names(service: &str, NamespacedName { namespace, .. }: &NamespacedName) -> Vec<String> {
    let short = service.to_owned();
    let longer = ["", ".svc", ".svc.cluster.local"];
    let longer = longer.map(|end| format!("{service}.{namespace}{end}"));
    std::iter::once(short).chain(longer).collect()
}

/// Reads a lifetime: a number of days such as `90d`, or shorter units.
pub(super) fn lifetime(text: &str) -> Result<SignedDuration, String> {
    let days = |text: &str| {
        text.strip_suffix('d')?
            .parse::<u32>()
            .ok()
            .map(|days| SignedDuration::from_secs(i64::from(days).saturating_mul(86_400)))
    };
    let lifetime =
        days(text).or_else(|| text.parse().ok()).ok_or("a lifetime looks like 90d, 36h or 10m")?;
    if LIFETIMES.contains(&lifetime.as_secs()) {
        Ok(lifetime)
    } else {
        Err("a lifetime is from 15s to 3650d".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn sharing(flags: &str) -> Result<Option<Sharing>, String> {
        let line = Line::try_parse_from(std::iter::once("serve").chain(flags.split_whitespace()))
            .map_err(|error| error.to_string())?;
        line.options.sharing().map_err(|error| error.to_string())
    }

    #[test]
    fn flags_say_what_is_shared() {
        let all = "--tls self --tls-secret ops/pair --tls-service gate --webhook-configuration one --webhook-configuration two --leaf-lifetime 36h";
        let sharing_of = |flags: &str| sharing(flags).unwrap().unwrap();
        let shared = sharing_of(all);
        let names = ["gate", "gate.ops", "gate.ops.svc", "gate.ops.svc.cluster.local"];
        assert_eq!(
            (shared.names, shared.configurations),
            (names.map(str::to_owned).to_vec(), vec!["one".to_owned(), "two".to_owned()])
        );
        assert_eq!(
            (shared.lifetimes.leaf.as_hours(), shared.lifetimes.authority.as_hours()),
            (36, 1095 * 24)
        );
        assert_eq!(
            sharing_of("--tls self --tls-secret ops/pair --tls-service gate")
                .lifetimes
                .leaf
                .as_hours(),
            90 * 24
        );
        assert_eq!(sharing(""), Ok(None));
        assert_eq!(sharing("--tls files --tls-cert a --tls-key b"), Ok(None));
    }

    #[test]
    fn flags_that_do_not_go_together_are_refused() {
        for (flags, expected) in [
            ("--tls self", "needs --tls-secret"),
            ("--tls self --tls-secret ops/pair", "needs --tls-service"),
            ("--tls self --tls-secret ops/pair --tls-cert a --tls-key b", "exclude each other"),
            ("--tls files", "needs --tls-cert"),
            ("--tls-secret ops/pair", "is for --tls self"),
            (
                "--tls self --tls-secret ops/pair --tls-service a --ca-lifetime 200d",
                "less than three times",
            ),
            ("--leaf-lifetime 14s", "from 15s to 3650d"),
            ("--leaf-lifetime 4000d", "from 15s to 3650d"),
            ("--leaf-lifetime soon", "looks like 90d"),
        ] {
            let error = sharing(flags).unwrap_err();
            assert!(error.contains(expected), "{flags}: {error}");
        }
    }
}
