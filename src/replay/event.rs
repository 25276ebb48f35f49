//! An event of kube-apiserver's audit log (audit.k8s.io/v1), borrowed from its line.

use jiff::Timestamp;

use crate::json::text::{Labels, Text};
use crate::json::{self, Raw, fields};
use crate::judge::subject::{Operation, Resource, UserInfo};

use super::reference::Reference;

/// One stage of one request.
#[derive(Debug, Default)]
pub(super) struct Event<'a> {
    pub(super) audit_id: Text<'a>,
    pub(super) level: Text<'a>,
    pub(super) stage: Text<'a>,
    pub(super) verb: Text<'a>,
    request_uri: Text<'a>,
    user: Raw<'a>,
    impersonated_user: Option<Raw<'a>>,
    object_ref: Reference<'a>,
    response_status: Option<Status<'a>>,
    pub(super) request_object: Option<Raw<'a>>,
    pub(super) response_object: Option<Raw<'a>>,
    request_received_timestamp: Text<'a>,
    stage_timestamp: Text<'a>,
    pub(super) annotations: Labels<'a>,
}

fields!(Event {
    "auditID" => audit_id,
    "level" => level,
    "stage" => stage,
    "verb" => verb,
    "requestURI" => request_uri,
    "user" => user,
    "impersonatedUser" => impersonated_user,
    "objectRef" => object_ref,
    "responseStatus" => response_status,
    "requestObject" => request_object,
    "responseObject" => response_object,
    "requestReceivedTimestamp" => request_received_timestamp,
    "stageTimestamp" => stage_timestamp,
    "annotations" => annotations,
});

#[derive(Debug, Default)]
struct Status<'a> {
    code: Option<i64>,
    reason: Text<'a>,
    message: Text<'a>,
}

fields!(Status { "code" => code, "reason" => reason, "message" => message });

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was done.
    Done,
    /// It was refused, with this code.
    Refused(i64),
    /// The API server failed, and nobody knows whether it was done.
    Failed(i64),
    /// The log does not say.
    Unsaid,
}

/// A part of the address of a request that nothing is stored of.
const DRY_RUN: &str = "dryRun=All";

