//! The rights that an act takes, asked for before the first change.

use std::fmt;

use anyhow::{anyhow, bail};
use futures_util::future::try_join_all;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;

use crate::cluster::Cluster;
use crate::cluster::error::error_message;

/// A verb on a resource of the namespace, or with `everywhere` of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Right {
    pub(super) verb: &'static str,
    pub(super) group: &'static str,
    /// With its subresource: `pods/resize`.
    pub(super) resource: &'static str,
    everywhere: bool,
}

impl Right {
    pub(super) const fn new(
        verb: &'static str,
        group: &'static str,
        resource: &'static str,
    ) -> Self {
        Self { verb, group, resource, everywhere: false }
    }

    async fn is_held(self, cluster: &Cluster) -> anyhow::Result<bool> {
        let (resource, subresource) = match self.resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
            None => (self.resource, None),
        };
        let attributes = ResourceAttributes {
            verb: Some(self.verb.to_owned()),
            group: Some(self.group.to_owned()),
            resource: Some(resource.to_owned()),
            subresource,
            namespace: (!self.everywhere).then(|| cluster.namespace.clone()),
            ..ResourceAttributes::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let reviews: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
        let answer = reviews.create(&PostParams::default(), &review).await.map_err(|error| {
            anyhow!("the API server cannot be asked for rights: {}", error_message(&error))
        })?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource, .. } = self;
        let dot = if group.is_empty() { "" } else { "." };
        write!(formatter, "{verb} {resource}{dot}{group}")
    }
}

/// Those of `rights` that the user does not hold.
///
/// # Errors
///
/// Where the API server does not say.
pub(super) async fn missing(cluster: &Cluster, rights: &[Right]) -> anyhow::Result<Vec<Right>> {
    let held =
        rights.iter().map(|right| async { anyhow::Ok((*right, right.is_held(cluster).await?)) });
    let held = try_join_all(held).await?;
    Ok(held.into_iter().filter(|(_, held)| !held).map(|(right, _)| right).collect())
}

/// Sees to it that all of `rights` are held.
///
/// # Errors
///
/// Where one is missing, or the API server does not say.
pub(super) async fn require(cluster: &Cluster, rights: &[Right]) -> anyhow::Result<()> {
    let missing = missing(cluster, rights).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let namespace = &cluster.namespace;
    bail!(
        "rights are missing in namespace {namespace:?}, and nothing was changed: {}",
        listed(&missing)
    );
}

/// Those rights in words.
fn listed(rights: &[Right]) -> String {
    rights.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_read_as_roles_write_them() {
        let rights = [
            Right::new("patch", "", "pods/resize"),
            Right::new("create", "coordination.k8s.io", "leases"),
        ];
        assert_eq!(listed(&rights), "patch pods/resize, create leases.coordination.k8s.io");
    }
}
