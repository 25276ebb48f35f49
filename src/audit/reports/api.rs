//! Which kind of report the cluster knows.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroup;
use kube::Client;
use kube::api::ApiResource;
use kube::core::GroupVersionKind;

/// A kind of report that is written, in one version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Api {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    /// As people write it.
    pub(super) name: &'static str,
}

/// Those that are written, the better one first.
const KNOWN: [Api; 2] = [
    Api {
        group: "openreports.io",
        version: "v1alpha1",
        kind: "Report",
        plural: "reports",
        name: "openreports.io/v1alpha1",
    },
    Api {
        group: "wgpolicyk8s.io",
        version: "v1alpha2",
        kind: "PolicyReport",
        plural: "policyreports",
        name: "wgpolicyk8s.io/v1alpha2",
    },
];

/// What the cluster knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This kind.
    Known(&'static Api),
    /// One of them, in other versions; in words.
    OtherVersion(String),
    /// None of them.
    Absent,
}

impl Api {
    /// As the client needs it.
    pub(super) fn resource(&self) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group, self.version, self.kind);
        ApiResource::from_gvk_with_plural(&kind, self.plural)
    }
}

/// Asks the cluster.
///
/// # Errors
///
/// Where it does not say.
pub(super) async fn find(client: &Client) -> kube::Result<Found> {
    let groups = client.list_api_groups().await?.groups;
    let mut other = Vec::new();
    for api in &KNOWN {
        match served(&groups, api) {
            Served::No => {}
            Served::Otherwise(words) => other.push(words),
            Served::Yes => {
                // a group may have the kind for the whole cluster alone
                let resources = client.list_api_group_resources(api.name).await?.resources;
                if resources.iter().any(|resource| resource.name == api.plural) {
                    return Ok(Found::Known(api));
                }
            }
        }
    }
    Ok(if other.is_empty() { Found::Absent } else { Found::OtherVersion(other.join("; ")) })
}

/// Whether the cluster serves a group in the version that is written.
#[derive(Debug, PartialEq, Eq)]
enum Served {
    Yes,
    Otherwise(String),
    No,
}

fn served(groups: &[APIGroup], api: &Api) -> Served {
    let Some(group) = groups.iter().find(|group| group.name == api.group) else {
        return Served::No;
    };
    let versions: Vec<_> = group.versions.iter().map(|one| one.version.as_str()).collect();
    if versions.contains(&api.version) {
        return Served::Yes;
    }
    let Api { group, version, .. } = api;
    let has = versions.join(", ");
    Served::Otherwise(format!(
        "the cluster has {group:?} in {has}, and {version} is what is written"
    ))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::GroupVersionForDiscovery;

    use super::*;

    #[test]
    fn another_version_is_not_taken_for_the_one_that_is_written() {
        let group = |name: &str, versions: &[&str]| APIGroup {
            name: name.to_owned(),
            versions: versions
                .iter()
                .map(|version| GroupVersionForDiscovery {
                    group_version: format!("{name}/{version}"),
                    version: (*version).to_owned(),
                })
                .collect(),
            ..APIGroup::default()
        };
        let groups =
            [group("openreports.io", &["v1", "v1beta1"]), group("wgpolicyk8s.io", &["v1alpha2"])];
        let expected =
            "the cluster has \"openreports.io\" in v1, v1beta1, and v1alpha1 is what is written";
        assert_eq!(served(&groups, &KNOWN[0]), Served::Otherwise(expected.to_owned()));
        assert_eq!(served(&groups, &KNOWN[1]), Served::Yes);
        assert_eq!(served(&[], &KNOWN[0]), Served::No);
    }
}
