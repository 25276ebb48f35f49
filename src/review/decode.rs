//! From the bytes of an AdmissionReview to a subject that borrows from them.

use crate::json::text::Text;
use crate::json::{self, Failed, Reader, Skipped, fields};
use crate::judge::subject::{Evidence, Operation, Resource, Subject, UserInfo};
use crate::kube::container::Container;
use crate::kube::object::Object;

use super::path::Path;

/// A review that can be judged.
#[derive(Clone, Debug)]
pub struct Review<'a> {
    /// `request.uid`: the answer carries the same.
    pub uid: Text<'a>,
    /// What it asks about.
    pub subject: Subject<'a>,
}

/// Why a review cannot be judged. Says where, never the text itself: a review may carry secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The body is not UTF-8.
    #[error("the body is not JSON: it is not UTF-8")]
    NotText,
    /// The body is not JSON.
    #[error("the body is not JSON: line {line}, column {column}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The body is JSON of another shape than an AdmissionReview of the kind it names.
    #[error(
        "the AdmissionReview has a value of the wrong type, a repeated field, a quantity that is none or too many entries: line {line}, column {column}"
    )]
    WrongShape {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// Another kind or version.
    #[error(
        "the body is not an AdmissionReview of admission.k8s.io/v1: list v1 in admissionReviewVersions of the webhook configuration"
    )]
    NotV1,
    /// No request.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// No uid.
    #[error("the AdmissionReview's request has no uid")]
    NoUid,
    /// No object where the operation needs one.
    #[error("the AdmissionReview's request has no object")]
    NoObject,
    /// No old object where the operation needs one.
    #[error("the AdmissionReview's request has no oldObject: an update is judged by its change")]
    NoOldObject,
}

/// Reads an AdmissionReview that is to be judged.
///
/// # Errors
///
/// As [`decode_for`].
pub fn decode(body: &[u8]) -> Result<Review<'_>, Malformed> {
    decode_for(Path::Validate, body)
}

/// Reads an AdmissionReview that came in by `path`.
///
/// Unknown fields are skipped, and so are the objects of kinds that no rule looks at, whatever
/// their shape, and the environment of containers where no rule asks for it.
///
/// # Errors
///
/// Where the review cannot be judged; to be answered with HTTP 400.
pub fn decode_for(path: Path, body: &[u8]) -> Result<Review<'_>, Malformed> {
    let text = simdutf8::basic::from_utf8(body).map_err(|_| Malformed::NotText)?;
    match read(path, text) {
        Ok(envelope) => review(envelope.into_request()?),
        Err(error) => without_objects(text, &error),
    }
}

/// Reads a review with the environments that rules ask for: judging for all of them, but of a
/// resize, which changes none, only where a memory limit changes. Amending does not ask for others.
fn read(path: Path, text: &str) -> Result<Envelope<'_, Object<'_>>, json::Error> {
    if path == Path::Mutate || begins_as_resize(text) {
        let envelope = json::read_in_steps(text, read_resized_environments)?;
        if path == Path::Mutate || is_resize(&envelope) {
            return Ok(envelope);
        }
    }
    json::read(text)
}

