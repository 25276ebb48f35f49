//! Measures the latency that Restraint adds, by resizes of a pod of our own in dry runs.
//!
//! A dry run creates nothing that could be resized, so there has to be a pod for a moment. It is
//! held back from every node by a scheduling gate: no image is pulled, and no container runs. It is
//! deleted whatever happens.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use k8s_openapi::api::admissionregistration::v1::MatchCondition;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::signals::{stop_signal, stopped};

use super::facts::{Fact, Facts, Measurement};
use super::{hook, reach};

/// The webhook that is called for growth.
const GROWTH: &str = "resize-advice.restraint.dev";

/// What holds the pod back.
const GATE: &str = "restraint.dev/probe";

/// Who denies, if it is not Restraint.
pub(super) const OTHERS: &str = "others";

/// Measures in the namespace of `cluster`.
pub(super) async fn measure(cluster: &Cluster, facts: &Facts, count: u16) -> Fact<Measurement> {
    let ours = || facts.installations.iter().flat_map(|installation| hook::of(facts, installation));
    if let Err(reason) = &facts.validating {
        return Err(format!("whether Restraint covers that namespace is not known: {reason}"));
    }
    let Some(growth) =
        ours().find(|hook| hook.name == GROWTH && reach::reaches(facts, hook, &cluster.namespace))
    else {
        return Err(format!(
            "Restraint does not cover resizes in namespace {:?}",
            cluster.namespace
        ));
    };
    let probe = Probe {
        pods: cluster.pods(),
        name: name(),
        calls_for_cpu: growth.conditions.iter().any(looks_at_cpu),
    };
    let stop = stop_signal().map_err(|error| error.to_string())?;
    // once it is asked for, the pod is waited for: what is deleted before it is there would stay
    let measured = match probe.create().await {
        Ok(()) => tokio::select! {
            measured = probe.measure(count) => measured,
            () = stopped(stop) => Err("it was interrupted".to_owned()),
        },
        Err(error) if is_refusal(&error) => return Err(error_message(&error)),
        Err(error) => Err(error_message(&error)),
    };
    probe.delete().await.map_err(|error| {
        let (name, namespace) = (&probe.name, &cluster.namespace);
        format!(
            "its pod could not be deleted: {}; kubectl delete pod {name} -n {namespace}",
            error_message(&error)
        )
    })?;
    let (denied_by, (asked, unasked)) = measured?;
    Ok(Measurement {
        namespace: cluster.namespace.clone(),
        denied_by,
        asked,
        unasked,
        unasked_are: probe.unasked_are(),
    })
}

/// Whether it lets through every resize of cpu, and not only where that restarts the container.
fn looks_at_cpu(condition: &MatchCondition) -> bool {
    condition.expression.contains("?cpu") && !condition.expression.contains("RestartContainer")
}

/// Whether it is certain that nothing was made.
fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code < 500)
}

struct Probe {
    pods: Api<Pod>,
    name: String,
    /// Whether resizes of cpu call Restraint as well.
    calls_for_cpu: bool,
}

/// How long those took that call Restraint, and the others.
type Times = (Vec<Duration>, Vec<Duration>);

impl Probe {
    async fn create(&self) -> kube::Result<()> {
        let pod = serde_json::from_value(pod(&self.name)).map_err(kube::Error::SerdeError)?;
        self.pods.create(&PostParams::default(), &pod).await.map(drop)
    }

    async fn measure(&self, count: u16) -> Fact<(Option<String>, Times)> {
        let denied_by = self.decrease().await.map_err(|error| error_message(&error))?;
        let times = self.times(count).await.map_err(|error| error_message(&error))?;
        Ok((denied_by, times))
    }

    async fn times(&self, count: u16) -> kube::Result<Times> {
        // connections are made by the first of each
        self.asked().await?;
        self.unasked().await?;
        let (mut asked, mut unasked) = (Vec::new(), Vec::new());
        for _ in 0..count {
            asked.push(self.asked().await?);
            unasked.push(self.unasked().await?);
        }
        Ok((asked, unasked))
    }

    /// Less memory, which fails if nobody answers. A denial is an answer: by whom.
    async fn decrease(&self) -> kube::Result<Option<String>> {
        match self.limit_memory("12Mi").await {
            Err(kube::Error::Api(status)) if status.code == 403 => {
                Ok(Some(denied_by(&status.message)))
            }
            answer => answer.map(|_| None),
        }
    }

