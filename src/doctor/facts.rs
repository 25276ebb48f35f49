//! What is known of a cluster. Everything that could not be looked up has the reason in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
    ValidatingWebhookConfiguration,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};

use crate::kube::selector::NAME_LABEL;

/// What was looked up, or why it could not be.
pub type Seen<T> = Result<T, String>;

/// The namespace and the name of an object.
pub type Place = (String, String);

/// Everything that the checks look at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// Days before its end from which on a certificate is warned about.
    pub expiry_days: u16,
    /// Every installation that was found, or the one that was asked for.
    pub installations: Vec<Installation>,
    /// Whether it was looked for in one place only: others are not told about.
    pub is_narrowed: bool,
    /// Every mutating configuration.
    pub mutating: Seen<Vec<MutatingWebhookConfiguration>>,
    /// Every validating configuration.
    pub validating: Seen<Vec<ValidatingWebhookConfiguration>>,
    /// What the API server judges itself.
    pub fallback: Seen<FallbackPolicies>,
    /// Services that hooks lead to, as far as they matter here; `None` where there is none.
    pub services: BTreeMap<Place, Seen<Option<Served>>>,
    /// Every namespace.
    pub namespaces: Seen<Vec<Namespace>>,
    /// Every node.
    pub nodes: Seen<Vec<Node>>,
    /// The version of the API server.
    pub version: Seen<Version>,
    /// The resources of `v1`, such as `pods/resize`.
    pub resources: Seen<BTreeSet<String>>,
    /// Which feature gates of the API server are on: `kubernetes_feature_enabled`.
    pub gates: Seen<BTreeMap<String, bool>>,
    /// Who may do what.
    pub rights: Seen<Rights>,
    /// Vertical Pod Autoscalers as JSON; `None` where the cluster does not know the kind.
    pub autoscalers: Seen<Option<Vec<String>>>,
    /// Deployments of Reloader.
    pub reloaders: Seen<Vec<Deployment>>,
    /// Workloads with annotations of Reloader's.
    pub followers: Seen<Vec<Follower>>,
    /// What was measured; `None` where nothing was to be.
    pub probe: Option<Seen<Measurement>>,
}

/// The policies in CEL, whoever's they are, and where they are in force.
#[derive(Clone, Debug, Default)]
pub struct FallbackPolicies {
    /// Every policy that validates.
    pub policies: Vec<ValidatingAdmissionPolicy>,
    /// Every binding of one.
    pub bindings: Vec<ValidatingAdmissionPolicyBinding>,
}

/// A Service that hooks lead to.
#[derive(Clone, Debug)]
pub struct Served {
    /// The Service.
    pub service: Service,
    /// Where it leads.
    pub slices: Seen<Vec<EndpointSlice>>,
}

/// An installation of Restraint: a Service that its hooks lead to, and what belongs to it.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The namespace.
    pub namespace: String,
    /// The name of the Service.
    pub name: String,
    /// The Deployment whose pods it selects, if any.
    pub deployment: Seen<Option<Deployment>>,
    /// The pods it selects; `None` where it selects none of its own.
    pub pods: Seen<Option<Vec<Pod>>>,
    /// The disruption budgets of the namespace.
    pub budgets: Seen<Vec<PodDisruptionBudget>>,
    /// The serving certificate.
    pub certificate: Seen<Certificate>,
}

/// A serving certificate as a Secret holds it, without its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The Secret.
    pub secret: Place,
    /// `tls.crt`; `None` where there is no such Secret or entry.
    pub chain: Option<Vec<u8>>,
}

/// The version of an API server or a kubelet, 1.MINOR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// MINOR; `None` where it is no number.
    pub minor: Option<u16>,
    /// As it is written.
    pub text: String,
}

/// Roles and whom they are bound to.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// Every ClusterRole.
    pub cluster_roles: Vec<ClusterRole>,
    /// Every Role.
    pub roles: Vec<Role>,
    /// Every ClusterRoleBinding.
    pub cluster_role_bindings: Vec<ClusterRoleBinding>,
    /// Every RoleBinding.
    pub role_bindings: Vec<RoleBinding>,
}

/// A workload that Reloader is told about by annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// How long resizes in dry runs took.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// The namespace of the pod.
    pub namespace: String,
    /// Those that Restraint is asked about, in order of time.
    pub asked: Vec<Duration>,
    /// Those that it is not asked about.
    pub unasked: Vec<Duration>,
    /// What the others were: `cpu resizes`, say.
    pub unasked_are: &'static str,
}

impl Version {
    /// Reads `v1.36.2` or `1.36+`.
    pub fn read(text: &str) -> Self {
        let minor = text.trim_start_matches('v').strip_prefix("1.").and_then(|rest| {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            rest.get(..end)?.parse().ok()
        });
        Self { minor, text: text.to_owned() }
    }
}

impl Installation {
    /// `namespace/name`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Its place.
    pub fn place(&self) -> Place {
        (self.namespace.clone(), self.name.clone())
    }

    /// The value of a flag of `restraint serve`, where the Deployment gives it.
    pub fn flag(&self, flag: &str) -> Option<&str> {
        let deployment = self.deployment.as_ref().ok()?.as_ref()?;
        let containers = &deployment.spec.as_ref()?.template.spec.as_ref()?.containers;
        containers.iter().find_map(|container| {
            super::names::flag(container.args.as_deref().unwrap_or_default(), flag)
        })
    }
}

impl Facts {
    /// The labels of a namespace; what every namespace is labelled with where they are not known.
    pub(super) fn namespace_labels(&self, name: &str) -> BTreeMap<String, String> {
        let known = self
            .namespaces
            .iter()
            .flatten()
            .find(|namespace| namespace.metadata.name.as_deref() == Some(name));
        let mut labels =
            known.and_then(|namespace| namespace.metadata.labels.clone()).unwrap_or_default();
        labels.entry(NAME_LABEL.to_owned()).or_insert_with(|| name.to_owned());
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_clouds_write_them() {
        for (text, minor) in [
            ("v1.36.2", Some(36)),
            ("1.33+", Some(33)),
            ("v1.31.4-eks-a1", Some(31)),
            ("v2.0.0", None),
            ("", None),
        ] {
            assert_eq!(Version::read(text).minor, minor, "{text}");
        }
    }
}
