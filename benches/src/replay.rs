//! What replaying an audit log costs: how fast it goes, and how much memory it takes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};

const MEGABYTE: usize = 1_000_000;

/// How large a log to make.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Megabytes of the log.
    #[arg(long, default_value_t = 500, value_name = "MB")]
    megabytes: usize,

    /// Pods that the log is about.
    #[arg(long, default_value_t = 20_000, value_name = "COUNT")]
    pods: usize,
}

/// Makes a log as a cluster writes it, replays it, and prints how that went.
pub(crate) fn run(options: &Options, program: &Path) -> anyhow::Result<bool> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("audit.log");
    let requests = write(&path, options)?;
    // once unmeasured, so that the file is in memory
    for round in 0..3 {
        let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let started = Instant::now();
        let output = Command::new(program)
            .args(["replay", "--format", "json", "--remember"])
            .arg(options.pods.saturating_mul(2).to_string())
            .arg(&path)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let elapsed = started.elapsed().as_secs_f64();
        ensure!(output.status.success(), "replay failed");
        let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
        ensure!(lines == requests, "{lines} of {requests} requests were told");
        let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let spent = |usage: &nix::sys::resource::Usage| {
            let (user, system) = (usage.user_time(), usage.system_time());
            let seconds = user.tv_sec().saturating_add(system.tv_sec()) as f64;
            seconds + user.tv_usec().saturating_add(system.tv_usec()) as f64 / 1e6
        };
        let processor = spent(&after) - spent(&before);
        if round > 0 {
            println!(
                "{} MB, {requests} requests: {:.0} MB/s by the clock, {:.0} MB/s of processor time, {} MiB at most",
                options.megabytes,
                options.megabytes as f64 / elapsed,
                options.megabytes as f64 / processor,
                after.max_rss() / 1024,
            );
        }
    }
    Ok(true)
}

/// Writes the log; the number of requests in it that are judged.
fn write(path: &Path, options: &Options) -> anyhow::Result<usize> {
    let mut log = BufWriter::new(File::create(path)?);
    let (mut written, mut number, mut requests) = (0usize, 0usize, 0usize);
    while written < options.megabytes.saturating_mul(MEGABYTE) {
        let pod = number / 50 % options.pods.max(1);
        let generation = 1 + number / 50 / options.pods.max(1);
        // of fifty events one is judged, and five are written by kubelets
        let event = match number % 50 {
            0 if generation == 1 => event(number, "create", "pods", "", pod, Some(stored(pod, 1))),
            0 => event(number, "patch", "pods", "resize", pod, Some(stored(pod, generation))),
            1..=5 => event(number, "patch", "pods", "status", pod, Some(stored(pod, generation))),
            6..=30 => event(number, "update", "leases", "", pod, None),
            _ => event(
                number,
                "get",
                "configmaps",
                "",
                pod,
                Some(json!({"kind": "ConfigMap", "data": {"a": "x".repeat(1_000)}})),
            ),
        };
        requests = requests.saturating_add(usize::from(number % 50 == 0));
        let line = event.to_string();
        written = written.saturating_add(line.len()).saturating_add(1);
        log.write_all(line.as_bytes())?;
        log.write_all(b"\n")?;
        number = number.saturating_add(1);
    }
    log.flush()?;
    Ok(requests)
}

fn event(
    number: usize,
    verb: &str,
    resource: &str,
    subresource: &str,
    pod: usize,
    answer: Option<Value>,
) -> Value {
    let time = time_of(number);
    let group = if resource == "leases" { "coordination.k8s.io" } else { "" };
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
        "auditID": format!("{number:032x}"), "stage": "ResponseComplete",
        "requestURI": format!("/api/v1/namespaces/shop/{resource}/pod-{pod}/{subresource}"),
        "verb": verb,
        "user": {"username": "system:node:node-1", "groups": ["system:nodes", "system:authenticated"]},
        "sourceIPs": ["10.0.0.1"], "userAgent": "kubelet/v1.36.3 (linux/amd64) kubernetes/0000000",
        "objectRef": {"resource": resource, "namespace": "shop", "name": format!("pod-{pod}"), "apiGroup": group,
            "apiVersion": "v1", "subresource": subresource},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestObject": {"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "1Gi"}}}]}},
        "responseObject": answer,
        "requestReceivedTimestamp": time, "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
    })
}

/// A time, 10 ms after that of the event before.
fn time_of(number: usize) -> String {
    let (seconds, hundredths) = (number / 100, number % 100);
    format!(
        "2026-11-{:02}T{:02}:{:02}:{:02}.{hundredths:02}0000Z",
        1 + seconds / 86_400 % 28,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// A pod of about 4 KB, as stored.
fn stored(pod: usize, generation: usize) -> Value {
    let env: Vec<_> = (0..20)
        .map(|number| json!({"name": format!("VARIABLE_{number}"), "value": "a value of some length"}))
        .collect();
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": format!("pod-{pod}"), "namespace": "shop", "uid": format!("{pod:032x}"), "generation": generation,
            "resourceVersion": (1_000_000 * generation + pod).to_string(), "labels": {"app": "shop"},
            "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {"f:conditions": "x".repeat(800)}}}],
        },
        "spec": {"nodeName": "node-1", "containers": [{
            "name": "app", "image": "registry.example.com/shop:1", "env": env,
            "resources": {"requests": {"memory": "256Mi"}, "limits": {"memory": format!("{}Mi", 512 * generation)}},
        }]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "qosClass": "Burstable"},
    })
}
