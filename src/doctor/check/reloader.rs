//! Reloader: which namespaces it watches, and which workloads with annotations for it are elsewhere.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;

use crate::cluster::flag::flag_value;
use crate::doctor::facts::{Facts, Follower};
use crate::doctor::names;
use crate::doctor::observation::Observations;
use crate::doctor::reloader::reloader_container;
use crate::kube::name::describe;

/// The variable by which it watches one namespace alone.
const NAMESPACE: &str = "KUBERNETES_NAMESPACE";

/// Which namespaces a Reloader watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Scope {
    /// These alone; all where there are none.
    only: Vec<String>,
    /// Of those the ones with these labels, as they are written.
    labelled: Option<String>,
    /// Not these.
    ignored: Vec<String>,
}

pub(super) fn check(facts: &Facts, observations: &mut Observations<'_>) {
    let (reloaders, followers) = match (&facts.reloaders, &facts.followers) {
        (Ok(reloaders), Ok(followers)) => (reloaders, followers),
        (Err(reason), _) | (_, Err(reason)) => {
            let remedy =
                "run it with the right to list Deployments, StatefulSets, DaemonSets and CronJobs";
            return observations.unknown("cluster", "Reloader's scope was", reason, remedy);
        }
    };
    let scopes: Vec<_> = reloaders.iter().map(Scope::of).collect();
    for (deployment, scope) in reloaders.iter().zip(&scopes) {
        let metadata = &deployment.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let name = describe("Deployment", namespace, metadata.name.as_deref().unwrap_or_default());
        observations.ok(name, format!("Reloader watches {}", scope.description()));
    }
    if reloaders.is_empty() && followers.is_empty() {
        return observations
            .ok("cluster", "Reloader is not installed, and no workload has annotations for it");
    }
    let mut unwatched: BTreeMap<&str, Vec<&Follower>> = BTreeMap::new();
    for follower in followers
        .iter()
        .filter(|follower| !scopes.iter().any(|scope| scope.may_watch(facts, &follower.namespace)))
    {
        unwatched.entry(&follower.namespace).or_default().push(follower);
    }
    for (namespace, followers) in unwatched {
        let list = names::listed(
            followers.iter().map(|follower| format!("{} {}", follower.kind, follower.name)),
        );
        let whom = if reloaders.is_empty() {
            "there is no Reloader"
        } else {
            "no Reloader watches this namespace"
        };
        let message = format!("annotations ask Reloader for restarts, but {whom}: {list}");
        let remedy = "widen its scope (reloader.watchGlobally, ignoreNamespaces, namespaceSelector), or remove the annotations";
        observations.warning(format!("Namespace {namespace}"), message, remedy);
    }
}

impl Scope {
    fn of(deployment: &Deployment) -> Self {
        let Some(container) = reloader_container(deployment) else { return Self::default() };
        let arguments: Vec<_> = [&container.command, &container.args]
            .into_iter()
            .flatten()
            .flatten()
            .cloned()
            .collect();
        let list = |name: &str| -> Vec<String> {
            let entries =
                flag_value(&arguments, name).unwrap_or_default().split(',').map(str::trim);
            entries.filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
        };
        let variable = container.env.iter().flatten().find(|variable| variable.name == NAMESPACE);
        let own = variable.and_then(|variable| match (&variable.value, &variable.value_from) {
            (Some(value), _) if !value.is_empty() => Some(value.clone()),
            (_, Some(source)) if source.field_ref.is_some() => {
                deployment.metadata.namespace.clone()
            }
            _ => None,
        });
        let only = own.map_or_else(|| list("--namespaces"), |own| vec![own]);
        let labelled = flag_value(&arguments, "--namespace-selector")
            .filter(|selector| !selector.is_empty())
            .map(str::to_owned);
        Self { only, labelled, ignored: list("--namespaces-to-ignore") }
    }

    fn description(&self) -> String {
        let only = if self.only.is_empty() {
            "every namespace".to_owned()
        } else {
            format!("only namespace {}", names::listed(&self.only))
        };
        let labelled = self
            .labelled
            .as_ref()
            .map(|labels| format!(" with labels {labels}"))
            .unwrap_or_default();
        let ignored = if self.ignored.is_empty() {
            String::new()
        } else {
            format!(", except {}", names::listed(&self.ignored))
        };
        format!("{only}{labelled}{ignored}")
    }

    /// Whether it watches the namespace, or may: labels that are not plain pairs may select
    /// anything.
    fn may_watch(&self, facts: &Facts, namespace: &str) -> bool {
        let is = |list: &[String]| list.iter().any(|name| name == namespace);
        (self.only.is_empty() || is(&self.only))
            && !is(&self.ignored)
            && self.may_select(facts, namespace)
    }

    fn may_select(&self, facts: &Facts, namespace: &str) -> bool {
        let (Some(selector), Ok(_)) = (&self.labelled, &facts.namespaces) else { return true };
        let labels = facts.namespace_labels(namespace);
        selector.split(',').all(|pair| {
            match pair.split_once('=').or_else(|| pair.split_once(':')) {
                Some((key, value))
                    if !key.ends_with('!') && !value.starts_with('=') && value != "*" =>
                {
                    labels.get(key.trim()).is_some_and(|known| known == value.trim())
                }
                _ => true,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::doctor::testing::{healthy, lines, read, worst};

    use super::*;

    fn reloader(arguments: &[&str], env: Value) -> Deployment {
        let container = json!({"name": "reloader", "image": "ghcr.io/stakater/reloader:v1.4.21", "args": arguments, "env": env});
        read(json!({
            "metadata": {"name": "reloader", "namespace": "tools"},
            "spec": {"selector": {}, "template": {"spec": {"containers": [container]}}},
        }))
    }

    fn with(deployment: Option<Deployment>) -> Facts {
        let mut facts = healthy();
        facts.reloaders = Ok(deployment.into_iter().collect());
        facts.followers = Ok(vec![Follower {
            kind: "Deployment",
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        }]);
        facts
    }

    #[test]
    fn the_scope_is_read_from_flags_and_variables() {
        let watched =
            |arguments: &[&str], env: Value| lines(check, &with(Some(reloader(arguments, env))));
        let of = |scope: &str| format!("ok: Deployment tools/reloader: Reloader watches {scope}");
        let unwatched = "warning: Namespace shop: annotations ask Reloader for restarts, but no Reloader watches this namespace: Deployment web";
        assert_eq!(watched(&[], json!([])), [of("every namespace")]);
        let own = json!([{"name": "KUBERNETES_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}]);
        assert_eq!(watched(&[], own), [of("only namespace tools"), unwatched.to_owned()]);
        assert_eq!(
            watched(&["--namespaces-to-ignore=kube-system,shop"], json!([])),
            [of("every namespace, except kube-system, shop"), unwatched.to_owned()]
        );
        assert_eq!(watched(&["--namespaces=shop,db"], json!([])), [of("only namespace shop, db")]);
        assert_eq!(
            watched(&["--namespace-selector", "team=db"], json!([])),
            [of("every namespace with labels team=db"), unwatched.to_owned()]
        );
        assert_eq!(
            watched(&["--namespace-selector=team in (db)"], json!([])),
            [of("every namespace with labels team in (db)")]
        );
    }

    #[test]
    fn annotations_without_reloader_are_warned_about() {
        assert!(worst(check, &with(None)).contains("but there is no Reloader: Deployment web"));
        assert!(worst(check, &healthy()).starts_with("ok: cluster: Reloader is not installed"));
        let mut facts = healthy();
        facts.followers = Err("forbidden".to_owned());
        assert!(worst(check, &facts).starts_with("unknown: "));
    }
}
