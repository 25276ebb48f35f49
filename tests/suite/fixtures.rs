//! `tests/rules/<rule>/{pass,fail}/<why>.yaml`: what each rule finds, and what it leaves alone.
//!
//! One document is created; of two, the second replaces the first. Two pods are a resize; with a
//! first line `# update`, an ordinary update. Lines with more facts: `# mutate` (the mutating path
//! is asked), `# requester: NAME`, `# authority: held` or `lacking`, `# through: status`,
//! `binding` or `bindings`, `# namespace-labels: {...}`. It is noon of 2026-11-21, and a stamp whose
//! seal is the word `genuine` is sealed by the service. `# policy: {mode: warn, settings: {…}}`
//! judges with this instead of the rule's own default policy. `# usage: app=900Mi side=10Mi` is what the
//! metrics API measured, and `# room: cpu=500m memory=1Gi` is what the node "n1" has for the pod
//! beside all others. ConfigMaps and Secrets do not count as documents: they are what is known
//! beside. With `# change` or `# change: delete` the ConfigMaps and Secrets are what is written, and the
//! others are who uses them. A file of `fail` begins with one line `# finds: <message>` for each finding of its rule,
//! and that is all the rule finds; under `pass` it finds nothing. Where there are lines `# remedy:
//! <text>`, there is one for each finding, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use restraint::approval::Authority;
use restraint::judge::finding::Finding;
use restraint::judge::message::WARNING_LIMIT;
use restraint::judge::policies::Policies;
use restraint::judge::subject::{Resource, Subject};
use restraint::judge::{amend, judge};
use restraint::kube::config_user::ConfigUser;
use restraint::kube::configuration::{ConfigKind, ConfigObject, Configuration};
use restraint::kube::node_capacity::NodeCapacity;
use restraint::kube::quantity::Quantity;
use restraint::kube::requests::Requests;
use restraint::policies::embedded_files;
use restraint::recording::Facts;
use restraint::review::decode;
use restraint::rules::RULES;
use restraint::rules::config_users::config_user_in;

use crate::subjects::{creation, deletion, examine, resize, through, update};

