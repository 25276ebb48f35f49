//! Certificates that replicas make, share and renew, as the API server checks them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::installation::Installation;
use crate::kubectl::{Kubectl, Person};
use crate::pods::pod;
use crate::replica::Replica;
use crate::space::Space;
use crate::world::cluster;

use super::stopping::{create_while, is_amended, reviewed};
use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "certificates: two replicas share one authority, and rotations lose no creation",
            rotations,
        ),
        trial("certificates: what is deleted or overwritten is healed", healing),
    ]
}

/// What the service needs to keep its certificates: no more than the documentation says.
fn rights(installation: &Installation<'_>) {
    let (name, namespace) =
        (format!("restraint-certificates-{}", installation.name()), installation.namespace());
    let configurations =
        json!(["validatingwebhookconfigurations", "mutatingwebhookconfigurations"]);
    let role =
        |kind: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let subjects = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": Person::Restraint.username()}]);
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name, "namespace": namespace}, "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["pair"], "verbs": ["get", "list", "watch", "update"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [
            {"apiGroups": ["admissionregistration.k8s.io"], "resources": configurations,
             "resourceNames": [installation.namespace()], "verbs": ["get", "list", "watch", "patch"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name, "namespace": namespace},
         "roleRef": role("Role"), "subjects": subjects},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
         "roleRef": role("ClusterRole"), "subjects": subjects},
    ]});
    cluster()
        .kubectl()
        .within(&installation.namespace())
        .feed(&["create", "--filename", "-"], &objects.to_string())
        .accepted();
}

fn install(name: &str, lifetimes: &[&str]) -> Installation<'static> {
    let (secret, configuration) = (format!("restraint-{name}/pair"), format!("restraint-{name}"));
    let flags = [
        "--tls",
        "self",
        "--tls-secret",
        &secret,
        "--tls-service",
        "restraint",
        "--webhook-configuration",
        &configuration,
    ];
    Installation::prepared(cluster(), name, &[&flags, lifetimes].concat(), rights)
}

/// While pods are created, a rotation of the authority is begun by hand and goes on to its end, the
/// certificate is renewed by age, and the Service leads to the other replica in between.
fn rotations() {
    let installation = install("rotating", &["--leaf-lifetime", "90s", "--ca-lifetime", "1h"]);
    let other = installation.start_at("127.0.0.2");
    let space = installation.space();
    let secrets = cluster().kubectl().within(&installation.namespace());
    let (mut other, mut first) = (Some(other), None::<Replica>);
    let created = create_while(&space, || {
        reviewed(&space, 20);
        let (before, served) = (authority(&secrets), leaf(&secrets));
        secrets
            .run(&[
                "patch",
                "secret",
                "pair",
                "--type",
                "merge",
                "--patch",
                r#"{"data": {"ca.key": null}}"#,
            ])
            .accepted();
        eventually("another authority is announced", || {
            (count(&authority(&secrets)) == 2).then_some(())
        });
        eventually("another certificate serves", || (leaf(&secrets) != served).then_some(()));
        first = Some(installation.replace(other.take().unwrap()));
        installation.lead_to("127.0.0.2");
        eventually("one authority is trusted", || {
            bundles(&installation, &secrets).iter().all(|bundle| count(bundle) == 1).then_some(())
        });
        assert_ne!(authority(&secrets), before);
        let served = leaf(&secrets);
        eventually("another certificate serves by age", || {
            (leaf(&secrets) != served).then_some(())
        });
        reviewed(&space, 20);
    });
    let missed = created.iter().filter(|pod| !is_amended(pod)).count();
    assert_eq!(missed, 0, "of {} pods", created.len());
    let first = first.unwrap();
    let steps = || {
        let logs = [installation.log(), first.log()].concat();
        ["begin", "renew-authority", "trim"].map(|step| {
            let is_it = |line: &&Value| {
                line["message"] == "shared certificates changed" && line["step"] == step
            };
            logs.iter().filter(is_it).count()
        })
    };
    eventually("each step is in a log", || (!steps().contains(&0)).then_some(()));
    assert_eq!(steps(), [1, 1, 1], "two replicas act as one");
}

fn healing() {
    let installation = install("healing", &["--leaf-lifetime", "36h"]);
    let space = installation.space();
    let secrets = cluster().kubectl().within(&installation.namespace());
    let (before, known) = (leaf(&secrets), authority(&secrets));
    secrets.run(&["delete", "secret", "pair"]).accepted();
    eventually("the secret is put back", || {
        let secret = secrets.run(&["get", "secret", "pair", "--output", "json"]);
        secret
            .succeeded()
            .then(|| secret.object()["data"]["tls.crt"] == before.as_str())?
            .then_some(())
    });
    assert_eq!(authority(&secrets), known);
    asked(&space, "after-the-secret");

    let name = installation.namespace();
    for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
        let patch = r#"[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]"#;
        secrets.run(&["patch", kind, &name, "--type", "json", "--patch", patch]).accepted();
    }
    eventually("the bundles are put back", || {
        bundles(&installation, &secrets).iter().all(|bundle| *bundle == known).then_some(())
    });
    asked(&space, "after-the-bundles");
}

/// That the API server gets an answer, once it has taken note of the last change.
fn asked(space: &Space<'_>, name: &str) {
    eventually("a creation is amended", || {
        let pod = space.kubectl().feed(
            &["create", "--dry-run=server", "--output", "json", "--filename", "-"],
            &pod(name).to_string(),
        );
        is_amended(&pod.accepted().object()).then_some(())
    });
}

fn entry(secrets: &Kubectl, entry: &str) -> String {
    let secret = secrets.run(&["get", "secret", "pair", "--output", "json"]).accepted().object();
    secret["data"][entry].as_str().unwrap_or_default().to_owned()
}

fn leaf(secrets: &Kubectl) -> String {
    entry(secrets, "tls.crt")
}

/// Everybody who is trusted, first who issues.
fn authority(secrets: &Kubectl) -> String {
    entry(secrets, "ca.crt")
}

/// How many authorities are in a bundle.
fn count(bundle: &str) -> usize {
    String::from_utf8(STANDARD.decode(bundle).unwrap())
        .unwrap()
        .matches("BEGIN CERTIFICATE")
        .count()
}

fn bundles(installation: &Installation<'_>, secrets: &Kubectl) -> Vec<String> {
    let name = installation.namespace();
    let read = |kind| secrets.run(&["get", kind, &name, "--output", "json"]).accepted().object();
    ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"]
        .map(read)
        .iter()
        .flat_map(|configuration| configuration["webhooks"].as_array().cloned().unwrap_or_default())
        .map(|webhook| webhook["clientConfig"]["caBundle"].as_str().unwrap_or_default().to_owned())
        .collect()
}
