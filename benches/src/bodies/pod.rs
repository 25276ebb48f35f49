//! Pods as they come out of the API server's defaulting.

use super::json::{Json, list, object};

/// When everything happened.
const TIME: &str = "2026-11-21T08:37:42Z";

/// Where Kubernetes mounts a pod's token.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A checksum of the configuration, by which a change of it becomes a rollout.
pub(super) const CHECKSUM: &str =
    "6b51d431df5d7f141cbececcf79edf3dd861c3b4069f0b11661a3eefacbba918";

/// A pod that runs.
pub(super) struct Pod {
    pub(super) name: &'static str,
    pub(super) generation: i64,
    pub(super) annotations: Json,
    pub(super) spec: Json,
    pub(super) status: Json,
    pub(super) writers: Vec<Managed>,
}

impl Pod {
    pub(super) fn to_json(&self) -> Json {
        let metadata = object! {
            "name": self.name,
            "namespace": "shop",
            "uid": "73c1e49e-79db-4a72-b07f-71da67f7edde",
            "resourceVersion": "1085",
            "generation": self.generation,
            "creationTimestamp": TIME,
            "labels": labels(self.name),
            "annotations": self.annotations.clone(),
            "managedFields": self.writers.iter().map(Managed::to_json).collect::<Vec<_>>(),
        };
        object! { "kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": self.spec.clone(), "status": self.status.clone() }
    }
}

/// Who wrote which fields: an entry of `managedFields`.
#[derive(Clone)]
pub(super) struct Managed {
    manager: &'static str,
    subresource: &'static str,
    wrote: Json,
}

impl Managed {
    pub(super) fn new(manager: &'static str, subresource: &'static str, wrote: Json) -> Self {
        Self { manager, subresource, wrote }
    }

    pub(super) fn to_json(&self) -> Json {
        let part = if self.subresource == "status" { "f:status" } else { "f:spec" };
        let entry = object! {
            "manager": self.manager,
            "operation": "Update",
            "apiVersion": "v1",
            "time": TIME,
            "fieldsType": "FieldsV1",
            "fieldsV1": Json::Object(vec![(part.to_owned(), self.wrote.managed())]),
        };
        if self.subresource.is_empty() {
            entry
        } else {
            entry.with("subresource", self.subresource)
        }
    }
}

/// A pod that is being created.
pub(super) fn new(name: &str, annotations: Json, spec: Json) -> Json {
    let writer = Managed::new("kubectl-create", "", spec.clone());
    let metadata = object! {
        "name": name,
        "namespace": "shop",
        "labels": labels(name),
        "annotations": annotations,
        "managedFields": list![writer.to_json()],
    };
    object! { "kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": object! {} }
}

pub(super) fn labels(name: &str) -> Json {
    object! { "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop", "app.kubernetes.io/version": "2.14.3", "tier": "backend" }
}

