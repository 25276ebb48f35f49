//! Reading the settings of a rule in a policy.

use std::fmt::Write;

use crate::judge::rule::{Rule, Stages};
use crate::judge::settings::{PathStep, Setting, SettingsError};

use super::error::Flaws;
use super::fields::{Fields, unknown_field};
use super::tree::{Node, Value};

/// What `rule` does with the settings in the field `settings` of a policy. Whatever is wrong is
/// told where it is written.
pub(super) fn read_settings(
    rule: &Rule,
    document: &Node,
    policy: &Fields<'_>,
    flaws: &mut Flaws,
) -> Option<Stages> {
    let node = policy.node("settings");
    let before = flaws.count();
    let known: Vec<&str> = rule.settings().iter().map(|setting| setting.name).collect();
    let settings = Fields::of(node, "settings", &known, flaws);
    for (name, value) in settings.iter() {
        let path = settings.path_of(name);
        let sound = flaws.count();
        if let Some(setting) = rule.settings().iter().find(|setting| setting.name == name) {
            check_names(value, &path, setting.fields, flaws);
        }
        if flaws.count() > sound {
            continue;
        }
        // alone, because only the first error is told
        let alone = serde_json::Map::from_iter([(name.to_owned(), value.to_json())]);
        if let Err(error) = rule.configure(alone.into()) {
            let (place, path) = find(value, &path, &error);
            flaws.add(place.place, format!("{path:?}: {error}"));
        }
    }
    if flaws.count() > before {
        return None;
    }
    let together: serde_json::Map<_, _> =
        settings.iter().map(|(name, value)| (name.to_owned(), value.to_json())).collect();
    match rule.configure(together.into()) {
        Ok(stages) => Some(stages),
        Err(error) => {
            let place = node.map_or(document.place, |node| node.place);
            flaws.add(place, format!("\"settings\": {error}"));
            None
        }
    }
}

/// Tells every field in `node` that is none of the `known` ones. What has the wrong shape is told
/// by whoever reads it.
fn check_names(node: &Node, path: &str, known: &'static [Setting], flaws: &mut Flaws) {
    if known.is_empty() {
        return;
    }
    match &node.value {
        Value::List(list) => {
            for (index, entry) in list.iter().enumerate() {
                check_names(entry, &format!("{path}[{index}]"), known, flaws);
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                let Some(name) = key.as_text() else { continue };
                match known.iter().find(|setting| setting.name == name) {
                    Some(setting) => {
                        check_names(value, &format!("{path}.{name}"), setting.fields, flaws);
                    }
                    None => {
                        let names: Vec<&str> = known.iter().map(|setting| setting.name).collect();
                        unknown_field(key, name, path, &names, flaws);
                    }
                }
            }
        }
        _ => {}
    }
}

/// What in `value`, which stands at `path`, the error is about, and the path of that. The first
/// step of the error's own way leads to `value`.
fn find<'n>(value: &'n Node, path: &str, error: &SettingsError) -> (&'n Node, String) {
    let (mut node, mut path) = (value, path.to_owned());
    for step in error.path.iter().skip(1) {
        let next = match (step, &node.value) {
            (PathStep::Entry(index), Value::List(list)) => list.get(*index),
            (PathStep::Field(name), Value::Map(entries)) => {
                let named = |key: &Node| key.as_text() == Some(name);
                entries.iter().find(|(key, _)| named(key)).map(|(_, value)| value)
            }
            _ => None,
        };
        let Some(next) = next else { break };
        let _ = match step {
            PathStep::Entry(index) => write!(path, "[{index}]"),
            PathStep::Field(name) => write!(path, ".{name}"),
        };
        node = next;
    }
    (node, path)
}

#[cfg(test)]
mod tests {
    use crate::judge::policies::Policies;
    use crate::policies::tests::flaws_of;

    fn flaws(rule: &str, settings: &str) -> Vec<String> {
        flaws_of(&format!("name: p\nrule: {rule}\nmode: warn\nsettings: {settings}\n"))
    }