impl<'a> Event<'a> {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// Where it is no event of the shape that the API server writes.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, json::Error> {
        let text = str::from_utf8(line).unwrap_or_default();
        json::read(text)
    }

    /// What it is about.
    pub(super) fn resource(&self) -> Resource {
        let Reference { resource, subresource, api_group, api_version, .. } = &self.object_ref;
        Resource::of(api_group, api_version, resource, subresource)
    }

    /// The plural name of what it is about.
    pub(super) fn plural(&self) -> &str {
        &self.object_ref.resource
    }

    /// The version of its API.
    pub(super) fn version(&self) -> &str {
        &self.object_ref.api_version
    }

    /// The group of its API.
    pub(super) fn group(&self) -> &str {
        &self.object_ref.api_group
    }

    /// The subresource; empty for the object itself.
    pub(super) fn subresource(&self) -> &str {
        &self.object_ref.subresource
    }

    /// The namespace; empty for what is in none.
    pub(super) fn namespace(&self) -> &str {
        &self.object_ref.namespace
    }

    /// The name in the address; empty for a creation by `generateName`.
    pub(super) fn name(&self) -> &str {
        &self.object_ref.name
    }

    /// What webhooks are told that it does. A patch that creates is a creation.
    pub(super) fn operation(&self) -> Operation {
        match &*self.verb {
            "create" => Operation::Create,
            "patch" | "update" if self.code() == Some(201) => Operation::Create,
            "patch" | "update" => Operation::Update,
            "delete" | "deletecollection" => Operation::Delete,
            _ => Operation::Other,
        }
    }

    /// Whether it is a write that was asked about, and not only a part of one.
    pub(super) fn is_complete(&self) -> bool {
        &*self.stage == "ResponseComplete"
    }

    /// Whether nothing is stored of it. Deletions say so in their body.
    pub(super) fn is_dry_run(&self) -> bool {
        let in_body = |raw: Raw<'_>| {
            matches!(&*self.verb, "delete" | "deletecollection" | "create")
                && self.subresource() != "binding"
                && self.is_deletion()
                && raw.get().contains("\"dryRun\"")
        };
        self.request_uri.contains(DRY_RUN) || self.request_object.is_some_and(in_body)
    }

    /// Whether it ends an object, by whatever name.
    pub(super) fn is_deletion(&self) -> bool {
        matches!(&*self.verb, "delete" | "deletecollection") || self.subresource() == "eviction"
    }

    /// Whether it is a server-side apply: its body is an object, of which a manager's share is made.
    pub(super) fn is_apply(&self) -> bool {
        #[derive(Default)]
        struct Body<'a> {
            api_version: Text<'a>,
        }
        fields!(Body { "apiVersion" => api_version });
        let names = |raw: Raw<'_>| {
            json::read::<Body<'_>>(raw.get()).is_ok_and(|body| !body.api_version.is_empty())
        };
        &*self.verb == "patch"
            && self.request_uri.contains("fieldManager=")
            && self.request_object.is_some_and(names)
    }

    /// The name under which its changes are noted in the object, where the request gives one in plain
    /// letters.
    pub(super) fn field_manager(&self) -> Option<&str> {
        let (_, query) = self.request_uri.split_once('?')?;
        let manager = query.split('&').find_map(|word| word.strip_prefix("fieldManager="))?;
        let is_plain = !manager.contains(['%', '+']) && !manager.is_empty();
        is_plain.then_some(manager)
    }

    /// Whom the API server took the requester for.
    pub(super) fn requester(&self) -> Raw<'a> {
        self.impersonated_user.unwrap_or(self.user)
    }

    /// The name of the requester.
    pub(super) fn username(&self) -> String {
        let user: Option<UserInfo<'_>> = json::read(self.requester().get()).ok();
        user.map(|user| user.username.to_string()).unwrap_or_default()
    }

    /// What came of it.
    pub(super) fn answer(&self) -> Answer {
        match self.code() {
            Some(200..=299) => Answer::Done,
            Some(code @ (500 | 503 | 400..=499)) => Answer::Refused(code),
            Some(code) => Answer::Failed(code),
            None => Answer::Unsaid,
        }
    }

    fn code(&self) -> Option<i64> {
        self.response_status.as_ref()?.code
    }

    /// The reason in the answer, in a word.
    pub(super) fn refusal(&self) -> &str {
        self.response_status.as_ref().map_or("", |status| &status.reason)
    }

    /// What the answer says.
    pub(super) fn message(&self) -> &str {
        self.response_status.as_ref().map_or("", |status| &status.message)
    }

    /// The object in the answer, where the log has it and it is of this kind.
    pub(super) fn response_of(&self, kind: &str) -> Option<Raw<'a>> {
        #[derive(Default)]
        struct Body<'a> {
            kind: Text<'a>,
        }
        fields!(Body { "kind" => kind });
        self.response_object
            .filter(|raw| json::read::<Body<'_>>(raw.get()).is_ok_and(|body| &*body.kind == kind))
    }

    /// When the request came in.
    pub(super) fn received(&self) -> Option<Timestamp> {
        self.request_received_timestamp.parse().ok().or_else(|| self.written())
    }

    /// When this stage of it was done.
    pub(super) fn written(&self) -> Option<Timestamp> {
        self.stage_timestamp.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(rest: &str) -> String {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete",{rest}}}"#
        )
    }

    #[test]
    fn who_asks_is_who_is_impersonated() {
        let text = event(
            r#""user":{"username":"admin"},"impersonatedUser":{"username":"bob","groups":["dev"]}"#,
        );
        let read = Event::read(text.as_bytes()).unwrap();
        assert_eq!(read.username(), "bob");
        assert!(read.requester().get().contains("dev"));
        let text = event(r#""user":{"username":"admin"}"#);
        assert_eq!(Event::read(text.as_bytes()).unwrap().username(), "admin");
    }

    #[test]
    fn dry_runs_and_what_only_looks_like_one() {
        for (rest, expected) in [
            (r#""verb":"patch","requestURI":"/api?dryRun=All\u0026fieldManager=kubectl""#, true),
            (r#""verb":"patch","requestURI":"/api?fieldManager=kubectl""#, false),
            (r#""verb":"delete","requestURI":"/api","requestObject":{"dryRun":["All"]}"#, true),
            (r#""verb":"create","requestURI":"/api","requestObject":{"dryRun":["All"]}"#, false),
            (
                r#""verb":"create","objectRef":{"subresource":"eviction"},"requestObject":{"deleteOptions":{"dryRun":["All"]}}"#,
                true,
            ),
        ] {
            let text = event(rest);
            assert_eq!(Event::read(text.as_bytes()).unwrap().is_dry_run(), expected, "{rest}");
        }
    }

    #[test]
    fn an_apply_names_a_manager_and_brings_an_object() {
        let apply = |uri: &str, body: &str| {
            let text =
                event(&format!(r#""verb":"patch","requestURI":"{uri}","requestObject":{body}"#));
            Event::read(text.as_bytes()).unwrap().is_apply()
        };
        assert!(apply("/api?fieldManager=gitops", r#"{"apiVersion":"v1","kind":"Pod"}"#));
        assert!(!apply("/api?fieldManager=kubectl-patch", r#"{"spec":{}}"#));
        assert!(!apply("/api?fieldManager=kubectl-patch", r#"[{"op":"add"}]"#));
        assert!(!apply("/api", r#"{"apiVersion":"v1"}"#));
    }

    #[test]
    fn what_came_of_it() {
        for (code, expected) in [
            ("200", Answer::Done),
            ("201", Answer::Done),
            ("403", Answer::Refused(403)),
            ("422", Answer::Refused(422)),
            ("500", Answer::Refused(500)),
            ("504", Answer::Failed(504)),
        ] {
            let text = event(&format!(r#""responseStatus":{{"code":{code}}}"#));
            assert_eq!(Event::read(text.as_bytes()).unwrap().answer(), expected);
        }
        assert_eq!(
            Event::read(event(r#""verb":"get""#).as_bytes()).unwrap().answer(),
            Answer::Unsaid
        );
        let created = event(r#""verb":"patch","responseStatus":{"code":201}"#);
        assert_eq!(Event::read(created.as_bytes()).unwrap().operation(), Operation::Create);
    }

    #[test]
    fn an_answer_of_another_kind_is_no_state() {
        let text = event(r#""responseObject":{"kind":"PartialObjectMetadata"}"#);
        assert!(Event::read(text.as_bytes()).unwrap().response_of("Pod").is_none());
    }
}
