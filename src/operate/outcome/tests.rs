//! Every recorded history of a real kubelet, as what a watch shows after a resize.

use std::fs;
use std::path::Path;

use super::*;

/// What is taken for known of the time before: how many more times containers ended since, which of
/// them the resize restarts, and whether the pod was ready.
struct Case {
    history: &'static str,
    since: &'static [(&'static str, u64)],
    restarting: &'static [&'static str],
    was_ready: bool,
    state: State,
}

const fn quiet(history: &'static str, state: State) -> Case {
    Case { history, since: &[], restarting: &[], was_ready: true, state }
}

const fn restarted(history: &'static str) -> Case {
    let restarting = &["app"];
    Case { history, since: &[("app", 1)], restarting, was_ready: true, state: State::Restarted }
}

const fn ended(history: &'static str, times: &'static [(&'static str, u64)], state: State) -> Case {
    Case { history, since: times, restarting: &[], was_ready: true, state }
}

const fn broken(history: &'static str, state: State) -> Case {
    Case { history, since: &[], restarting: &[], was_ready: false, state }
}

const CASES: &[Case] = &[
    quiet("completed-pod", State::Ended),
    broken("config-missing", State::AtStart),
    quiet("cpu-resize-done", State::Done),
    restarted("cpu-resize-restart"),
    ended("crash-loop", &[("app", 3)], State::Crashed),
    // it was in that loop before: what was asked for is in force, whatever it helps
    broken("crash-loop", State::Done),
    quiet("deadline-exceeded", State::Ended),
    quiet("deferred", State::Deferred),
    quiet("deferred-not-required", State::Deferred),
    quiet("deferred-then-done", State::Done),
    quiet("deferred-then-reverted", State::Done),
    quiet("evicted-node-pressure", State::Ended),
    quiet("failed-pod", State::Ended),
    ended("image-changed-live", &[("app", 1)], State::Overtaken),
    ended("image-changed-live-unpullable", &[("app", 1)], State::Overtaken),
    broken("image-pull-backoff", State::AtStart),
    quiet("infeasible", State::Infeasible),
    quiet("init-completed", State::Done),
    quiet("init-resized-after-end", State::Done),
    Case {
        history: "init-resized-after-end",
        since: &[("proxy", 1)],
        restarting: &["proxy"],
        was_ready: true,
        state: State::Restarted,
    },
    quiet("jvm-heap-above-limit-live", State::Done),
    restarted("jvm-heap-above-limit-restart"),
    ended("killed-from-node", &[("app", 1)], State::Crashed),
    ended("liveness-restart", &[("app", 2)], State::Crashed),
    ended("liveness-restart-killed", &[("app", 1)], State::Crashed),
    restarted("memory-decrease-approved"),
    restarted("memory-request-resize-restart"),
    quiet("memory-resize-live", State::Done),
    restarted("memory-resize-restart"),
    // the kubelet says that it is done, and the restart is still to come
    Case {
        history: "memory-resize-restart",
        since: &[],
        restarting: &["app"],
        was_ready: true,
        state: State::InProgress,
    },
    quiet("node-not-ready", State::NotReady),
    ended("node-rebooted", &[("app", 1)], State::Crashed),
    ended("oomkilled-loop", &[("app", 3)], State::OutOfMemory),
    ended("oomkilled-once", &[("app", 1)], State::OutOfMemory),
    restarted("pod-level-resize-done"),
    ended("post-start-hook-failed", &[("app", 3)], State::Crashed),
    quiet("recreated-after-delete", State::Done),
    quiet("recreated-by-rollout-deployment", State::Done),
    quiet("recreated-by-rollout-statefulset", State::Done),
    quiet("resize-error-below-usage", State::BelowUsage),
    // the condition has lost its reason: only the events tell
    quiet("resize-error-cpu-waits", State::BelowUsage),
    quiet("resize-error-put-back", State::Done),
    Case {
        history: "resize-restart-first-oom",
        since: &[("app", 2)],
        restarting: &["app"],
        was_ready: true,
        state: State::OutOfMemory,
    },
    restarted("resize-restart-killed"),
    Case {
        history: "resize-restart-then-oomkilled",
        since: &[("app", 4)],
        restarting: &["app"],
        was_ready: true,
        state: State::OutOfMemory,
    },
    ended("restart-all-after", &[("app", 1)], State::Crashed),
    quiet("restart-all-before", State::Done),
    ended("restart-all-during", &[("watcher", 1)], State::Crashed),
    ended("sidecar-restart", &[("proxy", 1)], State::Crashed),
    quiet("terminating", State::Gone),
    quiet("untouched", State::Done),
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/histories"))
}

fn read(history: &str) -> (Unstructured, Vec<Value>) {
    let value = |part: &str| -> Value {
        let text = fs::read_to_string(folder().join(format!("{history}.{part}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let events = value("events")["items"].as_array().unwrap().clone();
    (Unstructured::of(value("pod"), "shop").unwrap(), events)
}

fn before(case: &Case, pod: &Unstructured) -> Before {
    let generation = pod.number("/metadata/generation").unwrap();
    let restarting = case.restarting.iter().map(|name| (*name).to_owned()).collect();
    let mut before = Before::of(pod, pod.clone(), generation, restarting);
    before.was_ready = case.was_ready;
    for (name, times) in case.since {
        let ends = before.restarts.get_mut(*name).unwrap();
        *ends = ends.checked_sub(*times).unwrap();
    }
    before
}

#[test]
fn every_recorded_history_has_its_outcome() {
    let mut wrong = Vec::new();
    for case in CASES {
        let (pod, events) = read(case.history);
        let told = outcome(&before(case, &pod), Some(&pod), Some(&events));
        if told.state != case.state {
            wrong.push(format!(
                "{}: {:?}, not {:?}: {}",
                case.history, told.state, case.state, told.why
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_recorded_history_has_a_case() {
    let names = fs::read_dir(folder()).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".pod.json").map(str::to_owned)
    });
    let missing: Vec<String> =
        names.filter(|name| !CASES.iter().any(|case| case.history == name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn without_events_only_a_lost_reason_is_missed() {
    for case in CASES {
        let (pod, _) = read(case.history);
        let told = outcome(&before(case, &pod), Some(&pod), None);
        let is_lost = case.history == "resize-error-cpu-waits";
        let succeeds = told.state.is_success();
        assert_eq!(succeeds, case.state.is_success(), "{}: {:?}", case.history, told.state);
        assert_eq!(told.state == State::InProgress && is_lost, is_lost, "{}", case.history);
    }
}

#[test]
fn a_restart_tells_how_long_nothing_served() {
    let case = restarted("memory-resize-restart");
    let (pod, events) = read(case.history);
    let told = outcome(&before(&case, &pod), Some(&pod), Some(&events));
    let [restart] = &told.restarted[..] else { panic!("{told:?}") };
    assert_eq!(restart.container, "app");
    assert!(restart.seconds.is_some_and(|seconds| (0..120).contains(&seconds)), "{restart:?}");
}

#[test]
fn another_pod_of_the_same_name_is_not_the_one() {
    let (pod, events) = read("recreated-by-rollout-statefulset");
    let mut value = pod.value().clone();
    value["metadata"]["uid"] = "another".into();
    let before = Before::of(&pod, pod.with(value), 1, BTreeSet::new());
    assert_eq!(outcome(&before, Some(&pod), Some(&events)).state, State::Gone);
    assert_eq!(outcome(&before, None, None).state, State::Gone);
}

#[test]
fn what_the_kubelet_has_not_seen_is_not_done() {
    let (pod, events) = read("cpu-resize-done");
    let mut value = pod.value().clone();
    value["metadata"]["generation"] = 3.into();
    let later = pod.with(value);
    let before = Before::of(&later, later.clone(), 3, BTreeSet::new());
    assert_eq!(outcome(&before, Some(&later), Some(&events)).state, State::Unseen);
}

/// What was deferred or infeasible is still said to be, for a moment after it was put back.
#[test]
fn what_is_said_of_an_earlier_spec_tells_nothing() {
    for history in ["deferred", "infeasible", "resize-error-below-usage"] {
        let (pod, events) = read(history);
        let mut value = pod.value().clone();
        value["metadata"]["generation"] = 3.into();
        let later = pod.with(value);
        let before = Before::of(&later, later.clone(), 3, BTreeSet::new());
        let told = outcome(&before, Some(&later), Some(&events));
        assert_eq!(told.state, State::Unseen, "{history}");
    }
}

/// A watch may still show the pod as it was before the patch: nobody has overtaken anything then.
#[test]
fn what_is_seen_of_the_time_before_tells_nothing() {
    let (pod, events) = read("memory-resize-live");
    let mut value = pod.value().clone();
    value["spec"]["containers"][0]["resources"]["limits"]["memory"] = "1Gi".into();
    value["metadata"]["generation"] = 3.into();
    let before = Before::of(&pod, pod.with(value), 3, BTreeSet::new());
    assert_eq!(outcome(&before, Some(&pod), Some(&events)).state, State::Unseen);
}

#[test]
fn other_values_than_those_asked_for_are_somebody_elses() {
    let (pod, events) = read("memory-resize-live");
    let mut value = pod.value().clone();
    value["spec"]["containers"][0]["resources"]["limits"]["memory"] = "1Gi".into();
    let before = Before::of(&pod, pod.with(value), 2, BTreeSet::new());
    let told = outcome(&before, Some(&pod), Some(&events));
    assert_eq!(told.state, State::Overtaken);
    assert!(told.why.contains("app memory limit 1Gi -> 96Mi"), "{}", told.why);
}

/// What it is in is of the time before, and the kubelet tries again: a pod that was ready has all its
/// time to become it again.
#[test]
fn a_pod_on_its_way_back_is_waited_for() {
    let told = |history: &str, was_ready: bool| {
        let (pod, events) = read(history);
        let generation = pod.number("/metadata/generation").unwrap();
        let restarting = BTreeSet::from(["app".to_owned()]);
        let before = Before::of_return(&pod, pod.clone(), generation, restarting, was_ready);
        let state = outcome(&before, Some(&pod), Some(&events)).state;
        (state, before.is_over(state))
    };
    assert_eq!(told("config-missing", true), (State::NotStarting, false));
    assert_eq!(told("crash-loop", true), (State::NotReady, false));
    assert_eq!(told("oomkilled-loop", true), (State::NotReady, false));
    assert_eq!(told("resize-error-below-usage", true), (State::BelowUsage, false));
    assert_eq!(told("infeasible", true), (State::Infeasible, true));
    assert_eq!(told("terminating", true), (State::Gone, true));
    // it was no better before
    assert_eq!(told("config-missing", false), (State::AtStart, true));
    assert_eq!(told("crash-loop", false), (State::Done, true));
}
