//! Label selectors as the API server sends them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::kube::selector::{Selector, SelectorError};

impl TryFrom<&LabelSelector> for Selector {
    type Error = SelectorError;

    fn try_from(selector: &LabelSelector) -> Result<Self, Self::Error> {
        let expressions = selector
            .match_expressions
            .iter()
            .flatten()
            .cloned()
            .map(|written| (written.key, written.operator, written.values.unwrap_or_default()));
        Self::new(selector.match_labels.clone().unwrap_or_default(), expressions)
    }
}

/// Whether `selector` selects what has these labels. One that cannot be read selects nothing.
pub(crate) fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    Selector::try_from(selector)
        .is_ok_and(|selector| selector.matches(|key| labels.get(key).map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_empty_selector_selects_everything_and_an_unreadable_one_nothing() {
        let labels = BTreeMap::from([("team".to_owned(), "db".to_owned())]);
        let selects =
            |selector: Value| selects(&serde_json::from_value(selector).unwrap(), &labels);
        let expression = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "team", "operator": operator, "values": values}]});
        assert!(selects(json!({})));
        assert!(selects(json!({"matchLabels": {"team": "db"}})));
        assert!(!selects(json!({"matchLabels": {"team": "db", "app": "db"}})));
        assert!(selects(expression("In", json!(["web", "db"]))));
        assert!(!selects(expression("NotIn", json!(["db"]))));
        assert!(selects(expression("Exists", Value::Null)));
        assert!(!selects(expression("Near", Value::Null)));
    }
}
