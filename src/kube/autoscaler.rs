//! Vertical Pod Autoscalers (`autoscaling.k8s.io/v1`): the fields of their `spec` that rules look at.

use serde::Deserialize;

use super::list::{list, optional_list};
use super::resources::Amounts;
use super::text::{Text, nullable};

/// `spec.updatePolicy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdatePolicy<'a> {
    /// `updateMode`; empty where nothing defaulted it.
    #[serde(borrow, default)]
    pub update_mode: Text<'a>,
}

/// `spec.resourcePolicy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourcePolicy<'a> {
    /// `containerPolicies`.
    #[serde(borrow, default, deserialize_with = "list")]
    pub container_policies: Vec<ContainerPolicy<'a>>,
}

/// An entry of `containerPolicies`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerPolicy<'a> {
    /// `containerName`; `*` for all that have no entry of their own.
    #[serde(borrow, default)]
    pub container_name: Text<'a>,
    /// `mode`: `Auto`, which is the default, or `Off`.
    #[serde(borrow, default)]
    pub mode: Text<'a>,
    /// `minAllowed`.
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub min_allowed: Amounts<'a>,
    /// `controlledResources`; `cpu` and `memory` where it is absent.
    #[serde(borrow, default, deserialize_with = "optional_list")]
    pub controlled_resources: Option<Vec<Text<'a>>>,
}
