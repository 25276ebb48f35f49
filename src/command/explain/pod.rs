//! `restraint explain pod`.

mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use crate::cluster::error::error_message;
use crate::cluster::list::PAGE;
use crate::cluster::{self, Cluster, ClusterOptions};
use crate::explain::history::{History, HistoryContext};
use crate::explain::live;
use crate::kube::version::Version;
use crate::manifest::unstructured::Unstructured;
use crate::terminal::{self, Output, OutputFormat};

use super::read;

/// Which pod to explain.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The pod.
    #[arg(value_name = "NAME", required_unless_present = "file")]
    pub name: Option<String>,

    /// Read the pod, and events beside it, from a file, "-" for standard input, instead of the
    /// cluster. Further files may hold the events and the owner.
    #[arg(short, long, value_name = "FILE")]
    pub file: Vec<PathBuf>,

    /// The time of the question, for ages [default: now; of a file the newest time in it].
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,

    /// The version of Kubernetes that a file is of: 1.33 to 1.37. A cluster is asked for its own.
    #[arg(long, value_name = "VERSION")]
    pub kubernetes_version: Option<Version>,

    /// Namespace [default: the context's].
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// How results are printed.
    #[command(flatten)]
    pub output: Output,

    /// Which cluster, and as whom.
    #[command(flatten)]
    pub cluster: ClusterOptions,
}

/// Tells what happened to the pod.
pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let name = options.name.as_deref().map(|name| name.strip_prefix("pod/").unwrap_or(name));
    let (pod, mut context) = match name {
        name if !options.file.is_empty() => from_files(options, name)?,
        Some(name) => cluster::block_on(async {
            let cluster = options.cluster.connect(options.namespace.as_deref()).await?;
            from_cluster(&cluster, name).await
        })?,
        None => bail!("name a pod, or a file"),
    };
    context.now = options.now.or(context.now);
    context.version = options.kubernetes_version.clone().or(context.version);
    let history =
        History::of(&pod, &context).with_context(|| format!("{pod} cannot be explained"))?;
    match options.output.format {
        OutputFormat::Json => terminal::print_json(&history)?,
        OutputFormat::Text => terminal::print(&text::text(&history))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The pod in files, and the events and the owner beside it.
fn from_files(
    options: &Options,
    name: Option<&str>,
) -> anyhow::Result<(Unstructured, HistoryContext)> {
    let mut objects = Vec::new();
    for file in &options.file {
        let namespace = options.namespace.as_deref().unwrap_or("default");
        objects.extend(read(&file.to_string_lossy(), namespace)?);
    }
    let files = options.file.iter().map(|file| format!("{file:?}")).collect::<Vec<_>>().join(", ");
    let (events, rest): (Vec<_>, Vec<_>) =
        objects.into_iter().partition(|object| object.kind == "Event");
    let mut pods = rest
        .iter()
        .filter(|object| object.kind == "Pod" && name.is_none_or(|name| object.name == name));
    let Some(pod) = pods.next() else { bail!("{files} holds no such pod") };
    if pods.next().is_some() {
        bail!("{files} holds several pods: name one");
    }
    let about = |event: &Unstructured| {
        let word = |field: &str| {
            let old = event.text(&format!("/involvedObject/{field}"));
            old.or_else(|| event.text(&format!("/regarding/{field}")))
        };
        word("name") == Some(&pod.name)
            && word("kind").is_none_or(|kind| kind == "Pod")
            && word("namespace").is_none_or(|namespace| namespace == pod.namespace)
    };
    let events: Vec<Value> =
        events.iter().filter(|event| about(event)).map(|event| event.value().clone()).collect();
    // a file of its own may hold an empty list
    let events = (!events.is_empty() || options.file.len() > 1).then_some(events);
    let made = |kind: &str, name: &str| {
        let named = rest.iter().find(|one| one.kind == kind && one.name == name)?;
        named.text("/metadata/creationTimestamp")?.parse().ok()
    };
    let owner = controller(pod);
    let context = HistoryContext {
        events,
        owner_created: owner.and_then(|(kind, name)| made(kind, name)),
        template_since: revision(pod).and_then(|name| made("ControllerRevision", &name)),
        ..HistoryContext::default()
    };
    Ok((pod.clone(), context))
}

/// Kind and name of the pod's controller.
fn controller(pod: &Unstructured) -> Option<(&str, &str)> {
    let owners = pod.value().pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))?;
    Some((owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?))
}

/// The name of the ControllerRevision whose template the pod is made of.
fn revision(pod: &Unstructured) -> Option<String> {
    let (kind, owner) = controller(pod)?;
    let hash = pod.text("/metadata/labels/controller-revision-hash")?;
    match kind {
        "StatefulSet" => Some(hash.to_owned()),
        "DaemonSet" => Some(format!("{owner}-{hash}")),
        _ => None,
    }
}

/// The pod in the cluster, its events, and its owner's age. Only the pod is needed.
async fn from_cluster(
    cluster: &Cluster,
    name: &str,
) -> anyhow::Result<(Unstructured, HistoryContext)> {
    let pod = live::read(cluster, &format!("pod/{name}").parse()?).await?;
    let events = match events(cluster, name).await {
        Ok(events) => Some(events),
        Err(error) => {
            terminal::remark(&format!(
                "events cannot be listed in namespace {:?}: {}",
                cluster.namespace,
                error_message(&error)
            ));
            None
        }
    };
    let context = HistoryContext {
        events,
        owner_created: owner_created(cluster, &pod).await,
        template_since: template_since(cluster, &pod).await,
        now: Some(Timestamp::now()),
        version: version(cluster).await,
    };
    Ok((pod, context))
}

/// A version that cannot be had is no error.
async fn version(cluster: &Cluster) -> Option<Version> {
    let info = cluster.client.apiserver_version().await.ok()?;
    Some(Version::read(&info.git_version))
}

async fn events(cluster: &Cluster, name: &str) -> kube::Result<Vec<Value>> {
    let api: Api<Event> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let fields = format!("involvedObject.kind=Pod,involvedObject.name={name}");
    let list = api.list(&ListParams::default().fields(&fields).limit(PAGE)).await?;
    Ok(list.items.iter().filter_map(|event| serde_json::to_value(event).ok()).collect())
}

/// An owner that cannot be read is no error.
async fn owner_created(cluster: &Cluster, pod: &Unstructured) -> Option<Timestamp> {
    let (kind, name) = controller(pod)?;
    let owner = live::read(cluster, &format!("{kind}/{name}").parse().ok()?).await.ok()?;
    owner.text("/metadata/creationTimestamp")?.parse().ok()
}

/// Neither is a revision.
async fn template_since(cluster: &Cluster, pod: &Unstructured) -> Option<Timestamp> {
    let api: Api<ControllerRevision> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let revision = api.get(&revision(pod)?).await.ok()?;
    Some(revision.metadata.creation_timestamp?.0)
}
