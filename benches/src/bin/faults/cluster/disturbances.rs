//! What is done to an installation.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::api::Cluster;
use super::requests::Requests;

/// How long anything may take on a slow node.
const PATIENCE: Duration = Duration::from_secs(600);

/// As kubectl has it.
const TIMEOUT: &str = "--timeout=600s";

/// After so long a drain waits for a place for what it evicted: on a single node there is none.
const EVICTED: Duration = Duration::from_secs(15);

const DEPLOYMENT: &str = "deployment/restraint";
const PODS: &str = "app.kubernetes.io/name=restraint";
const CERTIFICATE: &str = "restraint-tls";
const SEAL: &str = "restraint-seal";
const POLICIES: &str = "restraint-policies";

/// Something that happens to clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disturbance {
    Nothing,
    RollingRestart,
    Deletion,
    Drain,
    Certificate,
    Authority,
    Seal,
    Policy,
    /// What the caller names, and the command for it.
    Other(String, String),
}

impl Disturbance {
    pub(super) const BUILT_IN: [Self; 8] = [
        Self::Nothing,
        Self::RollingRestart,
        Self::Deletion,
        Self::Drain,
        // before the others, because a new key only seals five minutes later
        Self::Seal,
        Self::Certificate,
        Self::Authority,
        Self::Policy,
    ];

    /// Whether nothing can be promised but that hooks fail closed.
    pub(super) fn may_refuse(&self) -> bool {
        matches!(self, Self::Other(..))
    }

    /// Does it, and returns when the installation is whole again.
    pub(super) async fn happen(
        &self,
        cluster: &Cluster,
        requests: &Requests,
    ) -> anyhow::Result<()> {
        match self {
            Self::Nothing => {
                tokio::time::sleep(Duration::from_secs(20)).await;
                Ok(())
            }
            Self::RollingRestart => {
                cluster.kubectl(&["rollout", "restart", DEPLOYMENT]).await?;
                whole(cluster).await
            }
            Self::Deletion => {
                let pod = replicas(cluster).await?.pop().context("no replica runs")?;
                cluster.kubectl(&["delete", "pod", &pod.name, TIMEOUT]).await?;
                whole(cluster).await
            }
            Self::Drain => drain(cluster).await,
            Self::Certificate => renew(cluster, "tls.key", &["tls.crt"]).await,
            Self::Authority => renew(cluster, "ca.key", &["ca.crt", "tls.crt"]).await,
            Self::Seal => seal(cluster).await,
            Self::Policy => policy(cluster, requests).await,
            Self::Other(_, command) => {
                cluster.shell(command).await?;
                // what the API server knows of pods may be of before
                requests.until_right().await?;
                whole(cluster).await
            }
        }
    }
}

impl Display for Disturbance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nothing => "nothing",
            Self::RollingRestart => "rolling-restart",
            Self::Deletion => "deletion",
            Self::Drain => "drain",
            Self::Certificate => "certificate",
            Self::Authority => "authority",
            Self::Seal => "seal",
            Self::Policy => "policy",
            Self::Other(name, _) => name,
        })
    }
}

impl FromStr for Disturbance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((name, command)) = text.split_once('=') {
            return Ok(Self::Other(name.to_owned(), command.to_owned()));
        }
        Self::BUILT_IN.into_iter().find(|built_in| built_in.to_string() == text).ok_or_else(|| {
            format!("known are {}", Self::BUILT_IN.map(|built_in| built_in.to_string()).join(", "))
        })
    }
}

/// A pod of the service.
#[derive(Debug)]
struct Replica {
    name: String,
    node: String,
}

/// The replicas that are on a node.
async fn replicas(cluster: &Cluster) -> anyhow::Result<Vec<Replica>> {
    let list = cluster.kubectl(&["get", "pods", "--selector", PODS, "--output", "json"]).await?;
    let list: Value = serde_json::from_str(&list)?;
    let text = |pod: &Value, path: &str| Some(pod.pointer(path)?.as_str()?.to_owned());
    let pods = list.get("items").and_then(Value::as_array).context("no pods")?;
    let replica = |pod| {
        Some(Replica { name: text(pod, "/metadata/name")?, node: text(pod, "/spec/nodeName")? })
    };
    Ok(pods.iter().filter_map(replica).collect())
}

