//! What the flags about the serving certificate come to, together.

use anyhow::bail;

use crate::cluster::NamespacedName;
use crate::serve::tls::shared::{Lifetimes, Sharing};

use super::Options;
use super::tls::TlsSource;

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
