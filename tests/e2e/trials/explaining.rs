//! What `restraint explain change` says the API server refuses, it refuses, and nothing else of the
//! same table.
//!
//! Each change is made to an object that the API server stored, in a namespace without Restraint,
//! and explained from the same two objects.

use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

use restraint::explain::Effect;
use restraint::explain::change::{Surroundings, explain};
use restraint::manifest::object::Document;

use crate::kubectl::{Kubectl, Person};
use crate::pods::{pod, pod_with};
use crate::world::cluster;

use super::trial;

/// How a change is sent.
#[derive(Clone, Copy, PartialEq)]
enum Door {
    /// To the object itself.
    Object,
    /// To `pods/resize`.
    Resize,
}

use Door::{Object, Resize};

/// A change, and whether it is refused.
struct Case {
    name: &'static str,
    old: Value,
    change: fn(&mut Value),
    door: Door,
    is_refused: bool,
}

const fn case(
    name: &'static str,
    old: Value,
    change: fn(&mut Value),
    door: Door,
    is_refused: bool,
) -> Case {
    Case { name, old, change, door, is_refused }
}

pub(super) fn trials() -> Vec<Trial> {
    let cases = pods().into_iter().chain(resizes()).chain(workloads()).chain(others()).enumerate();
    let trials = cases.map(|(index, case)| {
        let outcome = if case.is_refused { "refused" } else { "accepted" };
        trial(format!("explaining: {} is {outcome}", case.name), move || try_out(index, &case))
    });
    let commands = [
        trial("explaining: the command reads objects and who uses them from the cluster", live),
        trial(
            "explaining: the command tells the history of a pod, with events or without",
            history,
        ),
    ];
    trials.chain(commands).collect()
}

fn pods() -> Vec<Case> {
    let plain = || pod("a");
    vec![
        case(
            "the image of a pod",
            plain(),
            |pod| pod["spec"]["containers"][0]["image"] = json!("b:2"),
            Object,
            false,
        ),
        case(
            "no image for a pod",
            plain(),
            |pod| drop(container(pod).remove("image")),
            Object,
            true,
        ),
        case(
            "a variable of a pod",
            plain(),
            |pod| pod["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": "b"}]),
            Object,
            true,
        ),
        case(
            "the command of a pod",
            plain(),
            |pod| pod["spec"]["containers"][0]["command"] = json!(["a"]),
            Object,
            true,
        ),
        case(
            "resources of a pod by a plain update",
            plain(),
            |pod| limit(pod, "1Gi"),
            Object,
            true,
        ),
        case(
            "another container for a pod",
            plain(),
            |pod| list(pod, "containers").push(json!({"name": "b", "image": "b"})),
            Object,
            true,
        ),
        case(
            "another name for a container",
            plain(),
            |pod| pod["spec"]["containers"][0]["name"] = json!("b"),
            Object,
            true,
        ),
        case("a resize policy for a pod", plain(), set_policy, Object, true),
        case(
            "a volume for a pod",
            plain(),
            |pod| pod["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {}}]),
            Object,
            true,
        ),
        case(
            "a label of a pod",
            plain(),
            |pod| pod["metadata"]["labels"] = json!({"a": "b"}),
            Object,
            false,
        ),
        case(
            "an annotation of a pod",
            plain(),
            |pod| pod["metadata"]["annotations"] = json!({"a": "b"}),
            Object,
            false,
        ),
        case(
            "a deadline for a pod",
            plain(),
            |pod| pod["spec"]["activeDeadlineSeconds"] = json!(60),
            Object,
            false,
        ),
        case(
            "a later deadline for a pod",
            with(plain(), "activeDeadlineSeconds", json!(60)),
            |pod| pod["spec"]["activeDeadlineSeconds"] = json!(90),
            Object,
            true,
        ),
        case(
            "an earlier deadline for a pod",
            with(plain(), "activeDeadlineSeconds", json!(60)),
            |pod| pod["spec"]["activeDeadlineSeconds"] = json!(30),
            Object,
            false,
        ),
        case(
            "no deadline any more for a pod",
            with(plain(), "activeDeadlineSeconds", json!(60)),
            |pod| drop(pod["spec"].as_object_mut().unwrap().remove("activeDeadlineSeconds")),
            Object,
            true,
        ),
        case(
            "another grace period for a pod",
            plain(),
            |pod| pod["spec"]["terminationGracePeriodSeconds"] = json!(5),
            Object,
            true,
        ),
        case(
            "another restart policy for a pod",
            plain(),
            |pod| pod["spec"]["restartPolicy"] = json!("OnFailure"),
            Object,
            true,
        ),
        case(
            "a node selector for a pod",
            plain(),
            |pod| pod["spec"]["nodeSelector"] = json!({"a": "b"}),
            Object,
            true,
        ),
        case(
            "one gate less for a pod",
            with(plain(), "schedulingGates", json!([{"name": "example.com/a"}])),
            |pod| drop(pod["spec"].as_object_mut().unwrap().remove("schedulingGates")),
            Object,
            false,
        ),
        case(
            "one toleration more for a pod",
            plain(),
            |pod| pod["spec"]["tolerations"] = json!([{"key": "a", "operator": "Exists"}]),
            Object,
            false,
        ),
        case(
            "one toleration less for a pod",
            with(plain(), "tolerations", json!([{"key": "a", "operator": "Exists"}])),
            |pod| pod["spec"]["tolerations"] = json!([]),
            Object,
            true,
        ),
        case(
            "one gate more for a pod",
            plain(),
            |pod| pod["spec"]["schedulingGates"] = json!([{"name": "example.com/a"}]),
            Object,
            true,
        ),
    ]
}

