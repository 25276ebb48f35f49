mod config_maps;

use serde_json::json;

use crate::explain::Effect;

use super::*;

/// What is said of going from one text to the other: field, container, effect.
fn effects(old: &str, new: &str) -> Vec<(String, Option<String>, Effect)> {
    let told = told(old, new);
    told.into_iter().map(|one| (one.field, one.container, one.effect)).collect()
}

fn told(old: &str, new: &str) -> Vec<Explanation> {
    let read = |text| Unstructured::read(text, "shop").unwrap();
    explain(&read(old), &read(new), &ChangeContext::default())
}

/// The only explanation.
#[track_caller]
fn only(old: &str, new: &str) -> Explanation {
    let mut told = told(old, new);
    assert_eq!(told.len(), 1, "{told:#?}");
    told.remove(0)
}

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: db-0}
spec:
  containers:
  - name: app
    image: db:1
    args: [\"-Xmx300m\"]
    command: [java]
    resources:
      requests: {cpu: 200m, memory: 256Mi}
      limits: {cpu: 500m, memory: 512Mi}
    resizePolicy: [{resourceName: memory, restartPolicy: POLICY}]
";

fn pod(policy: &str) -> String {
    POD.replace("POLICY", policy)
}

/// A workload whose template has one container.
fn workload(kind: &str, fields: &str, image: &str) -> String {
    let version = if kind == "ReplicationController" { "v1" } else { "apps/v1" };
    format!(
        "{{apiVersion: {version}, kind: {kind}, metadata: {{name: web}}, spec: {{{fields}
          template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: app, image: \"{image}\"}}]}}}}}}}}"
    )
}

#[test]
fn templates_roll_out_as_their_controller_does() {
    let cases = [
        ("Deployment", "", Effect::PodRecreation, "step by step"),
        ("Deployment", "strategy: {type: Recreate},", Effect::PodRecreation, "Recreate"),
        ("Deployment", "paused: true,", Effect::NewPodsOnly, "paused"),
        ("Deployment", "replicas: 0,", Effect::NewPodsOnly, "0 replicas"),
        ("StatefulSet", "", Effect::PodRecreation, "same names and volumes"),
        ("StatefulSet", "updateStrategy: {type: OnDelete},", Effect::NewPodsOnly, "OnDelete"),
        (
            "StatefulSet",
            "replicas: 3, updateStrategy: {rollingUpdate: {partition: 2}},",
            Effect::PodRecreation,
            "ordinals 2 to 2",
        ),
        (
            "StatefulSet",
            "replicas: 3, updateStrategy: {rollingUpdate: {partition: 3}},",
            Effect::NewPodsOnly,
            "beyond",
        ),
        ("DaemonSet", "", Effect::PodRecreation, "node by node"),
        ("DaemonSet", "updateStrategy: {type: OnDelete},", Effect::NewPodsOnly, "OnDelete"),
        ("ReplicaSet", "", Effect::NewPodsOnly, "leaves the pods it has"),
        ("ReplicationController", "", Effect::NewPodsOnly, "leaves the pods it has"),
    ];
    for (kind, fields, effect, said) in cases {
        let told = only(&workload(kind, fields, "web:1"), &workload(kind, fields, "web:2"));
        assert_eq!(
            (told.effect, told.container.as_deref()),
            (effect, Some("app")),
            "{kind} {fields}"
        );
        assert!(told.why.contains(said), "{kind} {fields}: {}", told.why);
        assert_eq!((told.from, told.to), (json!("web:1"), json!("web:2")));
        assert_eq!(told.pointer, "/spec/template/spec/containers/0/image");
    }
    let told =
        only(&workload("Deployment", "", "web:1"), &workload("Deployment", "", "Web Server"));
    assert!(told.why.contains("InvalidImageName"), "{}", told.why);
}

#[test]
fn a_resize_is_judged_and_explained() {
    let lower = |text: &str| text.replace("memory: 512Mi", "memory: 400Mi");
    let told = only(&pod("NotRequired"), &lower(&pod("NotRequired")));
    assert_eq!((told.effect, told.actor.as_str()), (Effect::Denied, "Restraint"));
    assert!(
        told.why.starts_with(
            "memory-limit-decrease: container \"app\": memory limit 512Mi -> 400Mi is not approved"
        ),
        "{}",
        told.why
    );
    assert!(
        told.why.contains("page cache") && told.why.contains("heap -Xmx300m stays as it is"),
        "{}",
        told.why
    );
    assert!(
        told.remedy.contains("kubectl annotate pod db-0 -n shop restraint.dev/approve=app=400Mi"),
        "{}",
        told.remedy
    );

    let far = |text: &str| text.replace("memory: 512Mi", "memory: 256Mi");
    let told = only(&pod("RestartContainer"), &far(&pod("RestartContainer")));
    assert!(
        told.why.contains("heap-above-limit")
            && told.why.contains("heap -Xmx300m is at or above the new limit"),
        "{}",
        told.why
    );
}

#[test]
fn growth_and_cpu_are_explained() {
    let higher = |text: &str| text.replace("memory: 512Mi", "memory: 1Gi");
    let told = only(&pod("NotRequired"), &higher(&pod("NotRequired")));
    assert_eq!(told.effect, Effect::Resize);
    let patch =
        r#"{"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"1Gi"}}}]}}"#;
    assert_eq!(
        told.remedy,
        format!("kubectl patch pod db-0 -n shop --subresource resize --patch '{patch}'")
    );
    assert!(told.why.contains("refused (422)"), "{}", told.why);
    assert_eq!(
        only(&pod("RestartContainer"), &higher(&pod("RestartContainer"))).effect,
        Effect::ResizeWithRestart
    );
    // cpu alone does not restart what memory would
    let cpu = |text: &str| text.replace("cpu: 500m", "cpu: 600m");
    assert_eq!(
        only(&pod("RestartContainer"), &cpu(&pod("RestartContainer"))).effect,
        Effect::Resize
    );
    // with memory it does
    let both = effects(&pod("RestartContainer"), &cpu(&higher(&pod("RestartContainer"))));
    assert!(both.iter().all(|(_, _, effect)| *effect == Effect::ResizeWithRestart), "{both:?}");
    // a limit of 0 is below the request, and with a request of 0 it is none
    let zero = pod("NotRequired").replace("memory: 512Mi", "memory: 0");
    assert_eq!(only(&pod("NotRequired"), &zero).effect, Effect::Refused);
    let told = self::told(&pod("NotRequired"), &zero.replace("memory: 256Mi", "memory: 0"));
    assert_eq!(
        told.iter().map(|one| one.effect).collect::<Vec<_>>(),
        [Effect::Resize, Effect::Resize]
    );
    assert!(told.iter().any(|one| one.why.contains("0 is no limit")), "{told:#?}");
}

#[test]
fn configuration_reaches_each_container_in_its_own_way() {
    let config = |value: &str, more: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: cfg}}, data: {{a.yaml: {value}, other: x}}{more}}}\n---\n"
        )
    };
    let users = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      volumes: [{name: cfg, configMap: {name: cfg}}]
      containers:
      - {name: env, image: a, envFrom: [{configMapRef: {name: cfg}}]}
      - {name: key, image: a, env: [{name: O, valueFrom: {configMapKeyRef: {name: cfg, key: other}}}]}
      - {name: file, image: a, volumeMounts: [{name: cfg, mountPath: /c}]}
      - {name: part, image: a, volumeMounts: [{name: cfg, mountPath: /c/a.yaml, subPath: a.yaml}]}
