//! Reading a cluster, kind by kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cluster::Cluster;
use crate::cluster::kind::Kind;
use crate::cluster::pages::{Broken, Pages};
use crate::json;
use crate::judge::subject::Resource;
use crate::kube::object::Object;
use crate::kube::selector::NAME_LABEL;
use crate::report::counted;
use crate::terminal::Progress;

use super::autoscalers::Recommendation;
use super::configuration::{ConfigMaps, references};
use super::pods::{Owner, Pods};
use super::report::{Autoscaler, Finding, Missing};
use super::scope::{Namespaces, Scope};
use super::workloads::{Judged, judged};

/// The kinds whose objects are judged as they are stored; pods come last, when it is known who makes
/// them.
const JUDGED: [&str; 9] = [
    "deployments",
    "statefulsets",
    "daemonsets",
    "cronjobs",
    "jobs",
    "replicasets",
    "replicationcontrollers",
    "verticalpodautoscalers",
    "pods",
];

/// How many objects are decoded at a time: the ConfigMaps that they refer to are asked for together.
const AT_A_TIME: usize = 16;

/// What was found.
#[derive(Default)]
pub(super) struct Gathered {
    /// Namespaces with anything in them.
    pub(super) namespaces: BTreeSet<String>,
    /// Objects that were judged, by kind.
    pub(super) objects: BTreeMap<String, usize>,
    pub(super) findings: Vec<Finding>,
    pub(super) pods: Pods,
    pub(super) autoscalers: Vec<Autoscaler>,
    pub(super) missing: Vec<Missing>,
    /// Those that no pod was found for yet.
    recommendations: Vec<Recommendation>,
    /// How many objects cannot be read, and what is wrong with the first.
    unreadable: usize,
    first_fault: String,
}

/// A cluster that is being read.
struct Reading<'r> {
    cluster: &'r Cluster,
    scope: &'r Scope<'r>,
    /// The labels of namespaces.
    labels: Namespaces,
    config_maps: ConfigMaps,
    progress: Progress,
    gathered: Gathered,
}

/// Reads it.
pub(super) async fn gather(cluster: &Cluster, scope: &Scope<'_>) -> Gathered {
    let mut gathered = Gathered::default();
    let labels = labels(cluster, scope, &mut gathered.missing).await;
    let config_maps = ConfigMaps::new(&cluster.client);
    let progress = Progress::start("objects");
    let mut reading = Reading { cluster, scope, labels, config_maps, progress, gathered };
    for kind in JUDGED.into_iter().filter_map(Kind::find) {
        reading.read(kind).await;
    }
    let Reading { config_maps, mut gathered, .. } = reading;
    gathered.missing.extend(config_maps.missing());
    gathered.missing.extend(gathered.pods.ahead(scope.now));
    if gathered.unreadable > 0 {
        let what = format!("{} that cannot be read", counted(gathered.unreadable, "object"));
        let why = std::mem::take(&mut gathered.first_fault);
        gathered.missing.push(Missing::single(what, why));
    }
    gathered.count_pods();
    gathered
}

impl Reading<'_> {
    /// Reads the objects of a kind.
    async fn read(&mut self, kind: &'static Kind) {
        let Scope { namespace, selector, .. } = self.scope;
        let cluster = self.cluster;
        let mut pages = Pages::of(&cluster.client, kind, *namespace, *selector);
        loop {
            let read = match pages.next().await {
                Ok(None) => break,
                Ok(Some(text)) => match pages.items(&text) {
                    Ok(items) => {
                        for some in items.chunks(AT_A_TIME) {
                            self.take(kind, some).await;
                        }
                        continue;
                    }
                    Err(broken) => broken,
                },
                Err(broken) => broken,
            };
            note(&mut self.gathered.missing, kind.plural(), read);
            break;
        }
        if let Some(first) = pages.too_large.first() {
            let what =
                format!("{} too large to be read", counted(pages.too_large.len(), kind.singular()));
            let why = format!("the first is {first:?}");
            self.gathered.missing.push(Missing::single(what, why));
        }
    }

    /// Takes in some objects of a kind.
    async fn take(&mut self, kind: &'static Kind, texts: &[&str]) {
        let resource = Resource::of_kind(kind.group, kind.name);
        let mut objects = Vec::with_capacity(texts.len());
        for text in texts {
            self.progress.one_more();
            match json::read::<Object<'_>>(text) {
                Ok(object) => objects.push((*text, object)),
                Err(error) => self.gathered.unreadable(format!("{}: {error}", kind.name)),
            }
        }
        let is_judged = |object: &Object<'_>| object.metadata.controller().is_none();
        let wanted = |object: &Object<'_>| {
            if is_judged(object) { references(resource, object) } else { BTreeSet::new() }
        };
        let all = objects.iter().flat_map(|(_, object)| wanted(object)).collect();
        self.config_maps.look_up(all).await;
        for (text, object) in objects {
            self.gathered.add_namespace(&object.metadata.namespace);
            if resource == Resource::Pod {
                self.pod(text, &object);
            } else {
                self.gathered.maker(kind, &object, text);
            }
            if is_judged(&object) {
                count(&mut self.gathered.objects, kind.name);
                let configuration = self.config_maps.about(&wanted(&object));
                let what = Judged { kind: kind.name, resource, configuration };
                let found = judged(self.scope, &self.labels, what, object);
                self.gathered.findings.extend(found);
            }
        }
    }

    /// What a pod tells besides what is wrong with it.
    fn pod(&mut self, text: &str, pod: &Object<'_>) {
        let Gathered { pods, autoscalers, recommendations, .. } = &mut self.gathered;
        let Some(owner) = pods.add(pod, self.scope.now) else { return };
        recommendations.retain(|recommendation| {
            let is_for = recommendation.target == owner;
            if is_for {
                autoscalers.extend(recommendation.for_pod(self.scope, &self.labels, text));
            }
            !is_for
        });
    }
}