/// Whether it says so where the API server does, before the objects.
fn begins_as_resize(text: &str) -> bool {
    let beginning = text.get(..text.floor_char_boundary(1024));
    beginning.is_some_and(|text| text.contains(r#""subResource":"resize""#))
}

fn is_resize(envelope: &Envelope<'_, Object<'_>>) -> bool {
    envelope.request.as_ref().is_some_and(|request| request.resource() == Resource::PodResize)
}

fn read_resized_environments<'a>(
    envelope: &mut Envelope<'a, Object<'a>>,
    reader: &mut Reader<'a>,
) -> Result<(), Failed> {
    if !is_resize(envelope) {
        return Ok(());
    }
    let Some(Request { object: Some(new), old_object: Some(old), .. }) = &mut envelope.request
    else {
        return Ok(());
    };
    let (new, old) = (&mut new.spec, &old.spec);
    let pod_limit_changes = new.resources.limits.memory != old.resources.limits.memory;
    for (list, before) in
        [(&mut new.containers, &old.containers), (&mut new.init_containers, &old.init_containers)]
    {
        for (index, container) in list.iter_mut().enumerate() {
            let old = Container::named(&container.name, before, index);
            let limit = &container.resources.limits.memory;
            if pod_limit_changes || old.is_none_or(|old| old.resources.limits.memory != *limit) {
                container.env.read_now(reader)?;
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Envelope<'a, O> {
    api_version: Text<'a>,
    kind: Text<'a>,
    request: Option<Request<'a, O>>,
}

fields!(Envelope<O> { "apiVersion" => api_version, "kind" => kind, "request" => request });

#[derive(Default)]
struct Request<'a, O> {
    uid: Text<'a>,
    resource: GroupVersionResource<'a>,
    sub_resource: Text<'a>,
    name: Text<'a>,
    namespace: Text<'a>,
    operation: Option<Operation>,
    user_info: UserInfo<'a>,
    object: Option<O>,
    old_object: Option<O>,
    dry_run: bool,
}

fields!(Request<O> {
    "uid" => uid,
    "resource" => resource,
    "subResource" => sub_resource,
    "name" => name,
    "namespace" => namespace,
    "operation" => operation,
    "userInfo" => user_info,
    "object" => object,
    "oldObject" => old_object,
    "dryRun" => dry_run,
});

#[derive(Default)]
struct GroupVersionResource<'a> {
    group: Text<'a>,
    version: Text<'a>,
    resource: Text<'a>,
}

fields!(GroupVersionResource { "group" => group, "version" => version, "resource" => resource });

impl<O> Request<'_, O> {
    fn resource(&self) -> Resource {
        Resource::of(
            &self.resource.group,
            &self.resource.version,
            &self.resource.resource,
            &self.sub_resource,
        )
    }
}

fn review<'a>(request: Request<'a, Object<'a>>) -> Result<Review<'a>, Malformed> {
    let resource = request.resource();
    let operation = request.operation.unwrap_or(Operation::Other);
    let judged =
        resource != Resource::Other && matches!(operation, Operation::Create | Operation::Update);
    if judged && request.object.is_none() {
        return Err(Malformed::NoObject);
    }
    let by_change = match operation {
        Operation::Update => {
            matches!(resource, Resource::PodResize | Resource::PodStatus)
                || resource.configuration().is_some()
        }
        Operation::Delete => resource.configuration().is_some(),
        _ => false,
    };
    if by_change && request.old_object.is_none() {
        return Err(Malformed::NoOldObject);
    }
    let name = match &request.object {
        // the pod's, which the URL need not say
        Some(binding) if resource == Resource::Binding => binding.metadata.name.clone(),
        _ => request.name,
    };
    let subject = Subject {
        resource,
        operation,
        namespace: request.namespace,
        name,
        requester: request.user_info,
        dry_run: request.dry_run,
        object: request.object.unwrap_or_default(),
        old_object: request.old_object,
        evidence: Evidence::default(),
    };
    Ok(Review { uid: request.uid, subject })
}

/// Reads the review again without its objects. An object of a kind that no rule looks at may have
/// fields of any shape under the names that pods use.
fn without_objects<'a>(text: &'a str, error: &json::Error) -> Result<Review<'a>, Malformed> {
    let (line, column) = (error.line(), error.column());
    let envelope: Envelope<'a, Skipped> = json::read(text).map_err(|error| match error.kind() {
        json::ErrorKind::Shape => {
            Malformed::WrongShape { line: error.line(), column: error.column() }
        }
        json::ErrorKind::Syntax => {
            Malformed::NotJson { line: error.line(), column: error.column() }
        }
    })?;
    let request = envelope.into_request()?;
    if request.resource() != Resource::Other {
        return Err(Malformed::WrongShape { line, column });
    }
    review(request.without_objects())
}

