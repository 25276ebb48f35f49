//! Reviews: decoded, judged, amended and answered, beside a slow reading through
//! `serde_json::Value`.
//!
//! Where the two readings may differ, and why that is harmless:
//! * What no rule reads is skipped without a look but for its end: what stands there need not
//!   even be JSON. The API server writes its own objects, and whoever else writes to the port is
//!   answered about what is read.
//! * Of repeated labels and annotations the last one counts on both sides; other repeated fields
//!   are refused.
//! * Nor need the environment of containers be one, where the path or a resize asks for none.
//! * Objects of kinds that no rule looks at are left out where they have another shape.

use std::sync::LazyLock;

use restraint::judge::policies::Policies;
use restraint::judge::subject::{Operation, Resource, Subject};
use restraint::judge::verdict::Verdict;
use restraint::judge::{amend, judge};
use restraint::kube::object::{Metadata, Object, Spec, Template};
use restraint::kube::resources::Resources;
use restraint::recording::Redactor;
use restraint::review::{Malformed, Path, answer, decode, decode_for};
use serde_json::Value;

static POLICIES: LazyLock<Policies> = LazyLock::new(Policies::embedded);

pub(crate) fn run(data: &[u8]) {
    let slow = serde_json::from_slice::<Value>(data);
    let mut review = match decode(data) {
        Ok(review) => review,
        Err(reason) => {
            let is_json = !matches!(reason, Malformed::NotText | Malformed::NotJson { .. });
            assert!(is_json || slow.is_err(), "what is JSON is not refused as none: {reason}");
            return;
        }
    };
    if let Ok(value) = slow {
        compare(&review.uid, &review.subject, &value);
    }
    let resource = review.subject.resource;
    review.subject.examine_stamp(|_, _, seal| seal == "genuine");
    review.subject.evidence.now = Some("2026-11-21T12:00:00Z".parse().expect("a time"));
    review.subject.evidence.can_seal = true;
    let verdict = judge(&POLICIES, &review.subject);
    assert!(verdict.amendment.is_empty(), "the validating path amends nothing");
    assert_eq!(verdict, judge(&POLICIES, &review.subject), "judging is pure");
    told(&review.uid, &verdict);
    let amended = amend(&POLICIES, &review.subject);
    let mut to_amend = decode_for(Path::Mutate, data).expect("what can be judged can be amended");
    to_amend.subject.evidence = review.subject.evidence.clone();
    assert_eq!(
        amended,
        amend(&POLICIES, &to_amend.subject),
        "amending needs no more than it reads"
    );
    told(&review.uid, &amended);
    recorded(data, resource);
}

/// What is written of a review is a review, and says yes or no as it did.
fn recorded(data: &[u8], resource: Resource) {
    let text = std::str::from_utf8(data).expect("a review is text");
    let redactor = Redactor::new(&|bytes| bytes.len() as u64, &[]);
    let redacted = redactor.review(text, resource).expect("a review is an object");
    let allowed = |review: &[u8]| {
        judge(&POLICIES, &decode(review).expect("still a review").subject).allowed()
    };
    assert_eq!(allowed(data), allowed(&redacted), "{}", String::from_utf8_lossy(&redacted));
}

/// What the answer says is what was ruled, within the limits of the API server.
fn told(uid: &str, verdict: &Verdict) {
    let answer: Value = serde_json::from_slice(&answer(uid, verdict)).expect("the answer is JSON");
    let response = &answer["response"];
    assert_eq!(response["uid"].as_str(), Some(uid));
    assert_eq!(response["allowed"].as_bool(), Some(verdict.allowed()));
    assert_eq!(response["status"]["code"].as_u64(), (!verdict.allowed()).then_some(403));
    let warnings = response["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(warnings.len() <= 10, "{warnings:?}");
    for warning in warnings {
        let warning = warning.as_str().expect("text");
        assert!(
            warning.chars().count() <= 120 && !warning.contains(char::is_control),
            "{warning:?}"
        );
    }
}

/// A struct, where there is one: `null` is none.
fn fields<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).filter(|value| value.is_object())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn compare(uid: &str, subject: &Subject<'_>, review: &Value) {
    let Some(request) = fields(review, "request") else { return };
    assert_eq!(uid, text(request, "uid"));
    assert_eq!(&*subject.name, text(request, "name"));
    assert_eq!(&*subject.namespace, text(request, "namespace"));
    assert_eq!(subject.dry_run, request.get("dryRun").and_then(Value::as_bool).unwrap_or_default());
    if let Some(operation) = request.get("operation").and_then(Value::as_str) {
        let known = ["CREATE", "UPDATE", "DELETE", "CONNECT"].contains(&operation);
        assert_eq!(
            subject.operation.as_str(),
            if known { operation } else { Operation::Other.as_str() }
        );
    }
    if let Some(resource) = fields(request, "resource") {
        let parts =
            [text(resource, "group"), text(resource, "version"), text(resource, "resource")];
        assert_eq!(
            subject.resource,
            Resource::of(parts[0], parts[1], parts[2], text(request, "subResource"))
        );
    }
    if let Some(user) = fields(request, "userInfo") {
        assert_eq!(&*subject.requester.username, text(user, "username"));
    }
    if subject.resource == Resource::Other {
        return;
    }
    if let Some(value) = fields(request, "object") {
        object(&subject.object, value);
    }
    assert_eq!(
        subject.old_object.is_some(),
        request.get("oldObject").is_some_and(|value| !value.is_null())
    );
    if let (Some(old), Some(value)) = (&subject.old_object, fields(request, "oldObject")) {
        object(old, value);
    }
}

