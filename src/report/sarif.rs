//! Findings as SARIF 2.1.0, as code scanning of GitHub takes it.

use serde_json::{Map, Value, json};

use crate::judge::message::fit;
use crate::judge::mode::Mode;
use crate::judge::policies::Policies;
use crate::judge::rule::Rule;
use crate::rules;
use crate::rules::strength::Strength;

/// The schema that this keeps to.
const SCHEMA: &str = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/main/sarif-2.1/schema/sarif-schema-2.1.0.json";

/// The longest description that GitHub takes, in characters.
const LONGEST_DESCRIPTION: usize = 1024;

/// The most results that GitHub takes of one run.
pub(crate) const MOST_RESULTS: usize = 25_000;

/// A finding, wherever it is.
#[derive(Clone, Debug)]
pub(crate) struct SarifResult<'f> {
    pub(crate) rule: &'static str,
    pub(crate) mode: Strength,
    pub(crate) message: &'f str,
    pub(crate) remedy: &'f str,
    /// The object it is about, in words.
    pub(crate) subject: String,
    /// Where it is in a file; `None` where it is in none.
    pub(crate) place: Option<Value>,
    /// What it is known by, from one run to the next.
    pub(crate) fingerprint: String,
}

/// Something to be said of what was not judged.
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    pub(crate) message: String,
    /// Where it is in a file; `None` where it is in none.
    pub(crate) place: Option<Value>,
}

/// The log of a run. Of more results than GitHub takes the strongest are kept.
pub(crate) fn render(
    mut results: Vec<SarifResult<'_>>,
    notifications: Vec<Notification>,
    policies: &Policies,
) -> Value {
    let mut found: Vec<&'static str> = results.iter().map(|result| result.rule).collect();
    found.sort_unstable();
    found.dedup();
    // GitHub shows the first five thousand
    results.sort_by_key(|result| std::cmp::Reverse(result.mode));
    results.truncate(MOST_RESULTS);
    let results: Vec<_> = results.into_iter().map(|one| result(one, &found)).collect();
    let notifications: Vec<_> = notifications.into_iter().map(notification).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "restraint",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://restraint.dev",
                "rules": found.iter().filter_map(|name| rules::find(name)).map(|rule| description(rule, policies)).collect::<Vec<_>>(),
            }},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications}],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn description(rule: &Rule, policies: &Policies) -> Value {
    let page = rule.documentation();
    let mut parts = page.split("\n\n").map(|part| part.replace('\n', " "));
    let (short, full) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let full = full.strip_prefix("**Why it matters.** ").unwrap_or(&full);
    let modes =
        policies.iter().filter(|policy| policy.rule.name == rule.name).map(|policy| {
            match (policy.mode, rule.fix) {
                (Mode::Fix, Some(on_templates)) => on_templates.0,
                (mode, _) => mode,
            }
        });
    json!({
        "id": rule.name,
        "name": rule.name,
        "shortDescription": {"text": fit(&short, LONGEST_DESCRIPTION)},
        "fullDescription": {"text": fit(full, LONGEST_DESCRIPTION)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": level(modes.max().unwrap_or(Mode::Warn))},
        "properties": {"tags": ["kubernetes"]},
    })
}

fn level(mode: Mode) -> &'static str {
    match mode {
        Mode::Off | Mode::Audit => "note",
        Mode::Warn => "warning",
        Mode::Enforce | Mode::Fix => "error",
    }
}

fn result(result: SarifResult<'_>, found: &[&str]) -> Value {
    let mut location = Map::new();
    if let Some(place) = result.place {
        location.insert("physicalLocation".to_owned(), place);
    }
    let subject = json!([{"fullyQualifiedName": result.subject, "kind": "resource"}]);
    location.insert("logicalLocations".to_owned(), subject);
    json!({
        "ruleId": result.rule,
        "ruleIndex": found.iter().position(|name| *name == result.rule),
        "level": level(result.mode.mode()),
        "message": {"text": format!("{}; fix: {}", result.message, result.remedy)},
        "locations": [location],
        "partialFingerprints": {"restraint/v1": result.fingerprint},
    })
}

fn notification(notification: Notification) -> Value {
    let locations = notification.place.map(|place| json!({"physicalLocation": place}));
    json!({
        "level": "note",
        "message": {"text": notification.message},
        "locations": locations.into_iter().collect::<Vec<_>>(),
    })
}