#[test]
fn every_rule_has_fixtures_and_every_fixture_a_rule() {
    let folders: BTreeSet<String> = entries(&root()).iter().map(|path| name(path)).collect();
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(folders, rules);
    for rule in rules {
        for side in ["pass", "fail"] {
            assert!(
                !entries(&root().join(&rule).join(side)).is_empty(),
                "{rule} has no {side} fixture"
            );
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
                let expected: Vec<String> = text
                    .lines()
                    .filter_map(|line| line.strip_prefix("# finds: "))
                    .map(str::to_owned)
                    .collect();
                assert_eq!(
                    expected.is_empty(),
                    side == "pass",
                    "{}: `# finds:` lines",
                    fixture.display()
                );
                let findings = findings(&name(&folder), &text);
                for finding in &findings {
                    assert!(
                        finding.message.chars().count() <= WARNING_LIMIT,
                        "{}",
                        fixture.display()
                    );
                    assert!(names_its_container(finding), "{}: {finding:#?}", fixture.display());
                }
                let found: Vec<_> =
                    findings.iter().map(|finding| finding.message.clone()).collect();
                if found != expected {
                    faults += &format!(
                        "{}\n  expected {expected:#?}\n  found    {found:#?}\n",
                        fixture.display()
                    );
                }
                let remedies: Vec<_> =
                    text.lines().filter_map(|line| line.strip_prefix("# remedy: ")).collect();
                assert!(
                    remedies.is_empty()
                        || findings.iter().map(|finding| &finding.remedy).eq(&remedies),
                    "{}: {findings:#?}",
                    fixture.display()
                );
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// They cannot be resized, and have other shells.
#[test]
fn pods_of_windows_are_not_asked_what_only_linux_has() {
    let rules: Vec<_> = RULES.iter().filter(|rule| rule.linux_only).collect();
    assert!(rules.len() > 10);
    for rule in rules {
        let fixtures = entries(&root().join(rule.name).join("fail"));
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
        let of_windows = |words: &str| {
            let text = fixtures.iter().map(read).find_map(|text| {
                let (before, after) = text.split_once("containers:\n")?;
                let (_, margin) = before.rsplit_once('\n')?;
                Some(format!("{before}containers:\n{after}").replacen(
                    &format!("\n{margin}containers:\n"),
                    &format!("\n{margin}{words}\n{margin}containers:\n"),
                    1,
                ))
            });
            text.unwrap()
        };
        for words in ["os: {name: windows}", "nodeSelector: {kubernetes.io/os: windows}"] {
            let text = of_windows(words);
            assert_eq!(findings(rule.name, &text), [], "{}: {text}", rule.name);
        }
        let text = of_windows("nodeSelector: {kubernetes.io/os: linux}");
        assert_ne!(findings(rule.name, &text), [], "{}: {text}", rule.name);
    }
}

#[test]
fn rules_are_in_order_and_documented() {
    assert!(
        RULES.is_sorted_by(|one, next| one.family != next.family || one.name < next.name),
        "rules of a family stand in order of name"
    );
    for rule in RULES {
        let page = rule.documentation();
        for part in [
            "**Why it matters.**",
            "**What it looks at.**",
            "**What it allows.**",
            "**How to fix it.**",
        ] {
            assert!(page.contains(part), "{} lacks {part}", rule.name);
        }
    }
}

/// Whether a message that begins with a container begins with the one that the finding is about.
/// Long names are shortened.
fn names_its_container(finding: &Finding) -> bool {
    let named =
        finding.message.strip_prefix("container \"").and_then(|rest| rest.split('"').next());
    match (named, finding.container.as_deref()) {
        (Some(named), Some(name)) => named
            .split_once('…')
            .map_or(named == name, |(head, tail)| name.starts_with(head) && name.ends_with(tail)),
        (named, name) => named == name,
    }
}

/// Whether `pointer` leads into `object`. What is missing is pointed at as well: the last three
/// steps need not be there.
fn points_into(object: &Value, pointer: &str) -> bool {
    let there = pointer.rmatch_indices('/').map(|(end, _)| &pointer[..end]).take(3).last();
    there.is_some_and(|place| object.pointer(place).is_some())
}

/// What `rule` finds in the fixture under the default policies, or with the one that the fixture
/// names.
fn findings(rule: &str, text: &str) -> Vec<Finding> {
    let Fixture { body, new, known, .. } = Fixture::read(rule, text);
    let fact = |name: &str| fact(text, name);
    let mut review = decode(&body).unwrap();
    give(text, &known, &mut review.subject);
    let way = if fact("mutate").is_some() { amend } else { judge };
    let verdict = way(policies(rule, fact("policy: ")), &review.subject);
    let findings = verdict
        .rulings
        .into_iter()
        .filter(|ruling| ruling.rule == rule)
        .map(|ruling| ruling.finding);
    findings
        .inspect(|finding| assert!(points_into(&new, &finding.pointer), "{finding:#?}"))
        .collect()
}

/// What a fixture is made of.
pub(crate) struct Fixture {
    /// Its file.
    pub(crate) path: PathBuf,
    /// The review that it is.
    pub(crate) body: Vec<u8>,
    /// What is known beside.
    pub(crate) facts: Facts,
    /// The policies that it is judged by.
    pub(crate) policies: &'static Policies,
    new: Value,
    known: Vec<Value>,
}

impl Fixture {
    /// Every fixture of every rule.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let sides = entries(&root()).into_iter().flat_map(|folder| {
            let rule = name(&folder);
            let of = move |side: &str| (rule.clone(), folder.join(side));
            [of("pass"), of("fail")]
        });
        let files = sides.flat_map(|(rule, side)| {
            entries(&side).into_iter().map(move |file| (rule.clone(), file))
        });
        files.map(|(rule, path)| {
            let text = fs::read_to_string(&path).unwrap();
            Self { path, ..Self::read(&rule, &text) }
        })
    }

    fn read(rule: &str, text: &str) -> Self {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
        let fact = |name: &str| fact(text, name);
        let is_change = fact("change").is_some();
        let (known, documents): (Vec<Value>, Vec<Value>) = documents
            .into_iter()
            .partition(|document| config_kind(document).is_some() != is_change);
        let body = match documents.as_slice() {
            [old] if fact("change: delete").is_some() => deletion(old),
            [object] => creation(object),
            [old, new] if let Some(way) = fact("through: ") => through(old, new, way),
            [old, new] if new["kind"] == "Pod" && fact("update").is_none() => resize(old, new),
            [old, new] => update(old, new),
            _ => panic!("a fixture has one document or two"),
        };
        let mut review: Value = serde_json::from_slice(&body).unwrap();
        if let Some(name) = fact("requester: ") {
            review["request"]["userInfo"]["username"] = name.into();
        }
        let body = serde_json::to_vec(&review).unwrap();
        let mut review = decode(&body).unwrap();
        give(text, &known, &mut review.subject);
        let facts = Facts::of(&review.subject.evidence, false);
        drop(review);
        let policies = policies(rule, fact("policy: "));
        let new = documents.last().unwrap().clone();
        Self { path: PathBuf::new(), body, facts, policies, new, known }
    }
}

