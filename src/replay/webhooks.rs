//! What webhooks left in an event: Restraint's own words, and what others changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::judge::mode::Cap;
use crate::judge::verdict::Outcome;
use crate::recording::Decision;
use crate::rules::RULES;

use super::event::{Answer, Event};
use super::patch::json_patched;

/// How the names of Restraint's hooks end.
const OWN: &str = ".restraint.dev";

/// Under these keys the API server tells of mutating webhooks, at Metadata whether each changed the
/// object, at Request what.
const MUTATION: &str = "mutation.webhook.admission.k8s.io/";
const PATCH: &str = "patch.webhook.admission.k8s.io/";

/// What Restraint itself said of a request when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// What came of it, or would have come without the cap that was in force.
    pub(super) decision: Decision,
    /// By which rules.
    pub(super) rules: BTreeSet<&'static str>,
    /// In its words.
    pub(super) text: String,
}

/// What Restraint said of a request, if it said anything; `cap` is the one of the replay.
pub(super) fn said(event: &Event<'_>, cap: Cap) -> Option<Said> {
    let mut words: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, text) in event.annotations.iter() {
        if let Some((hook, word)) = key.split_once('/')
            && hook.ends_with(OWN)
        {
            words.entry(word).or_default().push(text);
        }
    }
    let refusal = own_refusal(event.message()).filter(|_| event.answer() == Answer::Refused(403));
    if let Some(text) = refusal {
        words.entry(Outcome::Denied.as_str()).or_default().push(text);
    }
    if words.is_empty() {
        return None;
    }
    let strongest = |outcomes: &[Outcome]| {
        outcomes.iter().find_map(|outcome| Some((words.get(outcome.as_str())?, outcome.as_str())))
    };
    let would = |outcomes: [Outcome; 2]| match cap {
        Cap::Enforce => strongest(&outcomes),
        _ => None,
    };
    let told = [
        (Decision::Denied, would([Outcome::Denied, Outcome::WouldDeny])),
        (Decision::Restored, would([Outcome::Restored, Outcome::WouldRestore])),
        (Decision::Amended, would([Outcome::Amended, Outcome::WouldAmend])),
        (
            Decision::Warned,
            match cap {
                Cap::Enforce => strongest(&[Outcome::Warned, Outcome::WouldWarn]),
                Cap::Warn => strongest(&[
                    Outcome::Denied,
                    Outcome::WouldDeny,
                    Outcome::Restored,
                    Outcome::WouldRestore,
                    Outcome::Amended,
                    Outcome::WouldAmend,
                    Outcome::Warned,
                    Outcome::WouldWarn,
                ]),
                Cap::Audit => None,
            },
        ),
    ];
    let found = told.into_iter().find_map(|(decision, found)| Some((decision, found?.0)));
    let granted = || words.contains_key("approval-granted") && cap == Cap::Enforce;
    let (decision, texts) = match found {
        Some((decision, texts)) => (decision, texts.clone()),
        None if granted() => (Decision::Amended, Vec::new()),
        None => (Decision::Allowed, Vec::new()),
    };
    let rules = texts.iter().flat_map(|text| rules_in(text)).collect();
    Some(Said { decision, rules, text: texts.join("; ") })
}

/// The rules that a text names, each before what it found.
fn rules_in(text: &str) -> impl Iterator<Item = &'static str> {
    let parts = text.split("; ").flat_map(|part| part.split('\n'));
    let names = parts.filter_map(|part| part.trim_start_matches("- ").split_once(": "));
    names.filter_map(|(name, _)| RULES.iter().map(|rule| rule.name).find(|rule| *rule == name))
}

/// What Restraint answered, where a refusal is its own.
fn own_refusal(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("admission webhook \"")?;
    let (hook, rest) = rest.split_once('"')?;
    let text = rest.strip_prefix(" denied the request: ")?;
    hook.ends_with(OWN).then_some(text)
}

/// Whether Restraint let a decrease through because somebody had approved it.
pub(super) fn used_approval(event: &Event<'_>) -> bool {
    let key = |key: &str| {
        key.split_once('/')
            .is_some_and(|(hook, word)| hook.ends_with(OWN) && word == "approval-used")
    };
    event.annotations.iter().any(|(name, _)| key(name))
}

/// A webhook that changed the object, and what.
#[derive(Deserialize)]
struct Mutation {
    webhook: String,
    #[serde(default)]
    mutated: bool,
    #[serde(default)]
    patch: Value,
}

fn mutations<'e>(
    event: &'e Event<'_>,
    prefix: &'e str,
) -> impl Iterator<Item = (String, Mutation)> + 'e {
    event.annotations.iter().filter_map(move |(key, text)| {
        Some((key.strip_prefix(prefix)?.to_owned(), serde_json::from_str(text).ok()?))
    })
}

/// Whether Restraint changed the object.
pub(super) fn is_changed_by_restraint(event: &Event<'_>) -> bool {
    mutations(event, MUTATION).any(|(_, one)| one.mutated && one.webhook.ends_with(OWN))
}

