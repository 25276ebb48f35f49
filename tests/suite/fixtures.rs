//! `tests/rules/<rule>/{pass,fail}/<why>.yaml`: what each rule finds, and what it leaves alone.
//!
//! One document is created; of two, the second replaces the first. Two pods are a resize; with a first line
//! `# update`, an ordinary update. Lines with more facts: `# mutate` (the mutating path is asked), `# requester: NAME`,
//! `# authority: held` or `lacking`, `# through: status` or `binding`,
//! `# namespace-labels: {...}`. It is noon of 2026-11-21, and a stamp whose seal
//! is the word `genuine` is sealed by the service. `# policy: {mode: warn, settings: {…}}` judges with this instead of
//! the rule's own default policy. A file of `fail` begins with one line `# finds: <message>` for each finding of its
//! rule, and that is all the rule finds; under `pass` it finds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use restraint::judge::approval::Authority;
use restraint::judge::finding::WARNING_LIMIT;
use restraint::judge::policies::{EMBEDDED, Policies};
use restraint::judge::{amend, judge};
use restraint::review::decode;
use restraint::rules::RULES;

use crate::subjects::{creation, examine, resize, through, update};

#[test]
fn every_rule_has_fixtures_and_every_fixture_a_rule() {
    let folders: BTreeSet<String> = entries(&root()).iter().map(|path| name(path)).collect();
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(folders, rules);
    for rule in rules {
        for side in ["pass", "fail"] {
            assert!(!entries(&root().join(&rule).join(side)).is_empty(), "{rule} has no {side} fixture");
        }
    }
}

#[test]
fn fixtures_find_what_they_say() {
    let mut faults = String::new();
    for folder in entries(&root()) {
        for side in ["pass", "fail"] {
            for fixture in entries(&folder.join(side)) {
                let text = fs::read_to_string(&fixture).unwrap();
                let expected: Vec<String> = text.lines().filter_map(|line| line.strip_prefix("# finds: ")).map(str::to_owned).collect();
                assert_eq!(expected.is_empty(), side == "pass", "{}: `# finds:` lines", fixture.display());
                let found = findings(&name(&folder), &text);
                assert!(found.iter().all(|message| message.chars().count() <= WARNING_LIMIT), "{}", fixture.display());
                if found != expected {
                    faults += &format!("{}\n  expected {expected:#?}\n  found    {found:#?}\n", fixture.display());
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn rules_are_in_order_and_documented() {
    assert!(RULES.is_sorted_by(|one, next| one.name < next.name));
    for rule in RULES {
        let page = rule.documentation();
        for part in ["**Why it matters.**", "**What it looks at.**", "**What it allows.**", "**How to put it right.**"] {
            assert!(page.contains(part), "{} lacks {part}", rule.name);
        }
    }
}

/// What `rule` says of the fixture under the default policies, or with the one that the fixture names.
fn findings(rule: &str, text: &str) -> Vec<String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    let fact = |name: &str| text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name));
    let body = match documents.as_slice() {
        [object] => creation(object),
        [old, new] if fact("through: ") == Some("status") => through(old, new, "status"),
        [old, new] if fact("through: ") == Some("binding") => through(old, new, "binding"),
        [old, new] if new["kind"] == "Pod" && fact("update").is_none() => resize(old, new),
        [old, new] => update(old, new),
        _ => panic!("a fixture has one document or two"),
    };
    let mut review = decode(&body).unwrap();
    let subject = &mut review.subject;
    examine(subject);
    subject.evidence.authority = match fact("authority: ") {
        Some("held") => Authority::Held,
        Some("lacking") => Authority::Lacking,
        Some(other) => panic!("{other}"),
        None => Authority::NotAsked,
    };
    if let Some(name) = fact("requester: ") {
        subject.requester.username = name.to_owned().into();
    }
    let labels = fact("namespace-labels: ").map(|labels| serde_saphyr::from_str(labels).unwrap());
    subject.evidence.namespace_labels = labels.map(Arc::<BTreeMap<String, String>>::new);
    let way = if fact("mutate").is_some() { amend } else { judge };
    let verdict = way(&policies(rule, fact("policy: ")), &review.subject);
    verdict.rulings.into_iter().filter(|ruling| ruling.rule == rule).map(|ruling| ruling.finding.message).collect()
}

/// The default policies. `policy`, one line of YAML without name and rule, takes the place of the default one of `rule`.
fn policies(rule: &str, policy: Option<&str>) -> Policies {
    let Some(policy) = policy else { return Policies::embedded() };
    let fields = policy.strip_prefix('{').unwrap_or_else(|| panic!("{policy}"));
    let own = (format!("{rule}.yaml"), format!("{{name: {rule}, rule: {rule}, {fields}"));
    let others = EMBEDDED.iter().filter(|(name, _)| *name != own.0).map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Policies::read(others.chain([own.clone()])).unwrap_or_else(|errors| panic!("{rule}: {errors}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
