//! Kinds that make pods and are none of Kubernetes' own.

use super::*;

/// An object of each kind, with its template at a place that `POD` stands for, and the place.
const OBJECTS: [(&str, &str); 13] = [
    ("{apiVersion: argoproj.io/v1alpha1, kind: Rollout, spec: {template: POD}}", "/spec/template"),
    (
        "{apiVersion: serving.knative.dev/v1, kind: Service, spec: {template: POD}}",
        "/spec/template",
    ),
    (
        "{apiVersion: apps.openshift.io/v1, kind: DeploymentConfig, spec: {template: POD}}",
        "/spec/template",
    ),
    ("{apiVersion: v1, kind: DeploymentConfig, spec: {template: POD}}", "/spec/template"),
    (
        "{apiVersion: template.openshift.io/v1, kind: Template, objects: [{apiVersion: apps/v1, kind: Deployment, spec: {template: POD}}]}",
        "/objects/0/spec/template",
    ),
    (
        "{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, spec: {replicatedJobs: [{}, {template: {spec: {template: POD}}}]}}",
        "/spec/replicatedJobs/1/template/spec/template",
    ),
    (
        "{apiVersion: leaderworkerset.x-k8s.io/v1, kind: LeaderWorkerSet, spec: {leaderWorkerTemplate: {workerTemplate: POD}}}",
        "/spec/leaderWorkerTemplate/workerTemplate",
    ),
    ("{apiVersion: v1, kind: PodTemplate, template: POD}", "/template"),
    (
        "{apiVersion: ray.io/v1, kind: RayCluster, spec: {headGroupSpec: {template: POD}}}",
        "/spec/headGroupSpec/template",
    ),
    (
        "{apiVersion: ray.io/v1, kind: RayCluster, spec: {workerGroupSpecs: [{template: POD}]}}",
        "/spec/workerGroupSpecs/0/template",
    ),
    (
        "{apiVersion: apps.kruise.io/v1alpha1, kind: CloneSet, spec: {template: POD}}",
        "/spec/template",
    ),
    (
        "{apiVersion: apps.kruise.io/v1beta1, kind: StatefulSet, spec: {template: POD}}",
        "/spec/template",
    ),
    (
        "{apiVersion: apps.kruise.io/v1alpha1, kind: DaemonSet, spec: {template: POD}}",
        "/spec/template",
    ),
];

const HEAP: &str = "{spec: {containers: [{name: a, image: x, env: [{name: JAVA_OPTS, value: -Xmx900m}], resources: {limits: {memory: 512Mi}}}]}}";

#[test]
fn each_known_kind_is_judged_by_its_templates() {
    for (object, place) in OBJECTS {
        let found = findings(&[("a.yaml", &object.replace("POD", HEAP))]);
        let heap = found.iter().find(|one| one["rule"] == "heap-above-limit");
        let heap = heap.unwrap_or_else(|| panic!("{object}: {found:?}"));
        let pointer = heap["pointer"].as_str().unwrap();
        assert!(pointer.starts_with(&format!("{place}/spec/containers/0/env")), "{pointer}");
        let fixable = found.iter().any(|one| one["fixable"] == true);
        assert_eq!(fixable, object.contains("objects:"), "only of Kubernetes' own: {found:?}");
    }
}

#[test]
fn another_kind_is_named() {
    let widget = "{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}, spec: {parts: [{pod: POD}, {pod: POD}]}}".replace("POD", HEAP);
    let folder = tree(&[("a.yaml", &widget)]);
    let ran = lint(folder.path(), &["-v", "."]);
    assert!(
        ran.remarks.contains(
            "Widget \"w\" is not judged: no pods are known to be made of its kind; \
             if they are: --workload 'Widget.example.com=/spec/parts/*/pod'"
        ),
        "{}",
        ran.remarks
    );
    let named = ["--workload", "Widget.example.com=/spec/parts/*/pod", "--format", "json", "."];
    let found: Vec<Value> = serde_json::from_str(&lint(folder.path(), &named).output).unwrap();
    let heaps = found.iter().filter(|one| one["rule"] == "heap-above-limit");
    let pointers: Vec<_> = heaps.map(|one| one["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers.len(), 2, "{found:?}");
    assert!(pointers[1].starts_with("/spec/parts/1/pod/spec/containers/0/env"), "{pointers:?}");

    let ran = lint(folder.path(), &["--workload", "Widget=/spec", "."]);
    assert!(ran.code == 2 && ran.remarks.contains("not of the form KIND.GROUP=POINTER"), "{ran:?}");
}

#[test]
fn a_malformed_template_is_told_where_it_is_written() {
    let (job_set, _) = OBJECTS.iter().find(|(object, _)| object.contains("JobSet")).unwrap();
    let folder = tree(&[("a.yaml", &job_set.replace("POD", &HEAP.replace("512Mi", "much")))]);
    let ran = lint(folder.path(), &["."]);
    let said = "JobSet \"\" is not judged: spec.replicatedJobs[1].template.spec.template.spec.containers[0].resources.limits.memory: ";
    assert!(ran.remarks.contains(said), "{}", ran.remarks);
}

#[test]
fn what_rolls_a_kind_decides() {
    let mounted = |annotations: &str| {
        format!(
            "{{metadata: {{annotations: {annotations}}}, spec: {{containers: [{{name: a, image: x, volumeMounts: \
             [{{name: c, mountPath: /etc/a, subPath: a}}]}}], volumes: [{{name: c, configMap: {{name: c}}}}]}}}}"
        )
    };
    let found = |kind: &str, annotations: &str| {
        let object = OBJECTS.iter().find(|(object, _)| object.contains(kind)).unwrap().0;
        let found = findings(&[("a.yaml", &object.replace("POD", &mounted(annotations)))]);
        found.iter().any(|one| one["rule"] == "subpath-config-mount")
    };
    assert!(found("Rollout", "{}") && found("CloneSet", "{}"));
    assert!(!found("JobSet", "{}"), "it reads once");
    let reloader = "{reloader.stakater.com/auto: \"true\"}";
    assert!(!found("Rollout", reloader));
    assert!(found("CloneSet", reloader), "Reloader does not know it");
}

#[test]
fn every_document_that_is_not_judged_says_why() {
    let long = format!("apiVersion: v1\nkind: Endpoints\nnote: {}\n", "x".repeat(20_000));
    let text = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\n---\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\n---\n\
         apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop}}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: r}}\n---\n\
         a: 1\n---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Component\n---\n{long}"
    );
    let folder = tree(&[("a.yaml", &text)]);
    let ran = lint(folder.path(), &["-v", "."]);
    let expected = "\
a.yaml:1: Service \"s\" is not judged: no pods are known to be made of its kind
a.yaml:4: not judged: nothing in this document
a.yaml:6: ConfigMap \"c\" is not judged: it is evidence for others
a.yaml:10: Namespace \"shop\" is not judged: it is evidence for others
a.yaml:14: Rollout \"r\" is not judged: it has no template of pods
a.yaml:18: not an object of Kubernetes
a.yaml:20: Component is not judged: it says how others are built
a.yaml:22: Endpoints is not judged: no pods are known to be made of its kind
";
    assert_eq!(ran.remarks, expected);
    assert_eq!(lint(folder.path(), &["."]).remarks, "", "only where it is asked for");
}
