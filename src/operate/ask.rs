//! The request itself, or a dry run of it: the patch of `pods/resize`, and everything that is
//! answered, warnings too.

use anyhow::{anyhow, bail};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, WARNING};
use kube::client::Body;
use kube::core::Status;
use serde::Serialize;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::kube::name::is_dns_subdomain;
use crate::manifest::unstructured::Unstructured;

/// Who is behind a change, in `managedFields`.
const MANAGER: &str = "restraint";

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The pod as it is stored then.
    pub(super) result: Result<Unstructured, Refusal>,
    /// What was warned of.
    pub(super) warnings: Vec<String>,
}

/// A no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    /// Whose it is.
    pub(super) by: Refuser,
    /// The HTTP code.
    pub(super) code: u16,
    /// What was said.
    pub(super) message: String,
}

/// Who says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Refuser {
    /// Restraint.
    Restraint,
    /// The API server, or another webhook.
    ApiServer,
}

/// Sends a JSON patch of the pod's `subresource`, or with `dry_run` asks what would be answered.
///
/// # Errors
///
/// Where there is no answer.
pub(super) async fn resize(
    cluster: &Cluster,
    pod: &str,
    patch: &Value,
    dry_run: bool,
) -> anyhow::Result<Answer> {
    if !is_dns_subdomain(pod) {
        bail!("no pod can be called {pod:?}");
    }
    let namespace = &cluster.namespace;
    let dry = if dry_run { "&dryRun=All" } else { "" };
    let path =
        format!("/api/v1/namespaces/{namespace}/pods/{pod}/resize?fieldManager={MANAGER}{dry}");
    let request = Request::patch(path)
        .header(CONTENT_TYPE, "application/json-patch+json")
        .header(ACCEPT, "application/json")
        .body(Body::from(patch.to_string().into_bytes()))?;
    let unanswered = |error: &kube::Error| {
        anyhow!("pod/{pod}: the API server does not answer: {}", error_message(error))
    };
    let response = cluster.client.send(request).await.map_err(|error| unanswered(&error))?;
    let (code, warnings) = (response.status(), warnings(response.headers()));
    let body = response.into_body().collect().await.map_err(|error| unanswered(&error))?;
    let body = body.to_bytes();
    if code.is_success() {
        let value = serde_json::from_slice(&body)?;
        let pod = Unstructured::of(value, namespace)
            .ok_or_else(|| anyhow!("the API server answered with no object"))?;
        return Ok(Answer { result: Ok(pod), warnings });
    }
    let code = code.as_u16();
    let message = match serde_json::from_slice::<Status>(&body) {
        Ok(status) => error_message(&kube::Error::Api(status.boxed())),
        Err(_) => format!("the API server answered {code}"),
    };
    Ok(Answer { result: Err(Refusal { by: refuser(&message), code, message }), warnings })
}

/// Whose words these are: the API server names the webhook or the policy.
fn refuser(message: &str) -> Refuser {
    let is_ours = message.contains("denied") && message.contains("restraint");
    if is_ours { Refuser::Restraint } else { Refuser::ApiServer }
}

/// The texts of `Warning: 299 - "text"`.
fn warnings(headers: &HeaderMap) -> Vec<String> {
    // they may hold more than ASCII: one that was cut ends with an ellipsis
    let texts = headers.get_all(WARNING).iter();
    texts.map(|value| warning(&String::from_utf8_lossy(value.as_bytes()))).collect()
}

fn warning(header: &str) -> String {
    let text = header.split_once('"').map_or(header, |(_, text)| text);
    text.strip_suffix('"').unwrap_or(text).replace("\\\"", "\"").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_tell_who_says_no() {
        let ours = "admission webhook \"resize.restraint.dev\" denied the request: container \"app\": memory limit 512Mi -> 256Mi is not approved";
        assert_eq!(refuser(ours), Refuser::Restraint);
        let quota = "pods \"db-0\" is forbidden: exceeded quota: small";
        assert_eq!(refuser(quota), Refuser::ApiServer);
        let away = "failed calling webhook \"resize.restraint.dev\": connection refused";
        assert_eq!(refuser(away), Refuser::ApiServer);
    }

    #[test]
    fn warnings_that_are_not_ascii_are_read() {
        let mut headers = HeaderMap::new();
        let value = "299 - \"cut…\"".as_bytes();
        headers.append(WARNING, hyper::header::HeaderValue::from_bytes(value).unwrap());
        assert_eq!(warnings(&headers), ["cut…"]);
    }

    #[test]
    fn warnings_are_read_out_of_their_quotes() {
        assert_eq!(
            warning("299 - \"rule: container \\\"app\\\" restarts\""),
            "rule: container \"app\" restarts"
        );
    }
}
