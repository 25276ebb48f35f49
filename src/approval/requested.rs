//! What was asked for and denied, in a form that programs read: an annotation of the Event on the
//! pod.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kube::quantity::Quantity;
use crate::kube::resources::EffectiveLimit;

use super::GRANT_ANNOTATION;
use super::floors::{Floor, Floors};
use super::grant::Grant;
use super::stamp::Malformed;

/// The annotation of an Event that carries what was asked for.
pub const REQUESTED_ANNOTATION: &str = "restraint.dev/requested";

/// The longest annotation that is read, in bytes. 64 parts with the longest names fit.
const LONGEST: usize = 16 * 1024;

/// The longest name of a requester that is written, in bytes.
const LONGEST_NAME: usize = 256;

/// Decreases that were denied.
///
/// Whoever may write Events can write one like it. So all of it is a claim, and what is read keeps
/// to the grammar of grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// Who asked.
    pub requester: String,
    /// The limits that were asked for, as a grant says them. `true` where no grant can name them
    /// all.
    pub parts: Floors,
    /// The limit that each part had, by its name in `parts`, as messages say it.
    pub from: BTreeMap<String, String>,
    /// Whether a heap does not fit, so that a grant needs `force`.
    pub force: bool,
}

impl Requested {
    /// The text of the annotation.
    pub fn text(&self) -> String {
        let end = self.requester.floor_char_boundary(LONGEST_NAME);
        let requester = self.requester.get(..end).unwrap_or_default().to_owned();
        serde_json::to_string(&Self { requester, ..self.clone() }).unwrap_or_default() // writing strings to memory cannot fail
    }

    /// Reads the annotation of an Event, whoever wrote it.
    ///
    /// # Errors
    ///
    /// Where anything in it is not as the service writes it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > LONGEST {
            return Err(Malformed);
        }
        let requested: Self = serde_json::from_str(text).map_err(|_| Malformed)?;
        let names = requested.names();
        let is_limit = |text: &str| {
            text == EffectiveLimit::Unlimited.to_string() || Quantity::parse(text).is_ok()
        };
        let sound = requested.requester.len() <= LONGEST_NAME
            && requested.from.iter().all(|(part, from)| names.contains(&**part) && is_limit(from))
            && Grant::parse(&requested.grant().to_string()).is_ok();
        if sound { Ok(requested) } else { Err(Malformed) }
    }

    /// The grant of exactly this.
    pub fn grant(&self) -> Grant {
        Grant { floors: self.parts.clone(), lifetime: None, force: self.force, reason: None }
    }

    /// The names of the parts; none where any decrease is meant.
    pub fn names(&self) -> BTreeSet<&str> {
        match &self.parts {
            Floors::Any => BTreeSet::new(),
            Floors::Only(floors) => floors.iter().map(Floor::part_name).collect(),
        }
    }
}

/// The commands by which an approver grants `floors` on the pod `name`, heaps that do not fit
/// included where `forced`. `again`: whether the pod carries a grant already. The same words again
/// would be no change, and nobody would be asked.
pub(crate) fn granting_command(
    (namespace, name): (&str, &str),
    floors: &str,
    forced: bool,
    again: bool,
) -> String {
    let option = if forced { "; force" } else { "" };
    // a shell ends a command at a semicolon
    let quote = if forced { "'" } else { "" };
    let before = if again {
        format!("kubectl annotate pod {name} -n {namespace} {GRANT_ANNOTATION}- && ")
    } else {
        String::new()
    };
    format!(
        "{before}kubectl annotate pod {name} -n {namespace} {GRANT_ANNOTATION}={quote}{floors}{option}{quote}"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written() -> Value {
        json!({"requester": "dev", "parts": "app=256Mi,@pod=1Gi", "from": {"app": "512Mi", "@pod": "unlimited"}, "force": false})
    }

    #[test]
    fn what_is_written_is_read() {
        let requested = Requested::parse(&written().to_string()).unwrap();
        assert_eq!(requested.grant().to_string(), "app=256Mi,@pod=1Gi");
        assert_eq!(serde_json::from_str::<Value>(&requested.text()).unwrap(), written());
        let long = Requested { requester: "ä".repeat(2000), force: true, ..requested };
        let read = Requested::parse(&long.text()).unwrap();
        assert_eq!((read.requester, read.force), ("ä".repeat(128), true));
    }

    #[test]
    fn what_the_service_never_writes_is_malformed() {
        let cases: [(&str, Value); 12] = [
            ("parts", json!("app=256Mi && rm -rf /")),
            ("parts", json!("app=$(id)")),
            ("parts", json!("app=256Mi; for=24h")),
            ("parts", json!("`id`=1Mi")),
            ("parts", json!("app=0")),
            ("parts", json!("")),
            ("parts", json!(7)),
            ("from", json!({"side": "1Gi"})),
            ("from", json!({"app": "lots\u{1b}[2J"})),
            ("force", json!("; force")),
            ("requester", json!("x".repeat(257))),
            ("requester", Value::Null),
        ];
        for (field, value) in cases {
            let mut hostile = written();
            hostile[field] = value;
            assert_eq!(Requested::parse(&hostile.to_string()), Err(Malformed), "{hostile}");
        }
        for text in ["", "{}", "true", "[]", &written().to_string().repeat(200)] {
            assert_eq!(Requested::parse(text), Err(Malformed), "{text:.40}");
        }
        let long = format!("{}{}", " ".repeat(LONGEST), written());
        assert_eq!(Requested::parse(&long), Err(Malformed), "longer than anything written");
        let mut many = written();
        many["parts"] = json!(format!("app={}1Mi,@pod=1Gi", "0".repeat(5000)));
        assert_eq!(Requested::parse(&many.to_string()), Err(Malformed), "longer than a grant");
    }

    #[test]
    fn commands_are_whole_in_a_shell() {
        let command = |forced, again| granting_command(("shop", "db-0"), "app=1Mi", forced, again);
        assert_eq!(
            command(false, false),
            "kubectl annotate pod db-0 -n shop restraint.dev/approve=app=1Mi"
        );
        assert_eq!(
            command(true, true),
            "kubectl annotate pod db-0 -n shop restraint.dev/approve- && kubectl annotate pod db-0 -n shop restraint.dev/approve='app=1Mi; force'"
        );
    }
}