/// Waits until every replica is of the last revision and ready.
async fn whole(cluster: &Cluster) -> anyhow::Result<()> {
    cluster.kubectl(&["rollout", "status", DEPLOYMENT, TIMEOUT]).await.map(drop)
}

/// Every node with a replica in turn, as for its upgrade. Where there is no other node, this one
/// takes pods again before all are gone: their budget lets one go at a time.
async fn drain(cluster: &Cluster) -> anyhow::Result<()> {
    let mut nodes: Vec<_> = replicas(cluster).await?.into_iter().map(|pod| pod.node).collect();
    nodes.sort();
    nodes.dedup();
    ensure!(!nodes.is_empty(), "no replica is on a node");
    for node in nodes {
        let selector = format!("--pod-selector={PODS}");
        let flags = ["drain", &node, &selector, "--delete-emptydir-data", TIMEOUT];
        let drained = cluster.kubectl(&flags);
        let back = async {
            tokio::time::sleep(EVICTED).await;
            cluster.kubectl(&["uncordon", &node]).await
        };
        let (drained, back) = tokio::join!(drained, back);
        drained?;
        back?;
        whole(cluster).await?;
    }
    Ok(())
}

/// Takes an entry out of the Secret of certificates, and waits until the service made `entries`
/// anew.
async fn renew(cluster: &Cluster, taken: &str, entries: &[&str]) -> anyhow::Result<()> {
    let before = cluster.object("secret", CERTIFICATE).await?;
    let patch = json!({"data": {taken: null}}).to_string();
    cluster.kubectl(&["patch", "secret", CERTIFICATE, "--type=merge", "--patch", &patch]).await?;
    let entry = |secret: &Value, name: &str| secret.get("data")?.get(name).cloned();
    until(cluster, CERTIFICATE, |now| {
        entries
            .iter()
            .all(|name| entry(now, name).is_some_and(|it| Some(it) != entry(&before, name)))
    })
    .await
}

/// Makes the youngest key look old, and waits for its successor.
async fn seal(cluster: &Cluster) -> anyhow::Result<()> {
    let secret = cluster.object("secret", SEAL).await?;
    let data = secret.get("data").and_then(Value::as_object).context("there are no seal keys")?;
    let (youngest, key) = data.iter().next_back().context("there are no seal keys")?;
    let count = data.len();
    // its creation is its name, and a key lives for 30 days
    let patch = json!({"data": {youngest: null, "20200101T000000Z": key}}).to_string();
    cluster.kubectl(&["patch", "secret", SEAL, "--type=merge", "--patch", &patch]).await?;
    until(cluster, SEAL, |now| {
        now.get("data").and_then(Value::as_object).is_some_and(|keys| keys.len() > count)
    })
    .await
}

async fn until(
    cluster: &Cluster,
    secret: &str,
    mut is_so: impl FnMut(&Value) -> bool,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !is_so(&cluster.object("secret", secret).await?) {
        if begun.elapsed() > PATIENCE {
            bail!("the service does not renew what was taken out of {secret}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// The policy that amends new pods only warns, and amends again.
async fn policy(cluster: &Cluster, requests: &Requests) -> anyhow::Result<()> {
    const FILE: &str = "memory-resize-policy.yaml";
    let policies = cluster.object("configmap", POLICIES).await?;
    let text = policies
        .get("data")
        .and_then(|data| data.get(FILE))
        .and_then(Value::as_str)
        .with_context(|| format!("{POLICIES} has no {FILE}"))?;
    ensure!(text.contains("mode: fix"), "{FILE} is not in the mode of the chart");
    requests.may_be_unfixed(true);
    for (text, fixed) in [(text.replace("mode: fix", "mode: warn"), false), (text.to_owned(), true)]
    {
        let patch = json!({"data": {FILE: text}}).to_string();
        let arguments = ["patch", "configmap", POLICIES, "--type=merge", "--patch", &patch];
        cluster.kubectl(&arguments).await?;
        requests.until_fixed(fixed).await?;
    }
    requests.may_be_unfixed(false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbance_has_a_name_or_is_a_command() {
        assert_eq!("drain".parse(), Ok(Disturbance::Drain));
        let other = Disturbance::Other("power loss".to_owned(), "off --now=1".to_owned());
        assert_eq!("power loss=off --now=1".parse(), Ok(other));
        assert!("dran".parse::<Disturbance>().unwrap_err().contains("rolling-restart, deletion"));
    }
}
