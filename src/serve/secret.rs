//! What every Secret that replicas share has in common: its name, and how the API server is asked
//! about it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

/// How long the API server has for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a Secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl FromStr for SecretName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        };
        match text.split_once('/') {
            Some((namespace, name)) if sound(namespace) && sound(name) => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err("a secret is named NAMESPACE/NAME"),
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// Why the API server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// It says so.
    #[error("{0}")]
    Refused(#[from] kube::Error),
    /// It says nothing.
    #[error("the API server is too slow")]
    TooSlow,
}

impl Unanswered {
    /// The HTTP status of a refusal.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Refused(kube::Error::Api(status)) => Some(status.code),
            Self::Refused(_) | Self::TooSlow => None,
        }
    }

    /// Whether another replica was faster: the object exists already, or was changed.
    pub(super) fn is_race(&self) -> bool {
        self.code() == Some(409)
    }
}

/// The answer to `question`, unless it takes too long.
pub(super) async fn asked<T>(
    question: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Unanswered> {
    Ok(timeout(PATIENCE, question).await.map_err(|_| Unanswered::TooSlow)??)
}

/// Waits until an object may have changed. What goes wrong with a watch is healed by a poll.
pub(super) async fn hint<T, E>(hints: &mut (impl Stream<Item = Result<T, E>> + Unpin)) {
    loop {
        match hints.next().await {
            Some(Ok(_)) => return,
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }
}
