//! Reading exemptions: a file of the policies that holds nothing else.

use crate::judge::exemption::{End, Exemption};
use crate::kube::name::is_dns_label;
use crate::yaml::suggest::quoted;

use super::error::Flaws;
use super::fields::{Fields, Word, rule_called};
use super::scope::read_scope;
use super::tree::{Node, Position, Value};

/// The field of a file that holds exemptions.
const FIELD: &str = "exemptions";

const FIELDS: [&str; 5] = ["name", "reason", "rules", "scope", "until"];

/// The rule without which nothing could be approved.
const NEVER: &str = "approval-authority";

/// Whether `document` holds exemptions rather than a policy.
pub(super) fn are_in(document: &Node) -> bool {
    let Value::Map(entries) = &document.value else { return false };
    entries.iter().any(|(key, _)| key.as_text() == Some(FIELD))
}

/// The exemptions in `document`; as many as could be read.
pub(super) fn read(document: &Node, flaws: &mut Flaws) -> Vec<Exemption> {
    let file = Fields::of(Some(document), "", &[FIELD], flaws);
    let path = format!("{FIELD}[]");
    let nodes = file.list(FIELD, "a list of mappings", flaws);
    let mut exemptions: Vec<Exemption> = Vec::new();
    for node in nodes {
        let Some((exemption, place)) = read_one(node, &path, flaws) else { continue };
        if exemptions.iter().any(|known| known.name == exemption.name) {
            flaws.add(place, format!("name {} is taken", quoted(&exemption.name)));
        }
        exemptions.push(exemption);
    }
    exemptions
}

fn read_one(node: &Node, path: &str, flaws: &mut Flaws) -> Option<(Exemption, Position)> {
    let fields = Fields::of(Some(node), path, &FIELDS, flaws);
    if matches!(node.value, Value::Map(_)) {
        for name in ["name", "reason", "rules"] {
            if fields.node(name).is_none() {
                flaws.add(node.place, format!("missing field {name:?} in {path:?}"));
            }
        }
    }
    let name = fields.word("name", flaws);
    if let Some(name) = name.filter(|name| !is_dns_label(name.text)) {
        let form = "lower-case letters, digits and \"-\", at most 63";
        flaws.add(name.place, format!("name {} must be {form}", quoted(name.text)));
    }
    let words = fields.words("rules", flaws);
    if let Some(place) = fields.node("rules").map(|node| node.place).filter(|_| words.is_empty()) {
        flaws.add(place, format!("\"{path}.rules\" names no rule"));
    }
    let rules = words.iter().filter_map(|word| read_rule(word, flaws)).collect();
    let until = fields.word("until", flaws);
    let end = until.and_then(|word| read_end(&word, flaws));
    let reason = fields.word("reason", flaws).map(|reason| reason.text.trim().to_owned());
    let scope = read_scope(&fields, flaws);
    let Word { text, place } = name?;
    let exemption = Exemption { name: text.to_owned(), rules, scope, until: end, reason: reason? };
    Some((exemption, place))
}

fn read_rule(word: &Word<'_>, flaws: &mut Flaws) -> Option<&'static str> {
    let rule = rule_called(word, flaws)?;
    if rule.name == NEVER {
        let why = "without it nothing could be approved: give it a scope instead";
        flaws.add(word.place, format!("rule {NEVER:?} has no exemptions, {why}"));
    }
    Some(rule.name)
}

fn read_end(word: &Word<'_>, flaws: &mut Flaws) -> Option<End> {
    let end = End::parse(word.text);
    if end.is_none() {
        let form = "2026-12-31 or 2026-12-31T12:00:00Z";
        flaws.add(word.place, format!("{} is no date, such as {form}", quoted(word.text)));
    }
    end
}

#[cfg(test)]
mod tests {
    use crate::judge::policies::Policies;
    use crate::policies::tests::flaws_of;

    #[test]
    fn exemptions_are_read_beside_policies() {
        let exemptions = "exemptions:\n- name: legacy\n  rules: [file-watch, memory-limit-decrease]\n  \
            scope: {namespaces: {names: [legacy]}}\n  until: 2026-12-31\n  reason: replaced in Q4\n";
        let policy = "name: p\nrule: file-watch\nmode: warn\n";
        let policies =
            Policies::read([("exemptions.yaml", exemptions), ("p.yaml", policy)]).unwrap();
        let [exemption] = policies.exemptions() else { panic!("{policies:?}") };
        assert_eq!(exemption.name, "legacy");
        assert_eq!(exemption.rules, ["file-watch", "memory-limit-decrease"]);
        assert_eq!(exemption.reason, "replaced in Q4");
        assert_eq!(
            exemption.until.as_ref().map(ToString::to_string).as_deref(),
            Some("2026-12-31")
        );
        assert_eq!(policies.iter().count(), 1);
    }

    #[test]
    fn what_is_wrong_is_told_where_it_is_written() {
        let cases: &[(&str, &[&str])] = &[
            (
                "exemptions: {}",
                &[r#"1:13: "exemptions" must be a list of mappings, not a mapping"#],
            ),
            (
                "exemptions: [{name: a, rules: [file-wacth], reason: b}]",
                &[r#"1:32: unknown rule "file-wacth", did you mean "file-watch"?"#],
            ),
            (
                "exemptions: [{name: a, rules: [file-watch], reason: b, until: soon}]",
                &[r#"1:63: "soon" is no date, such as 2026-12-31 or 2026-12-31T12:00:00Z"#],
            ),
            (
                "exemptions: [{name: A, rules: [], until: 2026-12-31}]",
                &[
                    r#"1:14: missing field "reason" in "exemptions[]""#,
                    r#"1:21: name "A" must be lower-case letters, digits and "-", at most 63"#,
                    r#"1:31: "exemptions[].rules" names no rule"#,
                ],
            ),
            (
                "exemptions: [{name: a, rules: [approval-authority], reason: b}]",
                &[
                    r#"1:32: rule "approval-authority" has no exemptions, without it nothing could be approved: give it a scope instead"#,
                ],
            ),
            (
                "exemptions: []\nrule: file-watch",
                &[r#"2:1: unknown field "rule", known are "exemptions""#],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(flaws_of(text), *expected, "{text}");
        }
    }
}
