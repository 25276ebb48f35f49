//! Values that the API server fills in: spelled out on one side alone they are no difference.

use serde_json::{Value, json};

use super::path::{Path, Step};

/// Whether the API server fills in `value` where nothing is said at `path`. Defaults that depend on
/// other fields are not looked at, except for those of a whole object whose fields all are
/// defaults.
pub(super) fn is_default(path: &Path, value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.iter().all(|(name, value)| is_default(&path.field(name), value))
        }
        _ => is_scalar_default(path, value),
    }
}

fn is_scalar_default(path: &Path, value: &Value) -> bool {
    let Some(field) = path.last_field() else { return false };
    let any = |values: &[Value]| values.contains(value);
    match field {
        // of a container it makes a difference
        "restartPolicy" => path.container().is_none() && any(&[json!("Always")]),
        "imagePullPolicy" => any(&[json!("IfNotPresent"), json!("Always")]),
        "terminationMessagePath" => any(&[json!("/dev/termination-log")]),
        "terminationMessagePolicy" => any(&[json!("File")]),
        "dnsPolicy" => any(&[json!("ClusterFirst")]),
        "schedulerName" => any(&[json!("default-scheduler")]),
        "terminationGracePeriodSeconds" => any(&[json!(30)]),
        "enableServiceLinks" => any(&[json!(true)]),
        "protocol" => any(&[json!("TCP")]),
        "scheme" => any(&[json!("HTTP")]),
        "defaultMode" => any(&[json!(420)]),
        "successThreshold" | "replicas" | "timeoutSeconds" | "parallelism" | "completions" => {
            any(&[json!(1)])
        }
        "failureThreshold" => any(&[json!(3)]),
        "periodSeconds" => any(&[json!(10)]),
        "revisionHistoryLimit" => any(&[json!(10)]),
        "progressDeadlineSeconds" => any(&[json!(600)]),
        "backoffLimit" => any(&[json!(6)]),
        "podManagementPolicy" => any(&[json!("OrderedReady")]),
        "completionMode" => any(&[json!("NonIndexed")]),
        "concurrencyPolicy" => any(&[json!("Allow")]),
        "sessionAffinity" => any(&[json!("None")]),
        "maxSurge" => parent_is(path, "rollingUpdate") && any(&[json!("25%"), json!(0)]),
        "maxUnavailable" => parent_is(path, "rollingUpdate") && any(&[json!("25%"), json!(1)]),
        "partition" => any(&[json!(0)]),
        "divisor" => any(&[json!("0")]),
        "immutable" | "paused" | "suspend" | "unschedulable" | "hostNetwork" | "hostPID"
        | "hostIPC" | "readOnly" | "optional" => any(&[json!(false)]),
        "apiVersion" => parent_is(path, "fieldRef") && any(&[json!("v1")]),
        "type" => match parent(path) {
            Some("spec") => any(&[json!("ClusterIP")]),
            Some("strategy" | "updateStrategy") => any(&[json!("RollingUpdate")]),
            None => any(&[json!("Opaque")]),
            _ => false,
        },
        _ => false,
    }
}

fn parent(path: &Path) -> Option<&str> {
    match path.steps() {
        [.., Step::Field(parent), _] => Some(parent),
        _ => None,
    }
}

fn parent_is(path: &Path, field: &str) -> bool {
    parent(path) == Some(field)
}
