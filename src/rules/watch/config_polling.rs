//! A loop that polls mounted configuration.
//!
//! **Why it matters.** It works, but what it polls changes up to 90 seconds after the source,
//! whatever the loop's interval is; until then it only costs. A watch on the mounted directory
//! notices just as early.
//!
//! **What it looks at.** Checksums, comparisons, `stat -L`, `readlink` and `cat` in loops of
//! `command`, `args` and lifecycle hooks of regular containers and sidecars, on a whole mount of a
//! ConfigMap, Secret or projected volume. One finding for each script. Scripts in ConfigMaps are
//! read where those are known.
//!
//! **What it allows.** Looking once; a `cat` in a loop that may end, which waits for something
//! else; service-account tokens, which are renewed long before they end; the downward API, where a
//! change comes at once; configuration that never changes under its name; a script that has a real
//! watcher, too. `stat` without `-L` on a file sees nothing at all and is the rule
//! `stale-file-follow`'s.
//!
//! **How to fix it.** Watch the mounted directory: `inotifywait -m -e create,moved_to DIR`,
//! or keep the delay in mind.

use std::collections::BTreeSet;

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::object::Placed;
use crate::kube::volume::VolumeSource;
use crate::rules::inline::{
    PathTarget, hook_scripts, known_watches, main_script, path_target, remedy,
};
use crate::rules::trigger::never_changes;
use crate::shell::Script;
use crate::watch::{Delivery, Tool, Watch, verdict};

pub(crate) const RULE: Rule = Rule::new::<ConfigPolling>(
    "config-polling",
    include_str!("../../../policies/config-polling.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct ConfigPolling;

/// A loop that polls is spelled with one of these, and with one of [`PROGRAMS`].
const LOOPS: [&str; 3] = ["while", "until", "for"];

const PROGRAMS: [&str; 8] =
    ["sum", "openssl", "cmp", "diff", "stat", "cat", "readlink", "realpath"];

impl Check for ConfigPolling {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            let container = placed.container;
            if container.volume_mounts.is_empty() || !looks_looped(pod, container) {
                continue;
            }
            for inline in main_script(pod, container, &PROGRAMS)
                .into_iter()
                .chain(hook_scripts(pod, container, &PROGRAMS))
            {
                let watches = known_watches(&inline.script);
                if watches.iter().any(|watch| !watch.tool.polls()) {
                    continue;
                }
                let endless = watches.iter().filter(|watch| is_endless(&inline.script, watch));
                let mut polled = endless
                    .filter_map(|watch| Some((polled(pod, container, watch)?, watch.command)));
                if let Some((path, command)) = polled.next() {
                    let file = inline.script.file(command);
                    let others: BTreeSet<&str> =
                        polled.map(|(other, _)| other).filter(|other| *other != path).collect();
                    findings.report(finding(
                        pod,
                        &placed,
                        inline.field,
                        path,
                        &others,
                        file.as_deref(),
                    ));
                }
            }
        }
    }
}

/// Whether there may be a loop at all. What a script in a ConfigMap does cannot be told so cheaply.
fn looks_looped(pod: &PodView<'_>, container: &Container<'_>) -> bool {
    let hooks =
        [&container.lifecycle.post_start, &container.lifecycle.pre_stop].into_iter().flatten();
    let hooks = hooks.flat_map(|hook| &hook.exec.command);
    let mut texts = container.command.iter().chain(&container.args).chain(hooks);
    pod.knows_configuration() || texts.any(|text| LOOPS.iter().any(|word| text.contains(word)))
}

/// Whether a loop looks again and again. One with `cat` may wait for something to appear, unless it
/// never ends.
fn is_endless(script: &Script, watch: &Watch) -> bool {
    let Some(command) = script.commands.get(watch.command) else { return false };
    let endless = script
        .loops_around(command)
        .any(|around| around.endless || (around.sleeps && !around.leaves));
    endless || (watch.repeated && !watch.timed && watch.tool != Tool::Cat)
}

/// The configuration that is looked at, if it can change and the look shows it.
fn polled<'w>(pod: &PodView<'_>, container: &Container<'_>, watch: &'w Watch) -> Option<&'w str> {
    watch.paths().find(|path| match path_target(pod, container, path) {
        PathTarget::Configuration(VolumeSource::Token | VolumeSource::DownwardApi, _)
        | PathTarget::KubeletLink(VolumeSource::Token | VolumeSource::DownwardApi) => false,
        PathTarget::Configuration(source, kind) => {
            verdict(watch, kind) == Delivery::Always && !never_changes(pod, source)
        }
        PathTarget::KubeletLink(source) => !never_changes(pod, source),
        _ => false,
    })
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    field: &str,
    path: &str,
    others: &BTreeSet<&str>,
    file: Option<&str>,
) -> Finding {
    let name = &placed.container.name;
    let more =
        if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
    let message = |names: Names| {
        let (name, path) = (names.quoted(name), names.quoted(path));
        format!("container {name}: a loop polls {path}{more}, which changes up to 90 s late")
    };
    let remedy = remedy(
        pod,
        placed.container,
        file,
        "watch the mounted directory with `inotifywait -m -e create,moved_to DIR`",
    );
    let finding = Finding::new(RULE.name, pod.container_pointer(placed, field), message, remedy)
        .in_container(name);
    // the message names one of them: another set is another finding
    finding.about(others.iter().copied().collect::<Vec<_>>().join(", "))
}
