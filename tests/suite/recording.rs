//! Recordings: what is written of a review is judged as the review was, and holds no secret.

use std::fs::{self, File};
use std::io::BufReader;
use std::os::unix::fs::MetadataExt;
use std::path::Path as FilePath;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tempfile::tempdir;

use restraint::approval::Authority;
use restraint::judge::mode::Cap;
use restraint::judge::policies::Policies;
use restraint::recording::{
    Decision, Facts, Inputs, Judgement, Lines, Recording, Redactor, SCHEMA, Unreadable, judge_again,
};
use restraint::review::{Path, answer, decode};
use restraint::rules::RULES;

use crate::fixtures::Fixture;
use crate::server::Server;
use crate::subjects::{approved, creation, recorded, resize, update};

const NOON: &str = "2026-11-21T12:00:00Z";

/// Every rule as strict as can be.
fn strict() -> Policies {
    let files = RULES.iter().map(|rule| {
        let text = format!("{{name: {0}, rule: {0}, mode: enforce}}", rule.name);
        (format!("{}.yaml", rule.name), text)
    });
    Policies::read(files).unwrap()
}

fn hash(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn redacted(body: &[u8], policies: &Policies) -> Vec<u8> {
    let redactor = Redactor::new(&hash, &policies.context().approval_annotations);
    let resource = decode(body).unwrap().subject.resource;
    redactor.review(str::from_utf8(body).unwrap(), resource).unwrap()
}

fn judged(policies: &Policies, path: Path, review: &[u8], facts: &Facts) -> Judgement {
    let time = NOON.parse().unwrap();
    judge_again(policies, &Inputs { path, review, time, facts }).unwrap()
}

/// Asserts that `body` is judged the same when it is redacted, by all that answers and prints.
fn same(policies: &Policies, body: &[u8], facts: &Facts, what: &str) {
    let redacted = redacted(body, policies);
    let subject = decode(body).unwrap().subject;
    let facts_after = facts.clone().with_files_of(&subject);
    for path in Path::ALL {
        let [before, after] = [(body, facts), (&*redacted, &facts_after)].map(|(body, facts)| {
            serde_json::to_value(judged(policies, path, body, facts)).unwrap()
        });
        assert_eq!(before, after, "{what} {path}: {}", String::from_utf8_lossy(&redacted));
    }
}

#[test]
fn judging_what_was_redacted_is_judging_what_came() {
    let (embedded, strict) = (Policies::embedded(), strict());
    for (name, body) in recorded() {
        for sealed in [false, true] {
            let facts = Facts { sealed, ..Facts::default() };
            same(&embedded, &body, &facts, &name);
            same(&strict, &body, &facts, &name);
        }
    }
}

#[test]
fn every_fixture_of_every_rule_is_judged_as_it_came() {
    let strict = strict();
    let mut seen = 0;
    for fixture in Fixture::all() {
        let name = fixture.path.display().to_string();
        same(fixture.policies, &fixture.body, &fixture.facts, &name);
        same(&strict, &fixture.body, &fixture.facts, &name);
        seen += 1;
    }
    assert!(seen > 500, "{seen}");
}

/// Pieces of commands, scripts and values.
const PIECES: [&str; 34] = [
    "-Xmx512m",
    "-Xms1g",
    "-XX:MaxRAMPercentage=90",
    "-XX:MaxRAMFraction=1",
    "-Dpw=hunter2",
    "-cp",
    "--max-old-space-size=4096",
    "--max-old-space-size",
    "8192",
    "lots",
    "--maxmemory",
    "1gb",
    "$(BASE)",
    "$BASE",
    "${DIR}",
    "$(DB_PASSWORD)",
    "java",
    "node",
    "app.js",
    "-jar",
    "app.jar",
    "redis-server",
    "\"",
    "'",
    "/etc/app/app.yaml",
    "/etc/app",
    "inotifywait -m",
    "nginx -s reload;",
    "kill -HUP 1",
    "while true; do",
    "done",
    "export JAVA_OPTS=-Xmx2g;",
    "exec",
    "TOKEN=abc",
];

const NAMES: [&str; 16] = [
    "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "NODE_OPTIONS",
    "GOMEMLIMIT",
    "BASE",
    "DIR",
    "DB_PASSWORD",
    "ES_HEAP_SIZE",
    "CONFIG_HASH",
    "URL",
    "PATH",
    "FLINK_PROPERTIES",
    "INSTALL4J_ADD_VM_PARAMS",
    "WATCHFILES_FORCE_POLLING",
    "MEMORY",
];

/// Whether a variable of this name says how much memory there is.
fn is_amount(name: &str) -> bool {
    matches!(name, "GOMEMLIMIT" | "ES_HEAP_SIZE" | "FLINK_PROPERTIES" | "MEMORY")
}

fn texts() -> impl Strategy<Value = String> {
    let values = select(vec![
        "8f2d0c5b1e9a",
        "1536m",
        "hunter2",
        "",
        "taskmanager.memory.process.size: 4g\nx: y",
    ]);
    prop_oneof![
        4 => vec(select(PIECES.to_vec()), 0..6).prop_map(|pieces| pieces.join(" ")),
        1 => values.prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_a_container_says(
        env in vec((select(NAMES.to_vec()), texts()), 0..6),
        password in select(vec!["hunter2", "correct horse", ""]),
        script in proptest::option::of(texts()),
        args in vec(texts(), 0..4),
        image in select(vec!["app:1", "redis:7", "minecraft:1"]),
    ) {
        // nobody runs what a secret says, and no amount of memory is one
        let value = |name: &str, value: String| match name {
            "DB_PASSWORD" => password.to_owned(),
            _ => value.replace("$(DB_PASSWORD)", if is_amount(name) { "$(BASE)" } else { "$(DB_PASSWORD)" }),
        };
        let env: Vec<Value> = env
            .into_iter()
            .map(|(name, text)| json!({"name": name, "value": value(name, text)}))
            .collect();
        let mut container = json!({
            "name": "app", "image": image, "env": env, "args": args,
            "resources": {"limits": {"memory": "1Gi"}},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "subPath": "app.yaml"}],
        });
        if let Some(script) = script {
            container["command"] = json!(["sh", "-c", script]);
        }
        let spec = json!({"containers": [container], "volumes": [{"name": "config", "configMap": {"name": "app"}}]});
        let metadata = json!({"name": "app", "namespace": "shop"});
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": spec}}});
        same(&strict(), &creation(&object), &Facts::default(), "a container");
    }
}

