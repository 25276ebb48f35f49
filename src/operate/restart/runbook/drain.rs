//! How a pod ends, and how it is known to be back.

use k8s_openapi::api::core::v1::{Container, LifecycleHandler, Pod};

use super::Light;

/// What a pod has that says nothing of it, in seconds.
const DEFAULT_GRACE: i64 = 30;

/// Whether anything tells when it is ready.
pub(super) fn readiness(pod: &Pod, containers: &[String]) -> (Light, String) {
    let probed: Vec<_> = of(pod, containers)
        .filter(|container| container.readiness_probe.is_some())
        .map(|container| format!("{:?}", container.name))
        .collect();
    if probed.is_empty() {
        let why = "no container that restarts has a readiness probe: ready says only that it runs";
        return (Light::Red, why.to_owned());
    }
    (Light::Green, format!("readiness probe of {}", probed.join(", ")))
}

/// Whether its processes have time to end, after preStop.
pub(super) fn time(pod: &Pod, containers: &[String], needed: u64) -> (Light, String) {
    let spec = pod.spec.as_ref();
    let grace = spec.and_then(|spec| spec.termination_grace_period_seconds);
    let grace = u64::try_from(grace.unwrap_or(DEFAULT_GRACE)).unwrap_or_default();
    let (mut longest, mut is_open) = (0, None);
    for container in of(pod, containers) {
        let hook = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
        match hook.map(seconds) {
            Some(Some(seconds)) => longest = seconds.max(longest),
            Some(None) => is_open = Some(&container.name),
            None => {}
        }
    }
    let left = grace.saturating_sub(longest);
    let hooks =
        if longest > 0 { format!(", of which preStop takes {longest} s") } else { String::new() };
    let found = format!("{grace} s until it is killed{hooks}");
    if left < needed {
        let why = format!("{found}: {left} s are left to end, and --drain asks for {needed} s");
        return (Light::Red, why);
    }
    match is_open {
        Some(name) => {
            (Light::Green, format!("{found}; how long preStop of {name:?} takes is not known"))
        }
        None => (Light::Green, found),
    }
}

/// The containers of these names.
fn of<'p>(pod: &'p Pod, names: &'p [String]) -> impl Iterator<Item = &'p Container> {
    let spec = pod.spec.iter();
    let all = spec.flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
    all.filter(|container| names.contains(&container.name))
}

/// How long a hook takes, where it says so: `sleep 5` in whatever form.
fn seconds(hook: &LifecycleHandler) -> Option<u64> {
    if let Some(sleep) = &hook.sleep {
        return u64::try_from(sleep.seconds).ok();
    }
    let command = hook.exec.as_ref()?.command.as_ref()?.join(" ");
    let mut words = command.split(|one: char| one.is_whitespace() || ";&|".contains(one));
    words.find(|word| *word == "sleep" || word.ends_with("/sleep"))?;
    words.find(|word| !word.is_empty())?.trim_end_matches('s').parse().ok()
}
