//! The deepest texts that are accepted, and deeper ones that are refused, on a stack of 2 MiB: what
//! a worker of the server has, or half of it. An overflow ends the process, and with it these
//! tests.

use std::thread;

use restraint::judge::policies::Policies;
use restraint::judge::{amend, judge};
use restraint::lint::linted;
use restraint::manifest::unstructured::Unstructured;
use restraint::review::{answer, decode};
use restraint::shell::{Invocation, inline};
use restraint::watch::watches;
use serde_json::json;

use crate::subjects::creation;

/// Around every bound that there is, and far beyond.
const DEPTHS: [usize; 15] = [1, 4, 5, 15, 20, 28, 31, 62, 64, 100, 124, 128, 200, 500, 3_000];

/// The stack of a worker, in bytes.
const WORKER: usize = 2 * 1024 * 1024;

/// What a review may take of it at most, in a build without optimization: so much is left to what
/// calls the judge.
const REVIEW: usize = WORKER / 2;

/// Runs `work` on so large a stack for every depth; how many of them were accepted.
fn accepted(stack: usize, work: impl Fn(usize) -> bool + Send + 'static) -> usize {
    let worker = thread::Builder::new().stack_size(stack);
    worker
        .spawn(move || DEPTHS.iter().filter(|depth| work(**depth)).count())
        .unwrap()
        .join()
        .unwrap()
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn reviews() {
    let shapes = [
        (r#"{"spec":{"template":"#, "}}"),
        (r#"{"spec":{"jobTemplate":{"spec":{"template":"#, "}}}}"),
        (r#"{"spec":{"unknown":"#, "}}"),
        (r#"{"metadata":{"annotations":{"a":"#, "}}}"),
        (r#"{"spec":{"containers":["#, "]}}"),
        ("[", "]"),
    ];
    for (open, close) in shapes {
        let count = accepted(REVIEW, move |depth| {
            let object = nested(open, "{}", close, depth);
            let request = r#""uid":"u","operation":"UPDATE","resource":{"group":"apps","version":"v1","resource":"deployments"}"#;
            let body = format!(
                r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{{request},"object":{object},"oldObject":{object}}}}}"#
            );
            let Ok(review) = decode(body.as_bytes()) else { return false };
            let policies = Policies::embedded();
            for way in [judge, amend] {
                answer(&review.uid, &way(&policies, &review.subject));
            }
            true
        });
        assert!(count > 0 || open == "[", "{open} is never accepted");
    }
}

#[test]
fn policies() {
    let accepted = accepted(WORKER, |depth| {
        let shapes = [
            nested("[", "", "]", depth),
            nested("{a: ", "1", "}", depth),
            nested("- ", "a", "", depth),
        ];
        for value in shapes {
            let _ = Policies::read([(
                "deep.yaml",
                format!("name: deep\nrule: memory-resize-policy\nmode: warn\nsettings: {value}\n"),
            )]);
            let _ = Policies::read([("deep.yaml", value)]);
        }
        Policies::read([("deep.yaml", "name: deep\nrule: memory-resize-policy\nmode: warn\n")])
            .is_ok()
    });
    assert_eq!(accepted, DEPTHS.len());
}

#[test]
fn manifests() {
    let count = accepted(WORKER, |depth| {
        let values = [
            nested("[", "", "]", depth),
            nested("{a: ", "1", "}", depth),
            nested("\n- - ", "a", "", depth),
        ];
        let policies = Policies::embedded();
        values.into_iter().any(|value| {
            let text =
                format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nunknown: {value}\nspec: {{containers: [{{name: app, resources: {{limits: {{memory: 1Gi}}}}}}]}}\n");
            let _ = Unstructured::read(&text, "default");
            !linted(&policies, &text).before.is_empty()
        })
    });
    assert!(count > 0);
}

/// Constructs of the shell that nest.
const SHAPES: [(&str, &str); 12] = [
    ("(", ")"),
    ("{ ", ";}"),
    ("$(", ")"),
    ("\"$(", ")\""),
    ("`", "`"),
    ("if a; then ", ";fi"),
    ("while a; do ", ";done"),
    ("case a in a) ", ";; esac"),
    ("! ", ""),
    ("${a:-", "}"),
    ("$((", "))"),
    ("f() { ", ";}; f"),
];

#[test]
fn scripts() {
    for (open, close) in SHAPES {
        let count = accepted(REVIEW, move |depth| {
            let text = nested(open, "inotifywait /a", close, depth);
            let script =
                inline(&Invocation { command: &["sh", "-c", &text], ..Invocation::default() });
            script.is_some_and(|script| watches(&script).len() < 10_000)
        });
        assert!(count > 0, "{open} is never read");
    }
}

/// Functions and shells within shells begin a tree of their own, each as deep as a tree may be, and
/// are walked in their caller's place.
#[test]
fn functions_and_shells_within_each_other() {
    for (open, close) in SHAPES {
        let count = accepted(REVIEW, move |depth| {
            let around = |inner: &str| nested(open, inner, close, depth.min(33));
            let text = format!(
                "g() {{ {}; }}\nh() {{ {}; }}\nwhile inotifywait /a; do h; done",
                around(&format!("sh -c '{}'", around("kill -HUP 1"))),
                around("g")
            );
            let container = json!({"name": "app", "args": ["sh", "-c", text], "volumeMounts": [{"name": "c", "mountPath": "/a"}]});
            let spec = json!({"containers": [container], "volumes": [{"name": "c", "configMap": {"name": "c"}}]});
            let body = creation(
                &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}),
            );
            let review = decode(&body).unwrap();
            let policies = Policies::embedded();
            for way in [judge, amend] {
                answer(&review.uid, &way(&policies, &review.subject));
            }
            inline(&Invocation { command: &["sh", "-c", &text], ..Invocation::default() }).is_some()
        });
        assert!(count > 0, "{open} is never read");
    }
}
