//! The resize that restarts a container in place: a memory request that grows by a page.

use serde_json::Value;

use crate::explain::wanted::{Wish, resize_wanted};
use crate::kube::quantity::Quantity;
use crate::manifest::unstructured::Unstructured;

/// By how much the memory request grows: the least that is another amount everywhere, in bytes.
const PAGE: i64 = 4096;

/// What restarts containers of a pod in place.
#[derive(Clone, Debug)]
pub(super) struct Nudge {
    /// The containers that it restarts.
    pub(super) containers: Vec<String>,
    /// Those that stay as they are, and why.
    pub(super) left: Vec<String>,
    /// The pod as it is to be.
    pub(super) wanted: Unstructured,
}

impl Nudge {
    /// What restarts these containers of `pod`, or without names every one that can be.
    ///
    /// # Errors
    ///
    /// Where one that is named cannot be restarted so, or none can.
    pub(super) fn of(pod: &Unstructured, named: &[String]) -> Result<Self, String> {
        let (mut wishes, mut containers, mut left) = (Vec::new(), Vec::new(), Vec::new());
        let known: Vec<&Value> = app_containers(pod).collect();
        let unknown = named.iter().find(|name| !known.iter().any(|one| name_of(one) == **name));
        if let Some(name) = unknown {
            return Err(format!("pod/{} runs no container {name:?}", pod.name));
        }
        for container in known {
            let name = name_of(container);
            let is_named = named.iter().any(|wanted| wanted == name);
            if !named.is_empty() && !is_named {
                left.push(format!("container {name:?} was not asked for"));
                continue;
            }
            match wishes_of(container) {
                Ok(of_container) => {
                    wishes.extend(of_container);
                    containers.push(name.to_owned());
                }
                Err(why) if is_named => return Err(format!("container {name:?} {why}")),
                Err(why) => left.push(format!("container {name:?} {why}")),
            }
        }
        if containers.is_empty() {
            return Err(left.join("; "));
        }
        let wanted = resize_wanted(pod, &wishes).map_err(|error| error.to_string())?;
        Ok(Self { containers, left, wanted })
    }

    /// Whether nothing that was meant stays as it is.
    pub(super) fn is_whole(&self, named: &[String]) -> Result<(), String> {
        if named.is_empty() && !self.left.is_empty() {
            return Err(self.left.join("; "));
        }
        Ok(())
    }
}

/// The containers that run as long as the pod does.
pub(super) fn app_containers(pod: &Unstructured) -> impl Iterator<Item = &Value> {
    let items = |list: &str| {
        let items = pod.value().pointer(&format!("/spec/{list}")).and_then(Value::as_array);
        items.into_iter().flatten()
    };
    let is_sidecar =
        |one: &&Value| one.get("restartPolicy").and_then(Value::as_str) == Some("Always");
    items("initContainers").filter(is_sidecar).chain(items("containers"))
}

/// The name of a container.
pub(super) fn name_of(container: &Value) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// What is asked for, or why it would restart nothing.
fn wishes_of(container: &Value) -> Result<Vec<Wish>, &'static str> {
    let policies = container.get("resizePolicy").and_then(Value::as_array);
    let restarts = policies.into_iter().flatten().any(|policy| {
        let word = |key: &str| policy.get(key).and_then(Value::as_str);
        word("resourceName") == Some("memory") && word("restartPolicy") == Some("RestartContainer")
    });
    if !restarts {
        return Err("has no memory resize policy RestartContainer");
    }
    let amount = |list: &str| {
        let text = container.pointer(&format!("/resources/{list}/memory"))?.as_str()?;
        Quantity::parse(text).ok()?.value().filter(|bytes| *bytes > 0)
    };
    let request = amount("requests").ok_or("has no memory request that could grow")?;
    let more = request.saturating_add(PAGE);
    let wish = |list: &'static str| Wish {
        container: Some(name_of(container).to_owned()),
        list,
        resource: "memory",
        amount: text(more),
    };
    // a limit that equals the request is what makes the pod Guaranteed
    let limit = amount("limits").filter(|limit| *limit < more);
    Ok(std::iter::once(wish("requests")).chain(limit.map(|_| wish("limits"))).collect())
}

