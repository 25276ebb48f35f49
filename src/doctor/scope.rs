//! What the scope of a policy covers.

use std::sync::Arc;

use crate::json::text::Text;
use crate::judge::scope::Scope;
use crate::judge::subject::{Evidence, Operation, Resource, Subject, UserInfo};
use crate::kube::object::Object;
use crate::kube::selector::Selector;

use super::facts::Facts;

/// Whether some resize by `requester` in `namespace` is in scope, whatever the labels of its pod.
pub(super) fn covers_resizes(
    facts: &Facts,
    scope: &Scope,
    namespace: &str,
    requester: &UserInfo<'_>,
) -> bool {
    let labels = facts.namespaces.is_ok().then(|| Arc::new(facts.namespace_labels(namespace)));
    let resize = Subject {
        resource: Resource::PodResize,
        operation: Operation::Update,
        namespace: Text::from(namespace),
        name: Text::default(),
        requester: requester.clone(),
        dry_run: false,
        object: Object::default(),
        old_object: None,
        evidence: Evidence { namespace_labels: labels, ..Evidence::default() },
    };
    Scope { objects: Selector::default(), ..scope.clone() }.covers(&resize)
}
