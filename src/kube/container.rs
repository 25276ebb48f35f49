//! Containers: the fields of `spec.containers[]` and `spec.initContainers[]` that rules look at.

use std::collections::BTreeSet;
use std::iter;

use crate::json::text::Text;
use crate::json::{self, Later, Raw, fields};
use crate::shell::{Invocation, POLLING_VARIABLES};

use super::configuration::ConfigKind;
use super::resources::Resources;
use super::volume::VolumeMount;

/// An entry of `spec.containers` or `spec.initContainers`.
#[derive(Clone, Debug, Default)]
pub struct Container<'a> {
    /// `name`.
    pub name: Text<'a>,
    /// `image`.
    pub image: Text<'a>,
    /// `command`.
    pub command: Vec<Text<'a>>,
    /// `args`.
    pub args: Vec<Text<'a>>,
    /// `workingDir`.
    pub working_dir: Text<'a>,
    /// `env`, often the largest part.
    pub env: Later<EnvVar<'a>>,
    /// `envFrom`.
    pub env_from: Vec<EnvFrom<'a>>,
    /// `resources`.
    pub resources: Resources<'a>,
    /// `resizePolicy`; absent and empty differ for a patch.
    pub resize_policy: Option<Vec<ResizePolicy<'a>>>,
    /// `restartPolicy`; `Always` makes an init container a sidecar (KEP-753).
    pub restart_policy: Text<'a>,
    /// `restartPolicyRules` (KEP-5307).
    pub restart_policy_rules: Vec<RestartRule<'a>>,
    /// `volumeMounts`.
    pub volume_mounts: Vec<VolumeMount<'a>>,
    /// `lifecycle`.
    pub lifecycle: Lifecycle<'a>,
    /// `livenessProbe`.
    pub liveness_probe: Option<Action<'a>>,
    /// `readinessProbe`.
    pub readiness_probe: Option<Action<'a>>,
    /// `startupProbe`.
    pub startup_probe: Option<Action<'a>>,
    /// `ports`, undecoded: hardly anything asks for them.
    pub ports: Option<Raw<'a>>,
}

/// An entry of `ports`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContainerPort<'a> {
    /// `name`.
    pub name: Text<'a>,
    /// `containerPort`.
    pub container_port: Option<i64>,
}

fields!(ContainerPort { "name" => name, "containerPort" => container_port });

fields!(Container {
    "name" => name,
    "image" => image,
    "command" => command,
    "args" => args,
    "workingDir" => working_dir,
    "env" => env,
    "envFrom" => env_from,
    "resources" => resources,
    "resizePolicy" => resize_policy,
    "restartPolicy" => restart_policy,
    "restartPolicyRules" => restart_policy_rules,
    "volumeMounts" => volume_mounts,
    "lifecycle" => lifecycle,
    "livenessProbe" => liveness_probe,
    "readinessProbe" => readiness_probe,
    "startupProbe" => startup_probe,
    "ports" => ports,
});

impl<'a> Container<'a> {
    /// Reads a container by itself.
    ///
    /// # Errors
    ///
    /// Where it is not JSON, or no container.
    pub fn from_json(text: &'a str) -> Result<Self, json::Error> {
        json::read(text)
    }

