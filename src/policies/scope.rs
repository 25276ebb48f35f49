//! Reading the scope of a policy.

use crate::judge::scope::{NamespaceScope, RequesterScope, Scope};
use crate::judge::subject::Operation;
use crate::kube::name::{is_dns_label, is_label_value, is_qualified_name};
use crate::kube::selector::{Requirement, Selector, SelectorOperator};
use crate::yaml::suggest::{listed, quoted, unknown};

use super::error::Flaws;
use super::fields::{Fields, Word, word};
use super::tree::{Node, Value};

const PARTS: [&str; 4] = ["namespaces", "objects", "operations", "requesters"];
const NAMESPACE_FIELDS: [&str; 3] = ["except", "names", "selector"];
const OBJECT_FIELDS: [&str; 1] = ["selector"];
const REQUESTER_FIELDS: [&str; 4] = ["exceptGroups", "exceptUsers", "groups", "users"];
const SELECTOR_FIELDS: [&str; 2] = ["matchExpressions", "matchLabels"];
const REQUIREMENT_FIELDS: [&str; 3] = ["key", "operator", "values"];
const OPERATIONS: [Operation; 2] = [Operation::Create, Operation::Update];
const UNSEEN_OPERATIONS: [Operation; 2] = [Operation::Delete, Operation::Connect];

/// The scope in the field `scope` of a policy; as much of it as could be read.
pub(super) fn read_scope(policy: &Fields<'_>, flaws: &mut Flaws) -> Scope {
    let scope = policy.fields("scope", &PARTS, flaws);
    let objects = scope.fields("objects", &OBJECT_FIELDS, flaws);
    Scope {
        namespaces: read_namespaces(&scope, flaws),
        objects: read_selector(&objects, flaws),
        requesters: read_requesters(&scope, flaws),
        operations: read_operations(&scope, flaws),
    }
}

fn read_namespaces(scope: &Fields<'_>, flaws: &mut Flaws) -> NamespaceScope {
    let fields = scope.fields("namespaces", &NAMESPACE_FIELDS, flaws);
    let mut names = |field| {
        let words = fields.words(field, flaws);
        words
            .into_iter()
            .filter(|word| check_namespace(word, flaws))
            .map(|word| word.text.to_owned())
            .collect()
    };
    NamespaceScope {
        names: names("names"),
        except: names("except"),
        selector: read_selector(&fields, flaws),
    }
}

fn check_namespace(name: &Word<'_>, flaws: &mut Flaws) -> bool {
    let possible = match name.text.strip_suffix('*') {
        // what a name may begin with: complete it to a whole one
        Some(beginning) => is_dns_label(&format!("{beginning}0")),
        None => is_dns_label(name.text),
    };
    if !possible {
        let hint = if name.text.contains('*') {
            "\"*\" stands at the end only"
        } else {
            "lower-case letters, digits and \"-\""
        };
        flaws.add(name.place, format!("no namespace is called {}: {hint}", quoted(name.text)));
    }
    possible
}

fn read_requesters(scope: &Fields<'_>, flaws: &mut Flaws) -> RequesterScope {
    let fields = scope.fields("requesters", &REQUESTER_FIELDS, flaws);
    let mut names = |field| {
        let words = fields.words(field, flaws);
        for word in &words {
            if word.text.is_empty() || word.text.contains('*') {
                flaws.add(
                    word.place,
                    format!(
                        "nobody is called {}: users and groups are written out",
                        quoted(word.text)
                    ),
                );
            }
        }
        words.into_iter().map(|word| word.text.to_owned()).collect()
    };
    RequesterScope {
        users: names("users"),
        groups: names("groups"),
        except_users: names("exceptUsers"),
        except_groups: names("exceptGroups"),
    }
}

