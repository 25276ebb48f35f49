//! Manifests of every style: what is fixed says afterwards what the edits ask for, and what is
//! not stays as it is.

use std::sync::Arc;

use proptest::prelude::*;

use crate::judge::policies::Policies;
use crate::manifest::layout::flow;

use super::super::read::File;
use super::super::report::LintReport;
use super::*;

/// How a manifest is written.
#[derive(Clone, Debug)]
struct Style {
    dashes: usize,
    wide: bool,
    open: bool,
    comments: bool,
    listed: bool,
    quoted: bool,
    json: bool,
    annotations: Vec<&'static str>,
    containers: Vec<Container>,
}

/// How a container is written.
#[derive(Clone, Debug)]
struct Container {
    flow: bool,
    anchored: bool,
    resources: Resources,
    policy: &'static str,
    tail: bool,
}

#[derive(Clone, Copy, Debug)]
enum Resources {
    Nested,
    Inline,
    Split,
    Last,
}

fn container() -> impl Strategy<Value = Container> {
    let policies = [
        "",
        "resizePolicy:",
        "resizePolicy: []",
        "resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]",
        "-",
        "resizePolicy: [\n]",
    ];
    let resources = [Resources::Nested, Resources::Inline, Resources::Split, Resources::Last];
    let flow = proptest::bool::weighted(0.2);
    (
        flow,
        flow,
        prop::sample::select(resources.to_vec()),
        prop::sample::select(policies.to_vec()),
        any::<bool>(),
    )
        .prop_map(|(flow, anchored, resources, policy, tail)| Container {
            flow,
            anchored,
            resources,
            policy,
            tail,
        })
}

fn style() -> impl Strategy<Value = Style> {
    let keys = prop::sample::subsequence(
        vec![
            "a: b",
            "approved-by-sre: 'true'",
            "restraint.dev/approve: |\n  x\n  # y",
            "z: >-\n  w",
        ],
        0..=4,
    );
    let marks = (0..4_usize, any::<[bool; 6]>());
    (marks, keys, prop::collection::vec(container(), 1..4)).prop_map(
        |((dashes, [wide, open, comments, listed, quoted, json]), annotations, containers)| Style {
            dashes,
            wide,
            open,
            comments,
            listed,
            quoted,
            json: json && quoted && listed,
            annotations,
            containers,
        },
    )
}

impl Style {
    fn text(&self) -> String {
        let mut lines = vec![
            "apiVersion: v1".to_owned(),
            "kind: Pod".to_owned(),
            "metadata:".to_owned(),
            "  name: p".to_owned(),
        ];
        if !self.annotations.is_empty() {
            lines.push(if self.quoted {
                "  \"annotations\":".to_owned()
            } else {
                "  annotations: # notes".to_owned()
            });
            for annotation in &self.annotations {
                lines.extend(annotation.lines().map(|line| format!("    {line}")));
            }
        }
        lines.extend(["spec:".to_owned(), "  containers:".to_owned()]);
        let mut anchored = false;
        for container in &self.containers {
            let margin = " ".repeat(2 + self.dashes);
            let mut fields = container.lines(self);
            if container.anchored && anchored {
                fields = vec!["<<: *c".to_owned(), "name: again".to_owned()];
            } else if container.anchored {
                fields.insert(0, "&c".to_owned());
                anchored = true;
            }
            for (index, field) in fields.iter().enumerate() {
                lines.push(format!("{margin}{} {field}", if index == 0 { "-" } else { " " }));
            }
        }
        if self.comments {
            lines = lines
                .into_iter()
                .flat_map(|line| [line, "      # remark".to_owned(), String::new()])
                .collect();
        }
        if self.listed {
            let item = lines
                .iter()
                .enumerate()
                .map(|(index, line)| format!("{}{line}", if index == 0 { "- " } else { "  " }));
            lines = ["apiVersion: v1".to_owned(), "kind: List".to_owned(), "items:".to_owned()]
                .into_iter()
                .chain(item)
                .collect();
        }
        let mut text = lines.join("\n") + "\n---\nother: [document]\n";
        if self.json
            && let Some(node) = crate::manifest::documents::value(lines.join("\n").as_str())
        {
            text = serde_json::to_string_pretty(&node.to_json()).unwrap();
        }
        if self.wide {
            text = text.replace('\n', "\r\n");
        }
        if self.open { text.trim_end().to_owned() } else { text }
    }
}

/// A container in flow style.
fn flow(style: &Style, policy: &str) -> Vec<String> {
    let policy =
        if policy.is_empty() || policy.ends_with(':') { "" } else { ", resizePolicy: [] " };
    if style.quoted {
        vec![format!(
            "{{\"name\": \"a\", \"resources\": {{\"limits\": {{\"memory\": \"1Gi\"}}}}{}}}",
            policy.replace("resizePolicy", "\"resizePolicy\"")
        )]
    } else {
        vec![format!("{{name: a{policy},"), "    resources: {limits: {memory: 1Gi}}}".to_owned()]
    }
}

