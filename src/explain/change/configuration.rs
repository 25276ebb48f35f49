//! ConfigMaps and Secrets: what reaches which process depends on how each container uses them.

mod usage;

use crate::explain::difference::Difference;
use crate::explain::effect::{Effect, Outcome};
use crate::manifest::object::Document;

use super::{Pair, Told, Users};
use usage::{Usage, Way};

/// What comes of a difference of a ConfigMap or Secret, for each container that uses it.
pub(super) fn outcomes(
    pair: Pair<'_>,
    difference: &Difference<'_>,
    users: &Users<'_>,
) -> Vec<Told> {
    let words = difference.path.words();
    let key = match words.as_slice() {
        ["data" | "binaryData", key, ..] => *key,
        ["immutable"] => return vec![immutable(pair).into()],
        ["type"] => {
            return vec![
                Outcome::refused(
                    "the type of a Secret cannot change (422)",
                    "delete it and create another",
                )
                .into(),
            ];
        }
        _ => {
            return vec![
                Outcome::unknown(format!("no such field of a {} is known", pair.new.kind)).into(),
            ];
        }
    };
    if pair.old.is_true("/immutable") {
        let remedy = format!(
            "create a {} with another name, and refer to that in the template: a rollout",
            pair.new.kind
        );
        return vec![Outcome::refused("it is immutable (422)", remedy).into()];
    }
    let mut told: Vec<Told> = Vec::new();
    for user in &users.all {
        let is_rolled = users.rolled.iter().any(|rolled| rolled.is_same_object(user));
        for usage in usage::of(user, pair.new, Some(key)) {
            let outcome = reaches(user, &usage, difference.to.is_none());
            let outcome = if is_rolled { rolled(user, outcome) } else { outcome };
            told.push(Told { container: Some(usage.container), outcome });
        }
    }
    if told.is_empty() {
        let why = "nothing among the given objects uses this key: whether anything else does is not known";
        told.push(Outcome::unknown(why).into());
    }
    told
}

/// What comes of deleting one.
pub(super) fn deleted(document: &Document, users: &[&Document], prune: &str) -> Outcome {
    let named: Vec<_> = users
        .iter()
        .filter(|user| !usage::of(user, document, None).is_empty())
        .map(ToString::to_string)
        .collect();
    let who = if named.is_empty() {
        "nothing among the given objects uses it".to_owned()
    } else {
        format!("used by {}", named.join(", "))
    };
    let why = format!(
        "{who}: running processes keep what they have; a container that starts later fails without it, unless the reference is optional \
         ({prune})"
    );
    Outcome::new(
        Effect::NextStart,
        "kubelet",
        why,
        "take the references out of the templates first",
    )
}

fn immutable(pair: Pair<'_>) -> Outcome {
    if pair.old.is_true("/immutable") {
        return Outcome::refused(
            "what is immutable stays so (422)",
            "delete it and create another, with another name at best",
        );
    }
    Outcome::nothing(
        "kubelet",
        "from now on nothing of it can change, and kubelets stop watching it; processes keep what they have",
    )
}

/// What one use of it does with a changed key.
fn reaches(user: &Document, usage: &Usage, is_gone: bool) -> Outcome {
    let gone = if is_gone {
        "; the key is gone: without `optional` a container that starts later fails"
    } else {
        ""
    };
    let again = restart(user);
    if usage.is_reloaded {
        let why = format!(
            "{user} {}: Reloader, where it runs, rolls the workload when the content changes{gone}",
            usage.way.words()
        );
        return Outcome::new(Effect::PodRecreation, "Reloader", why, "");
    }
    match usage.way {
        Way::Environment => {
            let why = format!(
                "{user} takes it as environment variables, which are fixed when a container starts: it keeps the old values until any \
                 restart, whatever the reason{gone}"
            );
            Outcome::new(Effect::NextStart, "nobody", why, again)
        }
        Way::Volume => {
            let why = format!(
                "{user} mounts it as files: they change under the process in about 60 to 90 s, all at once, and the process has to notice \
                 (a watch on the file itself sees nothing or dies, one on the directory works){gone}"
            );
            Outcome::new(
                Effect::ReRead,
                "kubelet, then the application",
                why,
                format!("if the application reads it only at start: {again}"),
            )
        }
        Way::SubPath => {
            let why = format!(
                "{user} mounts it by subPath: such a file never changes until the container starts again{gone}"
            );
            Outcome::new(Effect::NextStart, "nobody", why, again)
        }
        Way::Init => {
            let why = format!(
                "an init container of {user} uses it, which does not run again until the pod is made anew{gone}"
            );
            Outcome::new(Effect::NextStart, "nobody", why, again)
        }
    }
}

/// A rollout in the same change brings it.
fn rolled(user: &Document, outcome: Outcome) -> Outcome {
    let why = format!(
        "{}; {user} rolls out in the same change, and every pod made after this object changed has it",
        outcome.why
    );
    Outcome { why, remedy: "apply this object first, the workload after it".to_owned(), ..outcome }
}

/// How the workload is restarted.
fn restart(user: &Document) -> String {
    match user.kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" => {
            format!("kubectl rollout restart {} -n {}", user.target(), user.namespace)
        }
        "CronJob" | "Job" => "the next run has it".to_owned(),
        _ => "have the container or pod restarted".to_owned(),
    }
}
