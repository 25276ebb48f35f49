//! The commands that Restraint prints are kubectl's.

use libtest_mimic::Trial;
use serde_json::json;

use crate::deadline::eventually;
use crate::pods::pod;
use crate::printed::{filled, printed};
use crate::space::Space;
use crate::world::enforcing;

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("commands: kubectl knows each that is printed, with its options", known),
        trial("commands: each that is printed whole does what it says", given),
    ]
}

/// Named in prose, where the rest is the reader's: nothing is asked of the API server.
fn known() {
    let space = enforcing().space();
    let mut commands = printed("kubectl");
    // the plugin is Restraint itself
    commands.retain(|command| !command.starts_with("kubectl restraint"));
    assert!(commands.len() >= 15, "{commands:?}");
    for command in commands {
        let line = filled(&command, |gap| gap_filled(&space, gap));
        let verb = line.split(' ').nth(1).unwrap();
        let help = space.kubectl().paste(&format!("{line} --help")).accepted().printed();
        assert!(help.contains(&format!("\n  kubectl {verb} ")), "{command}: {help}");
    }
}

/// What is printed with a gap for each thing that the reader knows.
fn given() {
    let space = enforcing().space();
    for name in ["db-0", "db-0-0"] {
        space.create(&pod(name)).accepted();
    }
    let labels = json!({"app": "web"});
    let template = json!({"metadata": {"labels": labels}, "spec": pod("web")["spec"]});
    let spec = json!({"paused": true, "selector": {"matchLabels": labels}, "template": template});
    let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec});
    space.create(&web).accepted();
    let whole = |command: &String| command.contains('{') || command.contains("NAME");
    // what is paused goes on before it restarts
    let mut commands: Vec<_> = printed("kubectl").into_iter().filter(whole).collect();
    commands.sort_by_key(|command| !command.contains("resume"));
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands {
        let line = filled(&command, |gap| gap_filled(&space, gap));
        let tried = if line.starts_with("kubectl rollout ") { "" } else { " --dry-run=server" };
        let outcome = || space.kubectl().paste(&format!("{line}{tried}"));
        if line.contains(" restart ") {
            // which kubectl refuses within a second of another one
            eventually(&line, || outcome().succeeded().then_some(()));
        } else {
            outcome().accepted();
        }
    }
}

fn gap_filled(space: &Space<'_>, gap: &str) -> String {
    let filled = match gap {
        "namespace" | "NAMESPACE" | "NAME" => space.name(),
        "name" | "pod" => "db-0",
        "container" => "app",
        "image" => "registry.k8s.io/pause:3.11",
        "target" => "deployment/web",
        "GROUP" => "sre",
        "key" => "restraint",
        "value" => "enabled",
        "GRANT_ANNOTATION" => "restraint.dev/approve",
        "quote" => "'",
        "floors" => "app=300Mi",
        "option" => "; force",
        "patch" => {
            r#"{"spec":{"containers":[{"name":"app","resources":{"limits":{"cpu":"400m"}}}]}}"#
        }
        _ => panic!("what is {gap}?"),
    };
    filled.to_owned()
}
