//! `restraint approve`: writes a grant, and checks that the service stamped it.

mod answer;
mod consent;
mod grant_result;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::approval::{Floors, GRANT_ANNOTATION, Grant, Stamp, parse_lifetime};
use crate::cluster::error::error_message;
use crate::cluster::pod::why_ended;
use crate::cluster::target::Target;
use crate::cluster::{self, Cluster};
use crate::terminal::{self, OutputFormat};

use super::grant_check as check;
use super::target_options::TargetOptions;
use answer::Before;
use consent::Wanted;
use grant_result::GrantResult;

/// What to approve.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// How far memory limits may fall: CONTAINER=QUANTITY, "@pod" for the pod's own, or "true" for
    /// any decrease.
    #[arg(long, required_unless_present = "pending", value_name = "CONTAINER=QUANTITY,...")]
    memory: Vec<String>,

    /// Approve exactly what was denied on this pod, after a question.
    #[arg(long, conflicts_with_all = ["memory", "force"])]
    pending: bool,

    /// Do not ask.
    #[arg(long, requires = "pending", conflicts_with_all = ["memory", "force"])]
    yes: bool,

    /// How long the approval is valid, such as 30m, up to 24h [default: what the policy says, 1h].
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_lifetime)]
    lifetime: Option<SignedDuration>,

    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// Approve even if a heap is known not to fit.
    #[arg(long)]
    force: bool,

    /// Which pods to change, and how.
    #[command(flatten)]
    pods: TargetOptions,
}

/// Approves. The exit code is 1 if any pod is not approved in the end.
///
/// # Errors
///
/// Where nothing could be tried: no grant, no cluster, no such pod or container.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let target = Target::parse(&options.pods.target)?;
    let given = if options.pending { None } else { Some(options.given()?) };
    cluster::block_on(async {
        let cluster = options.pods.cluster.connect(options.pods.namespace.as_deref()).await?;
        let (pods, grant) = match given {
            Some(grant) => (cluster.pods_of(&target).await?, grant),
            None => {
                let wanted = Wanted::find(&cluster, &target).await?;
                let grant = options.grant(wanted.floors.clone(), wanted.force)?;
                if !wanted.is_agreed(options.yes)? {
                    terminal::remark(&format!("{target} not approved"));
                    return Ok(ExitCode::FAILURE);
                }
                (vec![wanted.pod], grant)
            }
        };
        let approver =
            Approver { cluster: &cluster, grant: &grant, dry_run: options.pods.dry_run.is_some() };
        let results = approver.approve_all(&target, pods, options.pods.output.format).await?;
        if options.pods.output.format == OutputFormat::Json {
            terminal::print_json(&results)?;
        }
        Ok(if results.iter().all(|result| result.approved) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

impl Options {
    /// What `--memory` grants.
    fn given(&self) -> anyhow::Result<Grant> {
        let floors = Floors::parse(&self.memory.join(",")).context("--memory grants nothing")?;
        self.grant(floors, self.force)
    }

    /// The grant of `floors`, as the service will read it.
    fn grant(&self, floors: Floors, force: bool) -> anyhow::Result<Grant> {
        let reason = self.reason.as_deref().map(|reason| reason.trim().to_owned());
        let grant = Grant { floors, lifetime: self.lifetime, force, reason };
        Grant::parse(&grant.to_string()).context("the grant is not valid")
    }
}

struct Approver<'a> {
    cluster: &'a Cluster,
    grant: &'a Grant,
    dry_run: bool,
}

impl Approver<'_> {
    async fn approve_all(
        &self,
        target: &Target,
        pods: Vec<Pod>,
        form: OutputFormat,
    ) -> anyhow::Result<Vec<GrantResult>> {
        let pods: Vec<Pod> = pods.into_iter().filter(is_present).collect();
        if pods.is_empty() {
            bail!("{target} cannot be resized any more");
        }
        let unknown: Vec<_> =
            pods.iter().filter_map(|pod| check::unknown_part(self.grant, pod)).collect();
        if unknown.len() == pods.len() {
            bail!("{}", unknown.into_iter().next().unwrap_or_default());
        }
        let mut results = Vec::new();
        for pod in &pods {
            let result =
                GrantResult::of(pod, self.approve(pod).await.map(Into::into), self.dry_run);
            match (result.approved, form) {
                (true, OutputFormat::Text) => terminal::print(&format!("{result}\n"))?,
                (true, OutputFormat::Json) => {}
                (false, _) => terminal::remark(&result.to_string()),
            }
            results.push(result);
        }
        Ok(results)
    }

    /// The stamp that the service put on `pod`.
    async fn approve(&self, pod: &Pod) -> Result<Stamp, String> {
        let name = pod.name_any();
        if let Some(error) = check::unknown_part(self.grant, pod) {
            return Err(error);
        }
        for floor in check::ineffective_floors(self.grant, pod) {
            terminal::remark(&format!("warning: {floor}"));
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
                Err(match self.remove_grant(&name).await {
                    Ok(_) => format!("{}; the grant was removed again", unstamped.why),
                    Err(error) => format!(
                        "{}; the grant, which has no effect, could not be removed again: {error}",
                        unstamped.why
                    ),
                })
            }
            Err(unstamped) => Err(unstamped.why),
        }
    }

    /// The text of the grant. If the pod carries the same grant already, writing it again would be no
    /// change, and no webhook would be called: the old one is removed first, or, in a dry run, the
    /// new one is written in other words.
    async fn text(&self, pod: &Pod, before: &Before) -> Result<String, String> {
        let text = self.grant.to_string();
        let Some(existing) = &before.grant else { return Ok(text) };
        let name = pod.name_any();
        if self.dry_run {
            return Ok(if *existing == text { format!("{text} ") } else { text });
        }
        self.remove_grant(&name).await.map_err(|error| {
            format!("the pod carries a grant without a stamp, which could not be removed: {error}")
        })?;
        terminal::remark(&format!(
            "note: pod/{name} carried a grant without a stamp, which was removed first"
        ));
        Ok(text)
    }

    async fn remove_grant(&self, name: &str) -> Result<Pod, String> {
        self.write(name, json!({"metadata": {"annotations": {GRANT_ANNOTATION: null}}})).await
    }

    async fn write(&self, name: &str, patch: Value) -> Result<Pod, String> {
        let parameters = PatchParams { dry_run: self.dry_run, ..PatchParams::default() };
        self.cluster
            .pods()
            .patch(name, &parameters, &Patch::Merge(patch))
            .await
            .map_err(|error| error_message(&error))
    }
}

/// Whether `pod` can still be resized; prints a note if not.
fn is_present(pod: &Pod) -> bool {
    let ended = why_ended(pod);
    if let Some(why) = ended {
        terminal::remark(&format!("note: pod/{} {why}: skipped", pod.name_any()));
    }
    ended.is_none()
}
