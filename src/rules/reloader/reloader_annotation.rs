//! An annotation for stakater's Reloader that Reloader does not read.
//!
//! **Why it matters.** Reloader says nothing about a key or a value it does not know. The workload
//! looks as if it were restarted when its configuration changes, and runs on with the old one.
//!
//! **What it looks at.** Keys under `reloader.stakater.com` and its prefixes, on workloads, their
//! templates, pods, ReplicaSets and ReplicationControllers, as Reloader 1.4 reads them: keys that
//! do not exist; keys on kinds it does not restart; `auto` with a value that Go does not read as
//! true (`yes`, `on`) and `search` with another than exactly `true`; `match` and `ignore`, which
//! belong on the ConfigMap or Secret; orders on a template beside others on the workload, which
//! alone count then; exclusions and `pause-period` on a template; a `pause-period` that is no
//! duration, which stops every restart, or that is not on a Deployment; `rollout-strategy`, which
//! Argo Rollouts alone have; exclusions and a `pause-period` with nothing that orders a restart;
//! entries of a list that are no regular expression of Go's, or are written as for a shell: `app-*`
//! does not match `app-config`.
//!
//! **What it allows.** Annotations on the template alone, or the same on both. An explicit `false`.
//! What Reloader writes itself. What a controller copied to the objects it makes. Reloader's own
//! flags can rename its keys: where they do, silence the rule.
//!
//! **How to fix it.** `reloader.stakater.com/auto: "true"` in the metadata of the Deployment,
//! StatefulSet, DaemonSet, Job or CronJob itself.

use std::borrow::Cow;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::subject::Resource;
use crate::judge::view::PodView;
use crate::kube::configuration::ConfigKind;
use crate::rules::environment::config_sources;
use crate::rules::reloader_annotations::{
    AUTO, AnnotationKeys, CONFIG_MAP, DOMAIN, Entry, IGNORE, KINDS, MATCH, PAUSE_PERIOD,
    ROLLOUT_STRATEGY, ReloaderAnnotations, SEARCH, SECRET, WRITTEN_BY_RELOADER, follows, is_false,
    is_reloader_key, is_true, known_keys,
};
use crate::yaml::suggest::nearest;

pub(crate) const RULE: Rule = Rule::new::<ReloaderAnnotation>(
    "reloader-annotation",
    include_str!("../../../policies/reloader-annotation.yaml"),
);

#[derive(Debug, Default)]
struct ReloaderAnnotation;

impl Check for ReloaderAnnotation {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        // a controller copies annotations to what it makes
        if pod.is_owned() {
            return;
        }
        let own = pod.object.annotations.iter().map(|(key, _)| (AnnotationOwner::Object, key));
        let template = pod.is_template().then(|| {
            pod.metadata.annotations.iter().map(|(key, _)| (AnnotationOwner::Template, key))
        });
        for (owner, key) in
            own.chain(template.into_iter().flatten()).filter(|(_, key)| is_reloader_key(key))
        {
            let annotations = if owner == AnnotationOwner::Object {
                &pod.object.annotations
            } else {
                &pod.metadata.annotations
            };
            let Some(value) = annotations.text(key) else { continue };
            if let Some(misuse) = misuse(pod, owner, key, &value) {
                findings.report(misuse.finding(pod, owner, key, &value));
            }
        }
    }
}

/// Whose annotation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnnotationOwner {
    /// The object's own.
    Object,
    /// Its template's.
    Template,
}

