//! A resize that is asked about without a manifest: a few amounts, or a patch.

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use crate::explain::wanted::{AmountOptions, resize_patched, resize_wanted};
use crate::manifest::unstructured::Unstructured;

/// How a pod is to be resized.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Options {
    /// Amounts that containers are to have.
    #[command(flatten)]
    amounts: AmountOptions,

    /// A patch as `kubectl patch --subresource resize` takes it, as JSON.
    #[arg(long, value_name = "JSON")]
    patch: Option<String>,
}

impl Options {
    /// The pods among `objects`, resized. There has to be one.
    pub(super) fn of_each(&self, objects: &[Unstructured]) -> anyhow::Result<Vec<Unstructured>> {
        let [pod] = objects else {
            bail!("a resize is of one pod, and there are {} objects", objects.len());
        };
        let mut pod = resize_wanted(pod, &self.amounts.wishes()?)?;
        if let Some(patch) = &self.patch {
            let patch: Value = serde_json::from_str(patch).context("--patch is no JSON")?;
            pod = resize_patched(&pod, &patch)?;
        }
        Ok(vec![pod])
    }
}
