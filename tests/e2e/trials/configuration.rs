//! Changes of ConfigMaps and Secrets: who is told of them, and which ones nobody is asked about.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::audit::Event;
use crate::cluster::Cluster;
use crate::deadline::eventually;
use crate::installation::Installation;
use crate::kubectl::Outcome;
use crate::space::Space;
use crate::world::{assets, cluster};

use super::trial;

const FLAGS: [&str; 2] = ["--configuration", "--configuration-events"];

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("configuration: a change is told with those whom it does not reach", changes),
        trial("configuration: of a Secret the keys alone are told", secrets),
        trial("configuration: what changes nothing is not asked about", unasked),
        trial(
            "configuration: without rights nothing is said of users, and the index outlasts the API server",
            rights_and_restarts,
        ),
    ]
}

fn installed<'c>(cluster: &'c Cluster, name: &str) -> Installation<'c> {
    let installation = Installation::new(cluster, name, &FLAGS);
    installation.ask_about_configuration();
    installation
}

/// Whose pods have these containers and volumes.
fn deployment(name: &str, annotations: &Value, spec: &Value) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    })
}

fn by_env(kind: &str, name: &str, key: &str) -> Value {
    json!({"containers": [{"name": "app", "image": "none",
        "env": [{"name": "LEVEL", "valueFrom": {kind: {"name": name, "key": key}}}]}]})
}

fn by_volume(name: &str, mount: &Value) -> Value {
    let mut mounts = json!({"name": "config", "mountPath": "/etc/app"});
    mounts.as_object_mut().unwrap().extend(mount.as_object().unwrap().clone());
    json!({"volumes": [{"name": "config", "configMap": {"name": name}}],
        "containers": [{"name": "app", "image": "none", "volumeMounts": [mounts]}]})
}

fn map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

fn patch(space: &Space<'_>, kind: &str, name: &str, patch: &Value, more: &[&str]) -> Outcome {
    let patch = patch.to_string();
    let line = ["patch", kind, name, "--type", "merge", "--patch", &patch];
    space.kubectl().run(&[&line[..], more].concat()).accepted()
}

fn change(space: &Space<'_>, data: &Value) -> Outcome {
    patch(space, "configmap", "app", &json!({"data": data}), &[])
}

/// Waits until a dry run of a change is warned about: the index takes note of workloads in its own
/// time.
fn known(space: &Space<'_>, kind: &str, data: &Value, warning: &str) {
    eventually("those who use it are known", || {
        let tried = patch(space, kind, "app", &json!({"data": data}), &["--dry-run=server"]);
        tried.warns(warning).then_some(())
    });
}

fn changes() {
    let installation = installed(cluster(), "configuration");
    let space = installation.space();
    let data = json!({"level": "1", "app.yaml": "a: 1", "app.json": "{}", "spare": "1"});
    space.create(&map("app", &data)).accepted().assert_warnings(&[]);
    let nothing = json!({});
    let reloaded = json!({"configmap.reloader.stakater.com/reload": "app"});
    for (name, annotations, spec) in [
        ("by-env", &nothing, by_env("configMapKeyRef", "app", "level")),
        ("by-reloader", &reloaded, by_env("configMapKeyRef", "app", "level")),
        ("by-sub-path", &nothing, by_volume("app", &json!({"subPath": "app.yaml"}))),
        ("whole", &nothing, by_volume("app", &nothing)),
    ] {
        space.create(&deployment(name, annotations, &spec)).accepted();
    }
    let by_env = "unseen-config-change: Deployment \"by-env\" keeps the old \"level\" (env of container \"app\")";
    let by_sub_path = "unseen-config-change: Deployment \"by-sub-path\" keeps the old \"app.yaml\" (subPath of container \"app\")";
    known(&space, "configmap", &json!({"level": "2", "app.yaml": "a: 2"}), by_env);
    known(&space, "configmap", &json!({"level": "2", "app.yaml": "a: 2"}), by_sub_path);

    change(&space, &json!({"level": "2"})).assert_warnings(&[by_env]);
    change(&space, &json!({"app.yaml": "a: 2"})).assert_warnings(&[by_sub_path]);
    change(&space, &json!({"app.json": "{\"a\": 1}"})).assert_warnings(&[]);
    change(&space, &json!({"spare": "2"})).assert_warnings(&[]);
    change(&space, &json!({"app.json": "{\"a\": "})).assert_warnings(&[
        "broken-config-file: ConfigMap \"app\": \"app.json\" is no JSON: line ",
    ]);
    change(&space, &json!({"level": null})).assert_warnings(&[
        "missing-config-key: Deployment \"by-env\" needs \"level\" (env of container \"app\")",
        "missing-config-key: Deployment \"by-reloader\" needs \"level\" (env of container \"app\")",
    ]);
    let deleted = space.kubectl().run(&["delete", "configmap", "app"]).accepted();
    assert!(deleted.warns("missing-config-key: Deployment \"by-env\" needs the ConfigMap "));
    assert!(deleted.warns("missing-config-key: Deployment \"whole\" needs the ConfigMap "));
    told_by_event(&space);
    let counted = installation.counted("restraint_findings_total", "rule=\"unseen-config-change\"");
    assert!(counted >= 2, "{counted}");
    eventually("the audit log has it", || {
        let warned = |event: &Event| {
            event.is_within(space.name())
                && event.annotation("configuration.restraint.dev/warned").contains(by_env)
        };
        cluster().audit_log(|line| line.contains(space.name())).iter().any(warned).then_some(())
    });
}