fn resizes() -> Vec<Case> {
    let best_effort = || pod_with("a", json!({"containers": [{"name": "app", "image": "a"}]}));
    let guaranteed = || {
        let mut pod = pod("a");
        pod["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}});
        pod
    };
    let of_pod = || {
        let resources = json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}});
        pod_with(
            "a",
            json!({"resources": resources, "containers": [{"name": "app", "image": "a"}]}),
        )
    };
    let with_init = |policy: Value| {
        let mut pod = pod("a");
        let mut init = pod["spec"]["containers"][0].clone();
        init["name"] = json!("init");
        init["restartPolicy"] = policy;
        pod["spec"]["initContainers"] = json!([init]);
        pod
    };
    let with_claim = || {
        let mut pod = pod("a");
        pod["spec"]["resourceClaims"] = json!([{"name": "gpu", "resourceClaimName": "gpu"}]);
        pod["spec"]["containers"][0]["resources"]["claims"] = json!([{"name": "gpu"}]);
        pod
    };
    let windows = || with(pod("a"), "os", json!({"name": "windows"}));
    let mirror = || {
        let mut pod = pod("a");
        pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "a"});
        pod["spec"]["nodeName"] = json!("n1");
        pod
    };
    let request_only = || {
        let mut pod = pod("a");
        pod["spec"]["containers"][0]["resources"] =
            json!({"requests": {"cpu": "200m", "memory": "256Mi"}});
        pod
    };
    let with_status = |status: Value| merged(pod("a"), json!({"status": status}));
    let running = |resources: Value| {
        let state = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
        json!({"phase": "Running", "containerStatuses": [
            {"name": "app", "image": "a", "imageID": "", "ready": true, "restartCount": 0, "state": state, "resources": resources},
        ]})
    };
    vec![
        case(
            "a resize where the kubelet does not tell what runs",
            with_status(running(Value::Null)),
            |pod| limit(pod, "1Gi"),
            Resize,
            true,
        ),
        case(
            "a resize where the kubelet tells what runs",
            with_status(running(json!({"limits": {"memory": "512Mi"}}))),
            |pod| limit(pod, "1Gi"),
            Resize,
            false,
        ),
        case(
            "a resize of a pod that has finished",
            with_status(json!({"phase": "Succeeded"})),
            |pod| limit(pod, "1Gi"),
            Resize,
            false,
        ),
        case("more memory", pod("a"), |pod| limit(pod, "1Gi"), Resize, false),
        case("a limit in other words", pod("a"), |pod| limit(pod, "524288k"), Resize, false),
        case(
            "a first limit",
            request_only(),
            |pod| pod["spec"]["containers"][0]["resources"]["limits"] = json!({"memory": "1Gi"}),
            Resize,
            false,
        ),
        case(
            "a limit of 0",
            pod("a"),
            |pod| {
                set_resources(
                    pod,
                    json!({"requests": {"cpu": "200m", "memory": "0"}, "limits": {"cpu": "500m", "memory": "0"}}),
                )
            },
            Resize,
            false,
        ),
        case("a limit of 0 below the request", pod("a"), |pod| limit(pod, "0"), Resize, true),
        case(
            "a limit that is removed",
            pod("a"),
            |pod| {
                set_resources(
                    pod,
                    json!({"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "500m"}}),
                )
            },
            Resize,
            true,
        ),
        case(
            "a request that is removed",
            request_only(),
            |pod| set_resources(pod, json!({"requests": {"cpu": "200m"}})),
            Resize,
            true,
        ),
        case("a limit below the request", pod("a"), |pod| limit(pod, "100Mi"), Resize, true),
        case("a limit that is no quantity", pod("a"), |pod| limit(pod, "1 GB"), Resize, true),
        case(
            "resources for a BestEffort pod",
            best_effort(),
            |pod| set_resources(pod, json!({"requests": {"cpu": "1"}})),
            Resize,
            true,
        ),
        case(
            "a Guaranteed pod made Burstable",
            guaranteed(),
            |pod| limit(pod, "2Gi"),
            Resize,
            true,
        ),
        case(
            "a Guaranteed pod that stays so",
            guaranteed(),
            |pod| {
                set_resources(
                    pod,
                    json!({"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"cpu": "1", "memory": "2Gi"}}),
                )
            },
            Resize,
            false,
        ),
        case(
            "a Burstable pod made Guaranteed",
            pod("a"),
            |pod| {
                set_resources(
                    pod,
                    json!({"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}}),
                )
            },
            Resize,
            true,
        ),
        case(
            "ephemeral storage",
            pod("a"),
            |pod| {
                pod["spec"]["containers"][0]["resources"]["limits"]["ephemeral-storage"] =
                    json!("1Gi")
            },
            Resize,
            true,
        ),
        case(
            "a resize of a pod with a resource claim",
            with_claim(),
            |pod| limit(pod, "1Gi"),
            Resize,
            true,
        ),
        case("a resize of a Windows pod", windows(), |pod| limit(pod, "1Gi"), Resize, true),
        case("a resize of a static pod", mirror(), |pod| limit(pod, "1Gi"), Resize, true),
        case(
            "a resize of an init container",
            with_init(Value::Null),
            |pod| init_limit(pod, "1Gi"),
            Resize,
            false,
        ),
        case(
            "a resize of a sidecar",
            with_init(json!("Always")),
            |pod| init_limit(pod, "1Gi"),
            Resize,
            false,
        ),
        case(
            "a resize at pod level",
            of_pod(),
            |pod| pod["spec"]["resources"]["limits"]["memory"] = json!("3Gi"),
            Resize,
            false,
        ),
        case(
            "a pod-level limit below the request",
            of_pod(),
            |pod| pod["spec"]["resources"]["limits"]["memory"] = json!("512Mi"),
            Resize,
            true,
        ),
        case(
            "a pod-level limit that is removed",
            of_pod(),
            |pod| pod["spec"]["resources"]["limits"] = json!({"cpu": "2"}),
            Resize,
            true,
        ),
        case(
            "a container limit above the pod's",
            of_pod(),
            |pod| set_resources(pod, json!({"limits": {"memory": "4Gi"}})),
            Resize,
            true,
        ),
        case(
            "a limit of one byte above the request of nothing",
            pod("a"),
            |pod| {
                set_resources(
                    pod,
                    json!({"requests": {"cpu": "200m", "memory": "1"}, "limits": {"cpu": "500m", "memory": "1"}}),
                )
            },
            Resize,
            false,
        ),
    ]
}

fn workloads() -> Vec<Case> {
    fn image(workload: &mut Value) {
        workload["spec"]["template"]["spec"]["containers"][0]["image"] = json!("b:2");
    }
    fn selector(workload: &mut Value) {
        workload["spec"]["selector"]["matchLabels"]["tier"] = json!("b");
        workload["spec"]["template"]["metadata"]["labels"]["tier"] = json!("b");
    }
    let mut cases = vec![
        case(
            "the image of a CronJob",
            cron_job(),
            |job| {
                job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"] =
                    json!("b")
            },
            Object,
            false,
        ),
        case(
            "the schedule of a CronJob",
            cron_job(),
            |job| job["spec"]["schedule"] = json!("1 * * * *"),
            Object,
            false,
        ),
        case("the image of a Job", job(false), image, Object, true),
        case("the image of a suspended Job", job(true), image, Object, true),
        case(
            "the resources of a suspended Job",
            job(true),
            |job| {
                job["spec"]["template"]["spec"]["containers"][0]["resources"] =
                    json!({"requests": {"cpu": "1"}})
            },
            Object,
            false,
        ),
        case(
            "the resources of a Job",
            job(false),
            |job| {
                job["spec"]["template"]["spec"]["containers"][0]["resources"] =
                    json!({"requests": {"cpu": "1"}})
            },
            Object,
            true,
        ),
        case(
            "the node selector of a suspended Job",
            job(true),
            |job| job["spec"]["template"]["spec"]["nodeSelector"] = json!({"a": "b"}),
            Object,
            false,
        ),
        case(
            "a Job that is suspended",
            job(false),
            |job| job["spec"]["suspend"] = json!(true),
            Object,
            false,
        ),
        case(
            "the parallelism of a Job",
            job(false),
            |job| job["spec"]["parallelism"] = json!(2),
            Object,
            false,
        ),
        case(
            "the completions of a Job",
            job(false),
            |job| job["spec"]["completions"] = json!(2),
            Object,
            true,
        ),
        case(
            "the backoff limit of a Job",
            job(false),
            |job| job["spec"]["backoffLimit"] = json!(2),
            Object,
            false,
        ),
        case(
            "the deadline of a Job",
            job(false),
            |job| job["spec"]["activeDeadlineSeconds"] = json!(60),
            Object,
            false,
        ),
        case(
            "the pod replacement policy of a Job",
            job(false),
            |job| job["spec"]["podReplacementPolicy"] = json!("Failed"),
            Object,
            false,
        ),
        case(
            "the completion mode of a Job",
            job(false),
            |job| job["spec"]["completionMode"] = json!("Indexed"),
            Object,
            true,
        ),
        case(
            "an init container with RestartContainer in a template",
            workload("Deployment"),
            |one| {
                let policy = json!([{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]);
                one["spec"]["template"]["spec"]["initContainers"] =
                    json!([{"name": "i", "image": "i", "resizePolicy": policy}]);
            },
            Object,
            true,
        ),
        case(
            "RestartContainer in a CronJob that never restarts",
            cron_job(),
            |job| {
                set_policy(&mut job["spec"]["jobTemplate"]["spec"]["template"]);
            },
            Object,
            true,
        ),
        case("the selector of a Deployment", workload("Deployment"), selector, Object, true),
        case("the selector of a DaemonSet", workload("DaemonSet"), selector, Object, true),
        case("the selector of a ReplicaSet", workload("ReplicaSet"), selector, Object, true),
        case("the selector of a StatefulSet", workload("StatefulSet"), selector, Object, true),
        case(
            "template labels that the selector misses",
            workload("Deployment"),
            |one| one["spec"]["template"]["metadata"]["labels"]["app"] = json!("b"),
            Object,
            true,
        ),
        case(
            "an annotation in a template",
            workload("Deployment"),
            |one| one["spec"]["template"]["metadata"]["annotations"] = json!({"a": "b"}),
            Object,
            false,
        ),
        case(
            "a Deployment that is paused",
            workload("Deployment"),
            |one| one["spec"]["paused"] = json!(true),
            Object,
            false,
        ),
        case(
            "the strategy of a Deployment",
            workload("Deployment"),
            |one| one["spec"]["strategy"] = json!({"type": "Recreate", "rollingUpdate": null}),
            Object,
            false,
        ),
        case(
            "fewer than no replicas",
            workload("Deployment"),
            |one| one["spec"]["replicas"] = json!(-1),
            Object,
            true,
        ),
        case(
            "a request above the limit in a template",
            workload("Deployment"),
            |one| {
                one["spec"]["template"]["spec"]["containers"][0]["resources"] =
                    json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})
            },
            Object,
            true,
        ),
        case(
            "a resize policy in a template",
            workload("Deployment"),
            |one| set_policy(&mut one["spec"]["template"]),
            Object,
            false,
        ),
        case(
            "restartPolicy Never in a Deployment",
            workload("Deployment"),
            |one| one["spec"]["template"]["spec"]["restartPolicy"] = json!("Never"),
            Object,
            true,
        ),
        case(
            "the service of a StatefulSet",
            workload("StatefulSet"),
            |one| one["spec"]["serviceName"] = json!("other"),
            Object,
            true,
        ),
        case(
            "the claim templates of a StatefulSet",
            workload("StatefulSet"),
            claim_templates,
            Object,
            true,
        ),
        case(
            "the pod management policy of a StatefulSet",
            workload("StatefulSet"),
            |one| one["spec"]["podManagementPolicy"] = json!("Parallel"),
            Object,
            true,
        ),
        case(
            "the update strategy of a StatefulSet",
            workload("StatefulSet"),
            |one| {
                one["spec"]["updateStrategy"] = json!({"type": "OnDelete", "rollingUpdate": null})
            },
            Object,
            false,
        ),
        case(
            "the revisions kept of a StatefulSet",
            workload("StatefulSet"),
            |one| one["spec"]["revisionHistoryLimit"] = json!(3),
            Object,
            false,
        ),
        case(
            "the claim retention of a StatefulSet",
            workload("StatefulSet"),
            |one| {
                one["spec"]["persistentVolumeClaimRetentionPolicy"] =
                    json!({"whenDeleted": "Delete", "whenScaled": "Retain"})
            },
            Object,
            false,
        ),
        case(
            "the ordinals of a StatefulSet",
            workload("StatefulSet"),
            |one| one["spec"]["ordinals"] = json!({"start": 5}),
            Object,
            false,
        ),
    ];
    for (kind, name) in [
        ("Deployment", "the image of a Deployment"),
        ("StatefulSet", "the image of a StatefulSet"),
        ("DaemonSet", "the image of a DaemonSet"),
        ("ReplicaSet", "the image of a ReplicaSet"),
    ] {
        cases.push(case(name, workload(kind), image, Object, false));
    }
    cases
}

fn others() -> Vec<Case> {
    let config = |kind: &str, more: Value| {
        merged(
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, "data": {"a": "Yg=="}}),
            more,
        )
    };
    let service = || {
        let spec = json!({"selector": {"a": "b"}, "clusterIP": "None", "ports": [{"port": 80}]});
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec})
    };
    let binding = || {
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"});
        let subject = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "u"});
        let version = "rbac.authorization.k8s.io/v1";
        json!({"apiVersion": version, "kind": "RoleBinding", "metadata": {"name": "a"}, "roleRef": role, "subjects": [subject]})
    };
    let network = || {
        let spec = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}, "spec": spec})
    };
    vec![
        case(
            "the content of a ConfigMap",
            config("ConfigMap", json!({})),
            |one| one["data"]["a"] = json!("c"),
            Object,
            false,
        ),
        case(
            "the content of an immutable ConfigMap",
            config("ConfigMap", json!({"immutable": true})),
            |one| one["data"]["a"] = json!("c"),
            Object,
            true,
        ),
        case(
            "the content of an immutable Secret",
            config("Secret", json!({"immutable": true})),
            |one| one["data"]["a"] = json!("Yw=="),
            Object,
            true,
        ),
        case(
            "a ConfigMap made immutable",
            config("ConfigMap", json!({})),
            |one| one["immutable"] = json!(true),
            Object,
            false,
        ),
        case(
            "an immutable ConfigMap made mutable",
            config("ConfigMap", json!({"immutable": true})),
            |one| one["immutable"] = json!(false),
            Object,
            true,
        ),
        case(
            "the type of a Secret",
            config("Secret", json!({"type": "Opaque"})),
            |one| one["type"] = json!("example.com/a"),
            Object,
            true,
        ),
        case(
            "the ports of a Service",
            service(),
            |one| one["spec"]["ports"] = json!([{"port": 81}]),
            Object,
            false,
        ),
        case(
            "the selector of a Service",
            service(),
            |one| one["spec"]["selector"] = json!({"a": "c"}),
            Object,
            false,
        ),
        case(
            "the address of a Service",
            service(),
            |one| one["spec"]["clusterIP"] = json!("10.0.0.99"),
            Object,
            true,
        ),
        case(
            "the role of a binding",
            binding(),
            |one| one["roleRef"]["name"] = json!("b"),
            Object,
            true,
        ),
        case(
            "the subjects of a binding",
            binding(),
            |one| one["subjects"][0]["name"] = json!("v"),
            Object,
            false,
        ),
        case(
            "a NetworkPolicy",
            network(),
            |one| one["spec"]["policyTypes"] = json!(["Ingress", "Egress"]),
            Object,
            false,
        ),
    ]
}

