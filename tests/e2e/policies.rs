//! The policies of an installation by the chart: the folder that a kubelet would show, and the
//! ConfigMap behind it.

use std::fs;
use std::path::{Path, PathBuf};

use restraint::policies::embedded_files;
use serde_json::json;

use crate::cluster::Cluster;
use crate::installation::Installation;

/// A folder with the policies that are built in.
pub(crate) fn folder(cluster: &Cluster, name: &str) -> PathBuf {
    let folder = cluster.file(name);
    fs::create_dir(&folder).unwrap();
    for (name, text) in embedded_files() {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

/// Puts another text in the place of a policy in a folder, at once.
pub(crate) fn write(folder: &Path, policy: &str, text: &str) {
    let hidden = folder.join(format!(".{policy}"));
    fs::write(&hidden, text).unwrap();
    fs::rename(hidden, folder.join(format!("{policy}.yaml"))).unwrap();
}

/// The text of a policy with its rule's name in this mode.
pub(crate) fn in_mode(policy: &str, mode: &str) -> String {
    format!("name: {policy}\nrule: {policy}\nmode: {mode}\n")
}

/// Writes the policies that are built in where Helm and a kubelet would. Returns the folder.
pub(crate) fn provide(installation: &Installation<'_>) -> PathBuf {
    let folder = folder(installation.cluster, &config_map(installation));
    let kubectl = installation.cluster.kubectl().within(&installation.namespace());
    let files = format!("--from-file={}", folder.display());
    kubectl.run(&["create", "configmap", &config_map(installation), &files]).accepted();
    folder
}

/// Gives a policy another mode in the ConfigMap; the folder shows the old one.
pub(crate) fn change(installation: &Installation<'_>, policy: &str, mode: &str) {
    let file = format!("{policy}.yaml");
    let patch = json!({"data": {file: in_mode(policy, mode)}}).to_string();
    let kubectl = installation.cluster.kubectl().within(&installation.namespace());
    let name = config_map(installation);
    kubectl.run(&["patch", "configmap", &name, "--type", "merge", "--patch", &patch]).accepted();
}

fn config_map(installation: &Installation<'_>) -> String {
    format!("{}-policies", installation.namespace())
}