/// As `kubectl describe deployment` finds it.
fn told_by_event(space: &Space<'_>) {
    let uid = space.object(&["get", "deployment", "by-env"])["metadata"]["uid"].clone();
    let told = |reason: &str| {
        let events = space.object(&["get", "events.events.k8s.io"]);
        let events = events["items"].as_array().unwrap().clone();
        events.into_iter().find(|event| {
            event["reason"] == reason
                && event["regarding"]["uid"] == uid
                && event["type"] == "Warning"
        })
    };
    let event = eventually("the workload is told", || told("ConfigurationUnseen"));
    let note = event["note"].as_str().unwrap();
    let end = format!("kubectl rollout restart deploy/by-env -n {}", space.name());
    assert!(
        note.starts_with("\"admin\": ConfigMap \"app\" changed, key \"level\": ")
            && note.ends_with(&end),
        "{note}"
    );
    eventually("the workload is told of what it misses", || told("ConfigurationMissing"));
}

fn secrets() {
    let installation = installed(cluster(), "configured-secrets");
    let space = installation.space();
    let value = "correct-horse-battery-staple";
    let secret = |kind: &str, value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app"}, "type": kind, "stringData": {"token": value, "app.json": "{"}});
    space.create(&secret("Opaque", value)).accepted().assert_warnings(&[]);
    space
        .create(&deployment("web", &json!({}), &by_env("secretKeyRef", "app", "token")))
        .accepted();
    let unseen = "unseen-config-change: Deployment \"web\" keeps the old \"token\" (env of container \"app\")";
    // base64 of something else
    let other = json!({"token": "dHJvdWJhZG9y", "app.json": "W10="});
    known(&space, "secret", &other, unseen);
    patch(&space, "secret", "app", &json!({"data": other}), &[]).assert_warnings(&[unseen]);
    let missing =
        "missing-config-key: Deployment \"web\" needs \"token\" (env of container \"app\")";
    let gone = json!({"data": {"token": null}});
    patch(&space, "secret", "app", &gone, &[]).assert_warnings(&[missing]);
    installation.catch_up();
    let encoded = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ";
    let said = [
        serde_json::to_string(&installation.log()).unwrap(),
        installation.metrics(),
        space.object(&["get", "events.events.k8s.io"]).to_string(),
    ];
    for (place, said) in ["log", "metrics", "events"].iter().zip(&said) {
        for hidden in [value, encoded, "troubador", "dHJvdWJhZG9y"] {
            assert!(!said.contains(hidden), "the {place} has a value of a Secret");
        }
    }
}

/// What the match conditions keep away.
fn unasked() {
    let installation = installed(cluster(), "unasked");
    let space = installation.space();
    let asked = || {
        let count = |resource| installation.counted("restraint_reviews_total", resource);
        count("resource=\"configmaps\"") + count("resource=\"secrets\"")
    };
    space.create(&map("app", &json!({"a": "1"}))).accepted();
    // the API server takes note of the hook in its own time
    let mut number = 0;
    eventually("the API server asks", || {
        number += 1;
        change(&space, &json!({"a": number.to_string()}));
        (asked() > 0).then_some(())
    });
    let before = asked();
    let annotated = json!({"metadata": {"annotations": {"a": "b"}}});
    patch(&space, "configmap", "app", &annotated, &[]);
    let leader = json!({"control-plane.alpha.kubernetes.io/leader": "{}"});
    let mut lock = map("lock", &json!({}));
    lock["metadata"]["annotations"] = leader;
    space.create(&lock).accepted();
    patch(&space, "configmap", "lock", &json!({"data": {"a": "1"}}), &[]);
    space.create(&map("kube-root-ca.crt", &json!({"ca.crt": "a"}))).accepted();
    let release = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.web.v1"}, "stringData": {"release": "a"}});
    space.create(&release).accepted();
    for line in [
        ["delete", "configmap", "lock"],
        ["delete", "configmap", "kube-root-ca.crt"],
        ["delete", "secret", "sh.helm.release.v1.web.v1"],
    ] {
        space.kubectl().run(&line).accepted();
    }
    let controller = [
        "--as",
        "system:serviceaccount:kube-system:namespace-controller",
        "--as-group",
        "system:masters",
    ];
    let line = ["delete", "configmap", "app"];
    space.kubectl().run(&[&line[..], &controller].concat()).accepted();
    assert_eq!(asked(), before);
    // as large as one may be
    let large = |letter: &str| map("large", &json!({"app.txt": letter.repeat(900 * 1024)}));
    space.create(&large("a")).accepted();
    // a busy machine may take longer to read that than the API server waits for a hook
    let mut letters = ["b", "c"].into_iter().cycle();
    eventually("a large change is asked about, and answered in time", || {
        let changed = large(letters.next()?).to_string();
        let changed = space.kubectl().feed(&["replace", "--filename", "-"], &changed);
        changed.assert_warnings(&[]);
        (changed.succeeded() && asked() > before + 1).then_some(())
    });
}

/// On an API server of its own, which has nothing else to lose.
fn rights_and_restarts() {
    let cluster = Cluster::start(&assets().unwrap().unwrap());
    let admin = cluster.kubectl();
    let role =
        admin.run(&["get", "clusterrole", "restraint", "--output", "json"]).accepted().object();
    let mut without = role.clone();
    let is_needed = |rule: &Value| rule["resources"] != json!(["cronjobs", "jobs"]);
    without["rules"].as_array_mut().unwrap().retain(is_needed);
    let replace = |role: &Value| {
        let mut role = role.clone();
        role["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        admin.feed(&["replace", "--filename", "-"], &role.to_string()).accepted();
    };
    replace(&without);
    let installation = installed(&cluster, "followed");
    let space = installation.space();
    let readiness = |words: &str| {
        eventually(&format!("readiness says {words:?}"), || {
            let (status, said) = installation.readiness();
            assert_eq!(status, 200, "readiness does not wait: {said}");
            said.contains(words).then_some(())
        });
    };
    readiness(
        "configuration: rules about users are silent, because these are not known yet: CronJob, Job\n",
    );
    readiness("CronJob: cronjobs.batch is forbidden");
    space.create(&map("app", &json!({"level": "1", "app.json": "{}"}))).accepted();
    let users: Vec<_> = (0..200)
        .map(|number| {
            let spec = by_env("configMapKeyRef", "app", "level");
            deployment(&format!("web-{number:03}"), &json!({}), &spec)
        })
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": users});
    space.kubectl().feed(&["create", "--filename", "-"], &list.to_string()).accepted();
    known(&space, "configmap", &json!({"app.json": "{"}), "broken-config-file: ");
    change(&space, &json!({"level": "2"})).assert_warnings(&[]);

    replace(&role);
    readiness("configuration: 200 workloads and pods that use ConfigMaps or Secrets are known");
    let unseen = |number: usize| {
        format!("unseen-config-change: Deployment \"web-{number:03}\" keeps the old \"level\"")
    };
    let mut expected: Vec<_> = (0..5).map(unseen).collect();
    expected.push(
        "unseen-config-change: 195 more workloads: they keep what they have of it".to_owned(),
    );
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    change(&space, &json!({"level": "3"})).assert_warnings(&expected);

    cluster.restart_api_server();
    space
        .create(&deployment("after", &json!({}), &by_env("configMapKeyRef", "app", "level")))
        .accepted();
    known(
        &space,
        "configmap",
        &json!({"level": "4"}),
        "unseen-config-change: Deployment \"after\" keeps ",
    );
    space.kubectl().run(&["delete", "deployment", "after"]).accepted();
    eventually("what went is forgotten", || {
        let level = json!({"data": {"level": "5"}});
        let tried = patch(&space, "configmap", "app", &level, &["--dry-run=server"]);
        (tried.warns(&unseen(0)) && !tried.warns("unseen-config-change: Deployment \"after\""))
            .then_some(())
    });
    drop(space);
    drop(installation);
    cluster.stop(false);
}