fn read_operations(scope: &Fields<'_>, flaws: &mut Flaws) -> Vec<Operation> {
    let words = scope.words("operations", flaws);
    let mut operation = |word: Word<'_>| {
        let called = |operation: &Operation| operation.as_str() == word.text;
        let found = OPERATIONS.into_iter().find(called);
        let known = OPERATIONS.map(Operation::as_str);
        if UNSEEN_OPERATIONS.iter().any(called) {
            flaws.add(
                word.place,
                format!(
                    "operation {:?} never matches, only {} are judged",
                    word.text,
                    listed(&known)
                ),
            );
        } else if found.is_none() {
            flaws.add(
                word.place,
                unknown(&format!("operation {}", quoted(word.text)), word.text, &known),
            );
        }
        found
    };
    words.into_iter().filter_map(&mut operation).collect()
}

/// The label selector in the field `selector`: `matchLabels` first.
fn read_selector(parent: &Fields<'_>, flaws: &mut Flaws) -> Selector {
    let selector = parent.fields("selector", &SELECTOR_FIELDS, flaws);
    let mut requirements = Vec::new();
    if let Some(node) = selector.node("matchLabels") {
        read_labels(node, &selector.path_of("matchLabels"), &mut requirements, flaws);
    }
    let path = format!("{}[]", selector.path_of("matchExpressions"));
    for node in selector.list("matchExpressions", "a list of mappings", flaws) {
        requirements.extend(read_requirement(node, &path, flaws));
    }
    Selector(requirements)
}

fn read_labels(node: &Node, path: &str, requirements: &mut Vec<Requirement>, flaws: &mut Flaws) {
    let Value::Map(entries) = &node.value else {
        flaws.add(node.place, format!("{path:?} must be a mapping, not {}", node.description()));
        return;
    };
    for (key, value) in entries {
        let Some(text) = key.as_text() else { continue };
        check_key(&Word { text, place: key.place }, flaws);
        if let Some(value) = word(value, &format!("{path}.{text}"), flaws) {
            check_value(&value, flaws);
            let values = vec![value.text.to_owned()];
            requirements.push(Requirement {
                key: text.to_owned(),
                operator: SelectorOperator::In,
                values,
            });
        }
    }
}

fn read_requirement(node: &Node, path: &str, flaws: &mut Flaws) -> Option<Requirement> {
    let fields = Fields::of(Some(node), path, &REQUIREMENT_FIELDS, flaws);
    if matches!(node.value, Value::Map(_) | Value::Null) {
        for name in ["key", "operator"].into_iter().filter(|name| fields.node(name).is_none()) {
            flaws.add(node.place, format!("missing field {name:?} in {path:?}"));
        }
    }
    let key = fields.word("key", flaws);
    if let Some(key) = &key {
        check_key(key, flaws);
    }
    let values = fields.words("values", flaws);
    values.iter().for_each(|value| check_value(value, flaws));
    let has_values = fields
        .node("values")
        .is_some_and(|node| !matches!(&node.value, Value::List(list) if list.is_empty()));
    let operator =
        fields.word("operator", flaws).and_then(|word| read_operator(&word, has_values, flaws));
    let values = values.into_iter().map(|value| value.text.to_owned()).collect();
    Some(Requirement { key: key?.text.to_owned(), operator: operator?, values })
}

fn read_operator(word: &Word<'_>, has_values: bool, flaws: &mut Flaws) -> Option<SelectorOperator> {
    let Some(operator) =
        SelectorOperator::ALL.into_iter().find(|operator| operator.as_str() == word.text)
    else {
        let known = SelectorOperator::ALL.map(SelectorOperator::as_str);
        flaws.add(
            word.place,
            unknown(&format!("operator {}", quoted(word.text)), word.text, &known),
        );
        return None;
    };
    match (operator, has_values) {
        (SelectorOperator::In | SelectorOperator::NotIn, false) => {
            flaws.add(word.place, format!("operator {:?} needs \"values\"", word.text));
        }
        (SelectorOperator::Exists | SelectorOperator::DoesNotExist, true) => {
            flaws.add(word.place, format!("operator {:?} takes no \"values\"", word.text));
        }
        _ => {}
    }
    Some(operator)
}

fn check_key(key: &Word<'_>, flaws: &mut Flaws) {
    if !is_qualified_name(key.text) {
        flaws.add(key.place, format!("no label is called {}", quoted(key.text)));
    }
}

