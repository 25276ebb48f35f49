//! `restraint explain pod`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use crate::cluster::error::error_message;
use crate::cluster::list::PAGE;
use crate::cluster::{self, Cluster, ClusterOptions};
use crate::explain::history::{History, HistoryContext};
use crate::manifest::unstructured::Unstructured;
use crate::terminal::{self, Output, OutputFormat, plain};

use super::live;
use super::{paragraph, read};

/// Which pod to explain.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The pod.
    #[arg(value_name = "NAME", required_unless_present = "file")]
    pub name: Option<String>,

    /// Read the pod, and events beside it, from a file, "-" for standard input, instead of the
    /// cluster.
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,

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
    let (pod, context) = match (&options.file, &options.name) {
        (Some(file), name) => from_file(&file.to_string_lossy(), name.as_deref())?,
        (None, Some(name)) => cluster::block_on(async {
            let cluster = options.cluster.connect(options.namespace.as_deref()).await?;
            from_cluster(&cluster, name.strip_prefix("pod/").unwrap_or(name)).await
        })?,
        (None, None) => bail!("name a pod, or a file"),
    };
    let history =
        History::of(pod.value(), &context).with_context(|| format!("{pod} cannot be explained"))?;
    // objects keep their namespace beside their content
    let history = History { namespace: pod.namespace.clone(), ..history };
    match options.output.format {
        OutputFormat::Json => terminal::print_json(&history)?,
        OutputFormat::Text => terminal::print(&text(&history))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The pod in a file, and the events beside it.
fn from_file(path: &str, name: Option<&str>) -> anyhow::Result<(Unstructured, HistoryContext)> {
    let objects = read(path, "default")?;
    let (events, rest): (Vec<_>, Vec<_>) =
        objects.into_iter().partition(|object| object.kind == "Event");
    let mut pods = rest
        .into_iter()
        .filter(|object| object.kind == "Pod" && name.is_none_or(|name| object.name == name));
    let Some(pod) = pods.next() else { bail!("{path:?} holds no such pod") };
    if pods.next().is_some() {
        bail!("{path:?} holds several pods: name one");
    }
    let about = |event: &Unstructured| {
        event.text("/involvedObject/name").or_else(|| event.text("/regarding/name"))
            == Some(&pod.name)
    };
    let events: Vec<Value> =
        events.iter().filter(|event| about(event)).map(|event| event.value().clone()).collect();
    let events = (!events.is_empty()).then_some(events);
    Ok((pod, HistoryContext { events, owner_created: None }))
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
    let owner_created = owner_created(cluster, &pod).await;
    Ok((pod, HistoryContext { events, owner_created }))
}

async fn events(cluster: &Cluster, name: &str) -> kube::Result<Vec<Value>> {
    let api: Api<Event> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let fields = format!("involvedObject.kind=Pod,involvedObject.name={name}");
    let list = api.list(&ListParams::default().fields(&fields).limit(PAGE)).await?;
    Ok(list.items.iter().filter_map(|event| serde_json::to_value(event).ok()).collect())
}

/// An owner that cannot be read is no error.
async fn owner_created(cluster: &Cluster, pod: &Unstructured) -> Option<Timestamp> {
    let owners = pod.value().pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))?;
    let named = format!("{}/{}", owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?);
    let owner = live::read(cluster, &named.parse().ok()?).await.ok()?;
    owner.text("/metadata/creationTimestamp")?.parse().ok()
}

/// The history for people.
fn text(history: &History) -> String {
    let mut text = String::new();
    // writing to memory cannot fail
    let _ = write!(text, "Pod {}/{}: {}", history.namespace, history.pod, history.phase);
    if let Some(created) = history.created {
        let _ = write!(text, ", made at {created}");
    }
    text.push('\n');
    for now in &history.now {
        let _ = writeln!(text, "  {}", plain(now));
    }
    text.push('\n');
    restarts(&mut text, history);
    if let Some(recreation) = &history.recreation {
        text.push_str("\nthe pod itself\n");
        paragraph(
            &mut text,
            "why",
            &format!("{} ({})", recreation.why, recreation.certainty.as_str()),
        );
    }
    resize(&mut text, history);
    if !history.unknown.is_empty() {
        text.push_str("\nnot known\n");
        for unknown in &history.unknown {
            let _ = writeln!(text, "  {unknown}");
        }
    }
    text
}

fn restarts(text: &mut String, history: &History) {
    if history.restarts.is_empty() {
        text.push_str("restarts: none\n");
    }
    for restart in &history.restarts {
        let times = if restart.count == 1 {
            "1 restart".to_owned()
        } else {
            format!("{} restarts", restart.count)
        };
        let _ = write!(
            text,
            "container {:?}: {times}; last end: {}",
            restart.container,
            restart.cause.words()
        );
        if let Some(code) = restart.exit_code {
            let _ = write!(text, ", exit code {code}");
        }
        if let Some(end) = restart.finished_at {
            let _ = write!(text, ", at {end}");
        }
        text.push('\n');
        paragraph(text, "why", &format!("{} ({})", restart.why, restart.certainty.as_str()));
        paragraph(text, "do", &restart.remedy);
    }
}

fn resize(text: &mut String, history: &History) {
    let resize = &history.resize;
    let _ = writeln!(text, "\nresize: {}", resize.state.words());
    paragraph(text, "why", &resize.why);
    paragraph(text, "said", &resize.message);
    for amount in &resize.differing {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let whose = amount
            .container
            .as_ref()
            .map_or_else(|| "pod".to_owned(), |name| format!("container {name:?}"));
        let agreed = amount
            .allocated
            .as_ref()
            .map(|allocated| format!(", allocated {allocated}"))
            .unwrap_or_default();
        let values =
            format!("desired {}{agreed}, actual {}", value(&amount.desired), value(&amount.actual));
        paragraph(text, &format!("{whose} {}", amount.resource), &values);
    }
    paragraph(text, "do", &resize.remedy);
}
