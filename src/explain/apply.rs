//! A manifest laid over the object in a cluster, as `kubectl apply` does: what the manifest leaves
//! out stays, unless it was in the manifest that was applied last.

use serde_json::{Map, Value};

use super::difference::LAST_APPLIED;
use super::schema::Shape;
use super::stored::without_gated;
use crate::judge::subject::Resource;
use crate::kube::merge_keys::merge_key;
use crate::manifest::unstructured::Unstructured;

/// Objects, and items of lists, that keep of the old one only what the new one has (`retainKeys`),
/// where they differ at all.
const RETAINING: [&str; 3] = ["resourceClaims", "strategy", "volumes"];

/// What was applied last, if anything was.
pub(crate) fn last_applied(live: &Unstructured) -> Option<Unstructured> {
    let annotations = live.value().pointer("/metadata/annotations")?;
    let text = annotations.get(LAST_APPLIED)?.as_str()?;
    Unstructured::of(serde_json::from_str(text).ok()?, &live.namespace)
}

/// The object as it is once `wanted` is applied.
pub(crate) fn over(live: &Unstructured, wanted: &Unstructured) -> Unstructured {
    after(live, wanted, last_applied(live).as_ref())
}

/// The object as it is once `wanted` is applied after `applied`, of which `live` came.
pub(super) fn after(
    live: &Unstructured,
    wanted: &Unstructured,
    applied: Option<&Unstructured>,
) -> Unstructured {
    let applied = applied.map(Unstructured::value);
    let mut value = Layers::of(live).lay("", live.value(), wanted.value(), applied);
    match live.resource() {
        Resource::Pod => follow(&mut value, live.value(), wanted.value()),
        Resource::StatefulSet if live.is_read() => without_gated(&mut value, live.value()),
        _ => {}
    }
    live.with(value)
}

/// The object as it was when `past` was what was wanted.
pub(crate) fn under(live: &Unstructured, past: &Unstructured) -> Unstructured {
    let mut value = Layers::of(live).lay("", live.value(), past.value(), None);
    if live.resource() == Resource::StatefulSet {
        without_gated(&mut value, live.value());
    }
    live.with(value)
}

/// How objects of a kind are merged.
struct Layers {
    /// Of kinds that the API server does not know the types of, lists are replaced.
    is_strategic: bool,
}

impl Layers {
    fn of(object: &Unstructured) -> Self {
        let version = object.text("/apiVersion").unwrap_or_default();
        Self { is_strategic: Shape::of_kind(version, &object.kind) != Shape::Any }
    }

    /// `field` is where it is laid: the field, or the list of the item.
    fn lay(&self, field: &str, live: &Value, wanted: &Value, applied: Option<&Value>) -> Value {
        match (live, wanted) {
            (Value::Object(live), Value::Object(wanted)) => {
                let applied = applied.and_then(Value::as_object);
                Value::Object(self.lay_fields(field, live, wanted, applied))
            }
            (Value::Array(live), Value::Array(wanted)) => {
                let applied = applied.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let merged = || self.lay_items(field, live, wanted, applied);
                let lists = [live.as_slice(), wanted, applied];
                match merge_key(field).filter(|_| self.is_strategic) {
                    Some(key) if lists.iter().all(|list| is_told_apart(list, key)) => merged(),
                    _ => Value::Array(wanted.clone()),
                }
            }
            (_, wanted) => wanted.clone(),
        }
    }

    fn lay_fields(
        &self,
        field: &str,
        live: &Map<String, Value>,
        wanted: &Map<String, Value>,
        applied: Option<&Map<String, Value>>,
    ) -> Map<String, Value> {
        let retains = self.is_strategic && RETAINING.contains(&field);
        let differs = wanted.iter().any(|(key, value)| live.get(key) != Some(value));
        let mut whole = if retains && differs { Map::new() } else { live.clone() };
        let gone = applied.into_iter().flat_map(Map::keys).filter(|key| !wanted.contains_key(*key));
        for key in gone {
            whole.remove(key);
        }
        for (key, value) in wanted {
            if value.is_null() {
                whole.remove(key);
                continue;
            }
            let before = applied.and_then(|applied| applied.get(key));
            let live = live.get(key);
            let value =
                live.map_or_else(|| value.clone(), |live| self.lay(key, live, value, before));
            whole.insert(key.clone(), value);
        }
        whole
    }

