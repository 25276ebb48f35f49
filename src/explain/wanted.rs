//! A pod as somebody wants it to be resized, from a few amounts or a patch instead of a whole
//! manifest.

#[cfg(feature = "shell")]
mod options;

use serde_json::{Map, Value, json};

use crate::kube::name::is_dns_label;
use crate::kube::quantity::Quantity;
use crate::manifest::unstructured::Unstructured;

#[cfg(feature = "shell")]
pub use options::AmountOptions;

/// Less memory than any container starts in, in bytes.
const LEAST_MEMORY: i64 = 1024 * 1024;

/// One amount that a container is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The container; `None` for the only one.
    pub container: Option<String>,
    /// `limits` or `requests`.
    pub list: &'static str,
    /// `memory` or `cpu`.
    pub resource: &'static str,
    /// The amount.
    pub amount: String,
}

/// Why a resize cannot be asked for so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// Another kind.
    #[error("{0} is no Pod: only pods are resized")]
    NoPod(String),
    /// An amount that is none.
    #[error(
        "{0:?} is no amount: write CONTAINER=AMOUNT, or the amount alone for the only container"
    )]
    NoAmount(String),
    /// A name that no container has.
    #[error("{0} has no container {1:?}")]
    NoContainer(String, String),
    /// An amount without a container, of which there are several.
    #[error("{0} has several containers: write CONTAINER=AMOUNT")]
    Ambiguous(String),
    /// A patch that is none of `spec`.
    #[error("the patch is no mapping with resources of containers in its spec")]
    NoPatch,
}

impl Wish {
    /// Reads `app=512Mi`, or `512Mi` for the only container.
    ///
    /// # Errors
    ///
    /// Where the amount is no quantity.
    pub fn parse(
        text: &str,
        list: &'static str,
        resource: &'static str,
    ) -> Result<Self, WishError> {
        let (container, amount) =
            text.split_once('=').map_or((None, text), |(name, amount)| (Some(name), amount));
        let is_amount = Quantity::parse(amount).is_ok() && container != Some("");
        if !is_amount {
            return Err(WishError::NoAmount(text.to_owned()));
        }
        let container = container.map(str::to_owned);
        Ok(Self { container, list, resource, amount: amount.to_owned() })
    }

    /// Why nobody can mean it, where that is so: a name that no container has, a unit of another
    /// resource, less than any process runs in.
    pub fn fault(&self) -> Option<String> {
        let Self { container, resource, amount, .. } = self;
        if let Some(name) = container.as_ref().filter(|name| !is_dns_label(name)) {
            return Some(format!("no container can be called {name:?}"));
        }
        let quantity = Quantity::parse(amount.as_str()).ok()?;
        if amount.starts_with('-') || quantity.is_zero() {
            return Some(format!("{amount:?} is no amount of {resource} for a running process"));
        }
        match *resource {
            "memory" if amount.ends_with('m') => Some(format!(
                "{amount:?} of memory are thousandths of a byte: write {}Mi for mebibytes",
                amount.trim_end_matches('m')
            )),
            "memory" if quantity.value().is_some_and(|bytes| bytes < LEAST_MEMORY) => {
                Some(format!(
                    "{amount:?} of memory is less than any process runs in: name a unit, Mi or Gi"
                ))
            }
            "cpu" if amount.ends_with('i') => Some(format!(
                "{amount:?} of cpu has a unit of memory: write 500m for half a core, or 2 for two cores"
            )),
            _ => None,
        }
    }
}

