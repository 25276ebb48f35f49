//! The `caBundle` of our webhook configurations.

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use kube::api::{Patch, PatchParams};
use kube::core::ObjectMeta;
use kube::{Api, Client};
use serde_json::{Value, json};
use tracing::info;

use crate::serve::request::{RequestError, answered};

use super::error::PairError;
use super::rotations::Rotations;

/// The webhook configurations of these names, of either kind.
pub(super) struct Configurations {
    validating: Api<ValidatingWebhookConfiguration>,
    mutating: Api<MutatingWebhookConfiguration>,
    names: Vec<String>,
}

/// A webhook configuration as it was read.
#[derive(Debug)]
pub(super) struct Found {
    kind: WebhookKind,
    name: String,
    version: String,
    webhooks: Vec<(String, Option<ByteString>)>,
}

#[derive(Clone, Copy, Debug)]
enum WebhookKind {
    Validating,
    Mutating,
}

impl Configurations {
    pub(super) fn new(client: &Client, names: Vec<String>) -> Self {
        Self { validating: Api::all(client.clone()), mutating: Api::all(client.clone()), names }
    }

    /// Reads them; and the names that none has, which may come later.
    pub(super) async fn read(&self) -> Result<(Vec<Found>, Vec<String>), RequestError> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in &self.names {
            let before = found.len();
            if let Some(configuration) = answered(self.validating.get_opt(name)).await? {
                let webhooks = configuration
                    .webhooks
                    .into_iter()
                    .flatten()
                    .map(|webhook| (webhook.name, webhook.client_config));
                found.push(Found::new(
                    WebhookKind::Validating,
                    name,
                    configuration.metadata,
                    webhooks,
                ));
            }
            if let Some(configuration) = answered(self.mutating.get_opt(name)).await? {
                let webhooks = configuration
                    .webhooks
                    .into_iter()
                    .flatten()
                    .map(|webhook| (webhook.name, webhook.client_config));
                found.push(Found::new(
                    WebhookKind::Mutating,
                    name,
                    configuration.metadata,
                    webhooks,
                ));
            }
            if found.len() == before {
                missing.push(name.clone());
            }
        }
        Ok((found, missing))
    }

    /// Writes the bundle where it is missing; the first reason why it cannot be.
    pub(super) async fn publish(
        &self,
        found: &[Found],
        bundle: &str,
        rotations: &Rotations,
    ) -> Result<Option<String>, PairError> {
        let mut refused = None;
        for configuration in found {
            let Some(patch) = configuration.patch(bundle) else { continue };
            let outcome = match self.write(configuration, patch).await {
                // a `test` that fails
                Err(error) if error.is_race() || error.code() == Some(422) => Err(None),
                outcome => outcome.map_err(Some),
            };
            rotations.bundle_written(&outcome);
            let (kind, name) = (configuration.kind.as_str(), &*configuration.name);
            match outcome {
                Ok(()) => info!(kind, name, "ca bundle written"),
                Err(None) => return Err(PairError::Conflict),
                Err(Some(error)) => drop(refused.get_or_insert_with(|| {
                    format!("{kind} \"{name}\" cannot be patched: {error}")
                })),
            }
        }
        Ok(refused)
    }

    /// Writes a patch, unless the configuration was changed since it was read: that is a race.
    async fn write(&self, found: &Found, patch: Value) -> Result<(), RequestError> {
        let patch = serde_json::from_value(patch).map_err(kube::Error::SerdeError)?;
        // the name under which Helm reports that the service wrote a field
        let parameters =
            PatchParams { field_manager: Some("restraint".to_owned()), ..PatchParams::default() };
        let patch = Patch::<()>::Json(patch);
        match found.kind {
            WebhookKind::Validating => {
                answered(self.validating.patch_metadata(&found.name, &parameters, &patch))
                    .await
                    .map(drop)
            }
            WebhookKind::Mutating => {
                answered(self.mutating.patch_metadata(&found.name, &parameters, &patch))
                    .await
                    .map(drop)
            }
        }
    }
}

impl Found {
    fn new(
        kind: WebhookKind,
        name: &str,
        metadata: ObjectMeta,
        webhooks: impl Iterator<Item = (String, WebhookClientConfig)>,
    ) -> Self {
        let webhooks = webhooks.map(|(name, client)| (name, client.ca_bundle)).collect();
        Self {
            kind,
            name: name.to_owned(),
            version: metadata.resource_version.unwrap_or_default(),
            webhooks,
        }
    }

    /// A JSON patch that gives every webhook this bundle; `None` where all have it.
    ///
    /// It holds only for what was read: bundles must not be written by place into a list that has
    /// become another.
    fn patch(&self, bundle: &str) -> Option<Value> {
        let bundle = ByteString(bundle.as_bytes().to_vec());
        let without = self
            .webhooks
            .iter()
            .enumerate()
            .filter(|(_, (_, known))| known.as_ref() != Some(&bundle));
        let mut operations =
            vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": self.version})];
        for (place, (name, _)) in without {
            operations.push(
                json!({"op": "test", "path": format!("/webhooks/{place}/name"), "value": name}),
            );
            operations.push(json!({"op": "add", "path": format!("/webhooks/{place}/clientConfig/caBundle"), "value": bundle}));
        }
        (operations.len() > 1).then_some(Value::Array(operations))
    }
}

impl WebhookKind {
    /// The kind for logs.
    fn as_str(self) -> &'static str {
        match self {
            Self::Validating => "ValidatingWebhookConfiguration",
            Self::Mutating => "MutatingWebhookConfiguration",
        }
    }
}
