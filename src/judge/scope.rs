//! What a policy applies to.

use crate::json::text::{Labels, Text};
use crate::kube::selector::Selector;

use super::subject::{Operation, Subject, UserInfo};

/// What a policy applies to: everything that no part excludes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Namespaces by name and labels.
    pub namespaces: NamespaceScope,
    /// Objects by their labels.
    pub objects: Selector,
    /// Who asks.
    pub requesters: RequesterScope,
    /// What is done; empty for everything.
    pub operations: Vec<Operation>,
}

/// Namespaces by name and labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceScope {
    /// Only these; empty for all. A name may end in `*`.
    pub names: Vec<String>,
    /// None of these. A name may end in `*`.
    pub except: Vec<String>,
    /// Only namespaces with such labels.
    pub selector: Selector,
}

/// Requesters by name and group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequesterScope {
    /// Only these users or members of `groups`; both empty for everybody.
    pub users: Vec<String>,
    /// Only members of these groups or `users`.
    pub groups: Vec<String>,
    /// None of these users.
    pub except_users: Vec<String>,
    /// No member of these groups.
    pub except_groups: Vec<String>,
}

impl Scope {
    /// Whether `subject` is in scope.
    ///
    /// What is not known never excludes: of a namespace whose labels are unknown only the label
    /// that holds its name counts. An object is in scope if it matches before or after the change,
    /// as in Kubernetes' own hooks.
    pub fn covers(&self, subject: &Subject<'_>) -> bool {
        let operation = self.operations.is_empty() || self.operations.contains(&subject.operation);
        operation
            && self.namespaces.cover(subject)
            && self.requesters.cover(&subject.requester)
            && self.covers_object(subject)
    }

    fn covers_object(&self, subject: &Subject<'_>) -> bool {
        let matches =
            |labels: &Labels<'_>| self.objects.matches(|key| labels.value(key).map(Text::as_str));
        matches(&subject.object.metadata.labels)
            || subject.old_object.as_ref().is_some_and(|old| matches(&old.metadata.labels))
    }
}

impl NamespaceScope {
    /// Whether it asks for labels that only the API server knows.
    pub(crate) fn asks_for_labels(&self) -> bool {
        self.selector.asks_for_labels()
    }

    fn cover(&self, subject: &Subject<'_>) -> bool {
        let namespace = &*subject.namespace;
        let named = |names: &[String]| names.iter().any(|name| name_matches(name, namespace));
        let labels = subject.evidence.namespace_labels.as_deref();
        (self.names.is_empty() || named(&self.names))
            && !named(&self.except)
            && self.selector.may_match(namespace, labels)
    }
}

impl RequesterScope {
    fn cover(&self, requester: &UserInfo<'_>) -> bool {
        let user = |users: &[String]| users.iter().any(|name| **name == *requester.username);
        let member = |groups: &[String]| {
            groups.iter().any(|name| requester.groups.iter().any(|group| **name == **group))
        };
        let everybody = self.users.is_empty() && self.groups.is_empty();
        (everybody || user(&self.users) || member(&self.groups))
            && !user(&self.except_users)
            && !member(&self.except_groups)
    }
}