    /// The container called `name` in `list`, mostly the one at `index`.
    pub(crate) fn named<'c>(name: &str, list: &'c [Self], index: usize) -> Option<&'c Self> {
        let same = |container: &&Self| &*container.name == name;
        list.get(index).filter(same).or_else(|| list.iter().find(same))
    }

    /// The container's entry for `resource` in `resizePolicy`.
    pub(crate) fn policy_for(&self, resource: &str) -> Option<&ResizePolicy<'a>> {
        self.resize_policy.iter().flatten().find(|policy| &*policy.resource_name == resource)
    }

    /// The ports that it says it listens on. Entries of another shape than the API server takes
    /// count as none.
    pub(crate) fn ports(&self) -> Vec<i64> {
        let ports: Vec<ContainerPort<'_>> =
            self.ports.and_then(|raw| json::read(raw.get()).ok()).unwrap_or_default();
        ports.into_iter().filter_map(|port| port.container_port).collect()
    }

    /// What it runs, each a command with its arguments: itself, its probes and its hooks.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&[Text<'a>], &[Text<'a>])> {
        let main = (self.command.as_slice(), self.args.as_slice());
        let probes = [&self.liveness_probe, &self.readiness_probe, &self.startup_probe];
        let actions = probes
            .into_iter()
            .chain([&self.lifecycle.post_start, &self.lifecycle.pre_stop])
            .flatten();
        let texts = iter::once(main)
            .chain(actions.map(|action| (action.exec.command.as_slice(), [].as_slice())));
        texts.filter(|(command, args)| !command.is_empty() || !args.is_empty())
    }

    /// The literal environment, where `invocation` may ask for any of it or what it starts is told
    /// by it how to work.
    pub(crate) fn environment_of(&self, invocation: &Invocation<'_>) -> Vec<(&str, &str)> {
        let tells = || self.env.iter().any(|variable| POLLING_VARIABLES.contains(&&*variable.name));
        if invocation.may_refer() || tells() { self.literal_environment() } else { Vec::new() }
    }

    /// The variables whose values the manifest tells, in order. What stands before an entry of the
    /// same name from elsewhere is left out with it: in between, nobody knows the value.
    fn literal_environment(&self) -> Vec<(&str, &str)> {
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
#[derive(Clone, Debug, Default)]
pub struct ResizePolicy<'a> {
    /// `resourceName`: `cpu` or `memory`.
    pub resource_name: Text<'a>,
    /// `restartPolicy`: `NotRequired` or `RestartContainer`.
    pub restart_policy: Text<'a>,
}

fields!(ResizePolicy { "resourceName" => resource_name, "restartPolicy" => restart_policy });

/// An entry of `restartPolicyRules` (KEP-5307, KEP-5532).
#[derive(Clone, Debug, Default)]
pub struct RestartRule<'a> {
    /// `action`: `Restart` or `RestartAllContainers`.
    pub action: Text<'a>,
    /// `exitCodes`.
    pub exit_codes: Option<ExitCodes<'a>>,
}

fields!(RestartRule { "action" => action, "exitCodes" => exit_codes });

/// `restartPolicyRules[].exitCodes`.
#[derive(Clone, Debug, Default)]
pub struct ExitCodes<'a> {
    /// `operator`: `In` or `NotIn`.
    pub operator: Text<'a>,
    /// `values`; the API server takes any 32-bit number.
    pub values: Vec<i32>,
}

fields!(ExitCodes { "operator" => operator, "values" => values });

/// An entry of `env`.
#[derive(Clone, Debug, Default)]
pub struct EnvVar<'a> {
    /// `name`.
    pub name: Text<'a>,
    /// `value`; may be a secret: never printed.
    pub value: Text<'a>,
    /// `valueFrom`; boxed, because most variables have none and a pod may have hundreds of them.
    pub value_from: Option<Box<EnvVarSource<'a>>>,
}

fields!(EnvVar { "name" => name, "value" => value, "valueFrom" => value_from });

impl EnvVar<'_> {
    /// Whether the manifest tells its value. The kubelet asks for `valueFrom` only where `value` is
    /// empty.
    pub(crate) fn is_literal(&self) -> bool {
        self.value_from.is_none() || !self.value.is_empty()
    }
}

/// `env[].valueFrom`.
#[derive(Clone, Debug, Default)]
pub struct EnvVarSource<'a> {
    /// `configMapKeyRef`.
    pub config_map_key_ref: Option<Reference<'a>>,
    /// `secretKeyRef`.
    pub secret_key_ref: Option<Reference<'a>>,
    /// `resourceFieldRef`.
    pub resource_field_ref: Option<ResourceField<'a>>,
}

fields!(EnvVarSource {
    "configMapKeyRef" => config_map_key_ref,
    "secretKeyRef" => secret_key_ref,
    "resourceFieldRef" => resource_field_ref,
});

/// `env[].valueFrom.resourceFieldRef`.
#[derive(Clone, Debug, Default)]
pub struct ResourceField<'a> {
    /// `containerName`; empty for the container itself.
    pub container_name: Text<'a>,
    /// `resource`: `limits.memory`, `requests.cpu` and their like.
    pub resource: Text<'a>,
    /// `divisor`, as written: a quantity.
    pub divisor: Option<Raw<'a>>,
}