fn text(bytes: i64) -> String {
    match bytes.checked_rem(1024) {
        Some(0) => format!("{}Ki", bytes / 1024),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::operate::change::{changes, listed};

    use super::*;

    fn pod(containers: &Value, init: &Value, class: &str) -> Unstructured {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "uid": "u"},
            "spec": {"containers": containers, "initContainers": init}, "status": {"qosClass": class},
        });
        Unstructured::of(pod, "shop").unwrap()
    }

    fn container(name: &str, policy: &str, resources: &Value) -> Value {
        json!({"name": name, "resources": resources,
            "resizePolicy": [{"resourceName": "memory", "restartPolicy": policy}]})
    }

    fn changed(pod: &Unstructured, named: &[&str]) -> Result<String, String> {
        let named: Vec<String> = named.iter().map(|&name| name.to_owned()).collect();
        Nudge::of(pod, &named).map(|nudge| listed(&changes(pod, &nudge.wanted)))
    }

    #[test]
    fn the_request_grows_by_a_page_and_the_limit_where_both_are_equal() {
        let one = |resources: Value, class: &str| {
            changed(
                &pod(&json!([container("app", "RestartContainer", &resources)]), &json!([]), class),
                &[],
            )
        };
        let burstable = json!({"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}});
        assert_eq!(one(burstable, "Burstable").unwrap(), "app memory request 64Mi -> 65540Ki");
        let equal = json!({"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}});
        let both = "app memory request 64Mi -> 65540Ki, app memory limit 64Mi -> 65540Ki";
        assert_eq!(one(equal.clone(), "Burstable").unwrap(), both);
        assert_eq!(one(equal, "Guaranteed").unwrap(), both);
        let near = json!({"requests": {"memory": "67106818"}, "limits": {"memory": "64Mi"}});
        assert_eq!(
            one(near, "Burstable").unwrap(),
            "app memory request 67106818 -> 67110914, app memory limit 64Mi -> 67110914"
        );
        let alone = json!({"requests": {"memory": "64Mi"}});
        assert_eq!(one(alone, "Burstable").unwrap(), "app memory request 64Mi -> 65540Ki");
    }

    #[test]
    fn what_would_restart_nothing_says_why() {
        let memory = json!({"requests": {"memory": "64Mi"}});
        let mixed = json!([
            container("app", "RestartContainer", &memory),
            container("live", "NotRequired", &memory),
            container("none", "RestartContainer", &json!({})),
        ]);
        let mut sidecar = container("mesh", "RestartContainer", &memory);
        sidecar["restartPolicy"] = json!("Always");
        let init = json!([container("setup", "RestartContainer", &memory), sidecar]);
        let pod = pod(&mixed, &init, "Burstable");
        let nudge = Nudge::of(&pod, &[]).unwrap();
        assert_eq!(nudge.containers, ["mesh", "app"]);
        let left = nudge.is_whole(&[]).unwrap_err();
        assert!(left.contains("\"live\" has no memory resize policy"), "{left}");
        assert!(left.contains("\"none\" has no memory request"), "{left}");
        let named = ["app".to_owned()];
        assert_eq!(Nudge::of(&pod, &named).unwrap().is_whole(&named), Ok(()));
        assert!(
            changed(&pod, &["live"])
                .unwrap_err()
                .starts_with("container \"live\" has no memory resize")
        );
        assert!(changed(&pod, &["setup"]).unwrap_err().contains("runs no container \"setup\""));
        let bare = super::tests::pod(&json!([{"name": "app"}]), &json!([]), "BestEffort");
        assert!(changed(&bare, &[]).unwrap_err().contains("RestartContainer"));
    }
}