/// Whether `name` is `pattern`, or begins with what stands before the `*` at its end.
pub(crate) fn name_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::judge::subject::{Evidence, Resource};
    use crate::kube::object::Object;
    use crate::kube::selector::{NAME_LABEL, Requirement, SelectorOperator};

    /// An update of a pod by alice of group sre, in a namespace whose labels are unknown.
    fn subject() -> Subject<'static> {
        Subject {
            resource: Resource::Pod,
            operation: Operation::Update,
            namespace: Text::from("team-a"),
            name: Text::from("db-0"),
            requester: UserInfo {
                username: Text::from("alice"),
                groups: vec![Text::from("sre"), Text::from("system:authenticated")],
                ..UserInfo::default()
            },
            dry_run: false,
            object: labelled(&[("app", "db")]),
            old_object: Some(labelled(&[("app", "cache")])),
            evidence: Evidence::default(),
        }
    }

    fn labelled(labels: &[(&'static str, &'static str)]) -> Object<'static> {
        let mut object = Object::default();
        object.metadata.labels =
            labels.iter().map(|(key, value)| (Text::from(*key), Text::from(*value))).collect();
        object
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn selector(key: &str, operator: SelectorOperator, values: &[&str]) -> Selector {
        Selector(vec![Requirement { key: key.to_owned(), operator, values: texts(values) }])
    }

    #[test]
    fn an_empty_scope_covers_everything() {
        assert!(Scope::default().covers(&subject()));
    }

    #[test]
    fn namespaces_are_named_or_excepted() {
        let cases: &[(&[&str], &[&str], bool)] = &[
            (&["team-a"], &[], true),
            (&["team-b"], &[], false),
            (&["shop", "team-a"], &[], true),
            (&["team"], &[], false),
            (&["team-*"], &[], true),
            (&["team-a*"], &[], true),
            (&["team-a-*"], &[], false),
            (&["*"], &[], true),
            (&[], &["team-a"], false),
            (&[], &["team-*"], false),
            (&[], &["shop"], true),
            (&["team-*"], &["team-a"], false),
            (&["team-*"], &["team-b"], true),
        ];
        for (names, except, expected) in cases {
            let namespaces = NamespaceScope {
                names: texts(names),
                except: texts(except),
                selector: Selector::default(),
            };
            assert_eq!(
                Scope { namespaces, ..Scope::default() }.covers(&subject()),
                *expected,
                "{names:?} except {except:?}"
            );
        }
    }

    #[test]
    fn operators_are_those_of_kubernetes() {
        use SelectorOperator::{DoesNotExist, Exists, In, NotIn};
        let cases: &[(&str, SelectorOperator, &[&str], bool)] = &[
            ("tier", In, &["silver", "gold"], true),
            ("tier", In, &["silver"], false),
            ("none", In, &["gold"], false),
            ("none", In, &[""], false),
            ("tier", NotIn, &["gold"], false),
            ("tier", NotIn, &["silver"], true),
            ("none", NotIn, &["gold"], true),
            ("tier", Exists, &[], true),
            ("none", Exists, &[], false),
            ("tier", DoesNotExist, &[], false),
            ("none", DoesNotExist, &[], true),
        ];
        let mut subject = subject();
        subject.evidence.namespace_labels =
            Some(Arc::new(BTreeMap::from([("tier".to_owned(), "gold".to_owned())])));
        subject.object = labelled(&[("tier", "gold")]);
        subject.old_object = None;
        for (key, operator, values, expected) in cases {
            let selector = selector(key, *operator, values);
            let namespaces =
                NamespaceScope { selector: selector.clone(), ..NamespaceScope::default() };
            let by_namespace = Scope { namespaces, ..Scope::default() };
            let by_object = Scope { objects: selector, ..Scope::default() };
            assert_eq!(by_namespace.covers(&subject), *expected, "{key} {operator:?} {values:?}");
            assert_eq!(by_object.covers(&subject), *expected, "{key} {operator:?} {values:?}");
        }
    }

    #[test]
    fn all_requirements_must_hold() {
        let both = |one: Selector, other: Selector| Selector([one.0, other.0].concat());
        let (app, none) = (
            selector("app", SelectorOperator::Exists, &[]),
            selector("none", SelectorOperator::Exists, &[]),
        );
        let covers = |objects| Scope { objects, ..Scope::default() }.covers(&subject());
        assert!(covers(both(app.clone(), app.clone())));
        assert!(!covers(both(app, none)));
    }

    #[test]
    fn unknown_labels_of_a_namespace_exclude_nothing() {
        let covers = |selector| {
            let namespaces = NamespaceScope { selector, ..NamespaceScope::default() };
            Scope { namespaces, ..Scope::default() }.covers(&subject())
        };
        for operator in SelectorOperator::ALL {
            assert!(covers(selector("tier", operator, &["gold"])), "{operator:?}");
        }
        // the label that holds the name is known all the same
        assert!(covers(selector(NAME_LABEL, SelectorOperator::In, &["team-a"])));
        assert!(!covers(selector(NAME_LABEL, SelectorOperator::NotIn, &["team-a"])));
        assert!(!covers(selector(NAME_LABEL, SelectorOperator::In, &["shop"])));
    }

    #[test]
    fn a_namespace_without_labels_is_not_one_with_unknown_labels() {
        let namespaces = NamespaceScope {
            selector: selector("tier", SelectorOperator::Exists, &[]),
            ..NamespaceScope::default()
        };
        let mut subject = subject();
        subject.evidence.namespace_labels = Some(Arc::default());
        assert!(!Scope { namespaces, ..Scope::default() }.covers(&subject));
    }

    #[test]
    fn objects_are_covered_before_or_after_the_change() {
        let covers = |subject: &Subject<'_>, app| {
            Scope { objects: selector("app", SelectorOperator::In, &[app]), ..Scope::default() }
                .covers(subject)
        };
        let update = subject();
        assert!(covers(&update, "db") && covers(&update, "cache") && !covers(&update, "web"));
        let create = Subject { operation: Operation::Create, old_object: None, ..subject() };
        assert!(covers(&create, "db") && !covers(&create, "cache"));
    }

    #[test]
    fn requesters_are_named_by_user_or_group() {
        // users, groups, except users, except groups
        let cases: [([&[&str]; 4], bool); 12] = [
            ([&["alice"], &[], &[], &[]], true),
            ([&["bob"], &[], &[], &[]], false),
            ([&[], &["sre"], &[], &[]], true),
            ([&[], &["dev"], &[], &[]], false),
            ([&["bob"], &["sre"], &[], &[]], true),
            ([&["alice"], &["dev"], &[], &[]], true),
            ([&["sre"], &["alice"], &[], &[]], false),
            ([&[], &[], &["alice"], &[]], false),
            ([&[], &[], &["bob"], &["dev"]], true),
            ([&[], &[], &[], &["sre"]], false),
            ([&["alice"], &[], &[], &["system:authenticated"]], false),
            ([&["a*"], &[], &[], &[]], false),
        ];
        for (names, expected) in cases {
            let [users, groups, except_users, except_groups] = names.map(texts);
            let requesters = RequesterScope { users, groups, except_users, except_groups };
            assert_eq!(
                Scope { requesters, ..Scope::default() }.covers(&subject()),
                expected,
                "{names:?}"
            );
        }
    }

    #[test]
    fn operations_are_listed() {
        let covers = |operations: &[Operation]| {
            Scope { operations: operations.to_vec(), ..Scope::default() }.covers(&subject())
        };
        assert!(covers(&[Operation::Create, Operation::Update]));
        assert!(!covers(&[Operation::Create]));
    }

    #[test]
    fn every_part_must_cover() {
        let elsewhere = NamespaceScope { names: texts(&["shop"]), ..NamespaceScope::default() };
        let nobody = RequesterScope { users: texts(&["bob"]), ..RequesterScope::default() };
        let nothing = selector("none", SelectorOperator::Exists, &[]);
        let parts = [
            Scope { namespaces: elsewhere, ..Scope::default() },
            Scope { objects: nothing, ..Scope::default() },
            Scope { requesters: nobody, ..Scope::default() },
            Scope { operations: vec![Operation::Create], ..Scope::default() },
        ];
        for scope in parts {
            assert!(!scope.covers(&subject()), "{scope:?}");
        }
    }
}
