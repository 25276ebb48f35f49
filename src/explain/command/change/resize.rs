//! A resize that is asked about without a manifest: a few amounts, or a patch.

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use crate::explain::wanted::{Wish, WishError, resize_patched, resize_wanted};
use crate::manifest::unstructured::Unstructured;

/// How a pod is to be resized.
#[derive(Clone, Debug, Args)]
#[group(id = "resize", multiple = true, conflicts_with = "to")]
pub struct Options {
    /// A memory limit, for the only container without its name.
    #[arg(long, value_name = "[CONTAINER=]AMOUNT")]
    memory: Vec<String>,

    /// A cpu limit.
    #[arg(long, value_name = "[CONTAINER=]AMOUNT")]
    cpu: Vec<String>,

    /// A memory request.
    #[arg(long, value_name = "[CONTAINER=]AMOUNT")]
    request_memory: Vec<String>,

    /// A cpu request.
    #[arg(long, value_name = "[CONTAINER=]AMOUNT")]
    request_cpu: Vec<String>,

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
        let mut pod = resize_wanted(pod, &self.wishes()?)?;
        if let Some(patch) = &self.patch {
            let patch: Value = serde_json::from_str(patch).context("--patch is no JSON")?;
            pod = resize_patched(&pod, &patch)?;
        }
        Ok(vec![pod])
    }

    fn wishes(&self) -> Result<Vec<Wish>, WishError> {
        let lists = [
            (&self.memory, "limits", "memory"),
            (&self.cpu, "limits", "cpu"),
            (&self.request_memory, "requests", "memory"),
            (&self.request_cpu, "requests", "cpu"),
        ];
        let mut wishes = Vec::new();
        for (texts, list, resource) in lists {
            for text in texts {
                wishes.push(Wish::parse(text, list, resource)?);
            }
        }
        Ok(wishes)
    }
}
