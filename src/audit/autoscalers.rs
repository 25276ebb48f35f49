//! What the present recommendation of an autoscaler would come to: its resize is made up, for one pod
//! of the workload, and judged like any other.

use crate::approval::ApprovalNote;
use crate::json::text::Text;
use crate::json::{self, Raw, fields};
use crate::judge::subject::{Evidence, Operation, Resource, Subject, UserInfo};
use crate::judge::verdict::Verdict;
use crate::judge::{amend, judge};
use crate::kube::autoscaler::ContainerPolicy;
use crate::kube::container::Container;
use crate::kube::object::Object;
use crate::kube::quantity::Quantity;

use super::pods::Owner;
use super::report::Autoscaler;
use super::scope::{Namespaces, Scope};

/// Whom the updater of the VPA's own manifests is.
const UPDATER: &str = "system:serviceaccount:kube-system:vpa-updater";

/// An autoscaler that resizes running pods, and what it recommends.
#[derive(Clone, Debug)]
pub(super) struct Recommendation {
    namespace: String,
    name: String,
    mode: String,
    pub(super) target: Owner,
    target_name: String,
    containers: Vec<Recommended>,
}

/// What is recommended for a container.
#[derive(Clone, Debug)]
struct Recommended {
    container: String,
    /// Its memory request, in bytes.
    memory: i64,
    requests_only: bool,
}

#[derive(Debug, Default)]
struct Written<'a> {
    spec: WrittenSpec<'a>,
    status: WrittenStatus<'a>,
}
fields!(Written { "spec" => spec, "status" => status });

#[derive(Debug, Default)]
struct WrittenSpec<'a> {
    target: WrittenTarget<'a>,
}
fields!(WrittenSpec { "targetRef" => target });

#[derive(Debug, Default)]
struct WrittenTarget<'a> {
    kind: Text<'a>,
    name: Text<'a>,
}
fields!(WrittenTarget { "kind" => kind, "name" => name });

#[derive(Debug, Default)]
struct WrittenStatus<'a> {
    recommendation: WrittenRecommendation<'a>,
}
fields!(WrittenStatus { "recommendation" => recommendation });

#[derive(Debug, Default)]
struct WrittenRecommendation<'a> {
    containers: Vec<WrittenContainer<'a>>,
}
fields!(WrittenRecommendation { "containerRecommendations" => containers });

#[derive(Debug, Default)]
struct WrittenContainer<'a> {
    name: Text<'a>,
    target: WrittenAmounts<'a>,
}
fields!(WrittenContainer { "containerName" => name, "target" => target });

#[derive(Debug, Default)]
struct WrittenAmounts<'a> {
    memory: Option<Raw<'a>>,
}
fields!(WrittenAmounts { "memory" => memory });