fn object(object: &Object<'_>, value: &Value) {
    if let Some(value) = fields(value, "metadata") {
        metadata(&object.metadata, value);
    }
    if let Some(value) = fields(value, "spec") {
        spec(&object.spec, value);
    }
}

fn metadata(metadata: &Metadata<'_>, value: &Value) {
    assert_eq!(&*metadata.name, text(value, "name"));
    assert_eq!(&*metadata.uid, text(value, "uid"));
    assert_eq!(metadata.generation, value.get("generation").and_then(Value::as_i64));
    for (key, value) in value.get("annotations").and_then(Value::as_object).into_iter().flatten() {
        let expected = value.as_str().or_else(|| value.is_null().then_some(""));
        if value.is_string() {
            assert_eq!(metadata.annotations.text(key).as_deref(), expected, "{key}");
        }
    }
    for (key, value) in value.get("labels").and_then(Value::as_object).into_iter().flatten() {
        assert_eq!(
            metadata.labels.value(key).map(|text| &**text),
            Some(value.as_str().unwrap_or_default()),
            "{key}"
        );
    }
}

fn spec(spec: &Spec<'_>, value: &Value) {
    assert_eq!(&*spec.restart_policy, text(value, "restartPolicy"));
    assert_eq!(spec.host_pid, value.get("hostPID").and_then(Value::as_bool).unwrap_or_default());
    assert_eq!(spec.replicas, value.get("replicas").and_then(Value::as_i64));
    for (list, name) in
        [(&spec.containers, "containers"), (&spec.init_containers, "initContainers")]
    {
        let values =
            value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(list.len(), values.len());
        for (container, value) in list.iter().zip(values).filter(|(_, value)| value.is_object()) {
            assert_eq!(&*container.name, text(value, "name"));
            assert_eq!(&*container.image, text(value, "image"));
            assert_eq!(
                container.args.len(),
                value.get("args").and_then(Value::as_array).map_or(0, Vec::len)
            );
            resources(&container.resources, value);
        }
    }
    resources(&spec.resources, value);
    for (nested, name) in [(&spec.template, "template"), (&spec.job_template, "jobTemplate")] {
        assert_eq!(
            nested.is_some(),
            value.get(name).is_some_and(|value| !value.is_null()),
            "{name}"
        );
        if let (Some(nested), Some(value)) = (nested, fields(value, name)) {
            template(nested, value);
        }
    }
}

fn template(template: &Template<'_>, value: &Value) {
    if let Some(value) = fields(value, "metadata") {
        metadata(&template.metadata, value);
    }
    if let Some(value) = fields(value, "spec") {
        spec(&template.spec, value);
    }
}

fn resources(resources: &Resources<'_>, holder: &Value) {
    let Some(value) = fields(holder, "resources") else { return };
    for (amounts, name) in [(&resources.limits, "limits"), (&resources.requests, "requests")] {
        let Some(value) = fields(value, name) else { continue };
        match value.get("memory") {
            Some(Value::String(memory)) => {
                assert_eq!(amounts.memory.as_ref().map(|memory| memory.text()), Some(memory.trim()))
            }
            Some(Value::Number(_)) => assert!(amounts.memory.is_some()),
            _ => assert!(amounts.memory.is_none()),
        }
    }
}
