//! Reading one policy file.

use std::collections::BTreeMap;

use crate::approval::RESERVED_ANNOTATIONS;
use crate::judge::exemption::Exemption;
use crate::judge::mode::Mode;
use crate::judge::policy::Policy;
use crate::judge::rule::Rule;
use crate::kube::name::{is_dns_label, is_qualified_name};
use crate::yaml::suggest::{quoted, unknown};

use super::error::Flaws;
use super::exemptions;
use super::fields::{Fields, Word, rule_called};
use super::scope::read_scope;
use super::settings::read_settings;
use super::tree::{self, Node, Position, Value};

const FIELDS: [&str; 5] = ["mode", "name", "rule", "scope", "settings"];

/// What a file holds.
#[derive(Debug)]
pub(super) enum Content {
    /// A policy.
    Policy(Box<Policy>),
    /// Exemptions from whatever policies.
    Exemptions(Vec<Exemption>),
}

/// Reads what is in `text`. `taken` are the names of policies read before, with their files.
/// Without a flaw there is something.
pub(super) fn read(
    file: &str,
    text: &str,
    taken: &mut BTreeMap<String, String>,
    flaws: &mut Flaws,
) -> Option<Content> {
    let stem = stem(file);
    if stem.is_none() {
        flaws.add(Position::START, "the name of a policy file must end in \".yaml\"");
    }
    let document = tree::parse(text, flaws)?;
    if matches!(document.value, Value::Null) {
        flaws.add(Position::START, "the file holds no policy");
        return None;
    }
    if exemptions::are_in(&document) {
        return Some(Content::Exemptions(exemptions::read(&document, flaws)));
    }
    let fields = Fields::of(Some(&document), "", &FIELDS, flaws);
    let required = ["name", "rule", "mode"];
    if matches!(document.value, Value::Map(_)) {
        for name in required.into_iter().filter(|name| fields.node(name).is_none()) {
            flaws.add(document.place, format!("missing field {name:?}"));
        }
    }
    let name = read_name(&fields, stem, flaws);
    if let Some(name) = &name {
        match taken.get(name.text) {
            Some(other) => {
                flaws.add(name.place, format!("name {} is taken by {other}", quoted(name.text)))
            }
            None => drop(taken.insert(name.text.to_owned(), file.to_owned())),
        }
    }
    let rule = read_rule(&fields, flaws);
    let mode = read_mode(&fields, rule, flaws);
    let scope = read_scope(&fields, flaws);
    let stages = rule.and_then(|rule| read_settings(rule, &document, &fields, flaws));
    if let Some(approval) = stages.as_ref().and_then(|stages| stages.approval.as_ref()) {
        let place = fields.node("settings").map_or(document.place, |node| node.place);
        check_annotation(approval.annotation(), place, flaws);
    }
    let name = name?.text.to_owned();
    let policy = Policy { name, rule: rule?, mode: mode?, scope, stages: stages? };
    Some(Content::Policy(Box::new(policy)))
}

/// The file's name without folder and ending.
fn stem(file: &str) -> Option<&str> {
    let name = file.rsplit('/').next()?;
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))
}

fn read_name<'n>(fields: &Fields<'n>, stem: Option<&str>, flaws: &mut Flaws) -> Option<Word<'n>> {
    let name = fields.word("name", flaws)?;
    match stem {
        _ if !is_dns_label(name.text) => {
            flaws.add(
                name.place,
                format!(
                    "name {} must be lower-case letters, digits and \"-\", at most 63",
                    quoted(name.text)
                ),
            );
        }
        Some(stem) if stem != name.text => {
            flaws.add(
                name.place,
                format!("name {} differs from the file's, {}", quoted(name.text), quoted(stem)),
            );
        }
        _ => {}
    }
    Some(name)
}

