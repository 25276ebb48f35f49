//! `restraint approve`: grants, and sees to it that the service stamps.

mod answer;
mod check;
mod on;
mod outcome;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::approval::{Floors, GRANT_ANNOTATION, Grant, Stamp, parse_lifetime};
use crate::cluster::{self, Cluster, Target, complaint};
use crate::terminal::{self, Form};

use answer::Before;
pub use on::{DryRun, On};
use outcome::Outcome;

/// What to approve.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// How far memory limits may fall: CONTAINER=QUANTITY, "@pod" for the pod's own, or "true" for
    /// any decrease.
    #[arg(long, required = true, value_name = "CONTAINER=QUANTITY,...")]
    pub memory: Vec<String>,

    /// How long the approval holds, such as 30m, up to 24h [default: what the policy says, 1h].
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_lifetime)]
    pub lifetime: Option<SignedDuration>,

    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Approve even where a heap is known not to fit.
    #[arg(long)]
    pub force: bool,

    /// Which pods, and how.
    #[command(flatten)]
    pub on: On,
}

/// Grants. The exit code is 1 where any pod is not approved in the end.
///
/// # Errors
///
/// Where nothing could be tried: no grant, no cluster, no such pod or container.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let target = Target::parse(&options.on.target)?;
    let grant = options.grant()?;
    cluster::converse(async {
        let cluster = options.on.access.connect(options.on.namespace.as_deref()).await?;
        let approver =
            Approver { cluster: &cluster, grant: &grant, dry_run: options.on.dry_run.is_some() };
        let outcomes = approver.approve_all(&target, options.on.output).await?;
        if options.on.output == Form::Json {
            terminal::print_json(&outcomes)?;
        }
        Ok(if outcomes.iter().all(|outcome| outcome.approved) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

impl Options {
    /// The grant, as the service will read it.
    fn grant(&self) -> anyhow::Result<Grant> {
        let floors = Floors::parse(&self.memory.join(",")).context("--memory grants nothing")?;
        let reason = self.reason.as_deref().map(|reason| reason.trim().to_owned());
        let grant = Grant { floors, lifetime: self.lifetime, force: self.force, reason };
        Grant::parse(&grant.to_string()).context("this is no grant")
    }
}

struct Approver<'a> {
    cluster: &'a Cluster,
    grant: &'a Grant,
    dry_run: bool,
}

impl Approver<'_> {
    async fn approve_all(&self, target: &Target, form: Form) -> anyhow::Result<Vec<Outcome>> {
        let pods = self.cluster.pods_of(target).await?;
        let pods: Vec<Pod> = pods.into_iter().filter(is_present).collect();
        if pods.is_empty() {
            bail!("nothing of {target} can be resized any more");
        }
        if pods.iter().all(|pod| check::unknown_part(self.grant, pod).is_some()) {
            bail!(
                "{}",
                pods.iter()
                    .find_map(|pod| check::unknown_part(self.grant, pod))
                    .unwrap_or_default()
            );
        }
        let mut outcomes = Vec::new();
        for pod in &pods {
            let outcome = Outcome::of(pod, self.approve(pod).await.map(Into::into), self.dry_run);
            match (outcome.approved, form) {
                (true, Form::Text) => terminal::print(&format!("{outcome}\n"))?,
                (true, Form::Json) => {}
                (false, _) => terminal::remark(&outcome.to_string()),
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// The stamp that the service put on `pod`.
    async fn approve(&self, pod: &Pod) -> Result<Stamp, String> {
        let name = pod.name_any();
        if let Some(error) = check::unknown_part(self.grant, pod) {
            return Err(error);
        }
        for idle in check::idle_floors(self.grant, pod) {
            terminal::remark(&format!("warning: {idle}"));
        }
        let before = Before::of(pod);
        let text = self.text(pod, &before).await?;
        let uid = pod.metadata.uid.as_deref();
        // with its uid, so that no other pod of that name is approved unseen
        let patch = json!({"metadata": {"uid": uid, "annotations": {GRANT_ANNOTATION: text}}});
        let answer = self.write(&name, patch).await?;
        match answer::stamp(&before, self.grant, &answer) {
            Ok(stamp) => Ok(stamp),
            Err(unstamped) if unstamped.grant_left && !self.dry_run => {
                Err(match self.take_off(&name).await {
                    Ok(_) => format!("{}; the grant was taken off again", unstamped.why),
                    Err(error) => format!(
                        "{}; the grant, which counts for nothing, could not be taken off again: {error}",
                        unstamped.why
                    ),
                })
            }
            Err(unstamped) => Err(unstamped.why),
        }
    }

    /// The text of the grant. Where a grant is there already the same words would be no change, and
    /// nobody would be asked: it is taken off first, or, where nothing is stored, written in other
    /// words.
    async fn text(&self, pod: &Pod, before: &Before) -> Result<String, String> {
        let text = self.grant.to_string();
        let Some(planted) = &before.grant else { return Ok(text) };
        let name = pod.name_any();
        if self.dry_run {
            return Ok(if *planted == text { format!("{text} ") } else { text });
        }
        self.take_off(&name).await.map_err(|error| {
            format!("a grant without stamp is there and could not be taken off: {error}")
        })?;
        terminal::remark(&format!(
            "note: pod/{name} carried a grant without stamp, which was taken off first"
        ));
        Ok(text)
    }

    async fn take_off(&self, name: &str) -> Result<Pod, String> {
        self.write(name, json!({"metadata": {"annotations": {GRANT_ANNOTATION: null}}})).await
    }

    async fn write(&self, name: &str, patch: Value) -> Result<Pod, String> {
        let parameters = PatchParams { dry_run: self.dry_run, ..PatchParams::default() };
        self.cluster
            .pods()
            .patch(name, &parameters, &Patch::Merge(patch))
            .await
            .map_err(|error| complaint(&error))
    }
}

/// Whether `pod` can still be resized; says so where not.
fn is_present(pod: &Pod) -> bool {
    let over = cluster::set_aside(pod);
    if let Some(why) = over {
        terminal::remark(&format!("note: pod/{} {why}: skipped", pod.name_any()));
    }
    over.is_none()
}