impl Recommendation {
    /// What an autoscaler recommends; `None` where it resizes no running pods, or recommends no
    /// memory yet.
    pub(super) fn of(object: &Object<'_>, text: &str) -> Option<Self> {
        if !object.spec.update_policy.is_in_place() {
            return None;
        }
        let written: Written<'_> = json::read(text).ok()?;
        let policies = &object.spec.resource_policy.container_policies;
        let recommended = |one: &WrittenContainer<'_>| {
            let policy = policies.iter().find(|policy| policy.container_name == one.name);
            let policy =
                policy.or_else(|| policies.iter().find(|policy| &*policy.container_name == "*"));
            let controls = |policy: &ContainerPolicy<'_>| {
                let resources = policy.controlled_resources.as_ref();
                &*policy.mode != "Off"
                    && resources.is_none_or(|list| list.iter().any(|one| &**one == "memory"))
            };
            let memory: Quantity<'_> = json::read(one.target.memory?.get()).ok()?;
            policy.is_none_or(controls).then_some(Recommended {
                container: one.name.to_string(),
                memory: memory.value()?,
                requests_only: policy
                    .is_some_and(|policy| &*policy.controlled_values == "RequestsOnly"),
            })
        };
        let containers: Vec<_> =
            written.status.recommendation.containers.iter().filter_map(recommended).collect();
        let (metadata, target) = (&object.metadata, &written.spec.target);
        (!containers.is_empty()).then(|| Self {
            namespace: metadata.namespace.to_string(),
            name: metadata.name.to_string(),
            mode: object.spec.update_policy.update_mode.to_string(),
            target: Owner::new(&metadata.namespace, &target.kind, &target.name),
            target_name: format!("{} {}", &*target.kind, &*target.name),
            containers,
        })
    }

    /// What it would come to, for the pod written in `text`.
    pub(super) fn for_pod(
        &self,
        scope: &Scope<'_>,
        namespaces: &Namespaces,
        text: &str,
    ) -> Option<Autoscaler> {
        let old: Object<'_> = json::read(text).ok()?;
        let mut new = old.clone();
        let changes = self.resize(&mut new);
        let restarts = restarted(&old, &new);
        let namespace = self.namespace.as_str();
        let subject = Subject {
            resource: Resource::PodResize,
            operation: Operation::Update,
            namespace: namespace.into(),
            name: old.metadata.name.clone(),
            requester: UserInfo { username: UPDATER.into(), ..UserInfo::default() },
            dry_run: true,
            object: new,
            old_object: Some(old),
            evidence: Evidence {
                now: Some(scope.now),
                namespace_labels: namespaces.get(namespace).cloned(),
                ..Evidence::default()
            },
        };
        let restored = !amend(scope.policies, &subject).amendment.is_empty();
        let verdict = judge(scope.policies, &subject);
        let (outcome, why) = outcome(restored, changes.is_empty(), &verdict);
        Some(Autoscaler {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            target: self.target_name.clone(),
            mode: self.mode.clone(),
            outcome,
            allowance: allowance(&verdict).filter(|_| !restored),
            restarts: if outcome == "allowed" { restarts } else { Vec::new() },
            changes,
            why,
        })
    }

    /// Gives the containers of `pod` what is recommended. Limits keep their ratio to the requests.
    fn resize(&self, pod: &mut Object<'_>) -> Vec<String> {
        let mut changes = Vec::new();
        for container in &mut pod.spec.containers {
            let wanted = self.containers.iter().find(|one| one.container == *container.name);
            let Some(wanted) = wanted else { continue };
            let resources = &mut container.resources;
            let limit = resources.limits.memory.as_ref().and_then(Quantity::value);
            let request = resources.requests.memory.as_ref().and_then(Quantity::value).or(limit);
            let amount = |bytes: i64| Quantity::parse(bytes.to_string()).ok();
            if let (Some(limit), Some(request), false) =
                (limit, request.filter(|one| *one > 0), wanted.requests_only)
            {
                let scaled = i128::from(limit).saturating_mul(wanted.memory.into());
                let scaled = scaled.checked_div(request.into()).unwrap_or_default();
                let scaled = i64::try_from(scaled).unwrap_or(i64::MAX);
                if scaled != limit {
                    changes.push(format!(
                        "{}: memory limit {} to {}",
                        container.name,
                        mebibytes(limit),
                        mebibytes(scaled)
                    ));
                    resources.limits.memory = amount(scaled);
                }
            }
            if request != Some(wanted.memory) {
                let from = request.map_or("none".to_owned(), mebibytes);
                changes.push(format!(
                    "{}: memory request {from} to {}",
                    container.name,
                    mebibytes(wanted.memory)
                ));
                resources.requests.memory = amount(wanted.memory);
            }
        }
        changes
    }
}

fn outcome(restored: bool, is_nothing: bool, verdict: &Verdict) -> (&'static str, String) {
    if is_nothing {
        return ("allowed", "the pod has what is recommended".to_owned());
    }
    let said: Vec<_> = verdict.denials().map(|ruling| ruling.finding.message.clone()).collect();
    match (restored, said.is_empty()) {
        (true, _) => (
            "restored",
            "the memory that falls is put back, the rest of the resize goes through".to_owned(),
        ),
        (false, true) => ("allowed", String::new()),
        (false, false) => ("denied", said.join("; ")),
    }
}

fn allowance(verdict: &Verdict) -> Option<String> {
    verdict.approvals.iter().find_map(|note| match note {
        ApprovalNote::Allowed { allowance, .. } => Some(allowance.clone()),
        _ => None,
    })
}

/// The containers that the kubelet restarts for the resize.
fn restarted(old: &Object<'_>, new: &Object<'_>) -> Vec<String> {
    let memory = |container: &Container<'_>| {
        let bytes = |amount: &Option<Quantity<'_>>| amount.as_ref().and_then(Quantity::value);
        (bytes(&container.resources.requests.memory), bytes(&container.resources.limits.memory))
    };
    let restarts = |container: &Container<'_>| {
        let policy = container.policy_for("memory").map(|policy| &*policy.restart_policy);
        policy == Some("RestartContainer")
    };
    let pairs = old.spec.containers.iter().zip(&new.spec.containers);
    pairs
        .filter(|(old, new)| memory(old) != memory(new) && restarts(old))
        .map(|(old, _)| old.name.to_string())
        .collect()
}

fn mebibytes(bytes: i64) -> String {
    const MEBIBYTE: i64 = 1024 * 1024;
    if bytes % MEBIBYTE == 0 { format!("{}Mi", bytes / MEBIBYTE) } else { bytes.to_string() }
}
