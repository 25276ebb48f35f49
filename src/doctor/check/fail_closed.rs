//! Webhooks that fail closed too broadly: while their service is down, the API server denies
//! requests, and perhaps those that would bring the cluster or that service back.

use crate::doctor::door::Door;
use crate::doctor::facts::Facts;
use crate::doctor::hook::{self, Hook};
use crate::doctor::observation::Observations;

/// The namespace of the pods that everything else needs.
const SYSTEM: &str = "kube-system";

/// Our webhooks that must fail open, and what nobody can do otherwise while Restraint is down.
const OPEN: [(&str, &str); 4] = [
    ("pods.restraint.dev", "no pod can be created"),
    ("advice.restraint.dev", "no pod or workload can be written"),
    ("resize-advice.restraint.dev", "no pod can grow in place"),
    ("restore.restraint.dev", "autoscalers evict what they cannot resize"),
];

/// Our webhooks that fail closed if policies are enforced.
const NARROW: [&str; 2] = ["resize.restraint.dev", "approval.restraint.dev"];

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    for installation in &facts.installations {
        let before = observations.count();
        let acts = !matches!(installation.flag("--cap"), Some("audit" | "warn"));
        let hooks: Vec<_> = hook::of(facts, installation).collect();
        for hook in &hooks {
            examine(facts, hook, observations);
        }
        let open =
            hooks.iter().filter(|hook| acts && NARROW.contains(&hook.name) && !hook.fails_closed);
        for (object, message) in hook::grouped(open.map(|hook| {
            (*hook, "fails open: while Restraint is down, requests pass unchecked".to_owned())
        })) {
            observations.note(
                object,
                message,
                "set cap: enforce, or webhooks.failurePolicy, if that is not intended",
            );
        }
        if observations.count() == before && !hooks.is_empty() {
            let place = installation.object();
            observations.ok(place, "only narrow webhooks fail closed");
        }
    }
    let before = observations.count();
    let mut closed = 0_usize;
    for hook in hook::foreign_and_closed(facts) {
        closed = closed.saturating_add(1);
        examine_foreign(facts, &hook, observations);
    }
    if observations.count() == before && facts.mutating.is_ok() && facts.validating.is_ok() {
        observations
            .ok("cluster", format!("{closed} other webhooks fail closed, none for all pods of {SYSTEM} or of its own namespace"));
    }
}

fn examine(facts: &Facts, hook: &Hook<'_>, observations: &mut Observations<'_>) {
    if !hook.fails_closed {
        return;
    }
    if let Some((_, refused)) = OPEN.iter().find(|(name, _)| *name == hook.name) {
        let message = format!("fails closed: while Restraint is down, {refused}");
        observations.problem(
            hook.object(),
            message,
            "set its failurePolicy to Ignore, as the chart does",
        );
        return;
    }
    let own = hook.service().map(|service| service.namespace);
    for namespace in own.iter().map(String::as_str).filter(|own| *own != SYSTEM).chain([SYSTEM]) {
        if hook.matches_in(&facts.namespace_labels(namespace)) {
            let message = format!(
                "fails closed in namespace {namespace:?} too: while Restraint is down, nothing there can be repaired"
            );
            observations.warning(
                hook.object(),
                message,
                "exclude the namespace, as the chart does: webhooks.excludeNamespaces",
            );
        }
    }
}

