//! A client that asks once.

use kube::{Client, Config};

/// By default 429, 503 and 504 are asked again, after longer and longer waits.
pub(crate) fn asking_once(mut config: Config) -> kube::Result<Client> {
    config.default_retry = false;
    Client::try_from(config)
}
