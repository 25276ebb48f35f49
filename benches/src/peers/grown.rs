//! A recorded review made larger: more containers, each with variables, and what `managedFields`
//! says of them.

use std::fmt;

use anyhow::Context;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::bodies::json::{Json, object};

/// Containers of a large pod. The first is the recorded one.
const CONTAINERS: usize = 24;

/// `review` with as many variables as make it `bytes` long, or little more.
pub(super) fn grown(review: &Json, bytes: usize) -> anyhow::Result<Json> {
    let length = |variables| anyhow::Ok(with(review, variables)?.to_text()?.len());
    let each = (length(CONTAINERS)?.saturating_sub(length(0)?) / CONTAINERS).max(1);
    let mut variables = 0;
    loop {
        let grown = with(review, variables)?;
        let missing = bytes.saturating_sub(grown.to_text()?.len());
        if missing == 0 {
            return Ok(grown);
        }
        // fewer than it seems: those with more digits in their names are a little longer
        variables += (missing / each * 9 / 10).max(1);
    }
}

/// `review` about a pod of [`CONTAINERS`], with so many variables in all.
fn with(review: &Json, variables: usize) -> anyhow::Result<Json> {
    let mut review = review.clone();
    // in the stored pod, too, the others are as they were
    let added = {
        let old = find(&mut review, &["request", "oldObject", "spec", "containers"]).is_some();
        let pod = if old { "oldObject" } else { "object" };
        let containers = find(&mut review, &["request", pod, "spec", "containers"]);
        let Some(Json::List(containers)) = containers else {
            anyhow::bail!("the review has no containers")
        };
        let first = containers.first().context("the pod has no container")?;
        (1..CONTAINERS).map(|index| container(first, index, variables)).collect::<Vec<_>>()
    };
    let Json::Object(managed) = Json::List(added.clone()).managed() else {
        anyhow::bail!("the containers have no names")
    };
    for pod in ["object", "oldObject"] {
        let Some(Json::List(containers)) =
            find(&mut review, &["request", pod, "spec", "containers"])
        else {
            continue;
        };
        containers.extend(added.iter().cloned());
        let writers = find(&mut review, &["request", pod, "metadata", "managedFields"]);
        let Some(Json::List(writers)) = writers else { continue };
        let first = writers.first_mut();
        let fields = first.and_then(|first| find(first, &["fieldsV1", "f:spec", "f:containers"]));
        if let Some(Json::Object(fields)) = fields {
            fields.extend(managed.iter().cloned());
        }
    }
    Ok(review)
}

/// A container as `first`; it has its share of the variables.
fn container(first: &Json, index: usize, variables: usize) -> Json {
    let added = CONTAINERS - 1;
    let own = variables / added + usize::from(index <= variables % added);
    let variable = |number: usize| {
        let value = format!("https://backend-{number}.shop.svc.cluster.local:8443/api/v1");
        object! { "name": format!("SETTING_{number}"), "value": value }
    };
    let environment: Vec<Json> = (0..own).map(variable).collect();
    first.clone().with("name", format!("side-{index}")).with("env", environment)
}

/// What lies at `path`.
fn find<'j>(value: &'j mut Json, path: &[&str]) -> Option<&'j mut Json> {
    path.iter().try_fold(value, |value, field| {
        let Json::Object(fields) = value else { return None };
        fields.iter_mut().find(|(name, _)| name == field).map(|(_, value)| value)
    })
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Ordered)
    }
}

/// Keeps the order of fields.
struct Ordered;

impl<'de> Visitor<'de> for Ordered {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON with integers")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Json, E> {
        i64::try_from(number).map(Json::Number).map_err(E::custom)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_element()? {
            all.push(entry);
        }
        Ok(Json::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(field) = fields.next_entry()? {
            all.push(field);
        }
        Ok(Json::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use crate::bodies::json::list;

    use super::*;

    #[test]
    fn json_keeps_its_order() {
        let text = r#"{"b":[1,-2,null,true],"a":{"c":"x"}}"#;
        assert_eq!(serde_json::from_str::<Json>(text).unwrap().to_text().unwrap(), text);
    }

    #[test]
    fn containers_are_added_to_both_pods_as_they_were_stored() {
        let pod = |memory: &str| {
            object! {
                "metadata": object! { "managedFields": list![object! {
                    "fieldsV1": object! { "f:spec": object! { "f:containers": object! {} } }
                }] },
                "spec": object! { "containers": list![object! { "name": "app", "memory": memory }] },
            }
        };
        let review =
            object! { "request": object! { "object": pod("1Gi"), "oldObject": pod("2Gi") } };
        let mut grown = grown(&review, 20_000).unwrap();
        let length = grown.to_text().unwrap().len();
        assert!((20_000..20_300).contains(&length), "{length}");
        let mut memories = |pod: &str| {
            let containers = find(&mut grown, &["request", pod, "spec", "containers"]).unwrap();
            let text = containers.to_text().unwrap();
            ["1Gi", "2Gi"].map(|memory| text.matches(memory).count())
        };
        assert_eq!([memories("object"), memories("oldObject")], [[1, 23], [0, 24]]);
        let text = grown.to_text().unwrap();
        assert_eq!(text.matches(r#""k:{\"name\":\"side-23\"}""#).count(), 2);
    }
}