fn examine_foreign(facts: &Facts, hook: &Hook<'_>, observations: &mut Observations<'_>) {
    if hook.is_narrowed() {
        return; // by what only the API server evaluates
    }
    let remedy =
        "set failurePolicy to Ignore, or exclude them with namespaceSelector or matchConditions";
    let own = hook.service().map(|service| service.namespace);
    let is_caught = |namespace: &str| {
        hook.matches(Door::core("CREATE", "pods"))
            && hook.matches_in(&facts.namespace_labels(namespace))
    };
    if own.as_deref().is_some_and(is_caught) {
        let namespace = own.unwrap_or_default();
        let message = format!(
            "fails closed for pods of its own namespace {namespace:?}: once they are down, they cannot be recreated"
        );
        observations.problem(hook.object(), message, remedy);
    } else if is_caught(SYSTEM) {
        let message = format!(
            "fails closed for every pod of {SYSTEM}: while it is down, network and DNS pods cannot be recreated"
        );
        observations.problem(hook.object(), message, remedy);
    }
    if ["CREATE", "UPDATE"]
        .into_iter()
        .any(|operation| hook.matches_cluster_wide(Door::core(operation, "nodes")))
    {
        let message = "fails closed for nodes: while it is down, no node can join or be changed";
        observations.warning(hook.object(), message, remedy);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::doctor::testing::{args, foreign, healthy, hook_mut, lines, worst};

    use super::*;

    fn pods(selector: Value) -> Value {
        json!({
            "name": "pods.example.com", "failurePolicy": "Fail", "namespaceSelector": selector,
            "clientConfig": {"service": {"namespace": "gate", "name": "gate"}},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["pods"], "scope": "*"}],
        })
    }

    fn except(namespaces: &[&str]) -> Value {
        json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": namespaces}]})
    }

    #[test]
    fn as_the_chart_renders_them_hooks_are_narrow() {
        let lines = lines(check, &healthy());
        assert!(
            lines.iter().all(|line| line.starts_with("ok: ")) && lines.len() == 2,
            "{lines:#?}"
        );
    }

    #[test]
    fn our_other_hooks_must_fail_open() {
        for (name, refused) in [
            ("advice.restraint.dev", "no pod or workload can be written"),
            ("resize-advice.restraint.dev", "no pod can grow in place"),
        ] {
            let mut facts = healthy();
            hook_mut(&mut facts, name).failure_policy = Some("Fail".to_owned());
            assert_eq!(
                worst(check, &facts),
                format!(
                    "problem: ValidatingWebhookConfiguration restraint, hook {name}: fails closed: while Restraint is down, {refused}"
                )
            );
        }
    }

    #[test]
    fn our_narrow_hooks_leave_two_namespaces_out_and_fail_closed_where_they_act() {
        let mut facts = healthy();
        hook_mut(&mut facts, "resize.restraint.dev").namespace_selector = None;
        let warnings = lines(check, &facts);
        assert!(
            warnings.iter().any(|line| line.contains("namespace \"kube-system\"")),
            "{warnings:#?}"
        );
        assert!(
            warnings.iter().any(|line| line.contains("namespace \"restraint\"")),
            "{warnings:#?}"
        );
        let mut facts = healthy();
        hook_mut(&mut facts, "resize.restraint.dev").failure_policy = Some("Ignore".to_owned());
        assert!(worst(check, &facts).contains("fails open"));
        args(&mut facts, &["serve", "--cap", "audit"]);
        assert!(worst(check, &facts).starts_with("ok: "));
    }

    #[test]
    fn hooks_of_others_are_a_problem_where_they_are_broad() {
        let seen = |hook: Value| worst(check, &foreign(hook));
        assert!(seen(pods(json!({}))).contains("pods of its own namespace \"gate\""));
        assert!(seen(pods(except(&["gate"]))).contains("every pod of kube-system"));
        assert!(seen(pods(except(&["gate", "kube-system"]))).starts_with("ok: "));
        for (key, value) in [
            ("failurePolicy", json!("Ignore")),
            ("objectSelector", json!({"matchLabels": {"inject": "yes"}})),
            ("matchConditions", json!([{"name": "some", "expression": "true"}])),
        ] {
            let mut hook = pods(json!({}));
            hook[key] = value;
            assert!(seen(hook).starts_with("ok: "), "{key}");
        }
        let mut everything = pods(except(&["gate", "kube-system"]));
        everything["rules"][0]["resources"] = json!(["*/*"]);
        assert!(seen(everything).starts_with("warning: "));
    }
}
