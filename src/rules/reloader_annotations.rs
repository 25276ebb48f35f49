//! What stakater's Reloader is told by annotations, read as it reads them.
//!
//! It goes by the annotations of a workload for one kind of configuration and, only where those
//! have none of the keys that concern this kind, by the template's. Exclusions and the pause it
//! takes from the workload alone. Source: `ShouldReload` of Reloader 1.4; keys for Secrets Store
//! volumes came with 1.4.13, and its flags can rename all keys.

mod listed;

use std::cell::OnceCell;

pub(in crate::rules) use self::listed::Entry;
use self::listed::Listed;
use super::environment::config_sources;
use crate::json::text::Annotations;
use crate::judge::subject::Resource;
use crate::judge::view::PodView;
use crate::kube::configuration::ConfigKind;

/// The domain of every key; what stands before it is a part of the key's prefix.
pub(in crate::rules) const DOMAIN: &str = "reloader.stakater.com";

/// Restarts for any configuration the pod refers to.
pub(in crate::rules) const AUTO: &str = "reloader.stakater.com/auto";

/// Restarts for what the pod refers to and carries [`MATCH`].
pub(in crate::rules) const SEARCH: &str = "reloader.stakater.com/search";

/// On a ConfigMap or Secret: found by [`SEARCH`].
pub(in crate::rules) const MATCH: &str = "reloader.stakater.com/match";

/// On a ConfigMap or Secret: nobody restarts for it.
pub(in crate::rules) const IGNORE: &str = "reloader.stakater.com/ignore";

/// How an Argo Rollout is restarted.
pub(in crate::rules) const ROLLOUT_STRATEGY: &str = "reloader.stakater.com/rollout-strategy";

/// How long a Deployment is paused after a restart.
pub(in crate::rules) const PAUSE_PERIOD: &str = "deployment.reloader.stakater.com/pause-period";

/// What Reloader writes itself.
pub(in crate::rules) const WRITTEN_BY_RELOADER: [&str; 2] =
    ["reloader.stakater.com/last-reloaded-from", "deployment.reloader.stakater.com/paused-at"];

/// Reloader's annotations for one kind of configuration.
#[derive(Debug)]
pub(in crate::rules) struct AnnotationKeys {
    /// Restarts for all of the kind that the pod refers to.
    pub(in crate::rules) auto: &'static str,
    /// Restarts for these, whether the pod refers to them or not.
    pub(in crate::rules) listed: &'static str,
    /// Never restarts for these.
    pub(in crate::rules) excluded: &'static str,
}

/// For ConfigMaps.
pub(in crate::rules) const CONFIG_MAP: AnnotationKeys = AnnotationKeys {
    auto: "configmap.reloader.stakater.com/auto",
    listed: "configmap.reloader.stakater.com/reload",
    excluded: "configmaps.exclude.reloader.stakater.com/reload",
};

/// For Secrets.
pub(in crate::rules) const SECRET: AnnotationKeys = AnnotationKeys {
    auto: "secret.reloader.stakater.com/auto",
    listed: "secret.reloader.stakater.com/reload",
    excluded: "secrets.exclude.reloader.stakater.com/reload",
};

/// For volumes of the Secrets Store driver, where Reloader is told to watch them.
pub(in crate::rules) const SECRET_PROVIDER_CLASS: AnnotationKeys = AnnotationKeys {
    auto: "secretproviderclass.reloader.stakater.com/auto",
    listed: "secretproviderclass.reloader.stakater.com/reload",
    excluded: "secretproviderclasses.exclude.reloader.stakater.com/reload",
};

/// Every kind of configuration.
pub(in crate::rules) const KINDS: [&AnnotationKeys; 3] =
    [&CONFIG_MAP, &SECRET, &SECRET_PROVIDER_CLASS];

/// Every key there is.
pub(in crate::rules) fn known_keys() -> impl Iterator<Item = &'static str> {
    let kinds = KINDS.into_iter().flat_map(|keys| [keys.auto, keys.listed, keys.excluded]);
    [AUTO, SEARCH, MATCH, IGNORE, ROLLOUT_STRATEGY, PAUSE_PERIOD]
        .into_iter()
        .chain(WRITTEN_BY_RELOADER)
        .chain(kinds)
}