fields!(ResourceField {
    "containerName" => container_name,
    "resource" => resource,
    "divisor" => divisor,
});

impl ResourceField<'_> {
    /// Whether it is in bytes, or in whole cores.
    pub(crate) fn is_undivided(&self) -> bool {
        let divisor = self.divisor.map_or("0", Raw::get);
        matches!(divisor.trim_matches('"'), "0" | "1" | "null" | "")
    }
}

/// An entry of `envFrom`.
#[derive(Clone, Debug, Default)]
pub struct EnvFrom<'a> {
    /// `prefix` of the names of the variables.
    pub prefix: Text<'a>,
    /// `configMapRef`.
    pub config_map_ref: Option<Reference<'a>>,
    /// `secretRef`.
    pub secret_ref: Option<Reference<'a>>,
}

fields!(EnvFrom { "prefix" => prefix, "configMapRef" => config_map_ref, "secretRef" => secret_ref });

/// A reference to a ConfigMap or Secret, or to a key of one.
#[derive(Clone, Debug, Default)]
pub struct Reference<'a> {
    /// `name`.
    pub name: Text<'a>,
    /// `key`; empty for a whole object.
    pub key: Text<'a>,
    /// `optional`: it need not be there.
    pub optional: bool,
}

fields!(Reference { "name" => name, "key" => key, "optional" => optional });

/// Of two references the first, with its kind: where there are both, the API server refuses them.
fn either<'r, 'a>(
    config_map: Option<&'r Reference<'a>>,
    secret: Option<&'r Reference<'a>>,
) -> Option<(ConfigKind, &'r Reference<'a>)> {
    let config_map = config_map.map(|reference| (ConfigKind::ConfigMap, reference));
    config_map.or_else(|| secret.map(|reference| (ConfigKind::Secret, reference)))
}

impl<'a> EnvVarSource<'a> {
    /// The key of a ConfigMap or Secret that is the value; `None` for what is neither.
    pub(crate) fn reference(&self) -> Option<(ConfigKind, &Reference<'a>)> {
        either(self.config_map_key_ref.as_ref(), self.secret_key_ref.as_ref())
    }
}

impl<'a> EnvFrom<'a> {
    /// The ConfigMap or Secret that the variables are from.
    pub(crate) fn reference(&self) -> Option<(ConfigKind, &Reference<'a>)> {
        either(self.config_map_ref.as_ref(), self.secret_ref.as_ref())
    }
}

/// `lifecycle`.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle<'a> {
    /// `postStart`.
    pub post_start: Option<Action<'a>>,
    /// `preStop`.
    pub pre_stop: Option<Action<'a>>,
}

fields!(Lifecycle { "postStart" => post_start, "preStop" => pre_stop });

/// A probe or a lifecycle hook: what it executes.
#[derive(Clone, Debug, Default)]
pub struct Action<'a> {
    /// `exec`.
    pub exec: Exec<'a>,
}

fields!(Action { "exec" => exec });

/// `exec`.
#[derive(Clone, Debug, Default)]
pub struct Exec<'a> {
    /// `command`.
    pub command: Vec<Text<'a>>,
}

fields!(Exec { "command" => command });

/// Where a container stands in a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    pub(crate) fn is_app(self) -> bool {
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
            let container: Container<'_> = Container::from_json(&text).unwrap();
            container
                .literal_environment()
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
        };
        let (one, two) = (r#"{"name": "A", "value": "1"}"#, r#"{"name": "A", "value": "2"}"#);
        let (elsewhere, uses) = (
            r#"{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}"#,
            r#"{"name": "B", "value": "$(A)"}"#,
        );
        assert_eq!(of(&[one, uses, two].join(",")), ["A=1", "B=$(A)", "A=2"]);
        assert_eq!(of(&[one, uses, elsewhere].join(",")), ["B=$(A)"]);
        assert_eq!(
            of(&[elsewhere, uses, one].join(",")),
            ["B=$(A)", "A=1"],
            "B takes what is from elsewhere"
        );
        assert_eq!(of(&[one, elsewhere, uses, two].join(",")), ["B=$(A)", "A=2"]);
        assert_eq!(
            of(r#"{"name": "A", "value": "", "valueFrom": null}, {"name": "B"}"#),
            ["A=", "B="]
        );
    }
}
