//! Containers: the fields of `spec.containers[]` and `spec.initContainers[]` that rules look at.

use std::collections::BTreeSet;
use std::iter;

use serde::Deserialize;

use super::list::{list, optional_list};
use super::resources::Resources;
use super::text::{Text, nullable};
use super::volume::VolumeMount;

/// An entry of `spec.containers` or `spec.initContainers`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container<'a> {
    /// `name`.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// `image`.
    #[serde(borrow, default)]
    pub image: Text<'a>,
    /// `command`.
    #[serde(borrow, default, deserialize_with = "list")]
    pub command: Vec<Text<'a>>,
    /// `args`.
    #[serde(borrow, default, deserialize_with = "list")]
    pub args: Vec<Text<'a>>,
    /// `workingDir`.
    #[serde(borrow, default)]
    pub working_dir: Text<'a>,
    /// `env`.
    #[serde(borrow, default, deserialize_with = "list")]
    pub env: Vec<EnvVar<'a>>,
    /// `envFrom`.
    #[serde(borrow, default, deserialize_with = "list")]
    pub env_from: Vec<EnvFrom<'a>>,
    /// `resources`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub resources: Resources<'a>,
    /// `resizePolicy`; absent and empty differ for a patch.
    #[serde(borrow, default, deserialize_with = "optional_list")]
    pub resize_policy: Option<Vec<ResizePolicy<'a>>>,
    /// `restartPolicy`; `Always` makes an init container a sidecar (KEP-753).
    #[serde(borrow, default)]
    pub restart_policy: Text<'a>,
    /// `restartPolicyRules` (KEP-5307).
    #[serde(borrow, default, deserialize_with = "list")]
    pub restart_policy_rules: Vec<RestartRule<'a>>,
    /// `volumeMounts`.
    #[serde(borrow, default, deserialize_with = "list")]
    pub volume_mounts: Vec<VolumeMount<'a>>,
    /// `lifecycle`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub lifecycle: Lifecycle<'a>,
    /// `livenessProbe`.
    #[serde(borrow, default)]
    pub liveness_probe: Option<Action<'a>>,
    /// `readinessProbe`.
    #[serde(borrow, default)]
    pub readiness_probe: Option<Action<'a>>,
    /// `startupProbe`.
    #[serde(borrow, default)]
    pub startup_probe: Option<Action<'a>>,
}

impl<'a> Container<'a> {
    /// The container's entry for `resource` in `resizePolicy`.
    pub fn policy_for(&self, resource: &str) -> Option<&ResizePolicy<'a>> {
        self.resize_policy.iter().flatten().find(|policy| &*policy.resource_name == resource)
    }

    /// What it runs, each a command with its arguments: itself, its probes and its hooks.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&[Text<'a>], &[Text<'a>])> {
        let main = (self.command.as_slice(), self.args.as_slice());
        let probes = [&self.liveness_probe, &self.readiness_probe, &self.startup_probe];
        let actions = probes.into_iter().chain([&self.lifecycle.post_start, &self.lifecycle.pre_stop]).flatten();
        let texts = iter::once(main).chain(actions.map(|action| (action.exec.command.as_slice(), [].as_slice())));
        texts.filter(|(command, args)| !command.is_empty() || !args.is_empty())
    }

    /// The variables whose values the manifest tells, in order. What stands before an entry of the same name from
    /// elsewhere is left out with it: in between, nobody knows the value.
    pub(crate) fn literal_environment(&self) -> Vec<(&str, &str)> {
        let mut elsewhere = BTreeSet::new();
        let mut known = Vec::new();
        for variable in self.env.iter().rev() {
            let name = &*variable.name;
            if !variable.is_literal() {
                elsewhere.insert(name);
            } else if !elsewhere.contains(name) {
                known.push((name, &*variable.value));
            }
        }
        known.reverse();
        known
    }
}

/// An entry of `resizePolicy` (KEP-1287).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResizePolicy<'a> {
    /// `resourceName`: `cpu` or `memory`.
    #[serde(borrow, default)]
    pub resource_name: Text<'a>,
    /// `restartPolicy`: `NotRequired` or `RestartContainer`.
    #[serde(borrow, default)]
    pub restart_policy: Text<'a>,
}

/// An entry of `restartPolicyRules` (KEP-5307, KEP-5532).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestartRule<'a> {
    /// `action`: `Restart` or `RestartAllContainers`.
    #[serde(borrow, default)]
    pub action: Text<'a>,
    /// `exitCodes`.
    #[serde(borrow, default)]
    pub exit_codes: Option<ExitCodes<'a>>,
}