"#;
    let (old, new) = (config("'1'", "") + users, config("top-secret", "") + users);
    let found: Vec<_> = effects(&old, &new)
        .into_iter()
        .map(|(_, container, effect)| (container.unwrap(), effect))
        .collect();
    let expected =
        [("env", Effect::NextStart), ("part", Effect::NextStart), ("file", Effect::ReRead)];
    assert_eq!(found, expected.map(|(name, effect)| (name.to_owned(), effect)));
    let printed = serde_json::to_string(&told(&old, &new)).unwrap();
    assert!(!printed.contains("top-secret"), "{printed}");
    // nobody is known
    assert_eq!(only(&config("'1'", ""), &config("'2'", "")).effect, Effect::Unknown);
    // it cannot change
    let told = only(
        &(config("'1'", ", immutable: true") + users),
        &(config("'2'", ", immutable: true") + users),
    );
    assert_eq!(told.effect, Effect::Refused);
    // Reloader
    let reloaded = |text: &str| {
        text.replace(
            "{name: web}",
            "{name: web, annotations: {reloader.stakater.com/auto: \"true\"}}",
        )
    };
    assert!(
        effects(&reloaded(&old), &reloaded(&new))
            .iter()
            .all(|(_, _, effect)| *effect == Effect::PodRecreation)
    );
}

#[test]
fn unknown_kinds_are_said_to_be_unknown_and_show_nothing() {
    let widget = |size: &str| {
        format!(
            "{{apiVersion: example.com/v1, kind: Widget, metadata: {{name: a}}, spec: {{token: {size}}}}}"
        )
    };
    let told = only(&widget("abc"), &widget("def"));
    assert_eq!(
        (told.effect, told.from, told.to),
        (Effect::Unknown, json!("(not shown)"), json!("(not shown)"))
    );
}

#[test]
fn values_of_variables_are_never_shown() {
    let with = |value: &str| {
        workload("Deployment", "", "web:1")
            .replace("name: app,", &format!("name: app, env: [{{name: TOKEN, value: {value}}}],"))
    };
    let told = only(&with("abc"), &with("def"));
    assert_eq!(
        (told.field.as_str(), told.from),
        ("spec.template.spec.containers[app].env[TOKEN].value", json!("(not shown)"))
    );
    let added = only(&workload("Deployment", "", "web:1"), &with("def"));
    assert!(!serde_json::to_string(&added).unwrap().contains("def"), "{added:?}");
}

