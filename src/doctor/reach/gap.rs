//! Why a webhook does not cover a namespace, and how to change that.

use std::fmt::{self, Display, Formatter};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::doctor::door::Door;
use crate::doctor::names::listed;
use crate::kube::selector::{NAME_LABEL, Requirement, Selector, SelectorOperator};

/// How to get rid of an object selector.
pub(in crate::doctor) const TAKE_OFF: &str = "take objectSelector off the webhooks with kubectl edit: the chart sets \
     none, and helm upgrade leaves it alone";

/// How to get back what the chart renders.
pub(in crate::doctor) const RESTORE: &str =
    "helm upgrade with the current values restores what the chart renders";

/// Why a webhook does not cover a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::doctor) enum Gap {
    /// It does not exist.
    Absent,
    /// A requirement of its namespace selector does not hold there.
    Namespace(Requirement),
    /// Its namespace selector cannot be read.
    Unreadable(String),
    /// No rule of it matches these.
    Doors(Vec<Door>),
    /// This object selector of it matches no pod there.
    Objects(String),
    /// The same lets Bindings pass, which carry no labels and may bring annotations.
    Bindings(String),
}

impl Gap {
    /// How to close it.
    pub(in crate::doctor) fn remedy(&self) -> String {
        match self {
            Self::Absent | Self::Doors(_) => RESTORE.to_owned(),
            Self::Namespace(requirement) => label(requirement),
            Self::Unreadable(_) => "correct webhooks.namespaceSelector".to_owned(),
            Self::Objects(_) | Self::Bindings(_) => TAKE_OFF.to_owned(),
        }
    }
}

impl Display for Gap {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        use SelectorOperator::{DoesNotExist, Exists, In, NotIn};
        match self {
            Self::Absent => formatter.write_str("it is missing"),
            Self::Namespace(requirement) => {
                match (requirement.key == NAME_LABEL, requirement.operator) {
                    (true, NotIn) => formatter.write_str("excluded by name"),
                    (true, In) => formatter.write_str("not listed by name"),
                    (_, In | Exists) => {
                        write!(formatter, "selector \"{requirement}\" matches no label")
                    }
                    (_, NotIn | DoesNotExist) => {
                        write!(formatter, "excluded by selector \"{requirement}\"")
                    }
                }
            }
            Self::Unreadable(error) => write!(formatter, "its selector cannot be read: {error}"),
            Self::Doors(doors) => {
                let doors = doors.iter().map(Door::to_string);
                write!(formatter, "no rule matches {}", listed(doors))
            }
            Self::Objects(selector) => {
                write!(formatter, "no pod there matches objectSelector \"{selector}\"")
            }
            Self::Bindings(selector) => {
                write!(
                    formatter,
                    "objectSelector \"{selector}\" matches no Binding, which has no labels"
                )
            }
        }
    }
}

/// How a namespace comes to meet a requirement.
fn label(requirement: &Requirement) -> String {
    let Requirement { key, operator, values } = requirement;
    match (operator, values.first()) {
        (SelectorOperator::NotIn, _) if key == NAME_LABEL => {
            "take them off webhooks.excludeNamespaces".to_owned()
        }
        (SelectorOperator::In, Some(value)) if key != NAME_LABEL => {
            format!(
                "kubectl label namespace NAME {key}={value}, or change webhooks.namespaceSelector"
            )
        }
        (SelectorOperator::Exists, _) => {
            format!("kubectl label namespace NAME {key}=, or change webhooks.namespaceSelector")
        }
        _ => "change webhooks.namespaceSelector".to_owned(),
    }
}

/// A selector as kubectl takes it.
pub(in crate::doctor) fn written(selector: &LabelSelector) -> String {
    Selector::try_from(selector)
        .map_or_else(|error| error.to_string(), |selector| selector.to_string())
}
