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

use crate::cluster::NamespacedName;
pub use crate::cluster::installation::PolicyFiles;
use crate::cluster::installation::{self, PolicySource};
use crate::judge::policies::Policies;
use crate::kube::name::describe;
use crate::kube::selector::NAME_LABEL;
pub use crate::kube::version::Version;

/// What was looked up, or why it could not be.
pub(crate) type Fact<T> = Result<T, String>;

/// Labels of pods, by namespace.
pub type PodLabels = BTreeMap<String, Vec<BTreeMap<String, String>>>;

/// Everything that the checks look at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// Certificates that expire within this many days are warned about.
    pub expiry_days: u16,
    /// Every installation that was found, or the one that was asked for.
    pub installations: Vec<Installation>,
    /// Whether the search was narrowed: there may be others.
    pub is_narrowed: bool,
    /// Every mutating configuration.
    pub mutating: Fact<Vec<MutatingWebhookConfiguration>>,
    /// Every validating configuration.
    pub validating: Fact<Vec<ValidatingWebhookConfiguration>>,
    /// The policies that the API server evaluates itself.
    pub fallback: Fact<FallbackPolicies>,
    /// Services that webhooks call, as far as they matter here; `None` where there is none.
    pub services: BTreeMap<NamespacedName, Fact<Option<ServiceEndpoints>>>,
    /// Every namespace.
    pub namespaces: Fact<Vec<Namespace>>,
    /// The labels of every pod, by namespace, where a webhook of Restraint selects objects by labels;
    /// elsewhere nobody asks, and there are none.
    pub pods: Fact<PodLabels>,
    /// Every node.
    pub nodes: Fact<Vec<Node>>,
    /// The version of the API server.
    pub version: Fact<Version>,
    /// The resources of `v1`, such as `pods/resize`.
    pub resources: Fact<BTreeSet<String>>,
    /// Which feature gates of the API server are on: `kubernetes_feature_enabled`.
    pub gates: Fact<BTreeMap<String, bool>>,
    /// Roles and their bindings.
    pub rights: Fact<Rights>,
    /// Vertical Pod Autoscalers as JSON; `None` where the cluster does not know the kind.
    pub autoscalers: Fact<Option<Vec<String>>>,
    /// Deployments of Reloader.
    pub reloaders: Fact<Vec<Deployment>>,
    /// Workloads with annotations of Reloader's.
    pub followers: Fact<Vec<Follower>>,
    /// What was measured; `None` where nothing was to be.
    pub probe: Option<Fact<Measurement>>,
}

/// All validating policies in CEL, and their bindings.
#[derive(Clone, Debug, Default)]
pub struct FallbackPolicies {
    /// Every policy that validates.
    pub policies: Vec<ValidatingAdmissionPolicy>,
    /// Every binding of one.
    pub bindings: Vec<ValidatingAdmissionPolicyBinding>,
}

/// A Service that webhooks call.
#[derive(Clone, Debug)]
pub struct ServiceEndpoints {
    /// The Service.
    pub service: Service,
    /// Its endpoints.
    pub slices: Fact<Vec<EndpointSlice>>,
}

/// An installation of Restraint: the Service that its webhooks call, and what belongs to it.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The Service.
    pub service: NamespacedName,
    /// The Deployment whose pods it selects, if any.
    pub deployment: Fact<Option<Deployment>>,
    /// The pods it selects; `None` where it selects none of its own.
    pub pods: Fact<Option<Vec<Pod>>>,
    /// The disruption budgets of the namespace.
    pub budgets: Fact<Vec<PodDisruptionBudget>>,
    /// The serving certificate.
    pub certificate: Fact<Certificate>,
    /// Its policies; `None` where they come from no ConfigMap.
    pub policies: Fact<Option<PolicyFiles>>,
}

/// A serving certificate as a Secret holds it, without its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The Secret.
    pub secret: NamespacedName,
    /// `tls.crt`; `None` where there is no such Secret or entry.
    pub chain: Option<Vec<u8>>,
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

/// A workload with annotations for Reloader.
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
    /// The webhook or policy that denied a decrease; `None` where it passed.
    pub denied_by: Option<String>,
    /// Those that call Restraint, in order of time.
    pub asked: Vec<Duration>,
    /// Those that do not.
    pub unasked: Vec<Duration>,
    /// What the others were: `cpu resizes`, say.
    pub unasked_are: &'static str,
}

impl Installation {
    /// The Service, as messages name it.
    pub(super) fn object(&self) -> String {
        describe("Service", &self.service.namespace, &self.service.name)
    }

    /// The value of a flag of `restraint serve`, where the Deployment gives it.
    pub(super) fn flag(&self, flag: &str) -> Option<&str> {
        installation::flag(self.deployment()?, flag)
    }

    /// Its Deployment, where there is one that is known.
    pub(super) fn deployment(&self) -> Option<&Deployment> {
        self.deployment.as_ref().ok()?.as_ref()
    }

    /// Where its Deployment says that its policies are.
    pub(super) fn policy_source(&self) -> Option<PolicySource> {
        self.deployment().map(|deployment| PolicySource::of(deployment, &self.service.namespace))
    }
}

impl Installation {
    /// Its policies. `None` where it is known that they are faulty, or not known where they are: the
    /// check of policies tells.
    pub(super) fn policies_in_force(&self) -> Fact<Option<Policies>> {
        let is_built_in = || self.policy_source() == Some(PolicySource::BuiltIn);
        Ok(match self.policies.as_ref().map_err(Clone::clone)? {
            Some(files) => {
                files.contents.as_ref().ok().and_then(|contents| Policies::read(contents).ok())
            }
            None => is_built_in().then(Policies::embedded),
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
