//! Who holds a right, and by which role and binding.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};
use kube::core::ObjectMeta;

use crate::kube::name::describe;

use super::facts::Rights;
use super::names;
use super::observation::Observations;

/// The subresource through which pods are resized.
pub(super) const RESIZE: &str = "pods/resize";

/// The verbs that resize.
pub(super) const RESIZE_VERBS: [&str; 2] = ["patch", "update"];

/// The label of bindings that come with the API server.
const BUILT_IN: &str = "kubernetes.io/bootstrapping";

/// A binding of a role with a right.
#[derive(Debug)]
pub(super) struct Holding<'f> {
    /// The binding.
    pub(super) binding: String,
    /// The namespace it holds in; `None` for everywhere.
    pub(super) namespace: Option<&'f str>,
    /// The role.
    pub(super) role: String,
    pub(super) subjects: &'f [Subject],
    /// Whether the role names the right, and not just `*`.
    pub(super) is_named: bool,
    /// Whether it is for objects of certain names only.
    pub(super) is_limited: bool,
    /// Whether it comes with the API server.
    pub(super) is_built_in: bool,
}

/// How a role grants a right.
#[derive(Clone, Copy, Default)]
struct Grant {
    is_named: bool,
    is_limited: bool,
}

/// Every binding by which anybody has one of `verbs` on `resource/subresource` of the core group.
pub(super) fn holdings<'f>(rights: &'f Rights, verbs: &[&str], resource: &str) -> Vec<Holding<'f>> {
    let of = |rules: &Option<Vec<PolicyRule>>| {
        grant(rules.as_deref().unwrap_or_default(), verbs, resource)
    };
    let cluster: BTreeMap<&str, Grant> = rights
        .cluster_roles
        .iter()
        .filter_map(|role| Some((role.metadata.name.as_deref()?, of(&role.rules)?)))
        .collect();
    let local: BTreeMap<(&str, &str), Grant> = rights
        .roles
        .iter()
        .filter_map(|role| {
            Some((
                (role.metadata.namespace.as_deref()?, role.metadata.name.as_deref()?),
                of(&role.rules)?,
            ))
        })
        .collect();
    let everywhere = rights.cluster_role_bindings.iter().filter_map(|binding| {
        let grant = cluster.get(binding.role_ref.name.as_str())?;
        Some(holding(
            "ClusterRoleBinding",
            &binding.metadata,
            None,
            &binding.role_ref,
            &binding.subjects,
            *grant,
        ))
    });
    let somewhere = rights.role_bindings.iter().filter_map(|binding| {
        let (namespace, name) =
            (binding.metadata.namespace.as_deref()?, binding.role_ref.name.as_str());
        let grant = if binding.role_ref.kind == "Role" {
            local.get(&(namespace, name))
        } else {
            cluster.get(name)
        };
        Some(holding(
            "RoleBinding",
            &binding.metadata,
            Some(namespace),
            &binding.role_ref,
            &binding.subjects,
            *grant?,
        ))
    });
    everywhere.chain(somewhere).filter(|holding| !holding.subjects.is_empty()).collect()
}

fn holding<'f>(
    kind: &str,
    metadata: &ObjectMeta,
    namespace: Option<&'f str>,
    role: &RoleRef,
    subjects: &'f Option<Vec<Subject>>,
    grant: Grant,
) -> Holding<'f> {
    Holding {
        binding: describe(
            kind,
            namespace.unwrap_or_default(),
            metadata.name.as_deref().unwrap_or_default(),
        ),
        namespace,
        role: format!("{} {:?}", role.kind, role.name),
        subjects: subjects.as_deref().unwrap_or_default(),
        is_named: grant.is_named,
        is_limited: grant.is_limited,
        is_built_in: metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(BUILT_IN)),
    }
}

/// How these rules grant one of `verbs` on `resource/subresource`, if they do: the widest of them.
fn grant(rules: &[PolicyRule], verbs: &[&str], resource: &str) -> Option<Grant> {
    let of_any = resource
        .split_once('/')
        .map(|(_, subresource)| format!("*/{subresource}"))
        .unwrap_or_default();
    let has = |list: &Option<Vec<String>>, wanted: &[&str]| {
        list.iter().flatten().any(|entry| wanted.contains(&entry.as_str()))
    };
    let granting = |rule: &&PolicyRule| {
        has(&rule.api_groups, &["", "*"])
            && has(&rule.resources, &[resource, "*", &of_any])
            && rule.verbs.iter().any(|verb| verb == "*" || verbs.contains(&verb.as_str()))
    };
    let grants: Vec<Grant> = rules
        .iter()
        .filter(granting)
        .map(|rule| Grant {
            is_named: has(&rule.resources, &[resource])
                && rule.verbs.iter().any(|verb| verbs.contains(&verb.as_str())),
            is_limited: rule.resource_names.as_ref().is_some_and(|names| !names.is_empty()),
        })
        .collect();
    let is_named = grants.iter().any(|grant| grant.is_named);
    (!grants.is_empty())
        .then(|| Grant { is_named, is_limited: grants.iter().all(|grant| grant.is_limited) })
}

