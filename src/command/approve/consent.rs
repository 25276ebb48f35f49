//! `restraint approve --pending`: what somebody waits for, and whether the approver agrees to it.

use anyhow::bail;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use crate::approval::Floors;
use crate::cluster::Cluster;
use crate::cluster::target::Target;
use crate::command::pending::{self, PendingRequest};
use crate::terminal;

/// The one request that waits on a pod.
pub(super) struct Wanted {
    /// The pod, as it was when the request was held against it.
    pub(super) pod: Pod,
    /// The limits that were asked for.
    pub(super) floors: Floors,
    /// Whether it takes `force`.
    pub(super) force: bool,
    /// What to show the approver.
    words: String,
}

impl Wanted {
    /// What waits on the pod that `target` names.
    ///
    /// # Errors
    ///
    /// Where nothing is asked for, or more than one thing.
    pub(super) async fn find(cluster: &Cluster, target: &Target) -> anyhow::Result<Self> {
        if !target.is_pod() {
            bail!("--pending is for one pod: say pod/NAME");
        }
        let pod = cluster.pods_of(target).await?.into_iter().next();
        let Some(pod) = pod else { bail!("{target} cannot be read") };
        let mut found = Vec::new();
        for request in pending::of_pod(cluster, &pod, Timestamp::now()).await? {
            let words = described(target, &request);
            match request.granted() {
                Some((floors, force)) => found.push((floors.clone(), force, words)),
                None => terminal::remark(&format!("note: {words}: skipped")),
            }
        }
        match <[_; 1]>::try_from(found) {
            Ok([(floors, force, words)]) => Ok(Self { pod, floors, force, words }),
            Err(found) if found.is_empty() => {
                bail!("{target} has no pending request: none of the last hour, or it is settled")
            }
            Err(found) => {
                for (_, _, words) in &found {
                    terminal::remark(words);
                }
                bail!("{target} has {} pending requests: choose one with --memory", found.len())
            }
        }
    }

    /// Whether the approver agrees: shows what was asked for, and asks unless `yes`.
    ///
    /// # Errors
    ///
    /// Where nobody can be asked.
    pub(super) fn is_agreed(&self, yes: bool) -> anyhow::Result<bool> {
        terminal::remark(&self.words);
        if yes {
            return Ok(true);
        }
        let Some(agreed) = terminal::asked("approve exactly this?")? else {
            bail!("--pending asks first, and there is no terminal: --yes grants without asking");
        };
        Ok(agreed)
    }
}

fn described(target: &Target, request: &PendingRequest) -> String {
    let (ask, who, times) = (&request.ask, request.ask.claimed_by(), request.times());
    format!("{target}: {ask}; claimed by {who}, denied {times}")
}
