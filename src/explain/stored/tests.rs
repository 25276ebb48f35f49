//! Objects in other words are the same, and what means something else is not.

use crate::explain::change::{ChangeContext, explain};
use crate::explain::{Effect, Explanation};
use crate::manifest::unstructured::Unstructured;

fn told(old: &str, new: &str) -> Vec<Explanation> {
    let read = |text| Unstructured::read(text, "shop").unwrap();
    explain(&read(old), &read(new), &ChangeContext::default())
}

#[track_caller]
fn same(old: &str, new: &str) {
    for (old, new) in [(old, new), (new, old)] {
        let told = told(old, new);
        assert!(told.is_empty(), "{old}\n{new}\n{told:#?}");
    }
}

/// A Deployment with these fields of its pods and of their container.
fn deployment(pod: &str, container: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a}}, spec: {{selector: {{matchLabels: {{a: b}}}}, \
         template: {{metadata: {{labels: {{a: b}}}}, spec: {{{pod} containers: [{{name: c, image: \"c:1\", {container}}}]}}}}}}}}"
    )
}

#[test]
fn what_is_filled_in_is_no_difference() {
    let containers = [
        "imagePullPolicy: IfNotPresent, resources: {}, terminationMessagePolicy: File",
        "env: [], args: null, ports: [], stdin: false, workingDir: \"\"",
    ];
    for container in containers {
        same(&deployment("", container), &deployment("", ""));
    }
    let pairs = [
        ("env: [{name: A, value: \"\"}]", "env: [{name: A}]"),
        (
            "ports: [{containerPort: 80, protocol: TCP, hostPort: 0}]",
            "ports: [{containerPort: 80}]",
        ),
        (
            "livenessProbe: {httpGet: {port: 80, path: /, scheme: HTTP}, initialDelaySeconds: 0, timeoutSeconds: 1}",
            "livenessProbe: {httpGet: {port: 80}, periodSeconds: 10, failureThreshold: 3}",
        ),
        ("startupProbe: {grpc: {port: 80, service: \"\"}}", "startupProbe: {grpc: {port: 80}}"),
        (
            "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: \"0\"}}}]",
            "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]",
        ),
        ("resources: {limits: {cpu: 0.5}}", "resources: {limits: {cpu: 500m}}"),
        ("resources: {limits: {cpu: 1u}}", "resources: {limits: {cpu: 1m}}"),
        (
            "resources: {limits: {example.com/gpu: 1000}}",
            "resources: {limits: {example.com/gpu: 1k}}",
        ),
    ];
    for (one, other) in pairs {
        same(&deployment("", one), &deployment("", other));
    }
}

#[test]
fn pods_and_volumes_are_filled_in() {
    let pairs = [
        ("serviceAccount: x,", "serviceAccountName: x,"),
        ("dnsPolicy: ClusterFirst, securityContext: {}, hostNetwork: false,", ""),
        ("nodeSelector: {}, tolerations: [], initContainers: null,", ""),
        (
            "volumes: [{name: a, emptyDir: {sizeLimit: 1024Mi, medium: \"\"}}, {name: b}],",
            "volumes: [{name: a, emptyDir: {sizeLimit: 1Gi}}, {name: b, emptyDir: {}}],",
        ),
        (
            "volumes: [{name: a, hostPath: {path: /a, type: \"\"}}, {name: b, secret: {secretName: b}}],",
            "volumes: [{name: a, hostPath: {path: /a}}, {name: b, secret: {secretName: b, defaultMode: 0644}}],",
        ),
        (
            "volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 3600}}]}}],",
            "volumes: [{name: a, projected: {defaultMode: 420, sources: [{serviceAccountToken: {path: t}}]}}],",
        ),
        (
            "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {metadata: {creationTimestamp: null}, spec: {volumeMode: Filesystem, resources: {requests: {storage: 1024Mi}}}}}}],",
            "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}}}],",
        ),
    ];
    for (one, other) in pairs {
        same(&deployment(one, ""), &deployment(other, ""));
    }
}

#[test]
fn what_means_something_else_is_a_difference() {
    let containers = [
        "securityContext: {}",
        "securityContext: {privileged: false}",
        "lifecycle: {}",
        "imagePullPolicy: Always",
        "terminationMessagePath: /x",
        "env: [{name: A}]",
        "resources: {limits: {cpu: 0}}",
        "resources: {requests: {cpu: 1}}",
    ];
    for container in containers {
        let told = told(&deployment("", ""), &deployment("", container));
        assert_eq!(
            told.iter().map(|one| one.effect).collect::<Vec<_>>(),
            [Effect::PodRecreation],
            "{container}"
        );
    }
    for pod in
        ["affinity: {},", "automountServiceAccountToken: false,", "enableServiceLinks: true,"]
    {
        assert_eq!(told(&deployment("", ""), &deployment(pod, "")).len(), 1, "{pod}");
    }
}

#[test]
fn pull_policies_follow_tags() {
    let with = |image: &str, policy: &str| {
        deployment("", &format!("image: \"{image}\", imagePullPolicy: {policy}"))
            .replace("image: \"c:1\", ", "")
    };
    let without = |image: &str| {
        deployment("", &format!("image: \"{image}\"")).replace("image: \"c:1\", ", "")
    };
    let always = ["c", "c:latest", "host:5000/a/c", "Registry.io/c", "c:latest@sha256:1"];
    for image in always {
        same(&with(image, "Always"), &without(image));
    }
    let kept = [
        "d:1",
        "host:5000/c:1",
        "c@sha256:1",
        "a/Upper",
        "ko://example.com/x",
        "",
        "$IMAGE",
        "a b",
    ];
    for image in kept {
        same(&with(image, "IfNotPresent"), &without(image));
    }
}

/// A StatefulSet with these fields.
fn set(fields: &str, claim: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: a}}, spec: {{selector: {{matchLabels: {{a: b}}}}, {fields} \
         template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: c, image: \"c:1\"}}]}}}}, volumeClaimTemplates: [{claim}]}}}}"
    )
}

#[test]
fn workloads_are_filled_in() {
    let claim = "{metadata: {name: d}, spec: {resources: {requests: {storage: 1Gi}}}}";
    let stored = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d, creationTimestamp: null}, \
        spec: {volumeMode: Filesystem, resources: {requests: {storage: 1024Mi}}}, status: {phase: Pending}}";
    same(&set("", claim), &set("", stored));
    let full = "replicas: 1, serviceName: \"\", podManagementPolicy: OrderedReady, revisionHistoryLimit: 10, \
        updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}, \
        persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain},";
    same(&set(full, claim), &set("", stored));
    same(&set("updateStrategy: {type: RollingUpdate},", claim), &set("updateStrategy: {},", claim));
    let told = told(&set("", claim), &set("", &claim.replace("1Gi", "2Gi")));
    assert_eq!(told.iter().map(|one| one.effect).collect::<Vec<_>>(), [Effect::Refused]);
}

#[test]
fn what_is_generated_for_a_job_is_no_difference() {
    let job = |metadata: &str, spec: &str, labels: &str| {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: a{metadata}}}, spec: {{{spec} template: \
             {{metadata: {{{labels}}}, spec: {{restartPolicy: Never, containers: [{{name: c, image: \"c:1\"}}]}}}}}}}}"
        )
    };
    let generated = "labels: {job-name: a, batch.kubernetes.io/job-name: a, controller-uid: u, batch.kubernetes.io/controller-uid: u}";
    let stored = job(
        &format!(", uid: u, {generated}"),
        "parallelism: 1, completions: 1, backoffLimit: 6, suspend: false, selector: {matchLabels: {batch.kubernetes.io/controller-uid: u}},",
        generated,
    );
    same(&job("", "", ""), &stored);
}

#[test]
fn pods_are_completed_by_admission() {
    let pod = |metadata: &str, spec: &str, container: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: a{metadata}}}, spec: {{{spec} containers: [{{name: c, image: \"c:1\", {container}}}]}}}}"
        )
    };
    let stored = pod(
        ", uid: u",
        "priority: 7, priorityClassName: seven, nodeName: n1, serviceAccountName: default, serviceAccount: default, \
         imagePullSecrets: [{name: x}], volumes: [{name: kube-api-access-abcde, projected: {sources: []}}], \
         tolerations: [{key: role, operator: Exists}, {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}, \
         {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 300}],",
        "resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}], resources: {limits: {memory: 1Gi}, requests: {memory: 1Gi}}, \
         volumeMounts: [{name: kube-api-access-abcde, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}]",
    );
    let file = pod(
        "",
        "tolerations: [{key: role, operator: Exists}],",
        "resources: {limits: {memory: 1024Mi}}",
    );
    same(&stored, &file);
    // two files: nobody else put it there
    assert!(!told(&stored.replace(", uid: u", ""), &file).is_empty());
}

#[test]
fn unknown_and_ill_typed_fields_have_no_effect() {
    let unknown = |old: &str, new: &str, meant: &str| {
        let told = told(old, new);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(told[0].effect, Effect::Nothing, "{told:#?}");
        assert!(told[0].why.starts_with("no such field"), "{told:#?}");
        assert!(told[0].remedy.contains(meant), "{told:#?}");
    };
    unknown(&deployment("", ""), &deployment("restartpolicy: Always,", ""), "\"restartPolicy\"");
    unknown(&set("", ""), &set("strategy: {type: Recreate},", ""), "\"updateStrategy\"");
    let misplaced =
        deployment("", "").replace("template: {", "template: {annotations: {checksum/a: b}, ");
    unknown(&deployment("", ""), &misplaced, "\"metadata.annotations\"");
    // on both sides it is no difference
    same(&misplaced, &misplaced);
    let replicas = |value: &str| set(&format!("replicas: {value},"), "");
    let refused = told(&replicas("3"), &replicas("\"3\""));
    assert_eq!(refused.len(), 1, "{refused:#?}");
    assert_eq!((refused[0].effect, &refused[0].from), (Effect::Refused, &3.into()));
    assert!(refused[0].why.contains("a whole number is wanted"), "{refused:#?}");
    let wrong = [
        "env: [{name: A, value: 1}]",
        "args: [1]",
        "tty: \"true\"",
        "resources: {limits: {cpu: 1x}}",
    ];
    for container in wrong {
        let told = told(&deployment("", ""), &deployment("", container));
        assert!(told.iter().any(|one| one.effect == Effect::Refused), "{container}: {told:#?}");
    }
}

#[test]
fn limits_alone_are_requests_too() {
    let pod = |resources: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{containers: [{{name: c, image: \"c:1\", resources: {{{resources}}}}}]}}}}"
        )
    };
    let limits = |memory: &str| format!("limits: {{cpu: 1, memory: {memory}}}");
    let both = "limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1, memory: 1Gi}";
    same(&pod(&limits("1Gi")), &pod(both));
    let told = told(&pod(&limits("1Gi")), &pod(&limits("2Gi")));
    assert_eq!(
        told.iter().map(|one| one.effect).collect::<Vec<_>>(),
        [Effect::Resize, Effect::Resize]
    );
    let patch = r#""limits":{"memory":"2Gi"},"requests":{"memory":"2Gi"}"#;
    assert!(told.iter().all(|one| one.remedy.contains(patch)), "{told:#?}");
}