impl<'a, O> Envelope<'a, O> {
    fn into_request(self) -> Result<Request<'a, O>, Malformed> {
        if &*self.kind != "AdmissionReview" || &*self.api_version != "admission.k8s.io/v1" {
            return Err(Malformed::NotV1);
        }
        let request = self.request.ok_or(Malformed::NoRequest)?;
        if request.uid.is_empty() { Err(Malformed::NoUid) } else { Ok(request) }
    }
}

impl<'a> Request<'a, Skipped> {
    fn without_objects(self) -> Request<'a, Object<'a>> {
        Request {
            uid: self.uid,
            resource: self.resource,
            sub_resource: self.sub_resource,
            name: self.name,
            namespace: self.namespace,
            operation: self.operation,
            user_info: self.user_info,
            object: None,
            old_object: None,
            dry_run: self.dry_run,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> Malformed {
        decode(body.as_bytes()).unwrap_err()
    }

    fn with_request(request: &str) -> String {
        format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{request}}}"#
        )
    }

    const POD: &str = r#""uid":"u","operation":"CREATE","resource":{"group":"","version":"v1","resource":"pods"}"#;

    #[test]
    fn bad_reviews_are_refused_with_a_reason() {
        assert_eq!(decode(b"\xff").unwrap_err(), Malformed::NotText);
        assert_eq!(refusal("{"), Malformed::NotJson { line: 1, column: 1 });
        assert!(matches!(refusal("hello"), Malformed::NotJson { .. }));
        assert!(matches!(refusal("7"), Malformed::WrongShape { .. }));
        assert_eq!(refusal("{}"), Malformed::NotV1);
        let beta = with_request("{}").replace("/v1", "/v1beta1");
        assert_eq!(refusal(&beta), Malformed::NotV1);
        assert_eq!(refusal(&with_request("null")), Malformed::NoRequest);
        assert_eq!(refusal(&with_request("{}")), Malformed::NoUid);
        assert_eq!(refusal(&with_request(&format!("{{{POD}}}"))), Malformed::NoObject);
        let resize = POD
            .replace("CREATE", "UPDATE")
            .replace("\"uid\"", "\"subResource\":\"resize\",\"uid\"");
        assert_eq!(
            refusal(&with_request(&format!(r#"{{{resize},"object":{{}}}}"#))),
            Malformed::NoOldObject
        );
    }

    #[test]
    fn wrong_shapes_are_refused_without_their_content() {
        for object in [
            r#"{"spec":{"containers":{"secret":1}}}"#,
            r#"{"spec":{"containers":[{"name":7}]}}"#,
            r#"{"spec":{"containers":[{"resources":{"limits":{"memory":"secret"}}}]}}"#,
            r#"{"metadata":"secret"}"#,
            r#"{"spec":{},"spec":{}}"#,
        ] {
            let error = refusal(&with_request(&format!(r#"{{{POD},"object":{object}}}"#)));
            assert!(matches!(error, Malformed::WrongShape { .. }), "{object}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn other_kinds_may_have_any_shape() {
        for other in [POD.replace("\"pods\"", "\"widgets\""), POD.replace("\"v1\"", "\"v2\"")] {
            let body = with_request(&format!(
                r#"{{{other},"object":{{"spec":{{"containers":"none","template":3}}}}}}"#
            ));
            let review = decode(body.as_bytes()).unwrap();
            assert_eq!((&*review.uid, review.subject.resource), ("u", Resource::Other));
        }
    }

    #[test]
    fn null_is_as_good_as_absent() {
        let object = r#"{"metadata":{"annotations":null,"labels":null,"ownerReferences":null},"spec":{"containers":[{"name":"a","env":null,"resources":{"limits":null,"requests":{"memory":null}},"resizePolicy":null,"livenessProbe":{"exec":null}}],"initContainers":null,"volumes":null,"hostPID":null}}"#;
        let body = with_request(&format!(
            r#"{{{POD},"object":{object},"oldObject":null,"dryRun":null,"userInfo":{{"groups":null}}}}"#
        ));
        let review = decode(body.as_bytes()).unwrap();
        assert_eq!(review.subject.object.spec.containers.len(), 1);
        assert!(review.subject.old_object.is_none());
    }
}
