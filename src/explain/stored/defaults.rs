//! What the API server fills in where a file says nothing: one table. The OpenAPI document holds
//! hardly any of it, so each row was compared with what kube-apiserver 1.36 stores; an end-to-end
//! test compares them again.

use serde_json::{Map, Value, json};

use super::computed;
use super::place::Place;
use crate::explain::schema::Shape;

/// What is filled in.
pub(super) enum Filled {
    Text(&'static str),
    Number(i64),
    Flag(bool),
    /// An object without fields, which may have defaults of their own.
    Object,
    /// What the fields beside it make of it.
    Of(fn(&Map<String, Value>, Place) -> Option<Value>),
}

use Filled::{Flag, Number, Object, Of, Text};

/// The type, its field, and what it holds where nothing is said.
type Row = (&'static str, &'static str, Filled);

const POD: &[Row] = &[
    ("PodTemplateSpec", "metadata", Object),
    ("PodTemplateSpec", "spec", Object),
    ("PodSpec", "dnsPolicy", Text("ClusterFirst")),
    ("PodSpec", "enableServiceLinks", Of(computed::service_links)),
    ("PodSpec", "preemptionPolicy", Of(computed::preemption)),
    ("PodSpec", "priority", Of(computed::priority)),
    ("PodSpec", "restartPolicy", Text("Always")),
    ("PodSpec", "schedulerName", Text("default-scheduler")),
    ("PodSpec", "securityContext", Object),
    ("PodSpec", "serviceAccountName", Of(computed::service_account)),
    ("PodSpec", "terminationGracePeriodSeconds", Number(30)),
    ("Container", "imagePullPolicy", Of(computed::pull_policy_of_image)),
    ("Container", "resources", Object),
    ("Container", "terminationMessagePath", Text("/dev/termination-log")),
    ("Container", "terminationMessagePolicy", Text("File")),
    ("EphemeralContainer", "imagePullPolicy", Of(computed::pull_policy_of_image)),
    ("EphemeralContainer", "resources", Object),
    ("EphemeralContainer", "terminationMessagePath", Text("/dev/termination-log")),
    ("EphemeralContainer", "terminationMessagePolicy", Text("File")),
    ("ContainerPort", "hostPort", Of(computed::host_port)),
    ("ContainerPort", "protocol", Text("TCP")),
    ("ObjectFieldSelector", "apiVersion", Text("v1")),
    ("ResourceFieldSelector", "divisor", Text("0")),
    ("FileKeySelector", "optional", Flag(false)),
    ("Probe", "failureThreshold", Number(3)),
    ("Probe", "periodSeconds", Number(10)),
    ("Probe", "successThreshold", Number(1)),
    ("Probe", "timeoutSeconds", Number(1)),
    ("HTTPGetAction", "path", Text("/")),
    ("HTTPGetAction", "scheme", Text("HTTP")),
    ("GRPCAction", "service", Text("")),
];

const VOLUMES: &[Row] = &[
    ("Volume", "emptyDir", Of(computed::empty_dir)),
    ("ConfigMapVolumeSource", "defaultMode", Number(0o644)),
    ("DownwardAPIVolumeSource", "defaultMode", Number(0o644)),
    ("ProjectedVolumeSource", "defaultMode", Number(0o644)),
    ("SecretVolumeSource", "defaultMode", Number(0o644)),
    ("ServiceAccountTokenProjection", "expirationSeconds", Number(3600)),
    ("HostPathVolumeSource", "type", Text("")),
    ("ImageVolumeSource", "pullPolicy", Of(computed::pull_policy_of_volume)),
    ("AzureDiskVolumeSource", "cachingMode", Text("ReadWrite")),
    ("AzureDiskVolumeSource", "fsType", Text("ext4")),
    ("AzureDiskVolumeSource", "kind", Text("Shared")),
    ("AzureDiskVolumeSource", "readOnly", Flag(false)),
    ("ISCSIVolumeSource", "iscsiInterface", Text("default")),
    ("RBDVolumeSource", "keyring", Text("/etc/ceph/keyring")),
    ("RBDVolumeSource", "pool", Text("rbd")),
    ("RBDVolumeSource", "user", Text("admin")),
    ("ScaleIOVolumeSource", "fsType", Text("xfs")),
    ("ScaleIOVolumeSource", "storageMode", Text("ThinProvisioned")),
    ("PersistentVolumeClaimTemplate", "metadata", Object),
    ("PersistentVolumeClaimSpec", "volumeMode", Text("Filesystem")),
    ("PersistentVolumeClaimSpec", "resources", Object),
];

const WORKLOADS: &[Row] = &[
    ("DeploymentSpec", "progressDeadlineSeconds", Number(600)),
    ("DeploymentSpec", "replicas", Number(1)),
    ("DeploymentSpec", "revisionHistoryLimit", Number(10)),
    ("DeploymentSpec", "strategy", Object),
    ("DeploymentStrategy", "type", Text("RollingUpdate")),
    ("DeploymentStrategy", "rollingUpdate", Of(computed::rolling_update)),
    ("RollingUpdateDeployment", "maxSurge", Text("25%")),
    ("RollingUpdateDeployment", "maxUnavailable", Text("25%")),
    ("StatefulSetSpec", "persistentVolumeClaimRetentionPolicy", Object),
    ("StatefulSetSpec", "podManagementPolicy", Text("OrderedReady")),
    ("StatefulSetSpec", "replicas", Number(1)),
    ("StatefulSetSpec", "revisionHistoryLimit", Number(10)),
    ("StatefulSetSpec", "updateStrategy", Object),
    ("StatefulSetOrdinals", "start", Number(0)),
    ("StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted", Text("Retain")),
    ("StatefulSetPersistentVolumeClaimRetentionPolicy", "whenScaled", Text("Retain")),
    // with a type that is written nothing is added: what that means is the same
    ("StatefulSetUpdateStrategy", "rollingUpdate", Of(computed::rolling_update)),
    ("StatefulSetUpdateStrategy", "type", Text("RollingUpdate")),
    ("RollingUpdateStatefulSetStrategy", "partition", Number(0)),
    ("DaemonSetSpec", "revisionHistoryLimit", Number(10)),
    ("DaemonSetSpec", "updateStrategy", Object),
    ("DaemonSetUpdateStrategy", "type", Text("RollingUpdate")),
    ("DaemonSetUpdateStrategy", "rollingUpdate", Of(computed::rolling_update)),
    ("RollingUpdateDaemonSet", "maxSurge", Number(0)),
    ("RollingUpdateDaemonSet", "maxUnavailable", Number(1)),
    ("ReplicaSetSpec", "replicas", Number(1)),
    ("ReplicationControllerSpec", "replicas", Number(1)),
];

const JOBS: &[Row] = &[
    ("JobSpec", "backoffLimit", Of(computed::backoff_limit)),
    ("JobSpec", "completionMode", Text("NonIndexed")),
    ("JobSpec", "completions", Of(computed::completions)),
    ("JobSpec", "manualSelector", Flag(false)),
    ("JobSpec", "parallelism", Number(1)),
    ("JobSpec", "podReplacementPolicy", Of(computed::pod_replacement)),
    ("JobSpec", "suspend", Flag(false)),
    ("PodFailurePolicyOnPodConditionsPattern", "status", Text("True")),
];

const CRON_JOBS: &[Row] = &[
    ("CronJobSpec", "concurrencyPolicy", Text("Allow")),
    ("CronJobSpec", "failedJobsHistoryLimit", Number(1)),
    ("CronJobSpec", "successfulJobsHistoryLimit", Number(3)),
    ("CronJobSpec", "suspend", Flag(false)),
    ("JobTemplateSpec", "metadata", Object),
];

const OTHERS: &[Row] = &[
    ("Secret", "type", Text("Opaque")),
    ("ServiceSpec", "allocateLoadBalancerNodePorts", Of(computed::node_ports)),
    ("ServiceSpec", "externalTrafficPolicy", Of(computed::external_traffic)),
    ("ServiceSpec", "internalTrafficPolicy", Of(computed::internal_traffic)),
    ("ServiceSpec", "sessionAffinity", Text("None")),
    ("ServiceSpec", "type", Text("ClusterIP")),
    ("ServicePort", "protocol", Text("TCP")),
    ("ServicePort", "targetPort", Of(computed::target_port)),
];

/// Fills the defaults into `value`, from the top.
pub(super) fn fill_in(value: &mut Value, shape: &Shape, place: Place) {
    match (shape, value) {
        (Shape::Object(of), Value::Object(fields)) => {
            for (field, filled) in rows(of, place) {
                if !fields.contains_key(field)
                    && let Some(value) = filled.value(fields, place)
                {
                    fields.insert(field.to_owned(), value);
                }
            }
            for (name, value) in fields {
                if let Some(shape) = shape.field(name) {
                    fill_in(value, shape, place);
                }
            }
        }
        (Shape::List(of), Value::Array(items)) => {
            for item in items {
                fill_in(item, of, place);
            }
        }
        _ => {}
    }
}

/// The rows of a type.
fn rows(of: &str, place: Place) -> impl Iterator<Item = (&'static str, &'static Filled)> {
    // a CronJob's Jobs get them when they are made
    let jobs = if place.is_cron_job { CRON_JOBS } else { JOBS };
    [POD, VOLUMES, WORKLOADS, jobs, OTHERS]
        .into_iter()
        .flatten()
        .filter(move |(one, _, _)| *one == of)
        .map(|(_, field, filled)| (*field, filled))
}

impl Filled {
    fn value(&self, fields: &Map<String, Value>, place: Place) -> Option<Value> {
        match self {
            Self::Text(text) => Some(json!(text)),
            Self::Number(number) => Some(json!(number)),
            Self::Flag(flag) => Some(json!(flag)),
            Self::Object => Some(json!({})),
            Self::Of(make) => make(fields, place),
        }
    }
}
