//! Annotations whose text rules read. Of all others they read the name, and whether it is the hash
//! of nothing.

use super::reloader_annotations::is_reloader_key;
use super::trigger::is_read_by_wave;
use super::watch::cross_container_signal::{is_command, is_switch};

/// What rules read of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Its name, and whether it has a value.
    Name,
    /// All of it.
    Text,
    /// All of it, as a script.
    Script,
}

/// What rules read of the annotation `key`.
pub(crate) fn read(key: &str) -> Read {
    if is_command(key) {
        Read::Script
    } else if is_reloader_key(key) || is_read_by_wave(key) || is_switch(key) {
        Read::Text
    } else {
        Read::Name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_read() {
        for key in [
            "reloader.stakater.com/auto",
            "configmap.reloader.stakater.com/reload",
            "wave.pusher.com/update-on-config-change",
            "vault.hashicorp.com/agent-inject",
        ] {
            assert_eq!(read(key), Read::Text, "{key}");
        }
        assert_eq!(read("vault.hashicorp.com/agent-inject-command-app"), Read::Script);
        for key in ["checksum/config", "team", "vault.hashicorp.com/agent-inject-template-app"] {
            assert_eq!(read(key), Read::Name, "{key}");
        }
    }
}
