use crate::explain::change::{ChangeContext, explain};
use crate::explain::effect::{Effect, Explanation};
use crate::manifest::unstructured::Unstructured;

/// A live pod: `spec` is what was asked for last, `status` what the kubelet says.
fn pod(policy: &str, memory: &str, cpu: &str, status: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: store, namespace: shop, generation: 3}}
spec:
  nodeName: n1
  containers:
  - name: app
    image: a:1
    resources: {{requests: {{cpu: 50m, memory: {memory}}}, limits: {{cpu: {cpu}, memory: {memory}}}}}
    resizePolicy: [{{resourceName: memory, restartPolicy: {policy}}}]
status:
  phase: Running
  qosClass: Burstable
  conditions: [{status}]
  containerStatuses:
  - name: app
    restartCount: 0
    state: {{running: {{}}}}
    allocatedResources: {{cpu: 50m, memory: 192Mi}}
    resources: {{requests: {{cpu: 50m, memory: 192Mi}}, limits: {{cpu: 200m, memory: 192Mi}}}}
"
    )
}

const DEFERRED: &str =
    "{type: PodResizePending, status: 'True', reason: Deferred, observedGeneration: 3}";
const ERROR: &str =
    "{type: PodResizeInProgress, status: 'True', reason: Error, observedGeneration: 3}";
const TRIED: &str = "{type: PodResizeInProgress, status: 'True', observedGeneration: 3}";

fn told(old: &str, new: &str, context: &ChangeContext) -> Vec<Explanation> {
    let read = |text: &str| Unstructured::read(text, "shop").unwrap();
    explain(&read(old), &read(new), context)
}

/// What is said of the difference of one field.
#[track_caller]
fn about(old: &str, new: &str, field: &str) -> Explanation {
    let told = told(old, new, &ChangeContext::default());
    told.iter()
        .find(|one| one.field.ends_with(field))
        .unwrap_or_else(|| panic!("{told:#?}"))
        .clone()
}

#[test]
fn a_cpu_change_waits_behind_what_is_stuck() {
    for (condition, word) in
        [(ERROR, "fails"), (TRIED, "is being tried"), (DEFERRED, "is deferred")]
    {
        // memory is to fall, or to grow where it is deferred
        let memory = if condition == DEFERRED { "3000Mi" } else { "64Mi" };
        let at = |cpu: &str| pod("NotRequired", memory, cpu, condition);
        let cpu = about(&at("200m"), &at("300m"), "limits.cpu");
        assert!(cpu.why.starts_with("it waits: "), "{}", cpu.why);
        assert!(cpu.why.contains(word) && cpu.why.contains("put back to 192Mi"), "{}", cpu.why);
    }
    // with the deferred memory a policy of it restarts the container as well
    let at = |cpu: &str| pod("RestartContainer", "3000Mi", cpu, DEFERRED);
    assert_eq!(about(&at("200m"), &at("300m"), "limits.cpu").effect, Effect::ResizeWithRestart);
    let free = |cpu: &str| pod("NotRequired", "192Mi", cpu, "");
    let why = about(&free("200m"), &free("300m"), "limits.cpu").why;
    assert!(!why.contains("waits"), "{why}");
}

#[test]
fn putting_a_resize_back_restarts_nothing() {
    for (policy, memory, condition) in [
        ("NotRequired", "64Mi", ERROR),
        ("NotRequired", "64Mi", TRIED),
        ("RestartContainer", "3000Mi", DEFERRED),
        ("NotRequired", "3000Mi", DEFERRED),
    ] {
        let at = |memory: &str| pod(policy, memory, "200m", condition);
        let told = about(&at(memory), &at("192Mi"), "limits.memory");
        assert_eq!(told.effect, Effect::Nothing, "{policy} {memory}: {}", told.why);
        assert!(told.why.contains("nothing restarts"), "{}", told.why);
        assert!(told.remedy.contains("--subresource resize"), "{}", told.remedy);
    }
    // one that restarts is under way, and cannot be said to have changed nothing
    let at = |memory: &str| pod("RestartContainer", memory, "200m", TRIED);
    assert_eq!(about(&at("64Mi"), &at("192Mi"), "limits.memory").effect, Effect::ResizeWithRestart);
    // what waits behind it is free then
    let stuck = pod("NotRequired", "64Mi", "300m", ERROR);
    let told = about(&stuck, &pod("NotRequired", "192Mi", "300m", ERROR), "limits.memory");
    assert!(told.why.contains("what waits behind it is carried out"), "{}", told.why);
}

