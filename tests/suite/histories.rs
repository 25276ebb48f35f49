//! `restraint explain pod` on pods and events that were recorded on a real kubelet. Each answer is
//! golden, as text and as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::explaining::run;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories")
}

/// The names of the situations.
fn situations() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".pod.json").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// What is said of a situation.
fn told(name: &str, flags: &[&str]) -> String {
    let path = |part: &str| folder().join(format!("{name}.{part}.json")).display().to_string();
    let (pod, events) = (path("pod"), path("events"));
    let arguments = [&["explain", "pod", "--file", &pod, "--file", &events], flags].concat();
    let (code, text, error) = run(&arguments, "");
    assert_eq!((code, error.as_str()), (0, ""), "{name}");
    text
}

#[test]
fn what_is_said_of_every_recorded_situation_is_golden() {
    let names = situations();
    assert!(names.len() >= 48, "{}", names.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in names {
            insta::assert_snapshot!(format!("history/{name}"), told(&name, &[]));
            let json: Value = serde_json::from_str(&told(&name, &["--output", "json"])).unwrap();
            insta::assert_json_snapshot!(format!("history/{name}-json"), json);
        }
    });
}

/// Commands name pod, container and namespace, and stand in one line.
#[test]
fn commands_work_as_they_are_printed() {
    let mut commands = 0;
    for name in situations() {
        let json: Value = serde_json::from_str(&told(&name, &["--output", "json"])).unwrap();
        let pod = json["pod"].as_str().unwrap();
        let text = told(&name, &[]);
        for command in text.split('`').skip(1).step_by(2).filter(|one| one.starts_with("kubectl "))
        {
            if command == "kubectl rollout restart" {
                continue;
            }
            assert!(!command.contains(['\n', '<', '…']), "{name}: {command}");
            assert!(command.contains(" -n shop"), "{name}: {command}");
            assert!(
                command.contains(pod) || command.contains(" rollout undo "),
                "{name}: {command}"
            );
            if command.starts_with("kubectl logs") {
                assert!(command.contains(" -c "), "{name}: {command}");
            }
            commands += 1;
        }
    }
    assert!(commands > 10, "{commands}");
}

#[test]
fn ages_are_those_of_the_time_that_is_given() {
    let text = told("oomkilled-once", &["--now", "2026-11-30T04:34:56Z"]);
    assert!(text.contains("at 2026-11-30T02:34:56Z (2 h ago)"), "{text}");
    // the pod is long overdue by then
    let text = told("terminating", &["--now", "2026-11-30T04:00:00Z"]);
    assert!(text.contains("that time is over"), "{text}");
    assert!(
        text.contains("`kubectl delete pod profile -n shop --grace-period=0 --force`"),
        "{text}"
    );
}