/// How broad a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Breadth {
    /// Somebody, or a group that somebody keeps.
    Some,
    /// Every program of a namespace.
    Namespace,
    /// Everybody, or every program.
    Everybody,
}

/// How broad `subject` is.
pub(super) fn breadth(subject: &Subject) -> Breadth {
    match (&*subject.kind, &*subject.name) {
        ("User", "system:anonymous")
        | ("Group", "system:authenticated" | "system:unauthenticated" | "system:serviceaccounts") => {
            Breadth::Everybody
        }
        ("Group", name) if name.starts_with("system:serviceaccounts:") => Breadth::Namespace,
        _ => Breadth::Some,
    }
}

/// Whether a program and not a person.
pub(super) fn is_program(subject: &Subject) -> bool {
    subject.kind == "ServiceAccount"
        || subject.kind == "User" && subject.name.starts_with("system:serviceaccount:")
        || subject.kind == "Group" && subject.name.starts_with("system:serviceaccounts")
}

/// The name that a user or service account has in requests; `None` for a group.
pub(super) fn username(subject: &Subject) -> Option<String> {
    let namespace = subject.namespace.as_deref().unwrap_or_default();
    match &*subject.kind {
        "ServiceAccount" => Some(format!("system:serviceaccount:{namespace}:{}", subject.name)),
        "User" => Some(subject.name.clone()),
        _ => None,
    }
}

/// Who, in words.
pub(super) fn who(subjects: &[Subject]) -> String {
    names::listed(subjects.iter().map(|subject| match &*subject.kind {
        "ServiceAccount" => format!(
            "service account {}/{}",
            subject.namespace.as_deref().unwrap_or_default(),
            subject.name
        ),
        kind => format!("{} {:?}", kind.to_lowercase(), subject.name),
    }))
}

/// Reports the bindings in namespaces that no installation looks after in one line.
pub(super) fn report_elsewhere(
    holdings: &[Holding<'_>],
    what: &str,
    observations: &mut Observations<'_>,
) {
    if !holdings.is_empty() {
        let by = names::listed(holdings.iter().map(|holding| holding.binding.as_str()));
        let message = format!("bindings that may {what} where no webhook of Restraint looks: {by}");
        observations.ok("cluster", message);
    }
}

/// Reports the bindings that come with the API server in one line.
pub(super) fn report_built_in(
    holdings: &[Holding<'_>],
    what: &str,
    observations: &mut Observations<'_>,
) {
    if !holdings.is_empty() {
        let by = names::listed(holdings.iter().map(|holding| holding.binding.as_str()));
        observations.ok("cluster", format!("built-in bindings that may {what}: {by}"));
    }
}

impl Holding<'_> {
    /// Where it holds, in words.
    pub(super) fn reach(&self) -> String {
        let limit = if self.is_limited { " with certain names" } else { "" };
        match self.namespace {
            Some(namespace) => format!("pods{limit} in namespace {namespace:?}"),
            None => format!("pods{limit} everywhere"),
        }
    }

    pub(super) fn breadth(&self) -> Breadth {
        self.subjects.iter().map(breadth).max().unwrap_or(Breadth::Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::doctor::testing::read;

    use super::*;

    fn granted(rule: Value) -> Option<(bool, bool)> {
        grant(&[read(rule)], &RESIZE_VERBS, RESIZE).map(|grant| (grant.is_named, grant.is_limited))
    }

    #[test]
    fn rules_grant_as_the_api_server_reads_them() {
        let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| json!({"apiGroups": groups, "resources": resources, "verbs": verbs});
        assert_eq!(granted(rule(&[""], &["pods/resize"], &["get", "patch"])), Some((true, false)));
        assert_eq!(granted(rule(&["*"], &["*"], &["*"])), Some((false, false)));
        assert_eq!(granted(rule(&[""], &["*/resize"], &["update"])), Some((false, false)));
        for none in [
            rule(&[""], &["pods"], &["patch"]),
            rule(&["apps"], &["*"], &["*"]),
            rule(&[""], &["pods/resize"], &["get"]),
            rule(&[""], &["pods/*"], &["*"]),
        ] {
            assert_eq!(granted(none.clone()), None, "{none}");
        }
        let mut limited = rule(&[""], &["pods/resize"], &["patch"]);
        limited["resourceNames"] = json!(["db-0"]);
        assert_eq!(granted(limited), Some((true, true)));
    }

    #[test]
    fn breadth_is_told_by_the_name() {
        let subject = |kind: &str, name: &str| read::<Subject>(json!({"kind": kind, "name": name}));
        assert_eq!(breadth(&subject("Group", "system:authenticated")), Breadth::Everybody);
        assert_eq!(breadth(&subject("Group", "system:serviceaccounts:ci")), Breadth::Namespace);
        assert_eq!(breadth(&subject("Group", "sre")), Breadth::Some);
        assert_eq!(breadth(&subject("User", "system:authenticated")), Breadth::Some);
        assert!(
            is_program(&subject("User", "system:serviceaccount:a:b"))
                && !is_program(&subject("User", "alice"))
        );
    }
}