/// Whether `key` is one of Reloader's or could be meant as one.
pub(crate) fn is_reloader_key(key: &str) -> bool {
    let prefix = key.split_once('/').and_then(|(prefix, _)| prefix.strip_suffix(DOMAIN));
    prefix.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether Reloader restarts objects of this kind.
pub(in crate::rules) fn follows(resource: Resource) -> bool {
    use Resource::{CronJob, DaemonSet, Deployment, Job, StatefulSet};
    matches!(resource, Deployment | StatefulSet | DaemonSet | Job | CronJob)
}

/// What Reloader is told about one workload.
#[derive(Debug)]
pub(in crate::rules) struct ReloaderAnnotations<'s> {
    workload: &'s Annotations<'s>,
    template: &'s Annotations<'s>,
    /// The lists for ConfigMaps, Secrets and Secrets Store volumes, read where one is asked for.
    listed: [OnceCell<Listed>; 3],
}

impl<'s> ReloaderAnnotations<'s> {
    /// The orders about `pod`; `None` where Reloader has none or does not look.
    pub(in crate::rules) fn of(pod: &PodView<'s>) -> Option<Self> {
        let reloader = Self::told(&pod.object.annotations, &pod.metadata.annotations);
        let mentions =
            |annotations: &Annotations<'_>| annotations.iter().any(|(key, _)| is_reloader_key(key));
        (follows(pod.resource) && (mentions(reloader.workload) || mentions(reloader.template)))
            .then_some(reloader)
    }

    fn told(workload: &'s Annotations<'s>, template: &'s Annotations<'s>) -> Self {
        Self { workload, template, listed: Default::default() }
    }

    /// The workload's annotation, if any, for which the template's are not read where configuration
    /// of this kind changes.
    pub(in crate::rules) fn decisive(&self, keys: &AnnotationKeys) -> Option<&'static str> {
        [AUTO, SEARCH, keys.auto, keys.listed]
            .into_iter()
            .find(|key| self.workload.value(key).is_some())
    }

    /// Whether it restarts the workload for any configuration of this kind that the pod refers to.
    pub(in crate::rules) fn is_automatic(&self, keys: &AnnotationKeys) -> bool {
        let source = self.source(keys);
        [AUTO, keys.auto]
            .into_iter()
            .any(|key| source.text(key).is_some_and(|value| is_true(&value)))
    }

    /// Whether it restarts the workload for configuration of this kind that is marked for it, which
    /// cannot be seen from here.
    pub(in crate::rules) fn searches(&self, keys: &AnnotationKeys) -> bool {
        self.source(keys).text(SEARCH).is_some_and(|value| value == "true")
    }

    /// Whether it lists any configuration of this kind.
    pub(in crate::rules) fn lists(&self, keys: &AnnotationKeys) -> bool {
        self.source(keys).text(keys.listed).is_some_and(|list| !list.trim().is_empty())
    }

    /// Whether Reloader restarts the workload when `name`, which the pod refers to, changes.
    pub(in crate::rules) fn restart_for(&self, keys: &AnnotationKeys, name: &str) -> bool {
        let excluded = self
            .workload
            .text(keys.excluded)
            .is_some_and(|list| list.split(',').any(|entry| entry.trim() == name));
        !excluded && (self.is_automatic(keys) || self.searches(keys) || self.names(keys, name))
    }

    /// Whether a list for configuration of this kind means `name`.
    fn names(&self, keys: &AnnotationKeys, name: &str) -> bool {
        let read = || {
            let list = self.source(keys).text(keys.listed);
            list.map(|list| Listed::read(&list)).unwrap_or_default()
        };
        let kind = KINDS.iter().position(|kind| kind.listed == keys.listed);
        let listed = kind.and_then(|kind| self.listed.get(kind));
        listed.is_some_and(|listed| listed.get_or_init(read).means(name))
    }

    /// Whether it restarts the workload for some ConfigMap or Secret that the pod refers to,
    /// because `auto` is on.
    pub(in crate::rules) fn will_restart(&self, pod: &PodView<'_>) -> bool {
        let (config_maps, secrets) = (self.is_automatic(&CONFIG_MAP), self.is_automatic(&SECRET));
        (config_maps || secrets)
            && config_sources(pod.spec).any(|(kind, name)| match kind {
                ConfigKind::ConfigMap => config_maps && self.restart_for(&CONFIG_MAP, name),
                ConfigKind::Secret => secrets && self.restart_for(&SECRET, name),
            })
    }

    /// Whether it is told to restart the workload for any configuration of this kind, be it of no
    /// avail or switched off on purpose.
    pub(in crate::rules) fn orders(&self, keys: &AnnotationKeys) -> bool {
        [AUTO, SEARCH, keys.auto, keys.listed]
            .into_iter()
            .any(|key| self.workload.value(key).or(self.template.value(key)).is_some())
    }

    /// The JSON pointer of the annotations that decide.
    pub(in crate::rules) fn pointer(&self, pod: &PodView<'_>) -> String {
        let decides = |keys: &&AnnotationKeys| self.decisive(keys).is_some();
        let own = KINDS.iter().any(decides);
        if own { "/metadata/annotations".to_owned() } else { pod.annotations_pointer() }
    }

    /// Where the orders for configuration of this kind are read.
    fn source(&self, keys: &AnnotationKeys) -> &'s Annotations<'s> {
        if self.decisive(keys).is_some() { self.workload } else { self.template }
    }
}