fn read_rule(fields: &Fields<'_>, flaws: &mut Flaws) -> Option<&'static Rule> {
    rule_called(&fields.word("rule", flaws)?, flaws)
}

fn read_mode(fields: &Fields<'_>, rule: Option<&Rule>, flaws: &mut Flaws) -> Option<Mode> {
    // what became of an unquoted `off` in a program that reads it as YAML 1.1 and writes it back
    if let Some(Node { value: Value::Bool(false), place, .. }) = fields.node("mode") {
        flaws.add(
            *place,
            "\"mode\" must be a string, not false: if \"off\" is meant, put it in quotes",
        );
        return None;
    }
    let Word { text, place } = fields.word("mode", flaws)?;
    let mode = Mode::ALL.into_iter().find(|mode| mode.as_str() == text);
    match (mode, rule) {
        (None, _) => flaws.add(
            place,
            unknown(&format!("mode {}", quoted(text)), text, &Mode::ALL.map(Mode::as_str)),
        ),
        (Some(Mode::Fix), Some(rule)) if rule.fix.is_none() => {
            flaws.add(
                place,
                format!("rule {:?} has no fix: its strongest mode is \"enforce\"", rule.name),
            );
        }
        _ => {}
    }
    mode
}

/// An annotation that cannot be would let nobody approve; the reserved ones carry more than a word.
fn check_annotation(key: &str, place: Position, flaws: &mut Flaws) {
    if RESERVED_ANNOTATIONS.contains(&key) {
        flaws.add(place, format!("annotation {key:?} is reserved"));
    } else if !is_qualified_name(key) {
        flaws.add(place, format!("{} cannot be the name of an annotation", quoted(key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::policies::Policies;
    use crate::judge::scope::Scope;
    use crate::policies::tests::flaws_of;
    use crate::rules::RULES;

    #[test]
    fn a_policy_is_read() {
        let text = "name: p\nrule: approval-authority\nmode: off # a word, not false\nscope:\nsettings: {approvalAnnotation: example.com/ok}\n";
        let policies = Policies::read([("p.yaml", text)]).unwrap();
        let policy = policies.iter().next().unwrap();
        assert_eq!(
            (policy.name.as_str(), policy.rule.name, policy.mode),
            ("p", "approval-authority", Mode::Off)
        );
        assert_eq!(policy.scope, Scope::default());
        assert_eq!(policy.stages.approval.as_ref().unwrap().annotation(), "example.com/ok");
    }

    #[test]
    fn every_mode_is_read_quoted_or_not() {
        for mode in Mode::ALL {
            for quote in ["", "'", "\""] {
                let text = format!(
                    "name: p\nrule: memory-resize-policy\nmode: {quote}{mode}{quote}\nsettings:\n"
                );
                let policies = Policies::read([("p.yaml", text)]).unwrap();
                assert_eq!(policies.iter().next().unwrap().mode, mode);
            }
        }
    }

    const BAD_FILES: &[(&str, &[&str])] = &[
        ("", &["1:1: the file holds no policy"]),
        ("# nothing\n---\n", &["1:1: the file holds no policy"]),
        ("[]", &["1:1: a policy must be a mapping, not a list"]),
        (
            "{}",
            &[
                r#"1:1: missing field "mode""#,
                r#"1:1: missing field "name""#,
                r#"1:1: missing field "rule""#,
            ],
        ),
        ("# a policy\nname: p\nrule: file-watch\n", &[r#"2:1: missing field "mode""#]),
        ("name: p\nrule: \nmode: warn\n", &[r#"1:1: missing field "rule""#]),
        (
            "name: q\nrule: file-watch\nmode: warn\n",
            &[r#"1:7: name "q" differs from the file's, "p""#],
        ),
        (
            "name: P.1\nrule: file-watch\nmode: warn\n",
            &[r#"1:7: name "P.1" must be lower-case letters, digits and "-", at most 63"#],
        ),
        (
            "name: 1\nrule: file-watch\nmode: warn\n",
            &[r#"1:7: "name" must be a string, not 1: put it in quotes"#],
        ),
        (
            "name: p\nrule: File-Wacth\nmode: warn\n",
            &[r#"2:7: unknown rule "File-Wacth", did you mean "file-watch"?"#],
        ),
        (
            "name: p\nrule: [file-watch]\nmode: warn\n",
            &[r#"2:7: "rule" must be a string, not a list"#],
        ),
        (
            "name: p\nrule: file-watch\nmode: Off\n",
            &[r#"3:7: unknown mode "Off", did you mean "off"?"#],
        ),
        (
            "name: p\nrule: file-watch\nmode: On\n",
            &[r#"3:7: unknown mode "On", known are "off", "audit", "warn", "enforce", "fix""#],
        ),
        (
            "name: p\nrule: file-watch\nmode: false\n",
            &[r#"3:7: "mode" must be a string, not false: if "off" is meant, put it in quotes"#],
        ),
        (
            "name: p\nrule: file-watch\nmode: true\n",
            &[r#"3:7: "mode" must be a string, not true: put it in quotes"#],
        ),
        (
            "name: p\nrule: file-watch\nmode: fix\n",
            &[r#"3:7: rule "file-watch" has no fix: its strongest mode is "enforce""#],
        ),
        (
            "name: p\nrule: file-watch\nmode: warn\nscop: {}\ncolour: red\nmode: warn\n",
            &[
                r#"4:1: unknown field "scop", did you mean "scope"?"#,
                r#"5:1: unknown field "colour", known are "mode", "name", "rule", "scope", "settings""#,
                r#"6:1: repeated field "mode""#,
            ],
        ),
        (
            "<<: {name: p}\nname: p\nrule: file-watch\nmode: warn\n",
            &[r#"1:1: unknown field "<<", known are "mode", "name", "rule", "scope", "settings""#],
        ),
        (
            "name: p\nrule: file-watch\nmode: warn\n---\nname: q\n",
            &["5:1: a second document: a policy file holds one policy"],
        ),
    ];

    #[test]
    fn bad_files_are_told_with_their_places() {
        for (text, expected) in BAD_FILES {
            assert_eq!(flaws_of(text), *expected, "{text}");
        }
    }

    #[test]
    fn all_rules_are_named_where_none_is_near() {
        let known =
            RULES.iter().map(|rule| format!("{:?}", rule.name)).collect::<Vec<_>>().join(", ");
        let text = "name: p\nrule: \"\\n\"\nmode: warn\n";
        assert_eq!(flaws_of(text), [format!(r#"2:7: unknown rule "\n", known are {known}"#)]);
    }

    #[test]
    fn bad_settings_are_told_with_their_places() {
        let cases: &[(&str, &[&str])] = &[
            ("[]", &[r#"4:11: "settings" must be a mapping, not a list"#]),
            (
                "{approvalAnotation: a, x: 1}",
                &[
                    r#"4:12: unknown field "approvalAnotation" in "settings", did you mean "approvalAnnotation"?"#,
                    r#"4:34: unknown field "x" in "settings", known are "approvalAnnotation", "approvers", "lifetime", "longestLifetime""#,
                ],
            ),
            (
                "\n  # which\n  approvalAnnotation: [a]",
                &[
                    r#"6:23: "settings.approvalAnnotation": invalid type: sequence, expected a string"#,
                ],
            ),
            (
                "{approvalAnnotation: 5}",
                &[
                    "4:32: \"settings.approvalAnnotation\": invalid type: integer `5`, expected a string",
                ],
            ),
            (
                "{approvalAnnotation: not one}",
                &[r#"4:11: "not one" cannot be the name of an annotation"#],
            ),
            ("{approvalAnnotation: ''}", &[r#"4:11: "" cannot be the name of an annotation"#]),
            ("{lifetime: soon}", &[r#"4:22: "settings.lifetime": not a duration from 1s to 24h"#]),
            (
                "{longestLifetime: 25h}",
                &[r#"4:29: "settings.longestLifetime": not a duration from 1s to 24h"#],
            ),
            (
                "{approvalAnnotation: restraint.dev/approval}",
                &[r#"4:11: annotation "restraint.dev/approval" is reserved"#],
            ),
        ];
        for (settings, expected) in cases {
            let text =
                format!("name: p\nrule: approval-authority\nmode: warn\nsettings: {settings}\n");
            assert_eq!(flaws_of(&text), *expected, "{text}");
        }
        let none = "name: p\nrule: file-watch\nmode: warn\nsettings: {margin: 1}\n";
        assert_eq!(
            flaws_of(none),
            [r#"4:12: unknown field "margin" in "settings", there are none"#]
        );
    }
}
