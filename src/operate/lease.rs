//! A Lease by which two people who act on one workload see each other.

use std::time::Duration;

use anyhow::anyhow;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease as Stored, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::{DeleteParams, PostParams, Preconditions};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::approval::CLOCK_SKEW;
use crate::cluster::Cluster;
use crate::cluster::error::error_message;

use super::rights::Right;

/// How long a Lease counts that nobody renews, in seconds.
const LENGTH: i32 = 60;

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(20);

/// How often it is looked at again where somebody writes to it at the same time.
const ATTEMPTS: u32 = 3;

const GROUP: &str = "coordination.k8s.io";

/// What taking one takes.
pub(super) const RIGHTS: [Right; 4] = [
    Right::new("get", GROUP, "leases"),
    Right::new("create", GROUP, "leases"),
    Right::new("update", GROUP, "leases"),
    Right::new("delete", GROUP, "leases"),
];

/// A Lease that is held, and renewed until it is released.
#[derive(Debug)]
pub(super) struct Lease {
    leases: Api<Stored>,
    name: String,
    holder: String,
    renewal: JoinHandle<()>,
}

/// Somebody else holds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{holder} is at it since {since}: wait, or ask; its lease {name:?} ends {LENGTH} s after its last sign of life"
)]
pub(super) struct Held {
    pub(super) name: String,
    pub(super) holder: String,
    pub(super) since: Timestamp,
}

/// It is not held any more, or nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// Somebody else holds it.
    #[error("{by} took the lease {name:?} meanwhile")]
    Taken { name: String, by: String },
    /// It is gone.
    #[error("somebody deleted the lease {0:?}, which keeps others off")]
    Deleted(String),
    /// It cannot be renewed.
    #[error("the lease {name:?}, which keeps others off, cannot be renewed: {error}")]
    Unknown { name: String, error: String },
}

impl Lease {
    /// Takes the Lease of the workload with this UID; `Err` in it where somebody else holds it.
    ///
    /// # Errors
    ///
    /// Where the API server does not let it be taken.
    pub(super) async fn take(
        cluster: &Cluster,
        uid: &str,
        holder: String,
    ) -> anyhow::Result<Result<Self, Held>> {
        let leases: Api<Stored> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
        let name = format!("restraint-{uid}");
        let refused = |error: kube::Error| {
            anyhow!("lease {name:?} cannot be taken: {}", error_message(&error))
        };
        let wanted = stored(&name, &holder, Timestamp::now());
        match leases.create(&PostParams::default(), &wanted).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 409 => {
                let mut found = leases.get(&name).await.map_err(refused)?;
                if let Some(held) = held(&found, Timestamp::now()) {
                    return Ok(Err(held));
                }
                // who was faster has changed its version, and this is refused
                found.spec = wanted.spec;
                leases.replace(&name, &PostParams::default(), &found).await.map_err(refused)?;
            }
            Err(error) => return Err(refused(error)),
        }
        let renewal = tokio::spawn(keep(leases.clone(), name.clone(), holder.clone()));
        Ok(Ok(Self { leases, name, holder, renewal }))
    }

    /// Why nobody is kept off by it any more, if so. It is renewed for that: where it is not lost
    /// there is as much time as it lasts.
    pub(super) async fn lost(&self) -> Option<Lost> {
        renewed(&self.leases, &self.name, &self.holder).await.err()
    }

    /// Gives it back. One that cannot be deleted ends by itself.
    pub(super) async fn release(self) {
        self.renewal.abort();
        let Ok(found) = self.leases.get(&self.name).await else { return };
        if holder_of(&found) != Some(&self.holder) {
            return;
        }
        let Some(resource_version) = found.metadata.resource_version else { return };
        let only_this =
            Preconditions { resource_version: Some(resource_version), ..Preconditions::default() };
        let _ =
            self.leases.delete(&self.name, &DeleteParams::default().preconditions(only_this)).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Renews it until it is lost. What fails otherwise is tried again: it lasts longer than one
/// interval.
async fn keep(leases: Api<Stored>, name: String, holder: String) {
    loop {
        sleep(RENEWAL).await;
        let renewed = renewed(&leases, &name, &holder).await;
        if matches!(renewed, Err(Lost::Taken { .. } | Lost::Deleted(_))) {
            return;
        }
    }
}

async fn renewed(leases: &Api<Stored>, name: &str, holder: &str) -> Result<(), Lost> {
    let unknown = |error: kube::Error| match error {
        kube::Error::Api(status) if status.code == 404 => Lost::Deleted(name.to_owned()),
        error => Lost::Unknown { name: name.to_owned(), error: error_message(&error) },
    };
    let mut attempt = 0_u32;
    loop {
        let mut found = leases.get(name).await.map_err(unknown)?;
        if holder_of(&found) != Some(holder) {
            let by = holder_of(&found).unwrap_or("somebody").to_owned();
            return Err(Lost::Taken { name: name.to_owned(), by });
        }
        if let Some(spec) = &mut found.spec {
            spec.renew_time = Some(MicroTime(Timestamp::now()));
        }
        attempt = attempt.saturating_add(1);
        match leases.replace(name, &PostParams::default(), &found).await {
            Ok(_) => return Ok(()),
            // somebody wrote to it meanwhile: it is looked at again
            Err(kube::Error::Api(status)) if status.code == 409 && attempt < ATTEMPTS => {}
            Err(error) => return Err(unknown(error)),
        }
    }
}

fn stored(name: &str, holder: &str, now: Timestamp) -> Stored {
    Stored {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(LENGTH),
            acquire_time: Some(MicroTime(now)),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        }),
    }
}

fn holder_of(lease: &Stored) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

/// By whom `lease` is held at this time. Clocks may differ a little.
fn held(lease: &Stored, now: Timestamp) -> Option<Held> {
    let holder = holder_of(lease)?.to_owned();
    let spec = lease.spec.as_ref()?;
    let renewed = spec.renew_time.as_ref()?.0;
    let length = SignedDuration::from_secs(spec.lease_duration_seconds.unwrap_or(LENGTH).into());
    let is_over = now.duration_since(renewed) > length.saturating_add(CLOCK_SKEW);
    let since = spec.acquire_time.as_ref().map_or(renewed, |time| time.0);
    let name = lease.metadata.name.clone().unwrap_or_default();
    (!is_over).then_some(Held { name, holder, since })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_counts_until_it_was_not_renewed_for_its_length() {
        let start: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let lease = stored("restraint-u", "alice (host, process 1)", start);
        let after = |seconds: i64| start + SignedDuration::from_secs(seconds);
        let told = held(&lease, after(59)).unwrap();
        assert_eq!((told.holder.as_str(), told.since), ("alice (host, process 1)", start));
        let skew = CLOCK_SKEW.as_secs();
        assert!(held(&lease, after(60 + skew)).is_some());
        assert_eq!(held(&lease, after(61 + skew)), None);
        assert!(held(&lease, after(-3600)).is_some(), "of the future");
        let mut free = lease;
        free.spec.as_mut().unwrap().holder_identity = Some(String::new());
        assert_eq!(held(&free, start), None);
    }
}
