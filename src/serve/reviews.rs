//! The two ways a review comes in, and the limits on the way.

mod body;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::{Service, service_fn};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::judge::subject::Subject;
use crate::kube::config_user::ConfigUser;
use crate::kube::configuration::ConfigKind;
use crate::policies::set::PolicySet;
use crate::review::{Path, answer, decide, decode_for, look_ups};

use super::configuration::Index;
use super::decision_log;
use super::events::Events;
use super::evidence::{Answers, Questions, Sources};
use super::followed::Followed;
use super::metrics::{Failure, SharedMetrics};
use super::namespaces::Namespaces;
use super::recorder::Recorder;
use super::restorations::Restorations;
use super::seal::SealKeys;

pub use body::BODY_LIMIT;
use body::Readable;

/// How long replicas may hold different policies after a change: the kubelet brings a ConfigMap to
/// one of them up to a minute and a half after the other.
const SETTLING: Duration = Duration::from_secs(120);

/// Where reviews go.
const PATHS: &str = "reviews go to POST /validate or POST /mutate";

/// Everything that answers reviews.
#[derive(Debug)]
pub(super) struct Reviews {
    /// The policies in force, if there were sound ones yet.
    pub(super) policies: Arc<Followed<Option<PolicySet>>>,
    /// What is known of namespaces.
    pub(super) namespaces: Arc<Namespaces>,
    /// Who uses which ConfigMaps and Secrets.
    pub(super) config_users: Arc<Index>,
    /// The keys of stamps.
    pub(super) seal_keys: Arc<Followed<SealKeys>>,
    /// Whom to ask for facts.
    pub(super) sources: Sources,
    /// What was put back before.
    pub(super) restorations: Restorations,
    /// Where pods are told.
    pub(super) events: Events,
    /// Where reviews are recorded, if they are.
    pub(super) recorder: Option<Recorder>,
    /// Where everything is counted.
    pub(super) metrics: SharedMetrics,
    /// KiB of bodies and answers that may be in memory at once; see [`memory_budget`].
    pub(super) memory_budget: Arc<Semaphore>,
    /// How long a body may take to arrive.
    pub(super) deadline: Duration,
}

/// Room for `bytes` of bodies and answers at once, and for one of the largest bodies at least.
pub(super) fn memory_budget(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(bytes.max(BODY_LIMIT) / 1024))
}

impl Reviews {
    /// What answers requests: two paths, so near to the connection as can be.
    pub(super) fn service(
        self,
    ) -> impl Service<
        Request<Incoming>,
        Response = Response<Full<Bytes>>,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static {
        let reviews = Arc::new(self);
        service_fn(move |request| {
            let reviews = Arc::clone(&reviews);
            // boxed, because a connection has the room for it also while it is idle
            Box::pin(async move { Ok(reviews.serve(request).await) })
        })
    }

