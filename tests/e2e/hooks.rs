//! The webhook configuration that mutates, as somebody changes it.

use serde_json::{Value, json};

use crate::installation::Installation;

const KIND: &str = "mutatingwebhookconfiguration";

/// Changes every hook in it.
pub(crate) fn change(installation: &Installation<'_>, change: impl Fn(&mut Value)) {
    let mut configuration = stored(installation);
    configuration["webhooks"].as_array_mut().unwrap().iter_mut().for_each(change);
    let kubectl = installation.cluster.kubectl();
    kubectl.feed(&["replace", "--filename", "-"], &configuration.to_string()).accepted();
}

/// Leads its hooks to the replica at `address`, and away from the Service.
pub(crate) fn lead_to(installation: &Installation<'_>, address: &str) {
    let client =
        json!({"url": installation.url(address, "/mutate"), "caBundle": installation.bundle()});
    change(installation, |hook| hook["clientConfig"] = client.clone());
}

/// Deletes it. Returns what would make it again.
pub(crate) fn delete(installation: &Installation<'_>) -> Value {
    let mut configuration = stored(installation);
    let name = configuration["metadata"]["name"].clone();
    let line = ["delete", KIND, name.as_str().unwrap()];
    installation.cluster.kubectl().run(&line).accepted();
    configuration["metadata"] = json!({"name": name});
    configuration
}

fn stored(installation: &Installation<'_>) -> Value {
    let name = format!("restraint-{}", installation.name());
    let line = ["get", KIND, &name, "--output", "json"];
    installation.cluster.kubectl().run(&line).accepted().object()
}