    /// Items are matched by their key. Where the manifest has them in another order, that counts.
    fn lay_items(&self, field: &str, live: &[Value], wanted: &[Value], applied: &[Value]) -> Value {
        let key = merge_key(field).unwrap_or_default();
        let find = |list: &[Value], item: &Value| {
            list.iter().find(|other| word(other, key) == word(item, key)).cloned()
        };
        let lay = |item: &Value, wanted: &Value| {
            self.lay(field, item, wanted, find(applied, item).as_ref())
        };
        let common = |list: &[Value], other: &[Value]| {
            let both = list.iter().filter(|item| find(other, item).is_some());
            both.map(|item| word(item, key)).collect::<Vec<_>>()
        };
        let mut whole: Vec<Value> = Vec::new();
        if common(live, wanted) == common(wanted, live) {
            for item in live {
                match find(wanted, item) {
                    Some(wanted) => whole.push(lay(item, &wanted)),
                    None if find(applied, item).is_none() => whole.push(item.clone()),
                    None => {}
                }
            }
            whole.extend(wanted.iter().filter(|item| find(live, item).is_none()).cloned());
        } else {
            for item in wanted {
                whole.push(find(live, item).map_or_else(|| item.clone(), |live| lay(&live, item)));
            }
            let kept =
                |item: &&Value| find(wanted, item).is_none() && find(applied, item).is_none();
            whole.extend(live.iter().filter(kept).cloned());
        }
        Value::Array(whole)
    }
}

fn word(item: &Value, key: &[&str]) -> Option<String> {
    key.iter().find_map(|field| item.get(field)).map(Value::to_string)
}

/// Whether every item has a key of its own.
fn is_told_apart(list: &[Value], key: &[&str]) -> bool {
    let words: Vec<_> = list.iter().map_while(|item| word(item, key)).collect();
    let is_first =
        |(index, word): (usize, &String)| !words.iter().take(index).any(|one| one == word);
    words.len() == list.len() && words.iter().enumerate().all(is_first)
}

/// Where a manifest of a pod names limits alone, the API server makes requests of them: they follow
/// the limits that change.
fn follow(pod: &mut Value, live: &Value, wanted: &Value) {
    for list in ["/spec/initContainers", "/spec/containers"] {
        let items = |value: &Value| value.pointer(list).and_then(Value::as_array).cloned();
        let (live, wanted) = (items(live).unwrap_or_default(), items(wanted).unwrap_or_default());
        let of_pod = pod.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for container in of_pod {
            let same = |other: &&Value| other.get("name") == container.get("name");
            let (live, wanted) = (live.iter().find(same), wanted.iter().find(same));
            if let Some((live, wanted)) = live.zip(wanted) {
                follow_limits(container, live, wanted);
            }
        }
    }
}

fn follow_limits(container: &mut Value, live: &Value, wanted: &Value) {
    fn list<'v>(of: &'v Value, list: &str) -> Option<&'v Map<String, Value>> {
        of.pointer("/resources")?.get(list)?.as_object()
    }
    let Some(limits) = list(wanted, "limits") else { return };
    let requests = container.pointer_mut("/resources/requests").and_then(Value::as_object_mut);
    let Some(requests) = requests else { return };
    for resource in limits.keys() {
        let amount = |name: &str| list(live, name).and_then(|amounts| amounts.get(resource));
        let is_named = list(wanted, "requests").is_some_and(|list| list.contains_key(resource));
        if !is_named && amount("requests") == amount("limits") {
            requests.remove(resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_manifest_leaves_out_stays_unless_it_was_applied() {
        let layers = Layers { is_strategic: true };
        let lay = |live: &Value, wanted: &Value, applied: Option<&Value>| {
            layers.lay("", live, wanted, applied)
        };
        let live = json!({"spec": {
            "replicas": 3, "dnsPolicy": "ClusterFirst",
            "containers": [{"name": "app", "image": "a:1", "tty": true, "env": [{"name": "A"}, {"name": "B"}]}, {"name": "mesh"}],
        }});
        let applied = json!({"spec": {"replicas": 3, "containers": [{"name": "app", "env": [{"name": "A"}, {"name": "B"}]}]}});
        let wanted = json!({"spec": {"containers": [{"name": "app", "image": "a:2", "env": [{"name": "B"}, {"name": "C"}]}]}});
        let expected = json!({"spec": {
            "dnsPolicy": "ClusterFirst",
            "containers": [{"name": "app", "image": "a:2", "tty": true, "env": [{"name": "B"}, {"name": "C"}]}, {"name": "mesh"}],
        }});
        assert_eq!(lay(&live, &wanted, Some(&applied)), expected);
        assert_eq!(lay(&live, &wanted, None)["spec"]["replicas"], 3);
    }
}
