//! A manifest laid over the object in the cluster, as `kubectl apply` does: what the manifest
//! leaves out stays, unless it was in the manifest that was applied last.

use anyhow::{Context, bail};
use serde_json::Value;

use crate::explain::difference::{LAST_APPLIED, key_of};
use crate::manifest::unstructured::Unstructured;

/// The object as it is once `file` is applied.
pub(super) fn over(live: &Unstructured, file: &[Unstructured]) -> anyhow::Result<Unstructured> {
    let wanted = counterpart(live, file)?;
    let applied = live
        .value()
        .pointer("/metadata/annotations")
        .and_then(|annotations| annotations.get(LAST_APPLIED)?.as_str());
    let applied = applied
        .and_then(|text| serde_json::from_str(text).ok())
        .and_then(|value| Unstructured::of(value, &live.namespace));
    Ok(live.with(lay(live.value(), wanted.value(), applied.as_ref().map(|object| object.value()))))
}

/// The object as it was when `file` was what was wanted.
pub(super) fn under(live: &Unstructured, file: &[Unstructured]) -> anyhow::Result<Unstructured> {
    let past = counterpart(live, file)?;
    Ok(live.with(lay(live.value(), past.value(), None)))
}

fn counterpart<'f>(
    live: &Unstructured,
    file: &'f [Unstructured],
) -> anyhow::Result<&'f Unstructured> {
    if file.is_empty() {
        bail!("the file holds no object");
    }
    file.iter()
        .find(|object| object.is_same_object(live))
        .with_context(|| format!("the file holds no {live}"))
}

fn lay(live: &Value, wanted: &Value, applied: Option<&Value>) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let applied = applied.and_then(Value::as_object);
            let mut whole = live.clone();
            for key in applied
                .into_iter()
                .flat_map(|applied| applied.keys())
                .filter(|key| !wanted.contains_key(*key))
            {
                whole.remove(key);
            }
            for (key, value) in wanted {
                let before = applied.and_then(|applied| applied.get(key));
                let value =
                    live.get(key).map_or_else(|| value.clone(), |live| lay(live, value, before));
                whole.insert(key.clone(), value);
            }
            Value::Object(whole)
        }
        (Value::Array(live), Value::Array(wanted))
            if live.iter().chain(wanted).all(|item| key_of(item).is_some()) =>
        {
            Value::Array(lay_items(
                live,
                wanted,
                applied.and_then(Value::as_array).map_or(&[], Vec::as_slice),
            ))
        }
        (_, wanted) => wanted.clone(),
    }
}

/// Items are matched by name; those of the manifest keep its order where it has another one.
fn lay_items(live: &[Value], wanted: &[Value], applied: &[Value]) -> Vec<Value> {
    let find = |list: &[Value], item: &Value| {
        list.iter().find(|other| key_of(other) == key_of(item)).cloned()
    };
    let kept =
        live.iter().filter(|item| find(wanted, item).is_some() || find(applied, item).is_none());
    let mut whole: Vec<Value> = Vec::new();
    for item in kept {
        whole.push(
            find(wanted, item).map_or_else(
                || item.clone(),
                |other| lay(item, &other, find(applied, item).as_ref()),
            ),
        );
    }
    whole.extend(wanted.iter().filter(|item| find(live, item).is_none()).cloned());
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_manifest_leaves_out_stays_unless_it_was_applied() {
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