/// Whether Go's `strconv.ParseBool`, which Reloader uses, reads `value` as true.
pub(in crate::rules) fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// Whether Go's `strconv.ParseBool` reads `value` as false: an order that is off on purpose.
pub(in crate::rules) fn is_false(value: &str) -> bool {
    matches!(value, "0" | "f" | "F" | "false" | "FALSE" | "False")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::json;

    #[test]
    fn keys_are_told_by_their_domain() {
        assert!(known_keys().all(is_reloader_key));
        assert_eq!(known_keys().collect::<BTreeSet<_>>().len(), 17);
        assert!(is_reloader_key("anything.reloader.stakater.com/any"));
        assert!(!is_reloader_key("reloader.stakater.com"));
        assert!(!is_reloader_key("preloader.stakater.com/auto"));
        assert!(!is_reloader_key("reloader.example.com/auto"));
    }

    #[test]
    fn orders_for_one_kind_do_not_hide_the_templates_for_another() {
        let read = |json: &'static str| json::read::<Annotations<'_>>(json).unwrap();
        let workload = read(
            r#"{"secret.reloader.stakater.com/reload": "login", "secrets.exclude.reloader.stakater.com/reload": "out, a*"}"#,
        );
        let template = read(
            r#"{"reloader.stakater.com/auto": "true", "configmaps.exclude.reloader.stakater.com/reload": "app"}"#,
        );
        let reloader = ReloaderAnnotations::told(&workload, &template);
        assert!(reloader.restart_for(&SECRET, "login"));
        assert!(
            !reloader.restart_for(&SECRET, "other"),
            "the template's auto is not read for Secrets"
        );
        assert!(
            reloader.restart_for(&CONFIG_MAP, "app"),
            "an exclusion in the template is not read"
        );

        let reloader = ReloaderAnnotations::told(&template, &workload);
        assert!(!reloader.restart_for(&CONFIG_MAP, "app"));
        let both = read(
            r#"{"secret.reloader.stakater.com/reload": "out", "secrets.exclude.reloader.stakater.com/reload": "x, out"}"#,
        );
        assert!(
            !ReloaderAnnotations::told(&both, &both).restart_for(&SECRET, "out"),
            "exclusion wins over the list"
        );
        let pattern = read(
            r#"{"reloader.stakater.com/auto": "true", "secrets.exclude.reloader.stakater.com/reload": "a.*"}"#,
        );
        assert!(
            ReloaderAnnotations::told(&pattern, &both).restart_for(&SECRET, "abc"),
            "exclusions are names, not patterns"
        );
    }

    #[test]
    fn a_search_is_on_with_one_word_only() {
        for (value, expected) in [("true", true), ("1", false), ("True", false), ("false", false)] {
            let text = format!(r#"{{"{SEARCH}": "{value}"}}"#);
            let annotations: Annotations<'_> = json::read(&text).unwrap();
            assert_eq!(
                ReloaderAnnotations::told(&annotations, &annotations).restart_for(&SECRET, "login"),
                expected,
                "{value}"
            );
        }
    }
}