/// What is wrong with an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Misuse {
    /// There is no such key; the one that was meant, perhaps.
    Unknown(Option<&'static str>),
    /// Reloader does not restart this kind.
    KindNotFollowed,
    /// The value does not switch it on.
    NotTrue,
    /// It is read on ConfigMaps and Secrets only.
    NotOnWorkloads,
    /// It is read on Argo Rollouts only.
    ForRollouts,
    /// It is read on Deployments only.
    ForDeployments,
    /// It is read on the workload only.
    NotInTemplates,
    /// This annotation of the workload makes it count for nothing.
    Overruled(&'static str),
    /// Restarts fail over it.
    NoDuration,
    /// Nothing orders the restarts it is about.
    NoOrder,
    /// An entry of its list is no regular expression.
    NoExpression,
    /// An entry of its list is meant as a shell would read it, and matches nothing.
    ShellPattern,
}

fn misuse(pod: &PodView<'_>, owner: AnnotationOwner, key: &str, value: &str) -> Option<Misuse> {
    if WRITTEN_BY_RELOADER.contains(&key) {
        return None;
    }
    let known = known_keys().find(|known| *known == key);
    if !follows(pod.resource) {
        return (!is_false(value)).then_some(Misuse::KindNotFollowed);
    }
    let Some(key) = known else { return Some(Misuse::Unknown(meant(key))) };
    let kind =
        KINDS.into_iter().find(|keys| [keys.auto, keys.listed, keys.excluded].contains(&key));
    let switch = key == AUTO || key == SEARCH || kind.is_some_and(|keys| key == keys.auto);
    match key {
        _ if (switch || key == MATCH || key == IGNORE) && is_false(value) => None,
        MATCH | IGNORE => Some(Misuse::NotOnWorkloads),
        ROLLOUT_STRATEGY => (value == "restart").then_some(Misuse::ForRollouts),
        PAUSE_PERIOD if pod.resource != Resource::Deployment => Some(Misuse::ForDeployments),
        _ if owner == AnnotationOwner::Template
            && (key == PAUSE_PERIOD || kind.is_some_and(|keys| key == keys.excluded)) =>
        {
            pod.object.annotations.value(key).is_none().then_some(Misuse::NotInTemplates)
        }
        PAUSE_PERIOD if !is_duration(value) => Some(Misuse::NoDuration),
        PAUSE_PERIOD => (!orders(pod, None)).then_some(Misuse::NoOrder),
        _ if let Some(keys) = kind.filter(|keys| key == keys.excluded) => {
            (!orders(pod, Some(keys))).then_some(Misuse::NoOrder)
        }
        _ => {
            let overruled =
                (owner == AnnotationOwner::Template).then(|| overruled(pod, key, value)).flatten();
            let off = switch && if key == SEARCH { value != "true" } else { !is_true(value) };
            let listed = kind.filter(|keys| key == keys.listed);
            overruled
                .map(Misuse::Overruled)
                .or_else(|| off.then_some(Misuse::NotTrue))
                .or_else(|| mistaken_entry(pod, listed?, value))
        }
    }
}

/// Whether anything orders restarts for configuration of this kind, or of any.
fn orders(pod: &PodView<'_>, kind: Option<&AnnotationKeys>) -> bool {
    ReloaderAnnotations::of(pod).is_some_and(|reloader| match kind {
        Some(keys) => reloader.orders(keys),
        None => KINDS.into_iter().any(|keys| reloader.orders(keys)),
    })
}

/// What is wrong with an entry of a list, if anything is.
fn mistaken_entry(pod: &PodView<'_>, keys: &AnnotationKeys, list: &str) -> Option<Misuse> {
    list.split(',').map(str::trim).take(ENTRIES).find_map(|entry| match Entry::read(entry) {
        Entry::Invalid => Some(Misuse::NoExpression),
        Entry::Pattern(pattern) if entry.contains('*') => {
            let of_kind = |kind| match kind {
                ConfigKind::ConfigMap => keys.listed == CONFIG_MAP.listed,
                ConfigKind::Secret => keys.listed == SECRET.listed,
            };
            let used = || config_sources(pod.spec).filter(|(kind, _)| of_kind(*kind));
            let meant = used().any(|(_, name)| is_meant(entry, name));
            let matched = used().any(|(_, name)| pattern.is_match(name.as_bytes()));
            (meant && !matched).then_some(Misuse::ShellPattern)
        }
        _ => None,
    })
}

/// The most entries of a list that are looked into. More are nobody's list.
const ENTRIES: usize = 16;

/// Whether a shell would match `name` with `entry`, in which one `*` or one at either end stands
/// for any letters.
fn is_meant(entry: &str, name: &str) -> bool {
    match entry.split('*').collect::<Vec<_>>().as_slice() {
        [before, after] => name.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)),
        ["", within, ""] => name.contains(within),
        _ => false,
    }
}

