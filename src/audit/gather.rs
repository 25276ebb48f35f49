//! Reading a cluster, kind by kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::Cluster;
use crate::cluster::kind::Kind;
use crate::json;
use crate::judge::subject::Resource;
use crate::kube::object::Object;
use crate::kube::selector::NAME_LABEL;
use crate::terminal::Progress;

use super::autoscalers::Recommendation;
use super::pages::{Broken, for_each};
use super::pods::{Owner, Pods};
use super::report::{Autoscaler, Finding, Missing};
use super::scope::{Namespaces, Scope};
use super::workloads::{Judged, judged};

/// The kinds whose objects are judged as they are stored, besides pods.
const JUDGED: [&str; 8] = [
    "deployments",
    "statefulsets",
    "daemonsets",
    "cronjobs",
    "jobs",
    "replicasets",
    "replicationcontrollers",
    "verticalpodautoscalers",
];

/// What was found.
#[derive(Default)]
pub(super) struct Gathered {
    /// Objects that were judged, by kind.
    pub(super) objects: BTreeMap<String, usize>,
    pub(super) findings: Vec<Finding>,
    pub(super) pods: Pods,
    pub(super) autoscalers: Vec<Autoscaler>,
    pub(super) missing: Vec<Missing>,
    /// Those that no pod was found for yet.
    recommendations: Vec<Recommendation>,
}

/// Reads it.
pub(super) async fn gather(cluster: &Cluster, scope: &Scope<'_>) -> Gathered {
    let progress = Progress::start("objects");
    let mut gathered = Gathered::default();
    let namespaces = namespaces(cluster, scope, &mut gathered.missing).await;
    let mut unreadable = Vec::new();
    for word in JUDGED {
        let Some(kind) = Kind::find(word) else { continue };
        let resource = Resource::of_kind(kind.group, kind.name);
        let read = for_each(cluster, kind, scope.namespace, scope.selector, |text| {
            progress.one_more();
            match json::read::<Object<'_>>(text) {
                Ok(object) => {
                    owned_by_cron_job(&mut gathered.pods, kind, &object);
                    if resource == Resource::VerticalPodAutoscaler {
                        gathered.recommendations.extend(Recommendation::of(&object, text));
                    }
                    if object.metadata.controller().is_none() {
                        count(&mut gathered.objects, kind.name);
                        let judged = Judged { kind: kind.name, resource };
                        gathered.findings.extend(self::judged(scope, &namespaces, judged, object));
                    }
                }
                Err(error) => unreadable.push(format!("{}: {error}", kind.name)),
            }
        })
        .await;
        note(&mut gathered.missing, kind.plural(), read);
    }
    let kind = Kind::find("pods");
    if let Some(kind) = kind {
        let Gathered { objects, findings, pods, autoscalers, recommendations, .. } = &mut gathered;
        let read = for_each(cluster, kind, scope.namespace, scope.selector, |text| {
            progress.one_more();
            match json::read::<Object<'_>>(text) {
                Ok(object) => {
                    let Some(owner) = pods.add(&object, scope.now) else {
                        count(objects, "Pod");
                        let judged = Judged { kind: "Pod", resource: Resource::Pod };
                        findings.extend(self::judged(scope, &namespaces, judged, object));
                        return;
                    };
                    recommendations.retain(|recommendation| {
                        let is_for = recommendation.target == owner;
                        if is_for {
                            autoscalers.extend(recommendation.for_pod(scope, &namespaces, text));
                        }
                        !is_for
                    });
                }
                Err(error) => unreadable.push(format!("Pod: {error}")),
            }
        })
        .await;
        note(&mut gathered.missing, "pods", read);
    }
    if let Some(first) = unreadable.first() {
        let what = format!("{} objects that cannot be read", unreadable.len());
        gathered.missing.push(Missing { what, why: first.clone() });
    }
    gathered.count_pods();
    gathered
}

impl Gathered {
    /// Says of each finding how many pods its object has, the gravest first.
    fn count_pods(&mut self) {
        for finding in &mut self.findings {
            let owner = Owner::new(&finding.namespace, &finding.kind, &finding.name);
            finding.pods = if finding.kind == "Pod" { 1 } else { self.pods.of(&owner) };
        }
        self.findings.sort_by(|one, other| {
            let key = |finding: &Finding| {
                (std::cmp::Reverse(finding.mode), std::cmp::Reverse(finding.pods))
            };
            let place = |finding: &Finding| {
                (
                    finding.rule,
                    finding.namespace.clone(),
                    finding.name.clone(),
                    finding.pointer.clone(),
                )
            };
            key(one).cmp(&key(other)).then_with(|| place(one).cmp(&place(other)))
        });
    }
}

fn count(objects: &mut BTreeMap<String, usize>, kind: &str) {
    let count = objects.entry(kind.to_owned()).or_default();
    *count = count.saturating_add(1);
}

/// Pods of a Job that a CronJob made are the CronJob's.
fn owned_by_cron_job(pods: &mut Pods, kind: &Kind, object: &Object<'_>) {
    let owner = object.metadata.controller().filter(|owner| &*owner.kind == "CronJob");
    if let Some(owner) = owner.filter(|_| kind.name == "Job") {
        let namespace = &object.metadata.namespace;
        pods.made_by(
            Owner::new(namespace, "Job", &object.metadata.name),
            Owner::new(namespace, "CronJob", &owner.name),
        );
    }
}

fn note(missing: &mut Vec<Missing>, what: &str, read: Result<usize, Broken>) {
    let Err(broken) = read else { return };
    if broken.is_unknown_kind {
        return;
    }
    let what = match broken.read {
        0 => what.to_owned(),
        read => format!("{what} after the first {read}"),
    };
    missing.push(Missing { what, why: broken.reason });
}

/// The labels of namespaces, by which policies choose. Where they cannot be read a policy that
/// chooses by them covers all.
async fn namespaces(
    cluster: &Cluster,
    scope: &Scope<'_>,
    missing: &mut Vec<Missing>,
) -> Namespaces {
    let mut namespaces = Namespaces::new();
    let Some(kind) = Kind::find("namespaces") else { return namespaces };
    let mut add = |text: &str| {
        let Ok(object) = json::read::<Object<'_>>(text) else { return };
        let name = object.metadata.name.to_string();
        let mut labels: BTreeMap<String, String> = object
            .metadata
            .labels
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        labels.insert(NAME_LABEL.to_owned(), name.clone());
        namespaces.insert(name, Arc::new(labels));
    };
    let read = for_each(cluster, kind, None, None, &mut add).await;
    if let (Err(_), Some(name)) = (&read, scope.namespace) {
        // one namespace may be readable where all are not
        match kind.api(cluster).get(name).await {
            Ok(object) => {
                add(&serde_json::to_string(&object).unwrap_or_default());
                return namespaces;
            }
            Err(_) => note(missing, "labels of namespaces", read),
        }
    } else {
        note(missing, "labels of namespaces", read);
    }
    namespaces
}
