//! The flags that say how a pod is to be resized.

use clap::Args;

use super::{Wish, WishError};

/// Amounts that containers are to have.
#[derive(Clone, Debug, Default, Args)]
#[group(id = "amounts", multiple = true)]
pub struct AmountOptions {
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
}

impl AmountOptions {
    /// What is wanted.
    ///
    /// # Errors
    ///
    /// Where an amount is none.
    pub fn wishes(&self) -> Result<Vec<Wish>, WishError> {
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