    async fn serve<B: Readable>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let path = match request.uri().path() {
            "/validate" => Path::Validate,
            "/mutate" => Path::Mutate,
            _ => return text(StatusCode::NOT_FOUND, PATHS),
        };
        if request.method() != Method::POST {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, PATHS);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        self.answer(path, request).await
    }

    async fn answer<B: Readable>(&self, path: Path, request: Request<B>) -> Response<Full<Bytes>> {
        let (head, mut body) = request.into_parts();
        // a panic is a bug: it costs this review, never the connection and what else is asked on it
        let answer = self.try_answer(path, &head.headers, &mut body);
        let answer = AssertUnwindSafe(answer).catch_unwind().await;
        body::drain(body, self.deadline);
        match answer.unwrap_or_else(|_| Err(panicked())) {
            Ok(answer) => json(answer),
            Err((failure, reason)) => {
                self.metrics.failure(path, failure);
                decision_log::failure(path, failure, &reason);
                text(status(failure), reason)
            }
        }
    }

    async fn try_answer<B: Readable>(
        &self,
        path: Path,
        headers: &HeaderMap,
        body: &mut B,
    ) -> Result<Bytes, (Failure, String)> {
        let mut reserved = self.take(body::weight(headers)?)?;
        let reading = body::read(headers, body);
        let body = match tokio::time::timeout(self.deadline, reading).await {
            Ok(body) => body?,
            Err(_) => {
                return Err((
                    Failure::TooSlow,
                    format!("the body took longer than {} ms", self.deadline.as_millis()),
                ));
            }
        };
        let answer = match self.judge(path, &body, None, &mut reserved)? {
            Answer::Ready(answer) => answer,
            Answer::Ask(questions) => {
                // the review is read once more afterwards; one that asks for nothing does not wait
                // for anything
                let answers = Box::pin(self.sources.ask(*questions)).await;
                match self.judge(path, &body, Some(answers), &mut reserved)? {
                    Answer::Ready(answer) => answer,
                    Answer::Ask(_) => {
                        return Err((
                            Failure::Panicked,
                            "asked twice; this is a bug in restraint".to_owned(),
                        ));
                    }
                }
            }
        };
        let reserved = reserved.split(kibibytes(&answer));
        Ok(Bytes::from_owner(Waiting { answer, _reserved: reserved }))
    }

    fn take(&self, weight: u32) -> Result<OwnedSemaphorePermit, (Failure, String)> {
        let reserved = Arc::clone(&self.memory_budget).try_acquire_many_owned(weight);
        reserved.map_err(|_| (Failure::Overloaded, "too many reviews are in flight".to_owned()))
    }

    /// Takes more of the budget where the answer needs more than its review: whoever asks may be
    /// slow to read it.
    fn reserve(
        &self,
        reserved: &mut OwnedSemaphorePermit,
        answer: &[u8],
    ) -> Result<(), (Failure, String)> {
        if let Some(more) =
            kibibytes(answer).checked_sub(reserved.num_permits()).filter(|more| *more > 0)
        {
            reserved.merge(self.take(u32::try_from(more).unwrap_or(u32::MAX))?);
        }
        Ok(())
    }

    /// From bytes to bytes, without waiting for anything; or to the questions that must be answered
    /// first. What is answered is counted, logged and told, and nothing else.
    fn judge(
        &self,
        path: Path,
        body: &Bytes,
        answers: Option<Answers>,
        reserved: &mut OwnedSemaphorePermit,
    ) -> Result<Answer, (Failure, String)> {
        let started = Instant::now();
        let in_force = self.policies.load();
        let Some(policies) = &**in_force else { return Err(no_policies()) };
        let mut review =
            decode_for(path, body).map_err(|error| (Failure::Malformed, error.to_string()))?;
        review.subject.evidence.namespace_labels =
            self.namespaces.labels(&review.subject.namespace);
        if let Some(kind) = review.subject.resource.configuration() {
            review.subject.evidence.config_users = self.config_users_of(kind, &review.subject);
        }
        let seal_keys = self.seal_keys.load();
        match answers {
            Some(answers) => answers.give(&mut review.subject.evidence),
            None => {
                let asked = look_ups(policies, path, &review.subject);
                if let Some(questions) = Questions::about(&review.subject, asked) {
                    return Ok(Answer::Ask(Box::new(questions)));
                }
            }
        }
        review.subject.examine_stamp(|key, message, seal| seal_keys.verify(key, message, seal));
        let sealing = seal_keys.sealing();
        let evidence = &mut review.subject.evidence;
        evidence.now = Some(jiff::Timestamp::now());
        evidence.can_seal = sealing.is_some();
        let settling = || self.policies.changed_within(SETTLING);
        let mut verdict = decide(policies, path, &review.subject, settling);
        if let Some((key, seal)) = sealing {
            verdict.seal(review.subject.place(), key, seal);
        }
        let reply = answer(&review.uid, &verdict);
        self.reserve(reserved, &reply)?;
        let duration = started.elapsed();
        self.metrics.verdict(path, &review.subject, &verdict, duration);
        let is_repeated = self.restorations.is_repeated(&review.subject, &verdict);
        decision_log::verdict(path, &review, &verdict, is_repeated, duration);
        self.events.tell(path, &review.subject, &verdict);
        if let Some(recorder) = &self.recorder {
            recorder.take(path, policies, &review.subject, &verdict, (body, &reply));
        }
        Ok(Answer::Ready(reply))
    }
}

impl Reviews {
    /// Who uses what `subject` writes; nobody asks who uses what is new.
    fn config_users_of(
        &self,
        kind: ConfigKind,
        subject: &Subject<'_>,
    ) -> Option<Arc<Vec<ConfigUser>>> {
        let stored = subject.old_object.as_ref()?;
        let name = if subject.name.is_empty() { &stored.metadata.name } else { &subject.name };
        self.config_users.users((kind, name), &subject.namespace)
    }
}

/// An answer that waits to be sent.
struct Waiting {
    answer: Vec<u8>,
    _reserved: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Waiting {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}

/// What comes of judging, for now.
enum Answer {
    /// The answer.
    Ready(Vec<u8>),
    /// Somebody must be asked first.
    Ask(Box<Questions>),
}

/// The KiB of the budget that an answer takes.
fn kibibytes(answer: &[u8]) -> usize {
    answer.len().div_ceil(1024)
}

fn panicked() -> (Failure, String) {
    (Failure::Panicked, "judging failed; this is a bug in restraint".to_owned())
}

fn no_policies() -> (Failure, String) {
    (
        Failure::NoPolicies,
        "no policies are in force yet: /readyz of the admin port says why".to_owned(),
    )
}

/// Never with `Retry-After`: the API server would send the review again.
fn status(failure: Failure) -> StatusCode {
    match failure {
        Failure::Malformed => StatusCode::BAD_REQUEST,
        Failure::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Failure::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        Failure::Overloaded | Failure::NoPolicies => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn json(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests;
