//! Judging what is stored, as if it were created.

use std::sync::Arc;

use crate::json::text::Text;
use crate::judge::judge;
use crate::judge::subject::{Evidence, Resource, Subject};
use crate::kube::configuration::Configuration;
use crate::kube::object::Object;
use crate::rules::strength::Strength;

use super::report::Finding;
use super::scope::{Namespaces, Scope};

/// What an object is.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) kind: &'static str,
    pub(super) resource: Resource,
    /// The ConfigMaps that it refers to.
    pub(super) configuration: Option<Arc<Configuration>>,
}

/// What is wrong with an object, in the words of the engine.
pub(super) fn judged(
    scope: &Scope<'_>,
    namespaces: &Namespaces,
    what: Judged,
    object: Object<'_>,
) -> Vec<Finding> {
    let namespace = object.metadata.namespace.to_string();
    let name = object.metadata.name.to_string();
    let evidence = Evidence {
        now: Some(scope.now),
        namespace_labels: namespaces.get(&namespace).cloned(),
        configuration: what.configuration,
        ..Evidence::default()
    };
    let subject = Subject::created(what.resource, Text::from(namespace.as_str()), object, evidence);
    let verdict = judge(scope.policies, &subject);
    let cap = verdict.cap;
    let found = verdict.rulings.into_iter().map(|ruling| {
        let mode = Strength::of(&ruling, cap);
        let finding = ruling.finding;
        Finding {
            rule: ruling.rule,
            mode,
            namespace: namespace.clone(),
            kind: what.kind,
            name: name.clone(),
            pods: 0,
            container: finding.container,
            pointer: finding.pointer,
            message: finding.message,
            remedy: finding.remedy,
        }
    });
    found.collect()
}
