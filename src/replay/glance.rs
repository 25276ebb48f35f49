//! A first look at a line: what it is, and whether anything in it counts. Nothing is copied, and
//! objects are passed over.

use jiff::Timestamp;

use crate::json::text::Text;
use crate::json::{self, fields};
use crate::judge::subject::Resource;

use super::reference::Reference;

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Glance {
    /// An event that says something about what is judged, and when it was written.
    Event(Option<Timestamp>),
    /// An event that says nothing about it.
    Other(Option<Timestamp>),
    /// Several events in one line.
    List,
    /// An event of a version that is not read.
    OtherVersion(String),
    /// A recorded review.
    Recording,
    /// JSON of another kind.
    Foreign,
    /// No JSON, or a line that was cut off.
    Broken,
}

/// The version of events that is read.
const VERSION: &str = "audit.k8s.io/v1";

#[derive(Default)]
struct Head<'a> {
    kind: Text<'a>,
    api_version: Text<'a>,
    schema: Text<'a>,
    level: Text<'a>,
    stage: Text<'a>,
    verb: Text<'a>,
    object_ref: Option<Reference<'a>>,
    stage_timestamp: Text<'a>,
    request_received_timestamp: Text<'a>,
}

fields!(Head {
    "kind" => kind,
    "apiVersion" => api_version,
    "schema" => schema,
    "level" => level,
    "stage" => stage,
    "verb" => verb,
    "objectRef" => object_ref,
    "stageTimestamp" => stage_timestamp,
    "requestReceivedTimestamp" => request_received_timestamp,
});

impl Glance {
    /// Looks at a line.
    pub(super) fn at(line: &[u8]) -> Self {
        let Ok(text) = simdutf8::basic::from_utf8(line) else { return Self::Broken };
        let head: Head<'_> = match json::read(text) {
            Ok(head) => head,
            Err(error) if error.kind() == json::ErrorKind::Shape => return Self::Foreign,
            Err(_) => return Self::Broken,
        };
        match (&*head.kind, &*head.api_version) {
            ("Event", VERSION) => {}
            ("EventList", VERSION) => return Self::List,
            ("Event" | "EventList", other) if other.starts_with("audit.k8s.io/") => {
                return Self::OtherVersion(other.to_owned());
            }
            _ if head.schema.starts_with("restraint.dev/recording/") => return Self::Recording,
            _ => return Self::Foreign,
        }
        let time =
            moment(&head.stage_timestamp).or_else(|| moment(&head.request_received_timestamp));
        if head.counts() { Self::Event(time) } else { Self::Other(time) }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

impl Head<'_> {
    /// Whether it says anything about what is judged, or about what that was before.
    fn counts(&self) -> bool {
        let Some(reference) = &self.object_ref else { return false };
        let Reference { resource, subresource, api_group, api_version, .. } = reference;
        let writes = matches!(&*self.verb, "create" | "update" | "patch");
        let removes = matches!(&*self.verb, "delete" | "deletecollection");
        let reads = matches!(&*self.verb, "get" | "list") && &*self.level == "RequestResponse";
        match &*self.stage {
            "ResponseComplete" | "Panic" => {}
            // it may be all there is of a write
            "RequestReceived" => {
                return writes
                    && api_group.is_empty()
                    && &**resource == "pods"
                    && matches!(&**subresource, "" | "resize");
            }
            _ => return false,
        }
        match (&**api_group, &**resource, &**subresource) {
            ("", "pods", "") | ("", "namespaces", "") => writes || removes || reads,
            ("", "pods", "eviction" | "ephemeralcontainers") => writes,
            ("", "pods", "resize" | "status") => writes || reads,
            (group, resource, "") => {
                is_judged(Resource::of(group, api_version, resource, ""))
                    && (writes || removes || &*self.verb == "get" && reads)
            }
            (group, resource, sub) => {
                writes && is_judged(Resource::of(group, api_version, resource, sub))
            }
        }
    }
}

/// Whether replay judges it. What was written into ConfigMaps few logs tell, and who used them none
/// does.
fn is_judged(resource: Resource) -> bool {
    resource != Resource::Other && resource.configuration().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(verb: &str, level: &str, stage: &str, reference: &str) -> Glance {
        Glance::at(
            format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"{level}","stage":"{stage}","verb":"{verb}","objectRef":{{{reference}}},"requestObject":{{"kind":["any"]}}}}"#
            )
            .as_bytes(),
        )
    }

    fn counts(verb: &str, level: &str, stage: &str, reference: &str) -> bool {
        matches!(event(verb, level, stage, reference), Glance::Event(_))
    }

    #[test]
    fn what_counts() {
        let (pods, resize) = (
            r#""resource":"pods","apiVersion":"v1""#,
            r#""resource":"pods","apiVersion":"v1","subresource":"resize""#,
        );
        let (done, got) = ("ResponseComplete", "RequestReceived");
        assert!(counts("patch", "Metadata", done, resize));
        assert!(counts("patch", "Metadata", got, resize), "all there may be of it");
        assert!(!counts("get", "RequestResponse", got, pods));
        assert!(counts("get", "RequestResponse", done, pods));
        assert!(!counts("get", "Request", done, pods), "it shows no object");
        assert!(!counts("watch", "RequestResponse", done, pods));
        assert!(counts("deletecollection", "Metadata", done, pods));
        assert!(!counts("create", "Metadata", done, &resize.replace("resize", "exec")));
        let web = r#""resource":"deployments","apiGroup":"apps","apiVersion":"v1""#;
        assert!(counts("patch", "Request", done, web));
        assert!(!counts("list", "RequestResponse", done, web), "lists of pods are enough");
        assert!(!counts("update", "Request", done, &web.replace("deployments", "secrets")));
        assert!(!counts("patch", "Request", "ResponseStarted", pods));
    }

    #[test]
    fn what_a_line_is() {
        for (line, expected) in [
            ("{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"sta", Glance::Broken),
            ("\u{1}", Glance::Broken),
            ("Nov 30 21:14:21 host sshd[1]: session opened", Glance::Broken),
            ("[1]", Glance::Foreign),
            (r#"{"kind":"Pod","apiVersion":"v1"}"#, Glance::Foreign),
            (r#"{"kind":"Event","apiVersion":"v1"}"#, Glance::Foreign),
            (r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}"#, Glance::List),
            (r#"{"schema":"restraint.dev/recording/v9"}"#, Glance::Recording),
            (r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1"}"#, Glance::Other(None)),
        ] {
            assert_eq!(Glance::at(line.as_bytes()), expected, "{line}");
        }
        let beta = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1beta1"}"#;
        assert_eq!(
            Glance::at(beta.as_bytes()),
            Glance::OtherVersion("audit.k8s.io/v1beta1".to_owned())
        );
    }
}
