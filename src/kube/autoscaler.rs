//! Vertical Pod Autoscalers (`autoscaling.k8s.io/v1`): the fields of their `spec` that rules look
//! at.

use crate::json::fields;
use crate::json::text::Text;

use super::resources::Amounts;

/// `spec.updatePolicy`.
#[derive(Clone, Debug, Default)]
pub struct UpdatePolicy<'a> {
    /// `updateMode`; empty where nothing defaulted it.
    pub update_mode: Text<'a>,
}

fields!(UpdatePolicy { "updateMode" => update_mode });

impl UpdatePolicy<'_> {
    /// Whether the autoscaler resizes running pods.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(&*self.update_mode, "InPlaceOrRecreate" | "InPlace")
    }
}

/// `spec.resourcePolicy`.
#[derive(Clone, Debug, Default)]
pub struct ResourcePolicy<'a> {
    /// `containerPolicies`.
    pub container_policies: Vec<ContainerPolicy<'a>>,
}

fields!(ResourcePolicy { "containerPolicies" => container_policies });

/// An entry of `containerPolicies`.
#[derive(Clone, Debug, Default)]
pub struct ContainerPolicy<'a> {
    /// `containerName`; `*` for all that have no entry of their own.
    pub container_name: Text<'a>,
    /// `mode`: `Auto`, which is the default, or `Off`.
    pub mode: Text<'a>,
    /// `minAllowed`.
    pub min_allowed: Amounts<'a>,
    /// `controlledResources`; `cpu` and `memory` where it is absent.
    pub controlled_resources: Option<Vec<Text<'a>>>,
    /// `controlledValues`: `RequestsAndLimits`, which is the default, or `RequestsOnly`.
    pub controlled_values: Text<'a>,
}

fields!(ContainerPolicy {
    "containerName" => container_name,
    "mode" => mode,
    "minAllowed" => min_allowed,
    "controlledResources" => controlled_resources,
    "controlledValues" => controlled_values,
});

#[cfg(test)]
mod tests {
    use crate::json;
    use crate::kube::object::Object;

    #[test]
    fn an_autoscaler_is_read() {
        let json = r#"{
            "metadata": {"name": "web", "generation": 2},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "updatePolicy": {"updateMode": "InPlaceOrRecreate", "minReplicas": 1, "evictionRequirements": null},
                "recommenders": [{"name": "own"}],
                "resourcePolicy": {"containerPolicies": [
                    {"containerName": "app", "minAllowed": {"cpu": "100m", "memory": "256Mi"}, "maxAllowed": {"memory": "4Gi"},
                     "controlledResources": ["cpu", "memory"], "controlledValues": "RequestsOnly"},
                    {"containerName": "*", "mode": "Off", "minAllowed": null, "controlledResources": null}
                ]}
            },
            "status": {"recommendation": {"containerRecommendations": [{"containerName": "app", "target": {"memory": "262144k"}}]}}
        }"#;
        let object: Object<'_> = json::read(json).unwrap();
        assert_eq!(&*object.spec.update_policy.update_mode, "InPlaceOrRecreate");
        let [app, others] = object.spec.resource_policy.container_policies.as_slice() else {
            panic!("two policies")
        };
        assert_eq!((&*app.container_name, &*app.controlled_values), ("app", "RequestsOnly"));
        assert_eq!(app.min_allowed.memory.as_ref().map(|memory| memory.text()), Some("256Mi"));
        assert_eq!(app.controlled_resources.as_ref().map(Vec::len), Some(2));
        assert_eq!((&*others.container_name, &*others.mode), ("*", "Off"));
        assert!(others.min_allowed.memory.is_none() && others.controlled_resources.is_none());
    }

    #[test]
    fn an_autoscaler_without_policies_is_read() {
        for json in [
            r#"{"spec": {}}"#,
            r#"{"spec": {"updatePolicy": null, "resourcePolicy": null}}"#,
            r#"{"spec": {"resourcePolicy": {}}}"#,
        ] {
            let object: Object<'_> = json::read(json).unwrap();
            assert!(
                object.spec.update_policy.update_mode.is_empty()
                    && object.spec.resource_policy.container_policies.is_empty()
            );
        }
    }
}