fn check_value(value: &Word<'_>, flaws: &mut Flaws) {
    if !is_label_value(value.text) {
        flaws.add(value.place, format!("no label has the value {}", quoted(value.text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::policies::Policies;
    use crate::policies::tests::flaws_of;

    fn policy(scope: &str) -> String {
        format!("name: p\nrule: file-watch\nmode: warn\nscope:\n{scope}\n")
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn every_part_is_read() {
        let text = policy(
            r#"  namespaces:
    names: [shop, "team-*", "*"]
    except: [kube-system]
    selector:
      matchLabels: {tier: gold, empty: ""}
      matchExpressions:
        - {key: example.com/env, operator: NotIn, values: [dev, test]}
        - {key: old, operator: DoesNotExist, values: []}
  objects: {selector: {matchExpressions: [{key: app, operator: Exists}, {key: app, operator: In, values: [db]}]}}
  requesters: {users: [alice], groups: ["system:masters"], exceptUsers: [bob], exceptGroups: [robots]}
  operations: [CREATE, UPDATE]"#,
        );
        let policies = Policies::read([("p.yaml", text)]).unwrap();
        let requirement = |key: &str, operator, values: &[&str]| Requirement {
            key: key.to_owned(),
            operator,
            values: texts(values),
        };
        let expected = Scope {
            namespaces: NamespaceScope {
                names: texts(&["shop", "team-*", "*"]),
                except: texts(&["kube-system"]),
                selector: Selector(vec![
                    requirement("tier", SelectorOperator::In, &["gold"]),
                    requirement("empty", SelectorOperator::In, &[""]),
                    requirement("example.com/env", SelectorOperator::NotIn, &["dev", "test"]),
                    requirement("old", SelectorOperator::DoesNotExist, &[]),
                ]),
            },
            objects: Selector(vec![
                requirement("app", SelectorOperator::Exists, &[]),
                requirement("app", SelectorOperator::In, &["db"]),
            ]),
            requesters: RequesterScope {
                users: texts(&["alice"]),
                groups: texts(&["system:masters"]),
                except_users: texts(&["bob"]),
                except_groups: texts(&["robots"]),
            },
            operations: vec![Operation::Create, Operation::Update],
        };
        assert_eq!(policies.iter().next().unwrap().scope, expected);
    }

    #[test]
    fn what_is_empty_asks_for_nothing() {
        for scope in [
            "  {}",
            "  namespaces:\n  objects: {selector: }",
            "  requesters: {users: [], groups: }\n  operations: []",
        ] {
            let policies = Policies::read([("p.yaml", policy(scope))]).unwrap();
            assert_eq!(policies.iter().next().unwrap().scope, Scope::default(), "{scope}");
        }
    }

    const BAD_SCOPES: &[(&str, &[&str])] = &[
        ("  5", &[r#"5:3: "scope" must be a mapping, not 5"#]),
        (
            "  namespace: {}\n  labels: {}",
            &[
                r#"5:3: unknown field "namespace" in "scope", did you mean "namespaces"?"#,
                r#"6:3: unknown field "labels" in "scope", known are "namespaces", "objects", "operations", "requesters""#,
            ],
        ),
        (
            "  namespaces: {name: [a], names: shop, except: [1, ~, {}, b, b]}",
            &[
                r#"5:16: unknown field "name" in "scope.namespaces", did you mean "names"?"#,
                r#"5:34: "scope.namespaces.names" must be a list of strings, not "shop""#,
                r#"5:49: "scope.namespaces.except[]" must be a string, not 1: put it in quotes"#,
                r#"5:52: "scope.namespaces.except[]" must be a string, not nothing"#,
                r#"5:55: "scope.namespaces.except[]" must be a string, not a mapping"#,
            ],
        ),
        (
            "  namespaces: {names: [Shop, '', 'te*am', '*-x'], except: ['te**']}",
            &[
                r#"5:24: no namespace is called "Shop": lower-case letters, digits and "-""#,
                r#"5:30: no namespace is called "": lower-case letters, digits and "-""#,
                r#"5:34: no namespace is called "te*am": "*" stands at the end only"#,
                r#"5:43: no namespace is called "*-x": "*" stands at the end only"#,
                r#"5:60: no namespace is called "te**": "*" stands at the end only"#,
            ],
        ),
        (
            "  objects: {matchLabels: {a: b}, selector: {matchLabel: {}, matchLabels: [], matchExpressions: {}}}",
            &[
                r#"5:13: unknown field "matchLabels" in "scope.objects", known are "selector""#,
                r#"5:45: unknown field "matchLabel" in "scope.objects.selector", did you mean "matchLabels"?"#,
                r#"5:74: "scope.objects.selector.matchLabels" must be a mapping, not a list"#,
                r#"5:96: "scope.objects.selector.matchExpressions" must be a list of mappings, not a mapping"#,
            ],
        ),
        (
            "  objects: {selector: {matchLabels: {a b: x, a: x y, c: 1, d: [e]}}}",
            &[
                r#"5:38: no label is called "a b""#,
                r#"5:49: no label has the value "x y""#,
                r#"5:57: "scope.objects.selector.matchLabels.c" must be a string, not 1: put it in quotes"#,
                r#"5:63: "scope.objects.selector.matchLabels.d" must be a string, not a list"#,
            ],
        ),
        (
            "  namespaces:\n    selector:\n      matchExpressions:\n      - {key: a, operator: In}\n      - {key: a, operator: NotIn, values: []}\n      - {key: a, operator: Exists, values: [b]}\n      - {key: a, operator: DoesNotExist, values: [b]}\n      - {key: a, operator: exists}\n      - {key: a, operator: Equals}\n      - {value: [a]}\n      - a\n      - {key: '', operator: In, values: [1, a b]}",
            &[
                r#"8:28: operator "In" needs "values""#,
                r#"9:28: operator "NotIn" needs "values""#,
                r#"10:28: operator "Exists" takes no "values""#,
                r#"11:28: operator "DoesNotExist" takes no "values""#,
                r#"12:28: unknown operator "exists", did you mean "Exists"?"#,
                r#"13:28: unknown operator "Equals", known are "In", "NotIn", "Exists", "DoesNotExist""#,
                r#"14:9: missing field "key" in "scope.namespaces.selector.matchExpressions[]""#,
                r#"14:9: missing field "operator" in "scope.namespaces.selector.matchExpressions[]""#,
                r#"14:10: unknown field "value" in "scope.namespaces.selector.matchExpressions[]", did you mean "values"?"#,
                r#"15:9: "scope.namespaces.selector.matchExpressions[]" must be a mapping, not "a""#,
                r#"16:15: no label is called """#,
                r#"16:42: "scope.namespaces.selector.matchExpressions[].values[]" must be a string, not 1: put it in quotes"#,
                r#"16:45: no label has the value "a b""#,
            ],
        ),
        (
            "  namespaces: {selector: {matchExpressions: [~]}}",
            &[
                r#"5:46: missing field "key" in "scope.namespaces.selector.matchExpressions[]""#,
                r#"5:46: missing field "operator" in "scope.namespaces.selector.matchExpressions[]""#,
            ],
        ),
        (
            "  requesters: {user: [a], users: [''], exceptGroups: ['system:*']}",
            &[
                r#"5:16: unknown field "user" in "scope.requesters", did you mean "users"?"#,
                r#"5:35: nobody is called "": users and groups are written out"#,
                r#"5:55: nobody is called "system:*": users and groups are written out"#,
            ],
        ),
        (
            "  operations: [create, DELETE, CONNECT, PATCH, other]",
            &[
                r#"5:16: unknown operation "create", did you mean "CREATE"?"#,
                r#"5:24: operation "DELETE" never matches, only "CREATE", "UPDATE" are judged"#,
                r#"5:32: operation "CONNECT" never matches, only "CREATE", "UPDATE" are judged"#,
                r#"5:41: unknown operation "PATCH", known are "CREATE", "UPDATE""#,
                r#"5:48: unknown operation "other", known are "CREATE", "UPDATE""#,
            ],
        ),
    ];

    #[test]
    fn bad_scopes_are_told_with_their_places() {
        for (scope, expected) in BAD_SCOPES {
            assert_eq!(flaws_of(&policy(scope)), *expected, "{scope}");
        }
    }
}