/// The line with more facts that begins so.
fn fact<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name))
}

/// Adds what is known beside.
fn give(text: &str, known: &[Value], subject: &mut Subject<'_>) {
    let fact = |name: &str| fact(text, name);
    examine(subject);
    if fact("change").is_some() {
        subject.evidence.config_users = Some(Arc::new(users(known)));
    } else {
        let known = (!known.is_empty()).then(|| Arc::new(configuration(known)));
        subject.evidence.configuration = known;
    }
    subject.evidence.authority = match fact("authority: ") {
        Some("held") => Authority::Held,
        Some("lacking") => Authority::Lacking,
        Some(other) => panic!("{other}"),
        None => Authority::NotAsked,
    };
    subject.evidence.usage = fact("usage: ").map(|facts| {
        amounts(facts, |name, amount| (name.to_owned(), i128::from(amount.value().unwrap())))
    });
    subject.evidence.node_capacity = fact("room: ").map(|facts| {
        let amounts: BTreeMap<_, _> =
            amounts(facts, |name, amount| (name, amount.milli_value().unwrap()));
        NodeCapacity {
            node: "n1".to_owned(),
            most: Requests { cpu: amounts["cpu"], memory: amounts["memory"] / 1000 },
        }
    });
    let labels = fact("namespace-labels: ").map(|labels| serde_saphyr::from_str(labels).unwrap());
    subject.evidence.namespace_labels = labels.map(Arc::<BTreeMap<String, String>>::new);
}

/// Amounts by name: `app=900Mi side=10Mi`.
fn amounts<'t, T, All: FromIterator<T>>(
    text: &'t str,
    each: impl Fn(&'t str, Quantity<'t>) -> T,
) -> All {
    let one = |(name, amount): (&'t str, &'t str)| each(name, Quantity::parse(amount).unwrap());
    text.split_whitespace().map(|part| one(part.split_once('=').unwrap())).collect()
}

/// The default policies. `policy`, one line of YAML without name and rule, takes the place of the
/// default one of `rule`. Each set is read once: there are many fixtures.
fn policies(rule: &str, policy: Option<&str>) -> &'static Policies {
    static READ: Mutex<BTreeMap<String, &'static Policies>> = Mutex::new(BTreeMap::new());
    let key = policy.map(|policy| format!("{rule} {policy}")).unwrap_or_default();
    READ.lock()
        .unwrap()
        .entry(key)
        .or_insert_with(|| Box::leak(Box::new(read_policies(rule, policy))))
}

fn read_policies(rule: &str, policy: Option<&str>) -> Policies {
    let Some(policy) = policy else { return Policies::embedded() };
    let fields = policy.strip_prefix('{').unwrap_or_else(|| panic!("{policy}"));
    let own = (format!("{rule}.yaml"), format!("{{name: {rule}, rule: {rule}, {fields}"));
    let others = embedded_files()
        .filter(|(name, _)| *name != own.0)
        .map(|(name, text)| (name, text.to_owned()));
    Policies::read(others.chain([own.clone()])).unwrap_or_else(|errors| panic!("{rule}: {errors}"))
}

fn configuration(documents: &[Value]) -> Configuration {
    let mut configuration = Configuration::default();
    for document in documents {
        let entries = document["data"].as_object().into_iter().flatten();
        let data =
            entries.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
        let object = ConfigObject {
            immutable: document["immutable"] == true,
            data,
            ..ConfigObject::default()
        };
        configuration.insert(
            config_kind(document).unwrap(),
            document["metadata"]["name"].as_str().unwrap().to_owned(),
            object,
        );
    }
    configuration
}

/// Who uses configuration among `documents`.
fn users(documents: &[Value]) -> Vec<ConfigUser> {
    let user = |document: &Value| {
        let (group, kind) = (document["apiVersion"].as_str()?, document["kind"].as_str()?);
        let group = group.split_once('/').map_or("", |(group, _)| group);
        config_user_in(Resource::of_kind(group, kind), &document.to_string())
    };
    documents.iter().filter_map(user).collect()
}

fn config_kind(document: &Value) -> Option<ConfigKind> {
    [ConfigKind::ConfigMap, ConfigKind::Secret]
        .into_iter()
        .find(|kind| document["kind"] == kind.as_str())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
