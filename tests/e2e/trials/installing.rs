//! The chart as it comes: what it renders is installed, and the service has no right but those it
//! renders.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::installation::{CHART, HOOK_TIMEOUT, Installation};
use crate::kubectl::{Kubectl, Person};
use crate::pods::{memory_limit, pod, stored_limit};
use crate::space::Space;
use crate::world::cluster;

use super::stopping::is_amended;
use super::trial;

const KINDS: [&str; 2] = ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"];

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "installing: without cert-manager, with the rights of the chart alone, a resize is judged",
            as_it_comes,
        ),
        trial(
            "installing: applied again the bundles stay, and replaced they come back",
            applied_again,
        ),
        trial("installing: whoever still serves the certificate of before is trusted", from_files),
    ]
}

fn as_it_comes() {
    let installation = Installation::charted(cluster(), "as-it-comes", |installation| {
        assert!(
            bundles(installation).iter().all(Option::is_none),
            "the chart makes no certificates"
        );
    });
    let authority = secret(&installation)["data"]["ca.crt"].take();
    let bundles = bundles(&installation);
    assert!(!bundles.is_empty());
    assert!(bundles.iter().all(|bundle| bundle.as_deref() == authority.as_str()), "{bundles:?}");
    judged(&installation.space());

    installation.catch_up();
    let log = installation.log();
    let refused: Vec<_> =
        log.iter().filter(|line| line.to_string().to_lowercase().contains("forbidden")).collect();
    assert!(refused.is_empty(), "rights are missing: {refused:?}");
    let account = format!("system:serviceaccount:{0}:{0}", installation.namespace());
    let may = |what: &[&str]| {
        let kubectl = cluster().kubectl().within(&installation.namespace());
        kubectl.run(&[&["auth", "can-i", "--quiet", "--as", &account], what].concat()).succeeded()
    };
    let (ours, pair) = (
        format!("{}/{}", KINDS[0], installation.namespace()),
        format!("secret/{}-tls", installation.namespace()),
    );
    let policies = format!("configmap/{}-policies", installation.namespace());
    assert!(may(&["patch", &ours]) && may(&["update", &pair]) && may(&["watch", &policies]));
    assert!(
        !may(&["patch", KINDS[0]]) && !may(&["delete", &ours]) && !may(&["update", &ours]),
        "of others, or all of it"
    );
    assert!(
        !may(&["get", "secrets"])
            && !may(&["get", "configmaps"])
            && !may(&["update", &policies])
            && !may(&["delete", &pair])
            && !may(&["create", "secrets", "--namespace", "default"])
    );
}

/// `helm upgrade` of Helm 4 applies at the server, that of Helm 3 merges three ways, and `--force`
/// replaces.
fn applied_again() {
    let installation = Installation::charted(cluster(), "applied-again", |_| ());
    let kubectl = cluster().kubectl().within(&installation.namespace());
    let written = bundles(&installation);
    let writes =
        || installation.log().iter().filter(|line| line["message"] == "ca bundle written").count();
    eventually("the bundles are in the log", || (writes() >= KINDS.len()).then_some(()));
    let before = writes();
    installation.apply_chart();
    assert_eq!(bundles(&installation), written);
    let configurations: Vec<_> =
        CHART.split("\n---\n").filter(|text| text.contains("WebhookConfiguration\n")).collect();
    let configurations = installation.filled_in(&configurations.join("\n---\n"));
    for deadline in ["timeoutSeconds: 29", "timeoutSeconds: 28"] {
        let changed = configurations.replace(HOOK_TIMEOUT, deadline);
        kubectl.feed(&["apply", "--filename", "-"], &changed).accepted();
        assert_eq!(bundles(&installation), written);
    }

    let space = installation.space();
    kubectl.feed(&["replace", "--filename", "-"], &configurations).accepted();
    eventually("the bundles are put back", || (bundles(&installation) == written).then_some(()));
    eventually("that is in the log", || (writes() >= before + KINDS.len()).then_some(()));
    installation.catch_up();
    assert_eq!(writes(), before + KINDS.len(), "nothing had to be put back before");
    eventually("a creation is amended", || {
        let pod = space.kubectl().feed(
            &["create", "--dry-run=server", "--output", "json", "--filename", "-"],
            &pod("again").to_string(),
        );
        is_amended(&pod.accepted().object()).then_some(())
    });
    judged(&space);
}

