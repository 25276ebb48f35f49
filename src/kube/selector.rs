//! Label selectors, and which labels they select.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The label of every namespace that holds its name.
pub(crate) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A label selector (`metav1.LabelSelector`): all requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(pub Vec<Requirement>);

/// One requirement of a label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// What must hold of it.
    pub operator: SelectorOperator,
    /// The values it is compared with.
    pub values: Vec<String>,
}

/// What must hold of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectorOperator {
    /// It has one of the values.
    In,
    /// It is absent or has none of the values.
    NotIn,
    /// It is there.
    Exists,
    /// It is absent.
    DoesNotExist,
}

impl SelectorOperator {
    /// Every operator.
    pub const ALL: [Self; 4] = [Self::In, Self::NotIn, Self::Exists, Self::DoesNotExist];

    /// The word for it, as in Kubernetes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
        }
    }

    /// Whether it compares the label with values.
    fn takes_values(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }
}

/// Why a requirement is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Kubernetes has no such operator.
    #[error("unknown operator {0:?}")]
    UnknownOperator(String),
    /// An operator without the values that it compares with.
    #[error("operator {0:?} needs \"values\"")]
    NeedsValues(&'static str),
    /// An operator with values that it does not look at.
    #[error("operator {0:?} takes no \"values\"")]
    TakesNoValues(&'static str),
}

impl Selector {
    /// A selector as Kubernetes writes it: `matchLabels`, and of each of `matchExpressions` its key,
    /// operator and values.
    ///
    /// # Errors
    ///
    /// Where an expression is none.
    pub(crate) fn new(
        match_labels: BTreeMap<String, String>,
        match_expressions: impl IntoIterator<Item = (String, String, Vec<String>)>,
    ) -> Result<Self, SelectorError> {
        let of_label = |(key, value)| {
            Ok(Requirement { key, operator: SelectorOperator::In, values: vec![value] })
        };
        let of_expression = |(key, operator, values): (String, String, Vec<String>)| {
            Requirement::parse(key, &operator, values)
        };
        let labels = match_labels.into_iter().map(of_label);
        labels
            .chain(match_expressions.into_iter().map(of_expression))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether it selects what has these labels.
    pub(crate) fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.unmet(label).is_none()
    }

    /// The first requirement that does not hold of what has these labels.
    pub(crate) fn unmet<'l>(
        &self,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> Option<&Requirement> {
        self.0.iter().find(|requirement| !requirement.allows(label(&requirement.key)))
    }

    /// Whether it may select a namespace. Of labels that are not known only the one that holds the
    /// name counts.
    pub(crate) fn may_match(
        &self,
        namespace: &str,
        labels: Option<&BTreeMap<String, String>>,
    ) -> bool {
        self.matches_namespace(namespace, labels, true)
    }

    /// Whether it is certain to select a namespace: of labels that are not known no requirement
    /// holds.
    pub(crate) fn surely_matches(
        &self,
        namespace: &str,
        labels: Option<&BTreeMap<String, String>>,
    ) -> bool {
        self.matches_namespace(namespace, labels, false)
    }

    fn matches_namespace(
        &self,
        namespace: &str,
        labels: Option<&BTreeMap<String, String>>,
        if_unknown: bool,
    ) -> bool {
        self.0.iter().all(|requirement| match labels {
            Some(labels) => requirement.allows(labels.get(&requirement.key).map(String::as_str)),
            None if requirement.key == NAME_LABEL => requirement.allows(Some(namespace)),
            None => if_unknown,
        })
    }

    /// Whether it asks for labels of namespaces that only the API server knows.
    pub(crate) fn asks_for_labels(&self) -> bool {
        self.0.iter().any(|requirement| requirement.key != NAME_LABEL)
    }
}

impl Requirement {
    fn parse(key: String, operator: &str, values: Vec<String>) -> Result<Self, SelectorError> {
        let operator = SelectorOperator::ALL
            .into_iter()
            .find(|known| known.as_str() == operator)
            .ok_or_else(|| SelectorError::UnknownOperator(operator.to_owned()))?;
        match (operator.takes_values(), values.is_empty()) {
            (true, true) => Err(SelectorError::NeedsValues(operator.as_str())),
            (false, false) => Err(SelectorError::TakesNoValues(operator.as_str())),
            _ => Ok(Self { key, operator, values }),
        }
    }

    /// Whether it holds where its label has this value.
    fn allows(&self, value: Option<&str>) -> bool {
        let listed = value.is_some_and(|value| self.values.iter().any(|wanted| wanted == value));
        match self.operator {
            SelectorOperator::In => listed,
            SelectorOperator::NotIn => !listed,
            SelectorOperator::Exists => value.is_some(),
            SelectorOperator::DoesNotExist => value.is_none(),
        }
    }
}

/// As kubectl takes it: `tier in (gold, silver),!legacy`.
impl Display for Selector {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (number, requirement) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(formatter, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl Display for Requirement {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { key, operator, values } = self;
        let list = || values.join(", ");
        match (operator, values.as_slice()) {
            (SelectorOperator::In, [value]) => write!(formatter, "{key}={value}"),
            (SelectorOperator::In, _) => write!(formatter, "{key} in ({})", list()),
            (SelectorOperator::NotIn, [value]) => write!(formatter, "{key}!={value}"),
            (SelectorOperator::NotIn, _) => write!(formatter, "{key} notin ({})", list()),
            (SelectorOperator::Exists, _) => write!(formatter, "{key}"),
            (SelectorOperator::DoesNotExist, _) => write!(formatter, "!{key}"),
        }
    }
}

/// As a setting of a rule: `matchLabels` and `matchExpressions`, as in Kubernetes.
impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "camelCase")]
        struct Written {
            match_labels: BTreeMap<String, String>,
            match_expressions: Vec<WrittenRequirement>,
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct WrittenRequirement {
            key: String,
            operator: String,
            #[serde(default)]
            values: Vec<String>,
        }

        let written = Written::deserialize(deserializer)?;
        let expressions = written.match_expressions.into_iter();
        let expressions =
            expressions.map(|written| (written.key, written.operator, written.values));
        Self::new(written.match_labels, expressions).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(key: &str, operator: SelectorOperator, values: &[&str]) -> Selector {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Selector(vec![Requirement { key: key.to_owned(), operator, values }])
    }

    #[test]
    fn a_selector_is_read_as_a_setting() {
        let read =
            |json: &str| serde_json::from_str::<Selector>(json).map_err(|error| error.to_string());
        let written = r#"{"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}"#;
        let expected = [
            selector("a", SelectorOperator::In, &["1"]).0,
            selector("b", SelectorOperator::Exists, &[]).0,
        ]
        .concat();
        assert_eq!(read(written), Ok(Selector(expected)));
        assert_eq!(read("{}"), Ok(Selector::default()));
        let faults = [
            (r#"{"matchLabel": {}}"#, "unknown field `matchLabel`"),
            (
                r#"{"matchExpressions": [{"key": "a", "operator": "in"}]}"#,
                "unknown operator \"in\"",
            ),
            (
                r#"{"matchExpressions": [{"key": "a", "operator": "In"}]}"#,
                "operator \"In\" needs \"values\"",
            ),
            (
                r#"{"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}"#,
                "operator \"Exists\" takes no \"values\"",
            ),
        ];
        for (json, fault) in faults {
            assert!(read(json).unwrap_err().starts_with(fault), "{json}");
        }
    }

    #[test]
    fn a_selector_is_written_as_kubectl_takes_it_and_tells_what_does_not_hold() {
        use SelectorOperator::{DoesNotExist, Exists, In, NotIn};
        let tier = |value: &'static str| move |key: &str| (key == "tier").then_some(value);
        for (operator, values, written, of_gold, of_none) in [
            (In, &["gold"][..], "tier=gold", true, false),
            (In, &["silver", "gold"], "tier in (silver, gold)", true, false),
            (NotIn, &["gold"], "tier!=gold", false, true),
            (NotIn, &["silver", "tin"], "tier notin (silver, tin)", true, true),
            (Exists, &[], "tier", true, false),
            (DoesNotExist, &[], "!tier", false, true),
        ] {
            let selector = selector("tier", operator, values);
            assert_eq!(selector.to_string(), written);
            assert_eq!(selector.matches(tier("gold")), of_gold, "{written}");
            assert_eq!(selector.matches(|_| None), of_none, "{written}");
        }
        let both =
            Selector([selector("tier", Exists, &[]).0, selector("a", In, &["1"]).0].concat());
        assert_eq!(both.to_string(), "tier,a=1");
        assert_eq!(both.unmet(tier("tin")).unwrap().to_string(), "a=1");
    }

    #[test]
    fn unknown_labels_match_perhaps_and_never_surely() {
        use SelectorOperator::{DoesNotExist, NotIn};
        let (gold, none) =
            (BTreeMap::from([("tier".to_owned(), "gold".to_owned())]), BTreeMap::new());
        let matches = |selector: Selector, labels| selector.surely_matches("shop", labels);
        assert!(matches(selector("tier", NotIn, &["silver"]), Some(&gold)));
        assert!(!matches(selector("tier", NotIn, &["silver"]), None));
        assert!(!matches(selector("tier", DoesNotExist, &[]), None));
        assert!(matches(selector("tier", DoesNotExist, &[]), Some(&none)));
        assert!(matches(selector(NAME_LABEL, SelectorOperator::In, &["shop"]), None));
        assert!(!matches(selector(NAME_LABEL, SelectorOperator::In, &["team"]), None));
        assert!(matches(Selector::default(), None));
        assert!(!selector("tier", NotIn, &["gold"]).may_match("shop", Some(&gold)));
        assert!(selector("tier", NotIn, &["gold"]).may_match("shop", None));
        assert!(!selector(NAME_LABEL, NotIn, &["shop"]).may_match("shop", None));
    }
}
