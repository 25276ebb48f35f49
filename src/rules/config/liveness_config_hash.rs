//! A liveness probe that fails when mounted configuration changes.
//!
//! **Why it matters.** The kubelet updates the file in every replica within the same minute or two.
//! A probe that compares it with what was there before then fails everywhere, and all replicas
//! restart at once, without a rollout to stop.
//!
//! **What it looks at.** Checksums and comparisons (`md5sum`, `cmp`, `diff`, `readlink ..data`) in
//! the liveness probes of regular containers and sidecars, on a whole mount of a ConfigMap, Secret,
//! projected or downward API volume, where something compares the result. Scripts in ConfigMaps are
//! read where those are known.
//!
//! **What it allows.** Startup and readiness probes; probes that only read, search or test a file;
//! a checksum that nothing is compared with; configuration that never changes under its name.
//!
//! **How to fix it.** Roll the workload when the source changes: a checksum of it on the
//! template, or Reloader.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::object::Placed;
use crate::rules::inline::{
    InlineScript, PathTarget, known_watches, liveness_script, path_target, remedy,
};
use crate::rules::trigger::never_changes;
use crate::shell::{Command, PipeReader, Script, Word};
use crate::watch::{Tool, Watch};

pub(crate) const RULE: Rule = Rule::new::<LivenessConfigHash>(
    "liveness-config-hash",
    include_str!("../../../policies/liveness-config-hash.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct LivenessConfigHash;

/// Any program this rule looks at is spelled with one of these.
const WORDS: [&str; 6] = ["sum", "openssl", "cmp", "diff", "readlink", "realpath"];

/// What compares, given the result of something.
const COMPARES: [&str; 4] = ["cmp", "diff", "grep", "egrep"];

/// What compares where one of [`OPERATORS`] stands in it, and else looks whether there is a result
/// at all.
const TESTS: [&str; 4] = ["test", "[", "[[", "expr"];

const OPERATORS: [&str; 5] = ["=", "==", "!=", "-eq", "-ne"];

impl Check for LivenessConfigHash {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            let Some(inline) = liveness_script(pod, placed.container, &WORDS) else { continue };
            let watches = known_watches(&inline.script);
            let compares = inline.script.commands.iter().any(compares);
            let compared = |watch| compared(pod, placed.container, &inline.script, watch, compares);
            let found = watches.iter().find_map(|watch| Some((compared(watch)?, watch)));
            if let Some((path, watch)) = found {
                findings.report(finding(pod, &placed, &inline, path, watch));
            }
        }
    }
}

/// Whether a command compares something.
fn compares(command: &Command) -> bool {
    let equals =
        || command.arguments().iter().filter_map(Word::known).any(|word| OPERATORS.contains(&word));
    command
        .program()
        .is_some_and(|name| COMPARES.contains(&name) || (TESTS.contains(&name) && equals()))
}

/// The configuration that is compared with something else. `compares`: whether any command of the
/// script does so.
fn compared<'w>(
    pod: &PodView<'_>,
    container: &Container<'_>,
    script: &Script,
    watch: &'w Watch,
    compares: bool,
) -> Option<&'w str> {
    let command = script.commands.get(watch.command)?;
    let changes = |path: &&str| match path_target(pod, container, path) {
        PathTarget::Configuration(source, _) | PathTarget::KubeletLink(source) => {
            !never_changes(pod, source)
        }
        _ => false,
    };
    match watch.tool {
        // two that change together tell nothing
        Tool::Compare if watch.paths().any(|path| !changes(&path)) || takes_input(command) => {
            watch.paths().find(changes)
        }
        Tool::Checksum if is_used(command, compares) => watch.paths().find(changes),
        Tool::Readlink if is_used(command, compares) => watch
            .paths()
            .filter(|path| matches!(path_target(pod, container, path), PathTarget::KubeletLink(_)))
            .find(changes),
        _ => None,
    }
}

/// Whether one side of the comparison comes through a pipe.
fn takes_input(command: &Command) -> bool {
    command.arguments().iter().any(|word| word.known() == Some("-"))
}

/// Whether the output of a command is compared with something.
fn is_used(command: &Command, compares: bool) -> bool {
    let written = |target: &Word| target.known().is_some_and(|path| !path.starts_with("/dev/"));
    let kept = command
        .redirections
        .iter()
        .any(|one| matches!(one.operator.as_str(), ">" | ">>" | "1>") && written(&one.target));
    match &command.context.reader {
        Some(PipeReader::Program(name))
            if COMPARES.contains(&name.as_str()) || name.ends_with("sum") =>
        {
            true
        }
        _ => (command.context.captured || kept) && compares,
    }
}

fn finding(
    pod: &PodView<'_>,
    placed: &Placed<'_, '_>,
    inline: &InlineScript,
    path: &str,
    watch: &Watch,
) -> Finding {
    let name = &placed.container.name;
    let message = |names: Names| {
        let (name, path) = (names.quoted(name), names.quoted(path));
        format!("container {name}: a change of {path} fails the livenessProbe of all replicas")
    };
    let file = inline.script.file(watch.command);
    let advice = "roll the workload instead: put a checksum of the source on the template, or let Reloader do it";
    let remedy = remedy(pod, placed.container, file.as_deref(), advice);
    Finding::new(RULE.name, pod.container_pointer(placed, inline.field), message, remedy)
        .in_container(name)
}
