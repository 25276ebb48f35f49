//! How a strategic merge patch tells the items of lists apart.

/// The lists that a strategic merge patch merges item by item, and the field that tells items
/// apart (`patchMergeKey` of the API's types). All others are replaced.
const MERGED: [(&str, &[&str]); 15] = [
    ("containers", &["name"]),
    ("env", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("hostAliases", &["ip"]),
    ("imagePullSecrets", &["name"]),
    ("initContainers", &["name"]),
    ("ownerReferences", &["uid"]),
    ("ports", &["containerPort", "port"]),
    ("resourceClaims", &["name"]),
    ("schedulingGates", &["name"]),
    ("topologySpreadConstraints", &["topologyKey"]),
    ("volumeDevices", &["devicePath"]),
    ("volumeMounts", &["mountPath"]),
    ("volumes", &["name"]),
    ("conditions", &["type"]),
];

/// The fields that tell the items of a list apart; `None` for a list that is replaced.
pub(crate) fn merge_key(list: &str) -> Option<&'static [&'static str]> {
    MERGED.iter().find(|(name, _)| *name == list).map(|(_, key)| *key)
}