#[test]
fn growth_may_be_deferred_under_either_policy() {
    for policy in ["NotRequired", "RestartContainer"] {
        let at = |memory: &str| pod(policy, memory, "200m", "");
        let why = about(&at("192Mi"), &at("256Mi"), "requests.memory").why;
        assert!(why.contains("reason Deferred"), "{policy}: {why}");
    }
}

#[test]
fn a_limit_of_zero_restarts_where_the_policy_does() {
    let zero = |policy: &str| {
        let old = pod(policy, "192Mi", "200m", "");
        let new = old.replacen("memory: 192Mi", "memory: 0", 2);
        about(&old, &new, "limits.memory")
    };
    let restarted = zero("RestartContainer");
    assert_eq!(restarted.effect, Effect::ResizeWithRestart);
    assert!(restarted.why.contains("starts without a limit"), "{}", restarted.why);
    assert!(zero("NotRequired").why.contains("changes nothing now"));
}

#[test]
fn more_than_its_node_can_give_is_refused() {
    let node =
        "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {kubernetes.io/os: linux}},
        status: {allocatable: {cpu: '2', memory: 3911536Ki}}}";
    let with = |node: &str| ChangeContext {
        others: Unstructured::read(node, "shop").unwrap(),
        ..ChangeContext::default()
    };
    let at = |memory: &str| pod("NotRequired", memory, "200m", "");
    let refused = told(&at("192Mi"), &at("5Gi"), &with(node));
    assert!(refused.iter().all(|one| one.effect == Effect::Refused), "{refused:#?}");
    assert!(refused[0].why.contains("would ask for 5Gi of memory"), "{}", refused[0].why);
    let fits = told(&at("192Mi"), &at("3Gi"), &with(node));
    assert!(fits.iter().all(|one| one.effect != Effect::Refused), "{fits:#?}");
    // without the node nobody knows
    let unknown = told(&at("192Mi"), &at("5Gi"), &ChangeContext::default());
    assert!(unknown.iter().all(|one| one.effect != Effect::Refused), "{unknown:#?}");
    let windows = told(&at("192Mi"), &at("256Mi"), &with(&node.replace("linux", "windows")));
    assert!(windows.iter().all(|one| one.effect == Effect::Refused), "{windows:#?}");
}

#[test]
fn windows_pods_cannot_be_resized() {
    for field in ["os: {name: windows}", "nodeSelector: {kubernetes.io/os: windows}"] {
        let at =
            |memory: &str| pod("NotRequired", memory, "200m", "").replace("nodeName: n1", field);
        let told = told(&at("192Mi"), &at("256Mi"), &ChangeContext::default());
        assert!(told.iter().all(|one| one.effect == Effect::Refused), "{told:#?}");
        assert!(told.iter().all(|one| !one.remedy.contains("kubectl")), "{told:#?}");
    }
}

/// An approval counts for the decrease, and for a heap only with force.
#[test]
fn an_approval_without_force_does_not_cover_a_heap() {
    let stamp = |force: &str| {
        format!(
            r#"{{"version":1,"approver":"alice","memory":"app=64Mi","granted":"2026-11-30T02:00:00Z","expires":"2026-11-30T03:00:00Z","uid":"u1","generation":3{force},"key":"899f63850f76","seal":"seal"}}"#
        )
    };
    let context = ChangeContext {
        now: Some("2026-11-30T02:30:00Z".parse().unwrap()),
        ..ChangeContext::default()
    };
    let said = |force: &str| {
        let old = pod("NotRequired", "192Mi", "200m", "")
            .replace(
                "generation: 3}",
                &format!(
                    "generation: 3, uid: u1, annotations: {{restraint.dev/approval: '{}'}}}}",
                    stamp(force)
                ),
            )
            .replace("image: a:1", "image: a:1\n    args: [-Xmx100m]\n    command: [java]");
        let new = old.replace(
            "limits: {cpu: 200m, memory: 192Mi}}\n    resizePolicy",
            "limits: {cpu: 200m, memory: 64Mi}}\n    resizePolicy",
        );
        let new = new.replacen(
            "requests: {cpu: 50m, memory: 192Mi}",
            "requests: {cpu: 50m, memory: 64Mi}",
            1,
        );
        let told = told(&old, &new, &context);
        told.into_iter().find(|one| one.field.ends_with("limits.memory")).unwrap()
    };
    let forced = said(r#","force":true"#);
    assert!(forced.why.contains("an approval on the pod covers it"), "{}", forced.why);
    assert_eq!(forced.effect, Effect::Resize, "{}", forced.why);
    let plain = said("");
    assert_eq!(plain.effect, Effect::Denied, "{}", plain.why);
    assert!(plain.why.contains("heap-above-limit"), "{}", plain.why);
    assert!(!plain.why.contains("covers it"), "{}", plain.why);
}
