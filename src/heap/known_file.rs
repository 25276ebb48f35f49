//! Files of a container that are known and may hold a setting.

/// A file of a container that a ConfigMap carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownFile<'s> {
    /// The name of the ConfigMap.
    pub(crate) object: &'s str,
    /// The key.
    pub(crate) key: &'s str,
    pub(crate) text: &'s str,
}

/// Whether a file of this name may hold a setting.
pub(crate) fn may_hold_setting(key: &str) -> bool {
    is_options(key) || is_of_redis(key)
}

/// Whether it holds options of a virtual machine.
pub(super) fn is_options(key: &str) -> bool {
    key == "jvm.config" || key.ends_with(".options")
}

/// Whether it is Redis' own.
pub(super) fn is_of_redis(key: &str) -> bool {
    key.ends_with(".conf") && (key.contains("redis") || key.contains("valkey"))
}