pub(super) fn spec(init_containers: Vec<Json>, containers: Vec<Json>) -> Json {
    let token = list![
        object! { "serviceAccountToken": object! { "expirationSeconds": 3607, "path": "token" } },
        object! { "configMap": object! { "name": "kube-root-ca.crt", "items": list![object! { "key": "ca.crt", "path": "ca.crt" }] } },
        object! { "downwardAPI": object! { "items": list![object! { "path": "namespace", "fieldRef": object! { "apiVersion": "v1", "fieldPath": "metadata.namespace" } }] } },
    ];
    let volumes = list![
        object! { "name": "config", "configMap": object! { "name": "shop-config", "defaultMode": 420 } },
        object! { "name": "scratch", "emptyDir": object! { "sizeLimit": "256Mi" } },
        object! { "name": "kube-api-access-hqwgv", "projected": object! { "sources": token, "defaultMode": 420 } },
    ];
    let toleration = |key: &str| object! { "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 };
    let mut spec = object! { "volumes": volumes };
    if !init_containers.is_empty() {
        spec = spec.with("initContainers", init_containers);
    }
    spec.with("containers", containers)
        .with("restartPolicy", "Always")
        .with("terminationGracePeriodSeconds", 30)
        .with("dnsPolicy", "ClusterFirst")
        .with("serviceAccountName", "shop")
        .with("serviceAccount", "shop")
        .with("securityContext", object! { "runAsNonRoot": true, "fsGroup": 2000, "seccompProfile": object! { "type": "RuntimeDefault" } })
        .with("schedulerName", "default-scheduler")
        .with("tolerations", list![toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable")])
        .with("priority", 0)
        .with("enableServiceLinks", true)
        .with("preemptionPolicy", "PreemptLowerPriority")
}

pub(super) fn container(name: &str, memory: &str) -> Json {
    let probe = |path: &str| {
        let request = object! { "path": path, "port": 8080, "scheme": "HTTP" };
        object! { "httpGet": request, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3 }
    };
    object! {
        "name": name,
        "image": "registry.example.com/shop/backend:2.14.3",
        "command": list!["/app/backend"],
        "args": list!["--listen=0.0.0.0:8080", "--config=/etc/shop/config.yaml", "--log-level=info"],
        "ports": list![object! { "name": "http", "containerPort": 8080, "protocol": "TCP" }],
        "env": environment(4, false),
        "resources": resources(memory),
        "volumeMounts": list![
            object! { "name": "config", "readOnly": true, "mountPath": "/etc/shop" },
            object! { "name": "scratch", "mountPath": "/tmp" },
            object! { "name": "kube-api-access-hqwgv", "readOnly": true, "mountPath": TOKEN_PATH },
        ],
        "livenessProbe": probe("/livez"),
        "readinessProbe": probe("/readyz"),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": object! { "capabilities": object! { "drop": list!["ALL"] }, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false },
    }
}

pub(super) fn resources(memory: &str) -> Json {
    let amounts = |cpu: &str| object! { "cpu": cpu, "memory": memory };
    object! { "limits": amounts("2"), "requests": amounts("500m") }
}

pub(super) fn resize_policy() -> Json {
    let entry = |resource: &str, policy: &str| object! { "resourceName": resource, "restartPolicy": policy };
    list![entry("cpu", "NotRequired"), entry("memory", "RestartContainer")]
}

/// Variables; with `references` and more than ten of them some come from a ConfigMap or Secret.
pub(super) fn environment(count: usize, references: bool) -> Json {
    let reference =
        |index: usize| object! { "name": "shop-settings", "key": format!("setting-{index}") };
    let field =
        || object! { "fieldRef": object! { "apiVersion": "v1", "fieldPath": "metadata.name" } };
    let variable = |index: usize| {
        let variable = object! { "name": format!("SHOP_BACKEND_SETTING_{index}") };
        match index % 7 {
            0 => variable.with("valueFrom", field()),
            3 if references && count > 10 => variable.with("valueFrom", object! { "configMapKeyRef": reference(index) }),
            5 if references && count > 10 => variable.with("valueFrom", object! { "secretKeyRef": reference(index) }),
            1 => variable.with("value", format!("https://backend-{index}.shop.svc.cluster.local:8443/v{index}?limit=100&wait=30s")),
            _ => variable.with("value", format!("https://backend-{index}.shop.svc.cluster.local:8443/api/v1")),
        }
    };
    Json::List((0..count).map(variable).collect())
}

/// A script that starts a JVM, with the characters that Go escapes.
pub(super) fn java_script(index: usize) -> String {
    let start = "exec java -Xms512m -Xmx1g -XX:+UseG1GC -XX:MaxGCPauseMillis=200 -Dshop.name=\"worker\" -jar /app/shop.jar";
    format!("umask 077 && mkdir -p /tmp/work && {start} --partition={index} > /tmp/out.log 2>&1")
}

/// What a client that applied `containers` would leave in the annotation.
pub(super) fn applied(name: &str, containers: &[Json]) -> Json {
    let metadata = object! { "annotations": object! {}, "labels": labels(name), "name": name, "namespace": "shop" };
    object! { "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": object! { "containers": containers.to_vec() } }
}

/// The status of a running pod with these containers.
pub(super) fn status(containers: &[String]) -> Json {
    let condition = |kind: &str| object! { "type": kind, "observedGeneration": 1, "status": "True", "lastProbeTime": Json::Null, "lastTransitionTime": TIME };
    let container = |name: &String| {
        object! {
            "name": name.clone(),
            "state": object! { "running": object! { "startedAt": TIME } },
            "lastState": object! {},
            "ready": true,
            "restartCount": 0,
            "image": "registry.example.com/shop/backend:2.14.3",
            "imageID": "registry.example.com/shop/backend@sha256:9b2ec0ea0e6b6fc3f1a8d8a3f8c3c2fa7a6c59c80fb9f9e3b1c2b6a1f0b4d5e6",
            "containerID": "containerd://3f4e1f0d2c5b6a798897a6b5c4d3e2f10f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "started": true,
            "allocatedResources": object! { "cpu": "500m", "memory": "4Gi" },
            "resources": resources("4Gi"),
        }
    };
    let conditions =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    object! {
        "observedGeneration": 1,
        "phase": "Running",
        "conditions": Json::List(conditions.into_iter().map(condition).collect()),
        "hostIP": "10.0.3.17",
        "hostIPs": list![object! { "ip": "10.0.3.17" }],
        "podIP": "10.244.2.35",
        "podIPs": list![object! { "ip": "10.244.2.35" }],
        "startTime": TIME,
        "containerStatuses": Json::List(containers.iter().map(container).collect()),
        "qosClass": "Burstable",
    }
}
