use serde_json::{Value, json};

use super::*;

#[test]
fn a_node_that_is_too_small_is_said_to_be_what_it_is() {
    let message =
        "Node didn't have enough capacity: memory, requested: 6442450944, capacity: 4110172160";
    let status = json!({
        "phase": "Running", "qosClass": "Burstable", "observedGeneration": 4,
        "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": message, "observedGeneration": 4}],
        "containerStatuses": [{
            "name": "app", "restartCount": 0, "state": {"running": {}}, "allocatedResources": {"cpu": "200m", "memory": "128Mi"},
            "resources": {"requests": {"cpu": "200m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        }],
    });
    let told = |version: Option<&str>| {
        let version = version.map(crate::kube::version::Version::read);
        told_by(&pod(status.clone()), HistoryContext { version, ..HistoryContext::default() })
            .resize
    };
    let unknown = told(None);
    assert_eq!(
        (unknown.state, unknown.cause),
        (ResizeState::Infeasible, Some(Reason::NodeTooSmall))
    );
    assert!(
        !unknown.why.contains("static") && unknown.why.contains("1.33 to 1.35"),
        "{}",
        unknown.why
    );
    assert!(unknown.remedy.contains("larger node"), "{}", unknown.remedy);
    assert!(told(Some("v1.34.3")).why.contains("API server of 1.34 accepts"));
    let put_back = r#"{"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"256Mi"},"requests":{"memory":"128Mi"}}}]}}"#;
    assert!(unknown.remedy.contains(put_back), "{}", unknown.remedy);
}

#[test]
fn no_command_is_offered_that_cannot_work_on_windows() {
    let message = "In-place pod resize is not supported on Windows";
    let status = json!({
        "phase": "Running", "qosClass": "Burstable",
        "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": message}],
        "containerStatuses": [{
            "name": "app", "restartCount": 0, "state": {"running": {}},
            "resources": {"requests": {"cpu": "200m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        }],
    });
    for (pointer, value) in [
        ("/spec/os", json!({"name": "windows"})),
        ("/spec/nodeSelector", json!({"kubernetes.io/os": "windows"})),
    ] {
        let resize = history(&with(pod(status.clone()), &[(pointer, value)]), None).resize;
        assert_eq!(resize.cause, Some(Reason::Windows));
        assert!(resize.impossible.unwrap().contains("a Windows pod"));
        assert!(!resize.remedy.contains("kubectl"), "{}", resize.remedy);
    }
    let linux = history(&with(pod(status), &[("/spec/os", json!({"name": "linux"}))]), None).resize;
    assert_eq!(linux.impossible, None);
}

#[test]
fn a_guaranteed_pod_gets_its_request_back_with_the_limit() {
    let message = "cannot decrease memory limits: attempting to set pod memory limit (1) below current usage (209715200)";
    let status = json!({
        "phase": "Running", "qosClass": "Guaranteed",
        "conditions": [{"type": "PodResizeInProgress", "status": "True", "reason": "Error", "message": message}],
        "containerStatuses": [{
            "name": "app", "restartCount": 0, "state": {"running": {}}, "allocatedResources": {"cpu": "200m", "memory": "256Mi"},
            "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        }],
    });
    let resize = history(&pod(status), None).resize;
    let put_back = r#""resources":{"limits":{"memory":"1Gi"},"requests":{"memory":"1Gi"}}"#;
    assert!(resize.remedy.contains(put_back), "{}", resize.remedy);
    assert!(resize.why.contains("200 MiB"), "{}", resize.why);
}

#[test]
fn whoever_ends_a_pod_is_told() {
    let deleted = |reason: &str| {
        let status = json!({
            "phase": "Running",
            "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "m"}],
            "containerStatuses": [{
                "name": "app", "restartCount": 0,
                "state": {"terminated": {"exitCode": 143, "reason": "Error", "finishedAt": "2026-11-21T12:00:10Z"}},
            }],
        });
        let more = [
            ("/metadata/deletionTimestamp", json!("2026-11-21T12:00:30Z")),
            ("/metadata/deletionGracePeriodSeconds", json!(30)),
        ];
        history(&with(pod(status), &more), Some(Vec::new()))
    };
    for (reason, cause) in [
        ("EvictionByEvictionAPI", Cause::Evicted),
        ("DeletionByTaintManager", Cause::Evicted),
        ("PreemptionByScheduler", Cause::Preempted),
        ("DeletionByPodGC", Cause::Lost),
        ("SomethingNew", Cause::Deleted),
    ] {
        let told = deleted(reason);
        assert_eq!(
            (told.whole.state, told.restarts[0].last.cause),
            (State::Terminating, cause),
            "{reason}"
        );
        assert_eq!(told.blocked, Vec::new(), "{reason}");
    }
    let failed = |reason: &str| {
        history(&pod(json!({"phase": "Failed", "reason": reason})), None).whole.state
    };
    assert_eq!(failed("Terminated"), State::NodeShutdown);
    assert_eq!(failed("Preempting"), State::Preempted);
    assert_eq!(failed("OutOfcpu"), State::Rejected);
    assert_eq!(failed("NodeLost"), State::NodeLost);
    assert_eq!(failed(""), State::Failed);
}

fn waiting(reason: &str) -> Value {
    json!({"name": "app", "restartCount": 0, "state": {"waiting": {"reason": reason, "message": "m"}}, "lastState": {}})
}

#[test]
fn what_keeps_a_container_from_running_is_told() {
    let obstacle = |reason: &str, events: Vec<Value>| {
        let told = history(
            &pod(json!({"phase": "Pending", "containerStatuses": [waiting(reason)]})),
            Some(events),
        );
        (told.blocked[0].cause, told.whole.state)
    };
    for (reason, cause) in [
        ("ErrImageNeverPull", Obstacle::Image),
        ("InvalidImageName", Obstacle::Image),
        ("CreateContainerConfigError", Obstacle::Configuration),
        ("CreateContainerError", Obstacle::CreateError),
        ("RunContainerError", Obstacle::StartError),
        ("CrashLoopBackOff", Obstacle::BackOff),
        ("PostStartHookError", Obstacle::PostStartHook),
    ] {
        assert_eq!(obstacle(reason, Vec::new()), (cause, State::Down), "{reason}");
    }
    assert_eq!(obstacle("ContainerCreating", Vec::new()), (Obstacle::Starting, State::Starting));
    let about_pod = |reason: &str| {
        let mut event = event(reason, "secret \"a\" not found", "2026-11-21T12:00:00Z");
        event["involvedObject"]["fieldPath"] = json!("");
        vec![event]
    };
    let volume = obstacle("ContainerCreating", about_pod("FailedMount"));
    assert_eq!(volume, (Obstacle::Volume, State::Down));
    let sandbox = obstacle("ContainerCreating", about_pod("FailedCreatePodSandBox"));
    assert_eq!(sandbox.0, Obstacle::Sandbox);
}

#[test]
fn a_container_that_waits_for_an_init_container_is_not_at_fault() {
    let init = json!({"name": "migrate", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-11-21T12:00:00Z"}}});
    let status = json!({"phase": "Pending", "initContainerStatuses": [init], "containerStatuses": [waiting("PodInitializing")]});
    let told = history(
        &with(pod(status), &[("/spec/initContainers", json!([{"name": "migrate"}]))]),
        Some(Vec::new()),
    );
    let found: Vec<_> =
        told.blocked.iter().map(|one| (one.container.as_str(), one.cause)).collect();
    assert_eq!(found, [("migrate", Obstacle::BackOff), ("app", Obstacle::InitContainers)]);
    assert_eq!(told.whole.state, State::Down);
}

#[test]
fn pods_without_a_node_and_pods_that_are_not_ready_are_told() {
    let condition = |kind: &str, reason: &str| json!([{"type": kind, "status": "False", "reason": reason, "message": "0/3 nodes"}]);
    let pending =
        json!({"phase": "Pending", "conditions": condition("PodScheduled", "Unschedulable")});
    let told = history(&pod(pending), Some(Vec::new()));
    assert_eq!((told.whole.state, told.whole.message.as_str()), (State::Unscheduled, "0/3 nodes"));
    let running = json!({"phase": "Running", "conditions": condition("Ready", "ContainersNotReady"),
        "containerStatuses": [{"name": "app", "restartCount": 0, "state": {"running": {}}}]});
    let unhealthy = event("Unhealthy", "Readiness probe failed: 503", "2026-11-21T12:00:00Z");
    let told = history(&pod(running), Some(vec![unhealthy]));
    assert_eq!(told.whole.state, State::NotReady);
    assert!(told.now[0].contains("Readiness probe failed: 503"), "{:?}", told.now);
}

#[test]
fn a_restart_that_is_under_way_is_told() {
    let status = json!({
        "phase": "Running", "conditions": [{"type": "PodResizeInProgress", "status": "True", "observedGeneration": 4}],
        "containerStatuses": [{
            "name": "app", "restartCount": 0, "state": {"running": {"startedAt": "2026-11-21T12:00:00Z"}},
            "allocatedResources": {"cpu": "200m", "memory": "256Mi"},
            "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
        }],
    });
    let kill = event("Killing", "Container app resize requires restart", "2026-11-21T12:05:00Z");
    let told = history(&pod(status), Some(vec![kill]));
    assert_eq!(told.resize.state, ResizeState::InProgress);
    assert!(
        told.now[0].contains("\"app\" is being stopped since 2026-11-21T12:05:00Z"),
        "{:?}",
        told.now
    );
}

#[test]
fn an_exit_code_that_a_rule_answers_is_no_crash() {
    let rules = json!([{"name": "app", "restartPolicy": "Never", "restartPolicyRules": [
        {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]}]);
    let ended = |code: i32| with(ended("Error", code), &[("/spec/containers", rules.clone())]);
    assert_eq!(only(&ended(42), Some(Vec::new())).0, Cause::RestartRule);
    assert_eq!(only(&ended(43), Some(Vec::new())).0, Cause::Crash);
}

#[test]
fn a_kill_for_memory_is_tied_to_the_heap_of_the_spec() {
    let heap = json!([{"name": "app", "env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx600m"}],
        "resources": {"limits": {"memory": "512Mi"}}}]);
    let told = history(&with(ended("OOMKilled", 137), &[("/spec/containers", heap)]), None);
    let last = &told.restarts[0].last;
    assert!(
        last.why.contains("at the limit of 512Mi") && last.why.contains("-Xmx600m"),
        "{}",
        last.why
    );
    assert!(last.remedy.starts_with("lower the heap's flag"), "{}", last.remedy);
    assert_eq!(told.warnings[0].cause, Danger::HeapAboveLimit);
}

#[test]
fn a_template_newer_than_the_pod_before_tells_of_a_rollout() {
    let fresh = pod(json!({"phase": "Running"}));
    let cause = |template: &str| {
        let mut earlier = [
            event("Started", "", "2026-11-21T09:00:00Z"),
            event("Killing", "Stopping container app", "2026-11-21T09:59:50Z"),
        ];
        earlier.iter_mut().for_each(|event| event["involvedObject"]["uid"] = json!("u1"));
        let (events, template_since) = (Some(earlier.to_vec()), Some(template.parse().unwrap()));
        let context = HistoryContext { events, template_since, ..HistoryContext::default() };
        told_by(&fresh, context).recreation.unwrap().cause
    };
    assert_eq!(cause("2026-11-21T09:59:49Z"), Replaced::Rollout);
    assert_eq!(cause("2026-11-01T00:00:00Z"), Replaced::Deletion);
}

#[test]
fn a_limit_of_zero_counts_at_the_next_start() {
    let status = json!({
        "phase": "Running", "observedGeneration": 4,
        "containerStatuses": [{
            "name": "app", "restartCount": 0, "state": {"running": {}}, "allocatedResources": {"cpu": "200m", "memory": "256Mi"},
            "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        }],
    });
    let zero = ("/spec/containers/0/resources/limits/memory", json!("0"));
    let resize = history(&with(pod(status), &[zero]), None).resize;
    assert_eq!(resize.state, ResizeState::Settled);
    assert!(resize.why.contains("no limit"), "{}", resize.why);
}

#[test]
fn a_process_of_the_container_may_be_killed_for_memory() {
    let why = |code: i32| history(&ended("OOMKilled", code), None).restarts[0].last.why.clone();
    assert!(why(137).starts_with("the kernel killed it for memory, at the limit of 512Mi"));
    assert!(why(1).starts_with("the kernel killed a process of it"), "{}", why(1));
}

/// Without events the spec names whom the kubelet may have stopped it for.
#[test]
fn suspects_are_those_of_the_spec() {
    let probe = ("/spec/containers/0/livenessProbe", json!({"exec": {"command": ["true"]}}));
    let why = |pod: &Value| history(pod, None).restarts[0].last.why.clone();
    let probed = why(&with(ended("Completed", 0), &[probe]));
    assert!(probed.contains("(a failed liveness probe, a resize, a changed image)"), "{probed}");
    let untouched = why(&with(ended("Error", 137), &[("/metadata/generation", json!(1))]));
    assert!(untouched.contains("it may have been the kubelet, or a kill"), "{untouched}");
    // its events are there, and tell of no stop
    let started = event("Started", "Container started", "2026-11-21T11:59:00Z");
    let told = history(&ended("Completed", 0), Some(vec![started]));
    assert_eq!(told.restarts[0].last.certainty, Certainty::Likely);
}