/// Stands in every value that no rule reads.
const SECRET: &str = "hunter2-secret";

/// A pod with a secret wherever one may be.
fn pod() -> Value {
    let script = format!(
        "export TOKEN={SECRET}; curl -H 'Authorization: Bearer {SECRET}' http://u:{SECRET}@x/; exec app --password {SECRET}"
    );
    let probe =
        json!({"httpGet": {"port": 80, "httpHeaders": [{"name": "X-Token", "value": SECRET}]}});
    let containers = json!([{
        "name": "app",
        "command": ["sh", "-c", script],
        "args": ["--api-key", SECRET, format!("--token={SECRET}")],
        "env": [
            {"name": "ANYTHING", "value": SECRET},
            {"name": "DB_PASSWORD", "value": SECRET},
            {"name": "URL", "value": format!("pg://u:{SECRET}@h/x")},
            {"name": "JAVA_OPTS", "value": format!("-Xmx1g -Dx={SECRET} {SECRET}")},
        ],
        "livenessProbe": probe,
        "startupProbe": {"httpGet": {"path": format!("/x?token={SECRET}"), "port": 80}},
        "resources": {"limits": {"memory": "512Mi"}},
    }]);
    let volumes = json!([{"name": "v", "csi": {"driver": "d", "volumeAttributes": {"x": SECRET}}}]);
    let ended = json!({"state": {"terminated": {"message": SECRET}}, "name": "app"});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "db-0", "namespace": "shop",
            "annotations": {"note": SECRET, "kubectl.kubernetes.io/last-applied-configuration": SECRET, "restraint.dev/ignore": "file-watch"},
            "managedFields": [{"manager": SECRET}],
        },
        "spec": {"containers": containers, "volumes": volumes, "ephemeralContainers": [{"name": "debug", "env": [{"name": "A", "value": SECRET}]}]},
        "status": {"containerStatuses": [ended]},
    })
}

#[test]
fn no_secret_is_written() {
    let template = json!({"metadata": {"annotations": {"note": SECRET}}, "spec": pod()["spec"]});
    let cron = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a", "annotations": {"x": SECRET}},
        "spec": {"jobTemplate": {"spec": {"template": template}}, "annotations": {"misplaced": SECRET}},
    });
    let mut bodies =
        vec![creation(&pod()), update(&pod(), &pod()), resize(&pod(), &pod()), creation(&cron)];
    for (kind, plural) in
        [("Secret", "secrets"), ("ConfigMap", "configmaps"), ("Widget", "widgets")]
    {
        let object = json!({
            "apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "annotations": {"a": SECRET}},
            "data": {"key": SECRET}, "stringData": {"key": [SECRET]},
        });
        let mut review: Value = serde_json::from_slice(&bodies[0]).unwrap();
        review["request"]["resource"]["resource"] = plural.into();
        review["request"]["object"] = object;
        bodies.push(serde_json::to_vec(&review).unwrap());
    }
    for body in bodies {
        let mut review: Value = serde_json::from_slice(&body).unwrap();
        review["request"]["userInfo"]["extra"] = json!({"token": [SECRET]});
        let text =
            String::from_utf8(redacted(review.to_string().as_bytes(), &Policies::embedded()))
                .unwrap();
        assert!(!text.contains("hunter2") && text.contains("redacted"), "{text}");
        assert!(decode(text.as_bytes()).is_ok(), "{text}");
    }
    let text = String::from_utf8(redacted(&creation(&pod()), &Policies::embedded())).unwrap();
    for kept in ["-Xmx1g", "ANYTHING", "db-0", "512Mi", "file-watch", "exec app --password"] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}

