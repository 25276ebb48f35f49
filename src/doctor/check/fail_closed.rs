//! Hooks that fail closed too broadly: what the API server then refuses while nobody answers, and
//! whether that keeps the cluster, or the hook's own pods, from coming back.

use crate::doctor::facts::Facts;
use crate::doctor::hook::{self, Hook};
use crate::doctor::names::object;
use crate::doctor::observation::Observations;

/// Where the pods are that everything else needs.
const SYSTEM: &str = "kube-system";

/// Our hooks that catch nearly every write of a pod or a workload, and thus must fail open.
const BROAD: [&str; 2] = ["pods.restraint.dev", "advice.restraint.dev"];

/// Our hooks that fail closed where policies are enforced.
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
            (
                *hook,
                "fails open: while nobody answers, it is as if Restraint were not there".to_owned(),
            )
        })) {
            observations.note(
                object,
                message,
                "set cap: enforce, or webhooks.failurePolicy, if that is not meant",
            );
        }
        if observations.count() == before && !hooks.is_empty() {
            let place = object("Service", &installation.namespace, &installation.name);
            observations.ok(place, "only narrow hooks fail closed");
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
            .ok("cluster", format!("of the hooks of others {closed} fail closed, and none for all pods of {SYSTEM} or its own namespace"));
    }
}

fn examine(facts: &Facts, hook: &Hook<'_>, observations: &mut Observations<'_>) {
    if !hook.fails_closed {
        return;
    }
    if BROAD.contains(&hook.name) {
        let message = "fails closed: while nobody answers, no pod or workload is written";
        observations.problem(
            hook.object(),
            message,
            "set its failurePolicy to Ignore, as the chart does",
        );
        return;
    }
    let own = hook.service().map(|(namespace, _)| namespace);
    for namespace in own.iter().map(String::as_str).filter(|own| *own != SYSTEM).chain([SYSTEM]) {
        if hook.looks_into(&facts.namespace_labels(namespace)) {
            let message = format!(
                "fails closed in namespace {namespace:?} too: while nobody answers, what runs there cannot be put right"
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
        "set failurePolicy to Ignore, or exclude those by namespaceSelector or matchConditions";
    let own = hook.service().map(|(namespace, _)| namespace);
    let is_caught = |namespace: &str| {
        hook.catches("pods", "CREATE") && hook.looks_into(&facts.namespace_labels(namespace))
    };
    if own.as_deref().is_some_and(is_caught) {
        let namespace = own.unwrap_or_default();
        let message = format!(
            "fails closed for pods of its own namespace {namespace:?}: once nobody answers, its pods cannot come back"
        );
        observations.problem(hook.object(), message, remedy);
    } else if is_caught(SYSTEM) {
        let message = format!(
            "fails closed for every pod of {SYSTEM}: while nobody answers, network and DNS cannot come back"
        );
        observations.problem(hook.object(), message, remedy);
    }
    if ["CREATE", "UPDATE"].iter().any(|operation| hook.catches_cluster_wide("nodes", operation)) {
        let message = "fails closed for nodes: while nobody answers, none can join or be changed";
        observations.warning(hook.object(), message, remedy);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::doctor::testing::{args, foreign, healthy, hook_mut, said, worst};

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
        let said = said(check, &healthy());
        assert!(said.iter().all(|line| line.starts_with("ok: ")) && said.len() == 2, "{said:#?}");
    }

    #[test]
    fn our_broad_hooks_must_fail_open() {
        let mut facts = healthy();
        hook_mut(&mut facts, "advice.restraint.dev").failure_policy = Some("Fail".to_owned());
        assert!(
            worst(check, &facts).starts_with("problem: ValidatingWebhookConfiguration restraint, hook advice.restraint.dev: fails closed")
        );
    }

    #[test]
    fn our_narrow_hooks_leave_two_namespaces_out_and_fail_closed_where_they_act() {
        let mut facts = healthy();
        hook_mut(&mut facts, "resize.restraint.dev").namespace_selector = None;
        let warnings = said(check, &facts);
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
