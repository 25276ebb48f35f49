//! The policies of an installation by the chart: the folder that a kubelet would show, and the
//! ConfigMap behind it.

use std::fs;
use std::path::PathBuf;

use restraint::policies::embedded_files;
use serde_json::json;

use crate::installation::Installation;

/// Writes the policies that are built in where Helm and a kubelet would. Returns the folder.
pub(crate) fn provide(installation: &Installation<'_>) -> PathBuf {
    let folder = installation.cluster.file(&config_map(installation));
    fs::create_dir(&folder).unwrap();
    for (name, text) in embedded_files() {
        fs::write(folder.join(name), text).unwrap();
    }
    let kubectl = installation.cluster.kubectl().within(&installation.namespace());
    let files = format!("--from-file={}", folder.display());
    kubectl.run(&["create", "configmap", &config_map(installation), &files]).accepted();
    folder
}

/// Gives a policy another mode in the ConfigMap; the folder shows the old one.
pub(crate) fn change(installation: &Installation<'_>, policy: &str, mode: &str) {
    let file = format!("{policy}.yaml");
    let text = format!("name: {policy}\nrule: {policy}\nmode: {mode}\n");
    let patch = json!({"data": {file: text}}).to_string();
    let kubectl = installation.cluster.kubectl().within(&installation.namespace());
    let name = config_map(installation);
    kubectl.run(&["patch", "configmap", &name, "--type", "merge", "--patch", &patch]).accepted();
}

fn config_map(installation: &Installation<'_>) -> String {
    format!("{}-policies", installation.namespace())
}