/// A stamp lets a decrease through: its seal is on the pod and nowhere else.
#[test]
fn no_seal_is_written() {
    let pod = approved(
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "annotations": {}}, "spec": {"containers": []}}),
    );
    let body = resize(&pod, &pod);
    let text = String::from_utf8(redacted(&body, &Policies::embedded())).unwrap();
    assert!(String::from_utf8(body).unwrap().contains("genuine"));
    assert!(!text.contains("genuine") && text.contains("alice"), "{text}");
}

#[tokio::test]
async fn a_folder_replays_to_the_same_answers() {
    let temporary = tempdir().unwrap();
    let folder = temporary.path().join("recordings");
    let flags = ["--record", folder.to_str().unwrap(), "--record-limit", "64MiB"];
    let mut server = Server::start(&flags);
    let mut client = server.client().await;
    let mut answers = Vec::new();
    for (name, body) in recorded() {
        let path = if name.ends_with(".mutate") { "/mutate" } else { "/validate" };
        let (status, answer) = client.post(path, body).await;
        assert_eq!(status, StatusCode::OK, "{name}");
        answers.push((name, answer.to_vec()));
    }
    server.terminate();
    assert!(server.wait().success());

    let policies = Policies::embedded().under(Cap::Enforce);
    let recordings = read(&folder);
    assert_eq!(recordings.len(), answers.len());
    let mut decisions = std::collections::BTreeSet::new();
    for (recording, (name, sent)) in recordings.iter().zip(&answers) {
        assert_eq!((&*recording.schema, recording.cap), (SCHEMA, Cap::Enforce));
        assert_eq!(recording.version, env!("CARGO_PKG_VERSION"));
        assert_eq!(name.ends_with(".mutate"), recording.path == Path::Mutate, "{name}");
        let judgement = recording.judge_again(&policies).unwrap();
        assert_eq!(judgement.decision, recording.answered(), "{name}");
        assert_eq!(judgement.asked.dry_run, name.contains("dry-run"), "{name}");
        decisions.insert(judgement.decision);
        let again = answer(&judgement.asked.uid, &judgement.verdict);
        let [sent, written, again] =
            [sent, recording.answer.get().as_bytes(), &again].map(without_seals);
        assert_eq!(sent, written, "{name}");
        assert_eq!(written, again, "{name}");
    }
    for decision in [Decision::Denied, Decision::Amended, Decision::Warned, Decision::Allowed] {
        assert!(decisions.contains(&decision), "{decision}");
    }
}

/// The answer, with its patch readable and the seal and key of a stamp in it taken out.
fn without_seals(answer: &[u8]) -> Value {
    let mut answer: Value = serde_json::from_slice(answer).unwrap();
    if let Some(patch) = answer.pointer_mut("/response/patch") {
        let operations = STANDARD.decode(patch.as_str().unwrap()).unwrap();
        *patch = serde_json::from_slice(&operations).unwrap();
        for value in patch.as_array_mut().unwrap().iter_mut().filter_map(|one| one.get_mut("value"))
        {
            let stamp = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            if let Some(mut stamp) = stamp.filter(Value::is_object) {
                stamp["seal"] = Value::Null;
                stamp["key"] = Value::Null;
                *value = stamp;
            }
        }
    }
    answer
}

fn read(folder: &FilePath) -> Vec<Recording> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    paths.sort();
    let lines = paths.iter().flat_map(|path| {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600);
        Lines::of(BufReader::new(File::open(path).unwrap()))
    });
    lines.map(Result::unwrap).collect()
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let facts = Facts {
        authority: Authority::Unknown("the API server is too slow".into()),
        ..Facts::default()
    };
    let raw = |value: Value| serde_json::value::to_raw_value(&value).unwrap();
    let recording = Recording {
        schema: SCHEMA.to_owned(),
        time: NOON.parse().unwrap(),
        version: "0.1.0".to_owned(),
        path: Path::Validate,
        cap: Cap::Audit,
        review: raw(json!({})),
        evidence: facts.clone(),
        answer: raw(json!({"response": {"allowed": false}})),
    };
    let line = serde_json::to_string(&recording).unwrap();
    let newer = line.replace("/v1", "/v2");
    let file = format!("{line}\n{newer}\nno json\n{line}\n{}", &line[..40]);
    let mut lines = Lines::of(file.as_bytes());
    let first = lines.next().unwrap().unwrap();
    assert_eq!((first.evidence, first.cap, first.path), (facts, Cap::Audit, Path::Validate));
    assert!(matches!(lines.next(), Some(Err(Unreadable::OtherSchema { line: 2, .. }))));
    assert!(matches!(lines.next(), Some(Err(Unreadable::Malformed { line: 3, .. }))));
    assert_eq!(lines.next().unwrap().unwrap().answered(), Decision::Denied);
    assert!(matches!(lines.next(), Some(Err(Unreadable::Truncated { line: 5 }))));
    assert!(lines.next().is_none());
    let endless = std::io::BufReader::new(std::io::repeat(b'x'));
    assert!(matches!(Lines::of(endless).next(), Some(Err(Unreadable::TooLarge { line: 1, .. }))));
}