/// Makes the change, and compares what came of it with what is said about it.
fn try_out(index: usize, case: &Case) {
    let namespace = format!("explaining-{index}");
    let kubectl = space(&namespace);
    let mut wanted = case.old.clone();
    (case.change)(&mut wanted);
    kubectl.feed(&["create", "--filename", "-"], &case.old.to_string()).accepted();
    if let Some(status) = case.old.get("status") {
        let patch = json!({"status": status}).to_string();
        kubectl
            .run(&["patch", "pod", "a", "--subresource", "status", "--patch", &patch])
            .accepted();
    }
    let patch = merge_patch(&case.old, &wanted).to_string();
    let kind = case.old["kind"].as_str().unwrap();
    let door: &[&str] = if case.door == Resize { &["--subresource", "resize"] } else { &[] };
    let outcome =
        kubectl.run(&[&["patch", kind, "a", "--type", "merge", "--patch", &patch], door].concat());
    if case.is_refused {
        outcome.refused();
    } else {
        outcome.accepted();
    }
    let read = |value: &Value| Document::read(&value.to_string(), &namespace).unwrap();
    let told = explain(&read(&case.old), &read(&wanted), &Surroundings::default());
    let says_refused = told.iter().any(|one| one.effect == Effect::Refused);
    let is_plain_resize = case.door == Object
        && !told.is_empty()
        && told.iter().all(|one| one.remedy.contains("--subresource resize"));
    if is_plain_resize {
        assert!(
            told.iter().all(|one| one
                .why
                .contains("a plain `kubectl apply` or `edit` of it is refused (422)")),
            "{told:#?}"
        );
    } else {
        assert_eq!(says_refused, case.is_refused, "{told:#?}");
        // the same amount in other words is no difference
        assert!(!told.is_empty() || case.name == "a limit in other words");
    }
}