/// The workload's annotation for which the template's `key` counts for nothing. Where it counts for
/// some kind of configuration it is not overruled, and where the workload says the same nothing is
/// lost.
fn overruled(pod: &PodView<'_>, key: &str, value: &str) -> Option<&'static str> {
    if pod.object.annotations.text(key).is_some_and(|own| own == value) {
        return None;
    }
    let reloader = ReloaderAnnotations::of(pod)?;
    let concerned = |keys: &&AnnotationKeys| {
        key == AUTO || key == SEARCH || key == keys.auto || key == keys.listed
    };
    let mut decisive = KINDS.into_iter().filter(concerned).map(|keys| reloader.decisive(keys));
    let first = decisive.next()??;
    decisive.all(|other| other.is_some()).then_some(first)
}

/// The key that was probably meant. The domain that all have in common would make any two alike.
fn meant(key: &str) -> Option<&'static str> {
    let short = |key: &str| key.replacen(DOMAIN, "", 1);
    let ours = known_keys().filter(|known| !WRITTEN_BY_RELOADER.contains(known));
    let known: Vec<(&'static str, String)> = ours.map(|known| (known, short(known))).collect();
    let shorts: Vec<&str> = known.iter().map(|(_, short)| short.as_str()).collect();
    let written = short(key);
    let near = nearest(&written, &shorts)?;
    known.iter().find(|(_, short)| short == near).map(|(known, _)| *known)
}

/// Whether Go's `time.ParseDuration` reads `value` as more than nothing: `5m`, `1h30m`, `1.5h`.
fn is_duration(value: &str) -> bool {
    const UNITS: [&str; 7] = ["ns", "us", "µs", "μs", "ms", "h", "m"];
    let mut rest = value.strip_prefix('+').unwrap_or(value);
    let some = rest.contains(|digit: char| matches!(digit, '1'..='9'));
    while !rest.is_empty() {
        let number = rest
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at_checked(number).unwrap_or((rest, ""));
        let well_formed = number.contains(|letter: char| letter.is_ascii_digit())
            && number.matches('.').count() <= 1;
        let unit = UNITS.into_iter().chain(["s"]).find(|unit| tail.starts_with(unit));
        let Some(unit) = unit.filter(|_| well_formed) else { return false };
        rest = tail.strip_prefix(unit).unwrap_or_default();
    }
    some
}

impl Misuse {
    fn finding(self, pod: &PodView<'_>, owner: AnnotationOwner, key: &str, value: &str) -> Finding {
        let kind = pod.resource.kind();
        let (bearer, pointer) = match owner {
            AnnotationOwner::Object => (kind, pod.object_annotation_pointer(key)),
            AnnotationOwner::Template => ("template", pod.annotation_pointer(key)),
        };
        let message = |names: Names| self.message(names, kind, bearer, key, value);
        Finding::new(RULE.name, pointer, message, self.remedy(kind)).about(bearer.to_owned())
    }

    fn message(self, names: Names, kind: &str, bearer: &str, key: &str, value: &str) -> String {
        let (key, value) = (names.quoted(key), names.quoted(value));
        match self {
            Self::Unknown(Some(near)) => {
                format!("{key} is unknown to Reloader, did you mean {}?", names.quoted(near))
            }
            Self::Unknown(None) => format!("{key} on the {bearer} is unknown to Reloader"),
            Self::KindNotFollowed => format!("{key}: Reloader restarts no {kind}"),
            Self::NotTrue => {
                format!("{key} on the {bearer}: Reloader does not read {value} as true")
            }
            Self::NotOnWorkloads => {
                format!("{key} on the {bearer} is read on ConfigMaps and Secrets only")
            }
            Self::ForRollouts => format!("{key} on the {bearer} is read on Argo Rollouts only"),
            Self::ForDeployments => format!("{key} on the {bearer} is read on Deployments only"),
            Self::NotInTemplates => format!("{key} on the template is never read"),
            Self::Overruled(_) => format!("{key} on the template: only the {kind}'s own count"),
            Self::NoDuration => format!("{key} {value} is no duration, so restarts fail"),
            Self::NoOrder => format!("{key} on the {bearer} alone orders no restart"),
            Self::NoExpression => format!("{key}: {value} is no regular expression"),
            Self::ShellPattern => {
                format!("{key}: {value} is a regular expression and matches nothing here")
            }
        }
    }

    fn remedy(self, kind: &str) -> Cow<'static, str> {
        match self {
            Self::Unknown(Some(near)) => format!("write {near:?}").into(),
            Self::Unknown(None) => {
                "take one of Reloader's keys, such as \"reloader.stakater.com/auto\"".into()
            }
            Self::KindNotFollowed => {
                "annotate the Deployment, StatefulSet, DaemonSet, Job or CronJob that makes it"
                    .into()
            }
            Self::NotTrue => "write \"true\", in quotes".into(),
            Self::NotOnWorkloads => "move it to the ConfigMap or Secret".into(),
            Self::ForRollouts | Self::ForDeployments => "remove it: it does nothing here".into(),
            Self::NotInTemplates => format!("move it to the metadata of the {kind}").into(),
            Self::Overruled(by) => {
                format!("move it to the metadata of the {kind}, where {by:?} decides").into()
            }
            Self::NoDuration => "write a number with its unit, such as \"5m\"".into(),
            Self::NoOrder => {
                format!("add {AUTO}: \"true\" to the metadata of the {kind}, or a list").into()
            }
            Self::NoExpression => "write the names, parted by commas".into(),
            Self::ShellPattern => "write \".*\" for any letters".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_were_meant() {
        assert_eq!(meant("reloader.stakater.com/atuo"), Some(AUTO));
        assert_eq!(
            meant("configmaps.reloader.stakater.com/reload"),
            Some("configmap.reloader.stakater.com/reload")
        );
        assert_eq!(
            meant("secret.exclude.reloader.stakater.com/reload"),
            Some("secrets.exclude.reloader.stakater.com/reload")
        );
        assert_eq!(meant("deployment.reloader.stakater.com/pause"), None);
        assert_eq!(
            meant("reloader.stakater.com/owner"),
            None,
            "the domain makes no two keys alike"
        );
    }

    #[test]
    fn durations_as_go_reads_them() {
        for good in ["5m", "1h30m", "1.5h", ".5s", "300ms", "+2m", "1m0s"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["", "5", "m", "5 m", "5min", "-5m", "1d", "0", "0s", "1.2.3s", ".s", "5m3"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }
}