    #[test]
    fn what_is_wrong_is_told_where_it_is_written() {
        let cases: &[(&str, &[&str])] = &[
            (
                "{allowances: [{name: a, atLest: 256Mi}]}",
                &[
                    r#"4:35: unknown field "atLest" in "settings.allowances[0]", did you mean "atLeast"?"#,
                ],
            ),
            (
                "{allowances: [{name: a, atLeast: 256Mb}]}",
                &[
                    r#"4:44: "settings.allowances[0].atLeast": "256Mb" is no amount of memory, such as 256Mi"#,
                ],
            ),
            (
                "{allowances: [{name: a, atLeast: '0'}]}",
                &[
                    r#"4:44: "settings.allowances[0].atLeast": "0" is no amount of memory, such as 256Mi"#,
                ],
            ),
            (
                "{allowances: [{name: a, atLeast: '18446744073709551617'}]}",
                &[
                    r#"4:44: "settings.allowances[0].atLeast": "18446744073709551617" is no amount of memory, such as 256Mi"#,
                ],
            ),
            (
                "{allowances: [{name: a, atLeast: 1Gi}, {name: b, step: 10%}]}",
                &[
                    r#"4:50: "settings.allowances[1]": allowance "b" has no end: it needs "atLeast", "aboveUsage" or "onlyUnscheduled", because steps add up"#,
                ],
            ),
            (
                "{allowances: [{name: a, atLeast: 1Gi}, {name: a, atLeast: 2Gi}]}",
                &[r#"4:24: "settings.allowances": two allowances are called "a""#],
            ),
            (
                "{allowances: [{name: a, atLeast: 1Gi}, {name: b, atLeast: 1Gi}, {name: b, atLeast: 2Gi}]}",
                &[r#"4:24: "settings.allowances": two allowances are called "b""#],
            ),
            (
                "{allowances: [{name: A b, atLeast: 1Gi}]}",
                &[
                    r#"4:25: "settings.allowances[0]": an allowance cannot be called "A b": lower-case letters, digits and "-", at most 63"#,
                ],
            ),
            (
                "{allowances: [{name: a, aboveUsage: much}, {atLeast: 1Gi}]}",
                &[
                    r#"4:47: "settings.allowances[0].aboveUsage": "much" is no share, such as 25%, of at most 1000%"#,
                ],
            ),
            (
                "{allowances: [{name: a, aboveUsage: -5%}]}",
                &[
                    r#"4:47: "settings.allowances[0].aboveUsage": "-5%" is no share, such as 25%, of at most 1000%"#,
                ],
            ),
            (
                "{allowances: [{name: a, aboveUsage: 1001%}]}",
                &[
                    r#"4:47: "settings.allowances[0].aboveUsage": "1001%" is no share, such as 25%, of at most 1000%"#,
                ],
            ),
            (
                "{allowances: [{name: a, atLeast: 1Gi, step: 100%}]}",
                &[
                    r#"4:25: "settings.allowances[0]": the step of allowance "a" is not from 1% to 99%"#,
                ],
            ),
            (
                "{allowances: [{name: a, atLeast: 1Gi, requesters: {}}]}",
                &[
                    r#"4:25: "settings.allowances[0]": allowance "a" is for nobody: leave "requesters" out to mean everybody"#,
                ],
            ),
            (
                r#"{allowances: [{name: a, atLeast: 1Gi, requesters: {users: [bob, "system:serviceaccount:*:x"]}}]}"#,
                &[
                    r#"4:75: "settings.allowances[0].requesters.users[1]": "system:serviceaccount:*:x" may be a service account of any namespace, and whoever may create one there would be meant: write the namespace out"#,
                ],
            ),
            (
                r#"{automation: {users: [bob, ""], group: []}}"#,
                &[
                    r#"4:43: unknown field "group" in "settings.automation", did you mean "groups"?"#,
                ],
            ),
            (
                r#"{automation: {users: [bob, ""]}}"#,
                &[
                    r#"4:38: "settings.automation.users[1]": no user is called "": a name is missing"#,
                ],
            ),
            (
                "{unapproved: keep}",
                &[
                    r#"4:24: "settings.unapproved": unknown variant `keep`, expected `restore` or `deny`"#,
                ],
            ),
        ];
        for (settings, expected) in cases {
            assert_eq!(flaws("memory-limit-decrease", settings), *expected, "{settings}");
        }
    }

    #[test]
    fn what_is_right_is_read() {
        for (rule, settings) in [
            (
                "memory-limit-decrease",
                "{allowances: [{name: a, atLeast: 256Mi, step: 25%, aboveUsage: 0%, onlyWithRestart: true, onlyUnscheduled: false, requesters: {users: [bob], groups: ['sre-*']}}], unapproved: deny}",
            ),
            ("memory-limit-decrease", "{allowances: [{name: a, onlyUnscheduled: true}]}"),
            ("memory-limit-decrease", "{allowances: [{name: a, aboveUsage: 1000%}]}"),
            ("approval-authority", "{longestLifetime: 30m}"),
        ] {
            let text = format!("name: p\nrule: {rule}\nmode: warn\nsettings: {settings}\n");
            let policies = Policies::read([("p.yaml", text)]);
            assert!(policies.is_ok(), "{settings}: {policies:?}");
        }
    }

    #[test]
    fn settings_that_do_not_go_together_are_told() {
        assert_eq!(
            flaws("approval-authority", "{lifetime: 2h, longestLifetime: 1h}"),
            [r#"4:11: "settings": longestLifetime is 1h, and lifetime 2h is longer"#]
        );
        let wide = r#"{approvers: {groups: ["sre-*", "system:serviceaccounts:*"]}}"#;
        assert_eq!(flaws("approval-authority", wide).len(), 1);
    }
}