fn live() {
    let kubectl = space("explaining-live");
    let stored = |object: &Value| {
        drop(kubectl.feed(&["apply", "--filename", "-"], &object.to_string()).accepted())
    };
    let mut deployment = workload("Deployment");
    deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"] =
        json!([{"configMapRef": {"name": "cfg"}}]);
    stored(&deployment);
    let config = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg"}, "data": {"a": value}});
    stored(&config("b"));
    let explained = |kubectl: &Kubectl, from: &str, wanted: &Value| -> Value {
        let path = kubectl.folder.join(format!("wanted-{}.json", wanted["kind"].as_str().unwrap()));
        std::fs::write(&path, wanted.to_string()).unwrap();
        kubectl
            .restraint(&[
                "explain",
                "change",
                "--from",
                from,
                "--to",
                path.to_str().unwrap(),
                "--output",
                "json",
            ])
            .accepted()
            .object()
    };
    // what the API server filled in is no difference
    assert_eq!(explained(&kubectl, "live:deploy/a", &deployment), json!([]));
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!("b:2");
    let told = explained(&kubectl, "live:deploy/a", &deployment);
    assert_eq!(
        (&told[0]["effect"], &told[0]["pointer"]),
        (&json!("pod-recreation"), &json!("/spec/template/spec/containers/0/image")),
        "{told}"
    );
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    // who uses it is found in the namespace
    let told = explained(&kubectl, "live:cm/cfg", &config("c"));
    assert_eq!(
        (&told[0]["effect"], &told[0]["container"]),
        (&json!("next-start"), &json!("app")),
        "{told}"
    );
}