/// The pod as `wishes` want it. The requests of a Guaranteed pod follow its limits, because
/// anything else would change its QoS class, which is refused.
///
/// # Errors
///
/// Where it is no pod, or a container is not there or not named.
pub fn resize_wanted(pod: &Unstructured, wishes: &[Wish]) -> Result<Unstructured, WishError> {
    let is_guaranteed = pod.text("/status/qosClass") == Some("Guaranteed");
    let mut wanted = pod.clone();
    for wish in wishes {
        let name = container_of(pod, wish)?;
        let mut lists = Map::new();
        for list in ["limits", "requests"] {
            if list == wish.list || is_guaranteed {
                lists.insert(list.to_owned(), json!({wish.resource: wish.amount}));
            }
        }
        let item = json!([{"name": name, "resources": lists}]);
        let list = if is_init(pod, &name) { "initContainers" } else { "containers" };
        wanted = resize_patched(&wanted, &json!({"spec": {list: item}}))?;
    }
    Ok(wanted)
}

/// The pod with the resources of a patch, as `kubectl patch --subresource resize` takes it: by
/// name of container. All else in the patch is dropped, as the API server does it.
///
/// # Errors
///
/// Where it is no pod, no patch, or a container is not there.
pub fn resize_patched(pod: &Unstructured, patch: &Value) -> Result<Unstructured, WishError> {
    if pod.kind != "Pod" {
        return Err(WishError::NoPod(pod.to_string()));
    }
    let asked = patch.get("spec").and_then(Value::as_object).ok_or(WishError::NoPatch)?;
    let mut value = pod.value().clone();
    let Some(spec) = value.get_mut("spec").and_then(Value::as_object_mut) else {
        return Err(WishError::NoPod(pod.to_string()));
    };
    merge(spec, asked.get("resources"));
    for list in ["containers", "initContainers"] {
        for item in asked.get(list).and_then(Value::as_array).into_iter().flatten() {
            let name = item.get("name").and_then(Value::as_str).ok_or(WishError::NoPatch)?;
            let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            let mut containers = containers.filter_map(Value::as_object_mut);
            let found =
                containers.find(|one| one.get("name").and_then(Value::as_str) == Some(name));
            let Some(container) = found else {
                return Err(WishError::NoContainer(pod.to_string(), name.to_owned()));
            };
            merge(container, item.get("resources"));
        }
    }
    Ok(pod.with(value))
}

/// Lays the amounts over those of `holder`; null takes one away.
fn merge(holder: &mut Map<String, Value>, resources: Option<&Value>) {
    let Some(resources) = resources.and_then(Value::as_object) else { return };
    let own = holder.entry("resources").or_insert_with(|| json!({}));
    let Some(own) = own.as_object_mut() else { return };
    for (list, amounts) in resources {
        let Some(amounts) = amounts.as_object() else { continue };
        let Some(kept) = own.entry(list).or_insert_with(|| json!({})).as_object_mut() else {
            continue;
        };
        for (resource, amount) in amounts {
            match amount {
                Value::Null => drop(kept.remove(resource)),
                amount => drop(kept.insert(resource.clone(), amount.clone())),
            }
        }
    }
}

/// The name of the container that `wish` is about.
fn container_of(pod: &Unstructured, wish: &Wish) -> Result<String, WishError> {
    let spec = pod.pod_spec().filter(|_| pod.kind == "Pod");
    let spec = spec.ok_or_else(|| WishError::NoPod(pod.to_string()))?;
    let names = |list: &str| {
        let items = spec.get(list).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| item.get("name")?.as_str()).collect::<Vec<_>>()
    };
    let (regular, init) = (names("containers"), names("initContainers"));
    match (&wish.container, regular.as_slice()) {
        (Some(name), _) if regular.iter().chain(&init).any(|one| one == name) => Ok(name.clone()),
        (Some(name), _) => Err(WishError::NoContainer(pod.to_string(), name.clone())),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => Err(WishError::Ambiguous(pod.to_string())),
    }
}

