//! Who else manages the numbers of a workload's pods: autoscalers, and operators.

use anyhow::anyhow;
use kube::api::{DynamicObject, ListParams};
use serde::Serialize;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::cluster::kind::Kind;
use crate::cluster::list::list_all;
use crate::operate::keeper::Keeper;

/// Somebody who would undo or repeat a resize.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Manager {
    /// What it is called: `verticalpodautoscaler/db`.
    pub(super) name: String,
    /// What it does.
    pub(super) why: String,
}

/// Everybody who manages what `keeper` keeps, and what could not be looked at.
pub(super) async fn find(cluster: &Cluster, keeper: &Keeper) -> (Vec<Manager>, Vec<String>) {
    let (mut managers, mut unknown) = (Vec::new(), Vec::new());
    if let Some(operator) = &keeper.operator {
        managers.push(Manager {
            name: operator.clone(),
            why: format!(
                "it controls {}, and may put back what it did not ask for",
                keeper.target()
            ),
        });
    }
    for (word, judge) in
        [("vpa", vertical as fn(&Value, &Keeper) -> Option<Manager>), ("hpa", horizontal)]
    {
        let Some(kind) = Kind::find(word) else { continue };
        match list(cluster, kind).await {
            Ok(objects) => managers.extend(objects.iter().filter_map(|one| judge(one, keeper))),
            Err(error) => unknown.push(format!("{} cannot be listed: {error}", kind.plural())),
        }
    }
    (managers, unknown)
}

async fn list(cluster: &Cluster, kind: &Kind) -> anyhow::Result<Vec<Value>> {
    let objects: Vec<DynamicObject> =
        match list_all(&kind.api(cluster), &ListParams::default()).await {
            Ok(objects) => objects,
            // nobody installed it
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Vec::new()),
            Err(error) => return Err(anyhow!("{}", error_message(&error))),
        };
    Ok(objects.iter().filter_map(|object| serde_json::to_value(object).ok()).collect())
}

fn is_of(object: &Value, reference: &str, keeper: &Keeper) -> bool {
    let word =
        |key: &str| object.pointer(&format!("/spec/{reference}/{key}")).and_then(Value::as_str);
    word("kind") == Some(&keeper.kind) && word("name") == Some(&keeper.name)
}

fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// A VPA that does more than recommend.
fn vertical(object: &Value, keeper: &Keeper) -> Option<Manager> {
    let mode = object.pointer("/spec/updatePolicy/updateMode").and_then(Value::as_str);
    let mode = mode.unwrap_or("Auto");
    if mode == "Off" || !is_of(object, "targetRef", keeper) {
        return None;
    }
    let why = match mode {
        "Initial" => "it gives new pods what it recommends",
        _ => "it resizes or evicts running pods to what it recommends",
    };
    let name = format!("verticalpodautoscaler/{}", name(object));
    Some(Manager { name, why: format!("updateMode {mode}: {why}") })
}

/// An HPA that scales by memory or cpu in parts of the request.
fn horizontal(object: &Value, keeper: &Keeper) -> Option<Manager> {
    if !is_of(object, "scaleTargetRef", keeper) {
        return None;
    }
    let metrics = object.pointer("/spec/metrics").and_then(Value::as_array)?;
    let is_memory = |metric: &&Value| {
        ["resource", "containerResource"].into_iter().any(|kind| {
            metric.pointer(&format!("/{kind}/name")).and_then(Value::as_str) == Some("memory")
        })
    };
    metrics.iter().find(is_memory)?;
    let name = format!("horizontalpodautoscaler/{}", name(object));
    let why = "it scales by memory: other requests or limits change how many replicas it wants";
    Some(Manager { name, why: why.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keeper() -> Keeper {
        Keeper {
            api_version: "apps/v1".to_owned(),
            kind: "StatefulSet".to_owned(),
            name: "db".to_owned(),
            uid: "u".to_owned(),
            object: None,
            operator: None,
        }
    }

    #[test]
    fn autoscalers_of_this_workload_that_act_are_told() {
        let vpa = |mode: &str, name: &str| {
            let target = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name});
            let object = json!({"metadata": {"name": "v"}, "spec": {"targetRef": target, "updatePolicy": {"updateMode": mode}}});
            vertical(&object, &keeper()).map(|manager| manager.name)
        };
        assert_eq!(vpa("InPlaceOrRecreate", "db").as_deref(), Some("verticalpodautoscaler/v"));
        assert_eq!((vpa("Off", "db"), vpa("Auto", "web")), (None, None));
        let hpa = |metric: &str| {
            let metrics = json!([{"type": "Resource", "resource": {"name": metric}}]);
            let target = json!({"kind": "StatefulSet", "name": "db"});
            let object = json!({"metadata": {"name": "h"}, "spec": {"scaleTargetRef": target, "metrics": metrics}});
            horizontal(&object, &keeper()).map(|manager| manager.name)
        };
        assert_eq!(hpa("memory").as_deref(), Some("horizontalpodautoscaler/h"));
        assert_eq!(hpa("cpu"), None);
    }
}