fn history() {
    let kubectl = space("explaining-history");
    let stored = kubectl
        .feed(&["create", "--filename", "-", "--output", "json"], &pod("db").to_string())
        .accepted()
        .object();
    let ended = json!({"terminated": {"reason": "Error", "exitCode": 137, "finishedAt": "2026-01-01T12:00:00Z", "startedAt": null}});
    let state = json!({"running": {"startedAt": "2026-01-01T12:00:05Z"}});
    let status = json!({"status": {
        "phase": "Running",
        "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "no room"}],
        "containerStatuses": [{
            "name": "app", "image": "a", "imageID": "", "ready": true, "restartCount": 1, "state": state, "lastState": ended,
            "resources": {"limits": {"memory": "256Mi"}},
        }],
    }});
    kubectl
        .run(&["patch", "pod", "db", "--subresource", "status", "--patch", &status.to_string()])
        .accepted();
    let uid = &stored["metadata"]["uid"];
    let about = json!({"kind": "Pod", "name": "db", "namespace": "explaining-history", "uid": uid, "fieldPath": "spec.containers{app}"});
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "db.1"}, "involvedObject": about, "type": "Normal",
        "reason": "Killing", "message": "Container app failed liveness probe, will be restarted",
        "firstTimestamp": "2026-01-01T11:59:30Z", "lastTimestamp": "2026-01-01T11:59:30Z", "source": {"component": "kubelet"},
    });
    kubectl.feed(&["create", "--filename", "-"], &event.to_string()).accepted();
    let explain = |kubectl: &Kubectl| {
        kubectl.restraint(&["explain", "pod", "db", "--output", "json"]).accepted().object()
    };
    let told = explain(&kubectl);
    assert_eq!(
        (&told["restarts"][0]["cause"], &told["restarts"][0]["certainty"]),
        (&json!("liveness-probe"), &json!("certain")),
        "{told}"
    );
    assert_eq!(
        (&told["resize"]["state"], &told["resize"]["message"]),
        (&json!("deferred"), &json!("no room")),
        "{told}"
    );
    assert_eq!(told["namespace"], "explaining-history");
    // the developer may read pods and no events
    let told = explain(&kubectl.by(Person::Developer));
    assert_eq!(
        (&told["restarts"][0]["cause"], &told["restarts"][0]["certainty"]),
        (&json!("killed"), &json!("unknown")),
        "{told}"
    );
    assert!(told["unknown"][0].as_str().unwrap().starts_with("events cannot be read"), "{told}");
}