impl Gathered {
    fn add_namespace(&mut self, namespace: &str) {
        if !self.namespaces.contains(namespace) {
            self.namespaces.insert(namespace.to_owned());
        }
    }

    fn unreadable(&mut self, fault: String) {
        if self.unreadable == 0 {
            self.first_fault = fault;
        }
        self.unreadable = self.unreadable.saturating_add(1);
    }

    /// What an object tells of the pods that it makes, or resizes.
    fn maker(&mut self, kind: &Kind, object: &Object<'_>, text: &str) {
        let metadata = &object.metadata;
        let owner = metadata.controller().filter(|owner| &*owner.kind == "CronJob");
        // pods of a Job that a CronJob made are the CronJob's
        if let Some(owner) = owner.filter(|_| kind.name == "Job") {
            self.pods.made_by(
                Owner::new(&metadata.namespace, "Job", &metadata.name),
                Owner::new(&metadata.namespace, "CronJob", &owner.name),
            );
        }
        if kind.name == "VerticalPodAutoscaler" {
            self.recommendations.extend(Recommendation::of(object, text));
        }
    }

    /// Says of each finding how many pods its object has, the gravest first.
    fn count_pods(&mut self) {
        for finding in &mut self.findings {
            let owner = Owner::new(&finding.namespace, finding.kind, &finding.name);
            finding.pods = if finding.kind == "Pod" { 1 } else { self.pods.of(&owner) };
        }
        let key = |finding: &Finding| {
            (std::cmp::Reverse(finding.mode), std::cmp::Reverse(finding.pods), finding.rule)
        };
        let place = |one: &Finding, other: &Finding| {
            one.namespace
                .cmp(&other.namespace)
                .then_with(|| one.name.cmp(&other.name))
                .then_with(|| one.pointer.cmp(&other.pointer))
        };
        self.findings
            .sort_by(|one, other| key(one).cmp(&key(other)).then_with(|| place(one, other)));
    }
}

fn count(objects: &mut BTreeMap<String, usize>, kind: &str) {
    let count = objects.entry(kind.to_owned()).or_default();
    *count = count.saturating_add(1);
}

fn note(missing: &mut Vec<Missing>, what: &str, broken: Broken) {
    if broken.is_unknown_kind {
        return;
    }
    let more = broken.remaining.filter(|more| *more > 0);
    let more = more.map(|more| format!(", about {more} more")).unwrap_or_default();
    let what = match broken.read {
        0 => what.to_owned(),
        read => format!("{what} after the first {read}{more}"),
    };
    missing.push(Missing::gap(what, broken.reason));
}

/// The labels of namespaces, by which policies choose. Where they cannot be read a policy that
/// chooses by them covers all.
async fn labels(cluster: &Cluster, scope: &Scope<'_>, missing: &mut Vec<Missing>) -> Namespaces {
    const WHAT: &str = "labels of namespaces";
    let mut namespaces = Namespaces::new();
    let Some(kind) = Kind::find("namespaces") else { return namespaces };
    let mut pages = Pages::of(&cluster.client, kind, None, None);
    let broken = loop {
        match pages.next().await {
            Ok(None) => return namespaces,
            Ok(Some(text)) => match pages.items(&text) {
                Ok(items) => namespaces.extend(items.into_iter().filter_map(labels_of)),
                Err(broken) => break broken,
            },
            Err(broken) => break broken,
        }
    };
    // one namespace may be readable where all are not
    if let Some(name) = scope.namespace.filter(|name| !namespaces.contains_key(*name))
        && let Ok(object) = kind.api(cluster).get(name).await
    {
        let text = serde_json::to_string(&object).unwrap_or_default();
        namespaces.extend(labels_of(&text));
    }
    if scope.namespace.is_none_or(|name| !namespaces.contains_key(name)) {
        note(missing, WHAT, broken);
    }
    namespaces
}

fn labels_of(text: &str) -> Option<(String, Arc<BTreeMap<String, String>>)> {
    let object = json::read::<Object<'_>>(text).ok()?;
    let name = object.metadata.name.to_string();
    let labels = object.metadata.labels.iter();
    let mut labels: BTreeMap<String, String> =
        labels.map(|(key, value)| (key.to_string(), value.to_string())).collect();
    labels.insert(NAME_LABEL.to_owned(), name.clone());
    Some((name, Arc::new(labels)))
}
