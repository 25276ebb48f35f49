//! ConfigMaps and Secrets: what reaches which process depends on how each container uses them.

mod usage;

use crate::explain::difference::Difference;
use crate::explain::effect::{Consequence, Effect};
use crate::manifest::decode::Malformed;
use crate::manifest::unstructured::Unstructured;

use super::{Pair, Users};
use usage::{Usage, Way};

/// What comes of a difference of a ConfigMap or Secret, for each container that uses it.
pub(super) fn consequences(
    pair: Pair<'_>,
    difference: &Difference<'_>,
    users: &Users<'_>,
) -> Vec<Consequence> {
    let words = difference.path.words();
    let key = match words.as_slice() {
        ["data" | "binaryData", key, ..] => *key,
        ["immutable"] => return vec![immutable(pair)],
        ["type"] => {
            return vec![Consequence::refused(
                "the type of a Secret cannot change (422)",
                "delete it and create another",
            )];
        }
        _ => {
            return vec![Consequence::unknown(format!(
                "no such field of a {} is known",
                pair.new.kind
            ))];
        }
    };
    if pair.old.is_true("/immutable") {
        let remedy = format!(
            "create a {} with another name, and refer to that in the template: a rollout",
            pair.new.kind
        );
        return vec![Consequence::refused("it is immutable (422)", remedy)];
    }
    let mut consequences: Vec<Consequence> = Vec::new();
    for user in &users.all {
        let is_rolled = users.rolled.iter().any(|rolled| rolled.is_same_object(user));
        let usages = match usage::of(user, pair.new, Some(key)) {
            Ok(usages) => usages,
            Err(fault) => {
                consequences.push(unreadable(user, &fault));
                continue;
            }
        };
        for usage in usages {
            let consequence = reaches(user, &usage, difference.to.is_none());
            let consequence = if is_rolled { rolled(user, consequence) } else { consequence };
            consequences.push(Consequence { container: Some(usage.container), ..consequence });
        }
    }
    if consequences.is_empty() {
        let why = "nothing among the given objects uses this key: whether anything else does is not known";
        consequences.push(Consequence::unknown(why));
    }
    consequences
}

/// Nobody can tell whether `user` uses it.
fn unreadable(user: &Unstructured, fault: &Malformed) -> Consequence {
    let why = format!("whether {user} uses it is not known: {}", fault.message);
    Consequence::new(Effect::Unknown, "not known", why, "correct this field first")
}

/// What comes of deleting one.
pub(super) fn deleted(object: &Unstructured, users: &[&Unstructured], prune: &str) -> Consequence {
    let (mut named, mut unread) = (Vec::new(), String::new());
    for user in users {
        match usage::of(user, object, None) {
            Ok(usages) if usages.is_empty() => {}
            Ok(_) => named.push(user.to_string()),
            Err(fault) => {
                unread.push_str(&format!("; whether {user} does is not known: {}", fault.message))
            }
        }
    }
    let who = if named.is_empty() {
        format!("nothing among the given objects uses it{unread}")
    } else {
        format!("used by {}{unread}", named.join(", "))
    };
    let why = format!(
        "{who}: running processes keep what they have; a container that starts later fails without it, unless the reference is optional \
         ({prune})"
    );
    Consequence::new(
        Effect::NextStart,
        "kubelet",
        why,
        "take the references out of the templates first",
    )
}

fn immutable(pair: Pair<'_>) -> Consequence {
    if pair.old.is_true("/immutable") {
        return Consequence::refused(
            "what is immutable stays so (422)",
            "delete it and create another, with another name at best",
        );
    }
    Consequence::nothing(
        "kubelet",
        "from now on nothing of it can change, and kubelets stop watching it; processes keep what they have",
    )
}

/// What one use of it does with a changed key.
fn reaches(user: &Unstructured, usage: &Usage, is_gone: bool) -> Consequence {
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
        return Consequence::new(Effect::PodRecreation, "Reloader", why, "");
    }
    match usage.way {
        Way::Environment => {
            let why = format!(
                "{user} takes it as environment variables, which are fixed when a container starts: it keeps the old values until any \
                 restart, whatever the reason{gone}"
            );
            Consequence::new(Effect::NextStart, "nobody", why, again)
        }
        Way::Volume => {
            let why = format!(
                "{user} mounts it as files: they change under the process in about 60 to 90 s, all at once, and the process has to notice \
                 (a watch on the file itself sees nothing or dies, one on the directory works){gone}"
            );
            Consequence::new(
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
            Consequence::new(Effect::NextStart, "nobody", why, again)
        }
        Way::Init => {
            let why = format!(
                "an init container of {user} uses it, which does not run again until the pod is made anew{gone}"
            );
            Consequence::new(Effect::NextStart, "nobody", why, again)
        }
    }
}

/// A rollout in the same change brings it.
fn rolled(user: &Unstructured, consequence: Consequence) -> Consequence {
    let why = format!(
        "{}; {user} rolls out in the same change, and every pod made after this object changed has it",
        consequence.why
    );
    Consequence {
        why,
        remedy: "apply this object first, the workload after it".to_owned(),
        ..consequence
    }
}

/// How the workload is restarted.
fn restart(user: &Unstructured) -> String {
    match user.kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" => {
            format!("kubectl rollout restart {} -n {}", user.target(), user.namespace)
        }
        "CronJob" | "Job" => "the next run has it".to_owned(),
        _ => "have the container or pod restarted".to_owned(),
    }
}