/// A namespace that Restraint does not look after.
fn space(name: &str) -> Kubectl {
    let kubectl = cluster().kubectl();
    kubectl.run(&["create", "namespace", name]).accepted();
    kubectl.within(name)
}

/// What makes `new` of `old`; lists are replaced as a whole.
fn merge_patch(old: &Value, new: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (old, new) else { return new.clone() };
    let mut patch: Map<String, Value> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .map(|key| (key.clone(), Value::Null))
        .collect();
    for (key, value) in after.iter().filter(|(key, value)| before.get(*key) != Some(value)) {
        patch.insert(
            key.clone(),
            before.get(key).map_or_else(|| value.clone(), |old| merge_patch(old, value)),
        );
    }
    Value::Object(patch)
}

fn merged(mut object: Value, more: Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn with(mut pod: Value, field: &str, value: Value) -> Value {
    pod["spec"][field] = value;
    pod
}

fn list<'v>(pod: &'v mut Value, name: &str) -> &'v mut Vec<Value> {
    pod["spec"][name].as_array_mut().unwrap()
}

fn container(pod: &mut Value) -> &mut Map<String, Value> {
    pod["spec"]["containers"][0].as_object_mut().unwrap()
}

fn set_resources(pod: &mut Value, resources: Value) {
    pod["spec"]["containers"][0]["resources"] = resources;
}

fn limit(pod: &mut Value, amount: &str) {
    pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!(amount);
}

fn init_limit(pod: &mut Value, amount: &str) {
    pod["spec"]["initContainers"][0]["resources"]["limits"]["memory"] = json!(amount);
}

fn set_policy(pod: &mut Value) {
    pod["spec"]["containers"][0]["resizePolicy"] =
        json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
}

fn claim_templates(set: &mut Value) {
    let spec =
        json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": spec}]);
}

fn workload(kind: &str) -> Value {
    let labels = json!({"app": "a"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "a:1"}]}});
    let spec = json!({"selector": {"matchLabels": labels}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec})
}

fn job(suspend: bool) -> Value {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "a:1"}]}});
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"suspend": suspend, "template": template}})
}

fn cron_job() -> Value {
    let job = job(false)["spec"]["template"].take();
    let spec = json!({"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": job}}});
    json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"}, "spec": spec})
}