    /// More memory: that is never a decrease, and never refused.
    async fn asked(&self) -> kube::Result<Duration> {
        self.limit_memory("17Mi").await
    }

    async fn limit_memory(&self, amount: &str) -> kube::Result<Duration> {
        self.patch(Some("resize"), json!({"spec": {"containers": [{"name": "pause", "resources": {"limits": {"memory": amount}}}]}})).await
    }

    /// A write as similar as possible that does not call Restraint.
    async fn unasked(&self) -> kube::Result<Duration> {
        if self.calls_for_cpu {
            self.patch(None, json!({"metadata": {"labels": {GATE: "measured"}}})).await
        } else {
            self.patch(Some("resize"), json!({"spec": {"containers": [{"name": "pause", "resources": {"limits": {"cpu": "11m"}}}]}})).await
        }
    }

    fn unasked_are(&self) -> &'static str {
        if self.calls_for_cpu { "changes of a label" } else { "cpu resizes" }
    }

    async fn patch(&self, subresource: Option<&str>, patch: Value) -> kube::Result<Duration> {
        let parameters = PatchParams { dry_run: true, ..PatchParams::default() };
        let (patch, start) = (Patch::Strategic(patch), Instant::now());
        match subresource {
            Some(subresource) => {
                self.pods.patch_subresource(subresource, &self.name, &parameters, &patch).await?
            }
            None => self.pods.patch(&self.name, &parameters, &patch).await?,
        };
        Ok(start.elapsed())
    }

    /// Deletes the pod, if it was ever created.
    async fn delete(&self) -> kube::Result<()> {
        match self.pods.delete(&self.name, &DeleteParams::default().grace_period(0)).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            answer => answer.map(drop),
        }
    }
}

/// The first of our names: `admission webhook "resize.restraint.dev" denied the request`, or
/// `ValidatingAdmissionPolicy 'memory-limit-decrease.fallback.restraint.dev'`.
fn denied_by(message: &str) -> String {
    let mut names = message.split(['"', '\'']).filter(|name| name.ends_with(hook::OURS));
    names.next().unwrap_or(OTHERS).to_owned()
}

/// A name that no other pod has. It is known before the pod is created: even where no answer comes
/// it can be deleted.
fn name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("restraint-doctor-{:x}-{:x}", now.as_nanos(), std::process::id())
}

/// The pod: as little as there can be, and what the strictest pod security standard asks for.
fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": "restraint-doctor"},
            "annotations": {"restraint.dev/ignore": "memory-resize-policy"},
        },
        "spec": {
            "schedulingGates": [{"name": GATE}],
            "restartPolicy": "Always",
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "pause",
                "image": "registry.k8s.io/pause:3.10",
                "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"cpu": "10m", "memory": "16Mi"}},
                "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::healthy;

    #[test]
    fn cpu_is_looked_at_where_the_chart_asks_for_it() {
        let facts = healthy();
        let growth = hook::every(&facts).find(|hook| hook.name == GROWTH).unwrap();
        assert!(!growth.conditions.iter().any(looks_at_cpu));
        let asks = |expression: &str| {
            looks_at_cpu(&MatchCondition {
                expression: expression.to_owned(),
                ..Default::default()
            })
        };
        assert!(asks("c.?resources.?limits.?cpu.orValue('')"));
        assert!(!asks("p.restartPolicy == 'RestartContainer' ? c.?resources.?limits.?cpu : ''"));
    }

    #[test]
    fn who_denied_is_quoted() {
        for (message, denied) in [
            (
                "admission webhook \"resize.restraint.dev\" denied the request: no",
                "resize.restraint.dev",
            ),
            (
                "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'b.fallback.restraint.dev' with",
                "b.fallback.restraint.dev",
            ),
            ("admission webhook \"gate.example.com\" denied the request: no", OTHERS),
        ] {
            assert_eq!(denied_by(message), denied);
        }
    }

    #[test]
    fn the_pod_is_one_and_its_name_may_be_one() {
        let name = name();
        assert!(
            name.len() <= 63
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{name}"
        );
        let pod: Pod = serde_json::from_value(pod(&name)).unwrap();
        assert_eq!(pod.spec.unwrap().scheduling_gates.unwrap().len(), 1);
    }
}
