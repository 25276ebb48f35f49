//! How the API server is asked about what replicas share.

use std::time::Duration;

use tokio::time::timeout;

use crate::cluster::error::error_message;

/// How long the API server has for one answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Why the API server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    /// It says so.
    #[error("{}", error_message(.0))]
    Refused(#[from] kube::Error),
    /// It says nothing.
    #[error("the API server is too slow")]
    TooSlow,
}

impl RequestError {
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
pub(super) async fn answered<T>(
    question: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, RequestError> {
    Ok(timeout(TIME_LIMIT, question).await.map_err(|_| RequestError::TooSlow)??)
}
