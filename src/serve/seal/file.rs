//! Keys from a file, which an operator makes and rotates.

use std::path::PathBuf;
use std::sync::Arc;

use tracing::{info, warn};

use crate::serve::follow::{Follow, Pace};
use crate::serve::tasks::blocking;

use super::{SealKeys, SharedSealKeys};

/// Follows the file for ever: what is sound is put in force, what is not is refused and the old
/// keys stay.
pub async fn follow(path: PathBuf, keys: SharedSealKeys, pace: Pace) {
    let mut follow = Follow::start(vec![path.clone()], pace);
    let mut complaint = None;
    loop {
        let read = {
            let path = path.clone();
            blocking(move || SealKeys::read(&path)).await
        };
        let Some(read) = read else { return };
        let refused = read.as_ref().err().map(ToString::to_string);
        match read {
            Ok(next) if !next.names().eq(keys.load().names()) => {
                info!(keys = ?next.names().collect::<Vec<_>>(), "seal keys in force");
                keys.store(Arc::new(next));
            }
            _ => {}
        }
        if let Some(refused) = refused.as_ref().filter(|_| refused != complaint) {
            warn!("seal keys refused, the old stay in force: {refused}");
        }
        complaint = refused;
        follow.changed().await;
    }
}