/// `restartPolicyRules[].exitCodes`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ExitCodes<'a> {
    /// `operator`: `In` or `NotIn`.
    #[serde(borrow, default)]
    pub operator: Text<'a>,
    /// `values`; the API server takes any 32-bit number.
    #[serde(default, deserialize_with = "list")]
    pub values: Vec<i32>,
}

/// An entry of `env`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvVar<'a> {
    /// `name`.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// `value`; may be a secret: never printed.
    #[serde(borrow, default)]
    pub value: Text<'a>,
    /// `valueFrom`; boxed, because most variables have none and a pod may have hundreds of them.
    #[serde(borrow, default)]
    pub value_from: Option<Box<EnvVarSource<'a>>>,
}

impl EnvVar<'_> {
    /// Whether the manifest tells its value. The kubelet asks for `valueFrom` only where `value` is empty.
    pub fn is_literal(&self) -> bool {
        self.value_from.is_none() || !self.value.is_empty()
    }
}

/// `env[].valueFrom`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvVarSource<'a> {
    /// `configMapKeyRef`.
    #[serde(borrow, default)]
    pub config_map_key_ref: Option<Reference<'a>>,
    /// `secretKeyRef`.
    #[serde(borrow, default)]
    pub secret_key_ref: Option<Reference<'a>>,
    /// `resourceFieldRef`.
    #[serde(borrow, default)]
    pub resource_field_ref: Option<ResourceField<'a>>,
}

/// `env[].valueFrom.resourceFieldRef`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceField<'a> {
    /// `containerName`; empty for the container itself.
    #[serde(borrow, default)]
    pub container_name: Text<'a>,
    /// `resource`: `limits.memory`, `requests.cpu` and their like.
    #[serde(borrow, default)]
    pub resource: Text<'a>,
}

/// An entry of `envFrom`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvFrom<'a> {
    /// `prefix` of the names of the variables.
    #[serde(borrow, default)]
    pub prefix: Text<'a>,
    /// `configMapRef`.
    #[serde(borrow, default)]
    pub config_map_ref: Option<Reference<'a>>,
    /// `secretRef`.
    #[serde(borrow, default)]
    pub secret_ref: Option<Reference<'a>>,
}

/// A reference to a ConfigMap or Secret, or to a key of one.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Reference<'a> {
    /// `name`.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// `key`; empty for a whole object.
    #[serde(borrow, default)]
    pub key: Text<'a>,
    /// `optional`: it need not be there.
    #[serde(default, deserialize_with = "nullable")]
    pub optional: bool,
}

/// `lifecycle`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lifecycle<'a> {
    /// `postStart`.
    #[serde(borrow, default)]
    pub post_start: Option<Action<'a>>,
    /// `preStop`.
    #[serde(borrow, default)]
    pub pre_stop: Option<Action<'a>>,
}

/// A probe or a lifecycle hook: what it executes.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Action<'a> {
    /// `exec`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub exec: Exec<'a>,
}

/// `exec`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Exec<'a> {
    /// `command`.
    #[serde(borrow, default, deserialize_with = "list")]
    pub command: Vec<Text<'a>>,
}

/// Where a container stands in a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Of `spec.containers`.
    Regular,
    /// Of `spec.initContainers`, with `restartPolicy: Always`.
    Sidecar,
    /// Of `spec.initContainers`, run to completion before the others start.
    Init,
}

impl Role {
    /// Whether the container runs as long as the pod does: regular containers and sidecars.
    pub fn is_app(self) -> bool {
        self != Self::Init
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_environments() {
        let of = |env: &str| {
            let text = format!(r#"{{"env": [{env}]}}"#);
            let container: Container<'_> = serde_json::from_str(&text).unwrap();
            container.literal_environment().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        let (one, two) = (r#"{"name": "A", "value": "1"}"#, r#"{"name": "A", "value": "2"}"#);
        let (elsewhere, uses) =
            (r#"{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}"#, r#"{"name": "B", "value": "$(A)"}"#);
        assert_eq!(of(&[one, uses, two].join(",")), ["A=1", "B=$(A)", "A=2"]);
        assert_eq!(of(&[one, uses, elsewhere].join(",")), ["B=$(A)"]);
        assert_eq!(of(&[elsewhere, uses, one].join(",")), ["B=$(A)", "A=1"], "B takes what is from elsewhere");
        assert_eq!(of(&[one, elsewhere, uses, two].join(",")), ["B=$(A)", "A=2"]);
        assert_eq!(of(r#"{"name": "A", "value": "", "valueFrom": null}, {"name": "B"}"#), ["A=", "B="]);
    }
}