/// Whether any webhook changed the object.
pub(super) fn is_changed(event: &Event<'_>) -> bool {
    mutations(event, MUTATION).any(|(_, one)| one.mutated)
}

/// The object with what the other webhooks made of it.
///
/// # Errors
///
/// Where the log does not tell what they made of it.
pub(super) fn with_foreign_patches(event: &Event<'_>, object: Value) -> Result<Value, String> {
    with_patches(event, object, |webhook| !webhook.ends_with(OWN))
}

/// The object with what all webhooks made of it.
///
/// # Errors
///
/// Where the log does not tell what they made of it.
pub(super) fn with_all_patches(event: &Event<'_>, object: Value) -> Result<Value, String> {
    with_patches(event, object, |_| true)
}

fn with_patches(
    event: &Event<'_>,
    mut object: Value,
    counts: impl Fn(&str) -> bool,
) -> Result<Value, String> {
    let unknown = |webhook: &str| {
        format!("webhook \"{webhook}\" changed the object, and the log does not tell how")
    };
    let patches: BTreeMap<_, _> =
        mutations(event, PATCH).map(|(key, one)| (order(&key), one)).collect();
    for (key, one) in mutations(event, MUTATION) {
        if one.mutated && counts(&one.webhook) && !patches.contains_key(&order(&key)) {
            return Err(unknown(&one.webhook));
        }
    }
    for one in patches.values().filter(|one| counts(&one.webhook)) {
        object = json_patched(&object, &one.patch).ok_or_else(|| unknown(&one.webhook))?;
    }
    Ok(object)
}

/// `round_0_index_2` as its numbers.
fn order(key: &str) -> Vec<u32> {
    key.split('_').filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(annotations: &Value, rest: &str) -> String {
        format!(r#"{{"annotations":{annotations}{rest}}}"#)
    }

    fn of(annotations: Value, rest: &str, cap: Cap) -> Option<(Decision, Vec<&'static str>)> {
        let text = event(&annotations, rest);
        let said = said(&Event::read(text.as_bytes()).unwrap(), cap)?;
        Some((said.decision, said.rules.into_iter().collect()))
    }

    #[test]
    fn what_restraint_said_is_read() {
        let denied = json!({
            "resize.restraint.dev/would-deny": "memory-limit-decrease: container \"app\": memory limit 2Gi -> 1Gi is not approved; heap-above-limit: container \"app\": x: y",
            "resize.restraint.dev/warned": "memory-request-decrease: container \"app\"",
            "resize.restraint.dev/cap": "audit",
        });
        let rules = vec!["heap-above-limit", "memory-limit-decrease"];
        assert_eq!(of(denied.clone(), "", Cap::Enforce), Some((Decision::Denied, rules)));
        assert_eq!(of(denied, "", Cap::Audit), Some((Decision::Allowed, vec![])));
        let noted = json!({"advice.restraint.dev/noted": "frozen-env-config: x"});
        assert_eq!(of(noted, "", Cap::Enforce), Some((Decision::Allowed, vec![])));
        let foreign = json!({"other.example.com/denied": "memory-limit-decrease: x"});
        assert_eq!(of(foreign, "", Cap::Enforce), None);
    }

    #[test]
    fn a_refusal_tells_who_refused() {
        let answer = |hook: &str| {
            let message = format!(
                "admission webhook \"{hook}\" denied the request: 2 findings:\n- memory-limit-decrease: a; b\n- heap-above-limit: c"
            );
            format!(",\"responseStatus\":{}", json!({"code": 403, "message": message}))
        };
        let rules = vec!["heap-above-limit", "memory-limit-decrease"];
        let own = of(json!({}), &answer("resize.restraint.dev"), Cap::Enforce);
        assert_eq!(own, Some((Decision::Denied, rules)));
        assert_eq!(of(json!({}), &answer("quota.example.com"), Cap::Enforce), None);
    }

    #[test]
    fn what_others_changed_is_changed_again() {
        let patch = json!([{"op": "add", "path": "/spec/a", "value": 1}]);
        let (mutated, patched) = (
            json!({"webhook": "mesh.example.com", "mutated": true}).to_string(),
            json!({"webhook": "mesh.example.com", "patch": patch, "patchType": "JSONPatch"})
                .to_string(),
        );
        let both = json!({
            "mutation.webhook.admission.k8s.io/round_0_index_0": mutated,
            "patch.webhook.admission.k8s.io/round_0_index_0": patched,
        });
        let text = event(&both, "");
        let read = Event::read(text.as_bytes()).unwrap();
        assert_eq!(with_foreign_patches(&read, json!({"spec": {}})), Ok(json!({"spec": {"a": 1}})));
        assert!(with_foreign_patches(&read, json!({})).is_err(), "it does not fit");
        let text =
            event(&json!({"mutation.webhook.admission.k8s.io/round_0_index_0": mutated}), "");
        let read = Event::read(text.as_bytes()).unwrap();
        assert!(with_foreign_patches(&read, json!({"spec": {}})).is_err(), "it is not told");
        assert!(!is_changed_by_restraint(&read));
    }
}