#[test]
fn objects_come_and_go() {
    assert_eq!(only("", &pod("NotRequired")).effect, Effect::Scale);
    assert_eq!(only(&pod("NotRequired"), "").effect, Effect::PodDeletion);
    let context = ChangeContext { is_whole: false, ..ChangeContext::default() };
    assert_eq!(
        explain(&[], &Unstructured::read(&pod("NotRequired"), "shop").unwrap(), &context),
        []
    );
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// A kind without pods, two specs of it, and the effect of the change.
const WITHOUT_PODS: &[(&str, &str, &str, &str, Effect)] = &[
    (
        "networking.istio.io/v1",
        "VirtualService",
        "spec: {http: [1]}",
        "spec: {http: [2]}",
        Effect::Nothing,
    ),
    (
        "networking.istio.io/v1",
        "DestinationRule",
        "spec: {host: a}",
        "spec: {host: b}",
        Effect::Nothing,
    ),
    (
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "spec: {policyTypes: [Ingress]}",
        "spec: {policyTypes: [Egress]}",
        Effect::Nothing,
    ),
    ("v1", "Service", "spec: {ports: [{port: 1}]}", "spec: {ports: [{port: 2}]}", Effect::Nothing),
    (RBAC, "Role", "rules: [1]", "rules: [2]", Effect::Nothing),
    (RBAC, "ClusterRoleBinding", "roleRef: {name: a}", "roleRef: {name: b}", Effect::Refused),
    ("v1", "Node", "spec: {}", "spec: {unschedulable: true}", Effect::NewPodsOnly),
    (
        "v1",
        "Node",
        "spec: {}",
        "spec: {taints: [{key: a, effect: NoSchedule}]}",
        Effect::NewPodsOnly,
    ),
    (
        "v1",
        "Node",
        "spec: {}",
        "spec: {taints: [{key: a, effect: NoExecute}]}",
        Effect::PodRecreation,
    ),
    (
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "spec: {maxReplicas: 2}",
        "spec: {maxReplicas: 3}",
        Effect::Scale,
    ),
    (
        "autoscaling.k8s.io/v1",
        "VerticalPodAutoscaler",
        "spec: {}",
        "spec: {updatePolicy: {updateMode: 'Off'}}",
        Effect::Nothing,
    ),
    (
        "autoscaling.k8s.io/v1",
        "VerticalPodAutoscaler",
        "spec: {}",
        "spec: {updatePolicy: {updateMode: Initial}}",
        Effect::NewPodsOnly,
    ),
    (
        "autoscaling.k8s.io/v1",
        "VerticalPodAutoscaler",
        "spec: {}",
        "spec: {updatePolicy: {updateMode: InPlace}}",
        Effect::Resize,
    ),
    ("v1", "LimitRange", "spec: {limits: [1]}", "spec: {limits: [2]}", Effect::NewPodsOnly),
    (
        "policy/v1",
        "PodDisruptionBudget",
        "spec: {minAvailable: 1}",
        "spec: {minAvailable: 2}",
        Effect::Nothing,
    ),
];

#[test]
fn kinds_without_pods_restart_nothing() {
    let object = |version: &str, kind: &str, field: &str| {
        format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: a}}, {field}}}")
    };
    for (version, kind, old, new, effect) in WITHOUT_PODS {
        assert!(
            effects(&object(version, kind, old), &object(version, kind, new))
                .iter()
                .all(|one| one.2 == *effect),
            "{kind} {new}"
        );
        assert!(
            !effects(&object(version, kind, old), &object(version, kind, new)).is_empty(),
            "{kind} {new}"
        );
        let labelled = object(version, kind, old)
            .replace("metadata: {name: a}", "metadata: {name: a, labels: {a: b}}");
        assert_eq!(only(&object(version, kind, old), &labelled).effect, Effect::Nothing, "{kind}");
    }
}

#[test]
fn a_live_pod_takes_a_new_image_and_little_else() {
    let image = only(&pod("NotRequired"), &pod("NotRequired").replace("db:1", "db:2"));
    assert_eq!((image.effect, image.actor.as_str()), (Effect::ContainerRestart, "kubelet"));
    let policy = only(&pod("NotRequired"), &pod("RestartContainer"));
    assert_eq!(
        (policy.effect, policy.field.as_str()),
        (Effect::Refused, "spec.containers[app].resizePolicy")
    );
    // one request: a key that is removed refuses the growth beside it
    let removed = pod("NotRequired").replace("cpu: 500m, memory: 512Mi", "memory: 1Gi");
    let told = told(&pod("NotRequired"), &removed);
    assert_eq!(
        told.iter().map(|one| one.effect).collect::<Vec<_>>(),
        [Effect::Refused, Effect::Refused]
    );
    assert!(
        told.iter().any(|one| one.why.starts_with("a resize happens as a whole or not at all")),
        "{told:#?}"
    );
}