impl Container {
    fn lines(&self, style: &Style) -> Vec<String> {
        let policy = if self.policy == "-" {
            "resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, ]"
        } else {
            self.policy
        };
        if self.flow {
            return flow(style, policy);
        }
        let mut lines = vec!["name: a".to_owned()];
        let resources: &[&str] = match self.resources {
            Resources::Nested | Resources::Last => {
                &["resources:", "  limits:", "    memory: 1Gi # enough"]
            }
            Resources::Inline => &["resources: {limits: {memory: 1Gi}}"],
            Resources::Split => &["resources: {", "    limits: {memory: 1Gi}", "  }"],
        };
        let resources = resources.iter().map(|line| (*line).to_owned());
        let policy: Vec<String> = match policy {
            "" => vec![],
            "resizePolicy:" => {
                let margin = " ".repeat(style.dashes);
                vec![
                    policy.to_owned(),
                    format!("{margin}- resourceName: cpu"),
                    format!("{margin}  restartPolicy: NotRequired"),
                ]
            }
            _ => policy.lines().map(str::to_owned).collect(),
        };
        if matches!(self.resources, Resources::Last) {
            lines.extend(policy);
            lines.extend(resources);
        } else {
            lines.extend(resources);
            lines.extend(policy);
        }
        if self.tail {
            lines.extend(
                [
                    "command: [sh, -c, \"echo '}' # ]\"]".to_owned(),
                    "env:".to_owned(),
                    "- {name: X, value: |".to_owned(),
                ]
                .into_iter()
                .take(2),
            );
        }
        lines
    }
}

fn report(text: &str) -> LintReport {
    let kinds = Arc::new(Kinds::with(&[]));
    LintReport::of(&Policies::embedded(), vec![File::of("a.yaml".to_owned(), text, &kinds)])
}

fn said(text: &str) -> Vec<Value> {
    values(text, &Kinds::with(&[]))
}

fn fixed(text: &str) -> Fixed {
    let report = report(text);
    let file = report.files.first().unwrap();
    fix(text, &file.documents, &report.findings, &file.kinds)
}

/// What `text` should say once the findings of these numbers are fixed.
fn patched(text: &str, done: &[usize]) -> Vec<Value> {
    let report = report(text);
    let mut all = said(text);
    for index in done {
        let finding = &report.findings[*index];
        json_patch::patch(&mut all[finding.document], &edit::patch(&operations(finding)).unwrap())
            .unwrap();
    }
    all
}

#[test]
fn most_styles_are_put_right() {
    let container =
        |resources| Container { flow: false, anchored: false, resources, policy: "", tail: true };
    let containers = [Resources::Nested, Resources::Inline, Resources::Split, Resources::Last]
        .map(container)
        .to_vec();
    let annotations = vec!["a: b", "approved-by-sre: 'true'"];
    let style = Style {
        dashes: 2,
        wide: false,
        open: false,
        comments: true,
        listed: true,
        quoted: false,
        json: false,
        annotations,
        containers,
    };
    let result = fixed(&style.text());
    assert_eq!((result.done.len(), result.refused.len()), (5, 0), "{}", result.text);
}

#[test]
fn brackets_are_matched() {
    let end = |text: &str| flow::end(text, 0);
    assert_eq!(end("[a, {b: c}] d]"), Some(10));
    assert_eq!(end(r#"["]", "\"]", ']', 'it''s ]', it's] x"#), Some(33));
    assert_eq!(end("[a # ]\n, b#c]"), Some(12));
    assert_eq!(end("[a, {b: c}"), None);
    assert_eq!(end(""), None);
}

#[test]
fn overlapping_splices_are_refused() {
    assert_eq!(
        splice::apply("abc", vec![splice::Splice::delete(0, 2), splice::Splice::delete(1, 3)]),
        None
    );
    assert_eq!(
        splice::apply(
            "abc",
            vec![splice::Splice::insert(3, "d".to_owned()), splice::Splice::delete(0, 1)]
        )
        .as_deref(),
        Some("bcd")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_put_right_says_what_was_asked_for(style in style()) {
        let text = style.text();
        let before = said(&text);
        let result = fixed(&text);
        let fixable = report(&text).findings.iter().filter(|finding| finding.fixable).count();
        prop_assert_eq!(result.done.len() + result.refused.len(), fixable);
        if result.done.is_empty() {
            prop_assert_eq!(&result.text, &text);
            prop_assert_eq!(said(&result.text), before);
        } else {
            prop_assert_eq!(said(&result.text), patched(&text, &result.done), "{}", result.text);
        }
        prop_assert_eq!(result.text.ends_with('\n'), text.ends_with('\n'));
        prop_assert!(!style.wide || result.text.matches('\n').count() == result.text.matches("\r\n").count());
        // every remark is still there
        let remarks = |text: &str| text.matches("# remark").count();
        prop_assert!(!result.refused.is_empty() || result.done.len() == fixable && remarks(&result.text) + 3 * style.annotations.len() >= remarks(&text));
        let again = fixed(&result.text);
        prop_assert_eq!(&again.text, &result.text, "fixing twice changes nothing");
    }
}