fn is_init(pod: &Unstructured, name: &str) -> bool {
    let items = pod.value().pointer("/spec/initContainers").and_then(Value::as_array);
    items.into_iter().flatten().any(|item| item.get("name").and_then(Value::as_str) == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(more: &str) -> Unstructured {
        let text = format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: db-0}}, spec: {{containers: [{{name: app, resources: {{requests: {{memory: 256Mi}},
             limits: {{cpu: '1', memory: 1Gi}}}}}}{more}]}}}}"
        );
        Unstructured::read(&text, "shop").unwrap().remove(0)
    }

    fn memory(text: &str) -> Wish {
        Wish::parse(text, "limits", "memory").unwrap()
    }

    #[test]
    fn amounts_are_laid_over_those_of_the_pod() {
        let request = Wish::parse("app=128Mi", "requests", "memory").unwrap();
        let wanted = resize_wanted(&pod(""), &[memory("512Mi"), request]).unwrap();
        let resources = wanted.value().pointer("/spec/containers/0/resources").unwrap();
        let expected =
            json!({"requests": {"memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}});
        assert_eq!(*resources, expected);
    }

    #[test]
    fn what_nobody_can_mean_is_told_from_what_is_no_amount() {
        let fault = |text: &str, resource: &'static str| {
            Wish::parse(text, "limits", resource).unwrap().fault().unwrap_or_default()
        };
        for (text, resource) in
            [("app=512Mi", "memory"), ("1Gi", "memory"), ("app=500m", "cpu"), ("2", "cpu")]
        {
            assert_eq!(fault(text, resource), "", "{text}");
        }
        assert!(fault("app=512m", "memory").contains("write 512Mi"));
        assert!(fault("512", "memory").contains("name a unit"));
        assert!(fault("500Mi", "cpu").contains("unit of memory"));
        assert!(fault("0", "memory").contains("no amount of memory"));
        assert!(fault("App=1Gi", "memory").contains("no container can be called"));
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for text in ["app=much", "=512Mi", ""] {
            assert!(Wish::parse(text, "limits", "memory").is_err(), "{text}");
        }
        let two = pod(", {name: proxy}");
        let error = |wish: &str| resize_wanted(&two, &[memory(wish)]).unwrap_err().to_string();
        assert_eq!(error("512Mi"), "Pod shop/db-0 has several containers: write CONTAINER=AMOUNT");
        assert_eq!(error("web=512Mi"), "Pod shop/db-0 has no container \"web\"");
        let text = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}";
        let other = Unstructured::read(text, "shop").unwrap().remove(0);
        assert!(matches!(resize_wanted(&other, &[memory("1Gi")]), Err(WishError::NoPod(_))));
    }

    #[test]
    fn a_guaranteed_pod_keeps_its_requests_equal_to_its_limits() {
        let mut value = pod("").value().clone();
        value["status"] = json!({"qosClass": "Guaranteed"});
        let guaranteed = pod("").with(value);
        let wanted = resize_wanted(&guaranteed, &[memory("app=2Gi")]).unwrap();
        let amount = |list: &str| {
            wanted.text(&format!("/spec/containers/0/resources/{list}/memory")).map(str::to_owned)
        };
        assert_eq!(
            (amount("limits"), amount("requests")),
            (Some("2Gi".into()), Some("2Gi".into()))
        );
    }

    #[test]
    fn a_patch_counts_as_far_as_a_resize_takes_it() {
        let patch = json!({"metadata": {"labels": {"a": "b"}}, "spec": {
            "containers": [{"name": "app", "image": "b:2", "resources": {"limits": {"memory": "2Gi", "cpu": null}}}],
            "resources": {"limits": {"memory": "3Gi"}}}});
        let wanted = resize_patched(&pod(""), &patch).unwrap();
        let container = &wanted.value()["spec"]["containers"][0];
        assert_eq!(container["resources"]["limits"], json!({"memory": "2Gi"}));
        assert_eq!(container.get("image"), None);
        assert_eq!(wanted.text("/spec/resources/limits/memory"), Some("3Gi"));
        assert_eq!(wanted.value().pointer("/metadata/labels"), None);
        assert_eq!(resize_patched(&pod(""), &json!([])), Err(WishError::NoPatch));
    }
}
