//! Asking the API server whether somebody may approve: a SubjectAccessReview, with a deadline of
//! its own.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::Semaphore;
use tracing::warn;

use crate::approval::Authority;
use crate::cluster::error::error_message;
use crate::json;
use crate::json::text::{Entries, Text};
use crate::judge::subject::Subject;

/// The most questions at a time: whoever floods the service with grants does not flood the API
/// server.
const AT_A_TIME: usize = 16;

/// Asks the API server.
#[derive(Debug)]
pub(super) struct Authorities {
    reviews: Option<AccessReviews>,
    deadline: Duration,
    permits: Semaphore,
}

struct AccessReviews(Api<SubjectAccessReview>);

impl std::fmt::Debug for AccessReviews {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AccessReviews")
    }
}

/// May this requester approve decreases of this pod?
#[derive(Clone, Debug)]
pub(super) struct Question(SubjectAccessReviewSpec);

impl Question {
    /// The question that `subject` raises; `None` where its requester cannot be told.
    pub(super) fn about(subject: &Subject<'_>) -> Option<Self> {
        let requester = &subject.requester;
        let extra: Entries<'_, Vec<Text<'_>>> = match requester.extra {
            Some(extra) => json::read::<Option<_>>(extra.get()).ok()?.unwrap_or_default(),
            None => Entries::default(),
        };
        let values = |values: &Vec<Text<'_>>| values.iter().map(ToString::to_string).collect();
        let extra: BTreeMap<String, Vec<String>> =
            extra.iter().map(|(key, value)| (key.to_owned(), values(value))).collect();
        let text = |text: &Text<'_>| (!text.is_empty()).then(|| text.to_string());
        Some(Self(SubjectAccessReviewSpec {
            user: text(&requester.username),
            uid: text(&requester.uid),
            groups: Some(requester.groups.iter().map(ToString::to_string).collect()),
            extra: Some(extra),
            resource_attributes: Some(ResourceAttributes {
                verb: Some("approve".to_owned()),
                version: Some("v1".to_owned()),
                resource: Some("pods".to_owned()),
                subresource: Some("resize".to_owned()),
                namespace: Some(subject.namespace.to_string()),
                name: Some(subject.name.to_string()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        }))
    }
}

impl Authorities {
    /// Asks through `client`, if there is one, and waits no longer than `deadline` for an answer.
    pub(super) fn new(client: Option<Client>, deadline: Duration) -> Self {
        Self {
            reviews: client.map(|client| AccessReviews(Api::all(client))),
            deadline,
            permits: Semaphore::new(AT_A_TIME),
        }
    }

    /// The answer. Whatever goes wrong is no yes.
    pub(super) async fn ask(&self, question: Option<Question>) -> Authority {
        let Some(AccessReviews(reviews)) = &self.reviews else { return Authority::NotAsked };
        let Some(Question(spec)) = question else {
            return Authority::Unknown("the requester cannot be told".into());
        };
        let Ok(_permit) = self.permits.try_acquire() else {
            return Authority::Unknown("too many ask at a time".into());
        };
        let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
        match tokio::time::timeout(self.deadline, reviews.create(&PostParams::default(), &review))
            .await
        {
            Ok(Ok(SubjectAccessReview { status: Some(status), .. }))
                if status.allowed && status.denied != Some(true) =>
            {
                Authority::Held
            }
            Ok(Ok(SubjectAccessReview { status: Some(_), .. })) => Authority::Lacking,
            Ok(Ok(_)) => Authority::Unknown("the API server did not answer the question".into()),
            Ok(Err(error)) => {
                let error = error_message(&error);
                warn!(error, "the API server cannot be asked who may approve");
                Authority::Unknown("the API server cannot be asked".into())
            }
            Err(_) => Authority::Unknown("the API server is too slow".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Request;
    use axum::routing::{any, post};
    use serde_json::{Value, json};

    use super::*;
    use crate::json::ENTRY_LIMIT;
    use crate::review::decode;
    use crate::serve::testing;

    const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

    async fn ask(routes: Router, deadline: Duration) -> Authority {
        let question = question(json!({"scopes": ["a", "b"]}));
        Authorities::new(Some(testing::api_server(routes).await), deadline).ask(question).await
    }

    fn question(extra: Value) -> Option<Question> {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u", "operation": "UPDATE", "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": "shop", "name": "db-0", "object": {}, "oldObject": {},
            "userInfo": {"username": "alice", "uid": "7", "groups": ["sre"], "extra": extra},
        }});
        let body = review.to_string();
        Question::about(&decode(body.as_bytes()).unwrap().subject)
    }

    #[test]
    fn requesters_of_any_size_are_not_kept() {
        let many = |count: usize| {
            question((0..count).map(|key| (key.to_string(), json!(["a"]))).collect())
        };
        assert!(many(ENTRY_LIMIT / 2).is_some());
        assert!(many(ENTRY_LIMIT / 2 + 1).is_none());
        assert!(question(Value::Null).is_some());
        assert!(question(json!("none")).is_none());
    }

    fn answering(status: Value) -> Router {
        let answer = move |request: Request| async move {
            let mut review = testing::body(request).await;
            let pod = json!({"verb": "approve", "version": "v1", "resource": "pods", "subresource": "resize", "namespace": "shop", "name": "db-0"});
            let asked = json!({"user": "alice", "uid": "7", "groups": ["sre"], "extra": {"scopes": ["a", "b"]}, "resourceAttributes": pod});
            assert_eq!(review["spec"], asked);
            review["status"] = status;
            testing::json(201, &review)
        };
        Router::new().route(PATH, post(answer))
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_whole_requester_is_asked_about() {
        assert_eq!(ask(answering(json!({"allowed": true})), PATIENCE).await, Authority::Held);
        assert_eq!(ask(answering(json!({"allowed": false})), PATIENCE).await, Authority::Lacking);
        assert_eq!(
            ask(answering(json!({"allowed": true, "denied": true})), PATIENCE).await,
            Authority::Lacking
        );
    }

    #[tokio::test]
    async fn whatever_goes_wrong_is_no_yes() {
        let broken = Router::new()
            .fallback(any(|| async { testing::json(500, &json!({"kind": "Status"})) }));
        assert_eq!(
            ask(broken, PATIENCE).await,
            Authority::Unknown("the API server cannot be asked".into())
        );
        let mute = Router::new().fallback(any(std::future::pending::<()>));
        assert_eq!(
            ask(mute, Duration::from_millis(1)).await,
            Authority::Unknown("the API server is too slow".into())
        );
        assert_eq!(Authorities::new(None, PATIENCE).ask(None).await, Authority::NotAsked);
    }
}