/// The Secret of the chart has what cert-manager put there. The service takes it over: it announces
/// an authority of its own beside the one that was trusted, so replicas of before the upgrade serve
/// on.
fn from_files() {
    let installation = Installation::charted(cluster(), "from-files", |installation| {
        let [certificate, key, authority] = installation.files();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": format!("{}-tls", installation.namespace())},
            "stringData": {"tls.crt": certificate, "tls.key": key, "ca.crt": authority}});
        cluster()
            .kubectl()
            .within(&installation.namespace())
            .feed(&["create", "--filename", "-"], &secret.to_string())
            .accepted();
    });
    let trusted =
        String::from_utf8(STANDARD.decode(bundles(&installation)[0].as_ref().unwrap()).unwrap())
            .unwrap();
    let [served, _, authority] = installation.files();
    assert!(trusted.trim_end().ends_with(authority.trim_end()), "{trusted}");
    assert_eq!(trusted.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(
        STANDARD.decode(secret(&installation)["data"]["tls.crt"].as_str().unwrap()).unwrap(),
        served.as_bytes()
    );
    let space = installation.space();
    judged(&space);

    let former = installation.replace(installation.start_with_files("127.0.0.2"));
    drop(former);
    installation.lead_to("127.0.0.2");
    eventually("whoever has files is asked", || {
        let outcome = space.resize("db", &memory_limit("290Mi"));
        assert!(!outcome.succeeded());
        (!space.logged_reviews().is_empty()).then_some(())
    });
}

/// That a decrease is denied, and passes with an approval: seal keys, reviews of access and Events
/// are within reach.
#[track_caller]
fn judged(space: &Space<'_>) {
    space.create(&pod("db")).accepted();
    let said = space.resize("db", &memory_limit("300Mi")).refused();
    assert!(said.contains("container \"app\": memory limit 512Mi -> 300Mi"), "{said}");
    let grant = ["annotate", "pod", "db", "restraint.dev/approve=app=300Mi"];
    space.by(Person::Sre).run(&grant).accepted();
    space.resize("db", &memory_limit("300Mi")).accepted();
    assert_eq!(stored_limit(&space.pod("db")), "300Mi");
    eventually("events tell of it", || {
        let events = space.object(&["get", "events"]);
        let told = events["items"].as_array().unwrap().iter().filter(|event| {
            event["regarding"]["name"] == "db" || event["involvedObject"]["name"] == "db"
        });
        (told.count() >= 2).then_some(())
    });
}

fn secret(installation: &Installation<'_>) -> Value {
    let name = format!("{}-tls", installation.namespace());
    administrator(installation)
        .run(&["get", "secret", &name, "--output", "json"])
        .accepted()
        .object()
}

/// What each hook of the installation trusts.
fn bundles(installation: &Installation<'_>) -> Vec<Option<String>> {
    let read = |kind| {
        administrator(installation)
            .run(&["get", kind, &installation.namespace(), "--output", "json"])
            .accepted()
            .object()
    };
    let hooks = KINDS.map(read).into_iter().flat_map(|configuration| {
        configuration["webhooks"].as_array().cloned().unwrap_or_default()
    });
    hooks.map(|hook| hook["clientConfig"]["caBundle"].as_str().map(str::to_owned)).collect()
}

fn administrator(installation: &Installation<'_>) -> Kubectl {
    cluster().kubectl().within(&installation.namespace())
}
