//! A script that needs `inotifywait` in an image that does not have it.
//!
//! **Why it matters.** Plain busybox and alpine images carry no inotify-tools. The shell says `not
//! found`, the loop around it goes on or ends, and nothing is ever reloaded.
//!
//! **What it looks at.** `inotifywait` in `command`, `args`, probes and lifecycle hooks of regular
//! containers and sidecars whose image is Docker's own `busybox` or `alpine`, from Docker Hub or a
//! mirror's `library`. Scripts in ConfigMaps are read where those are known.
//!
//! **What it allows.** Images of that name from other registries, which may carry anything; scripts
//! that install it (`apk add inotify-tools`), look for it first (`command -v inotifywait`), run
//! files that nobody knows, or change the `PATH`; volumes mounted where programs are.
//!
//! **How to fix it.** Use an image with inotify-tools, or busybox's own `inotifyd` on the
//! mounted directory.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::image::Image;
use crate::kube::object::Placed;
use crate::rules::inline::{InlineScript, all_scripts, below, mentions, remedy};
use crate::shell::{Command, SHELLS, Script, Word};

pub(crate) const RULE: Rule = Rule::new::<MissingWatchTool>(
    "missing-watch-tool",
    include_str!("../../../policies/missing-watch-tool.yaml"),
)
.linux_only();

#[derive(Debug, Default)]
struct MissingWatchTool;

const TOOL: &str = "inotifywait";

/// Where programs are.
const FOLDERS: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What may bring a program along, or looks whether it is there.
const BRINGS: [&str; 20] = [
    "apk", "apt", "apt-get", "opkg", "dpkg", "pip", "pip3", "npm", "make", "tar", "unzip", "chmod",
    "chroot", "nsenter", "eval", "alias", "command", "which", "type", "hash",
];

/// What brings one along if it puts it where programs are.
const PLACES: [&str; 4] = ["cp", "mv", "ln", "install"];

impl Check for MissingWatchTool {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.app_containers() {
            let container = placed.container;
            let plain =
                matches!(Image::parse(&container.image).official(), Some("busybox" | "alpine"));
            if !plain || !mentions(pod, container, &[TOOL]) || has_other_programs(pod, container) {
                continue;
            }
            let scripts: Vec<InlineScript> = all_scripts(pod, container, &[""]).collect();
            // one that is not understood may do anything
            if scripts.len() != container.texts().count()
                || scripts.iter().any(|inline| brings_programs(&inline.script))
            {
                continue;
            }
            let needed = scripts.iter().find_map(|inline| {
                Some((inline, inline.script.commands.iter().find(|command| needs(command))?))
            });
            if let Some((inline, command)) = needed {
                findings.report(finding(pod, &placed, inline.field, command.file.as_deref()));
            }
        }
    }
}

fn has_other_programs(pod: &PodView<'_>, container: &Container<'_>) -> bool {
    let covers = |mount: &str| {
        FOLDERS
            .iter()
            .any(|folder| below(mount, folder).is_some() || below(folder, mount).is_some())
    };
    container.env.iter().any(|variable| &*variable.name == "PATH")
        || container
            .volume_mounts
            .iter()
            .any(|mount| covers(mount.mount_path.trim_end_matches('/')))
        || mentions(pod, container, &["PATH="])
}

fn brings_programs(script: &Script) -> bool {
    script.commands.iter().any(|command| {
        let Some(path) = command.words.first().and_then(Word::known) else { return true };
        let Some(program) = command.program() else { return true };
        // a shell that is left over runs a file, or what comes through a pipe
        let elsewhere = path.contains('/') && !is_placed(path);
        let arguments = command.arguments();
        let placed = || {
            arguments.iter().filter_map(Word::known).any(is_placed)
                || arguments.last().is_some_and(|to| to.known().is_none())
        };
        elsewhere
            || matches!(program, "." | "source")
            || BRINGS.contains(&program)
            || SHELLS.contains(&program)
            || (PLACES.contains(&program) && placed())
    })
}

fn is_placed(path: &str) -> bool {
    FOLDERS.iter().any(|folder| below(folder, path).is_some())
}

fn needs(command: &Command) -> bool {
    command.program() == Some(TOOL)
}

fn finding(pod: &PodView<'_>, placed: &Placed<'_, '_>, field: &str, file: Option<&str>) -> Finding {
    let (name, image) = (&placed.container.name, &placed.container.image);
    let message = |names: Names| {
        format!("container {}: image {} has no {TOOL}", names.quoted(name), names.quoted(image))
    };
    let remedy = remedy(
        pod,
        placed.container,
        file,
        "use an image with inotify-tools, or busybox's `inotifyd` on the mounted directory",
    );
    Finding::new(RULE.name, pod.container_pointer(placed, field), message, remedy)
        .in_container(name)
}
