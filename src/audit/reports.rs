//! Policy reports: what an audit found in a namespace, as an object in that namespace, for whoever
//! shows such reports of many programs.
//!
//! Only reports that are ours are written: of our name, and with our label. Each write is on the
//! condition that nobody was faster, and one that would change nothing is not sent.

mod api;
mod content;
pub(super) mod kept;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams,
    Preconditions,
};
use kube::core::Status;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::cluster::error::error_message;
use crate::cluster::list::list_metadata;

use super::report::{Finding, Report};
use api::Found;
use content::Content;
use kept::{Kept, State};

/// The name of our report in each namespace.
const NAME: &str = "restraint-audit";

/// The label of what is ours, and its value.
const LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "restraint");

/// The annotation that tells whether a report says what there is to say.
const DIGEST: &str = "restraint.dev/content";

/// The annotation with the number of findings that are left out.
const OMITTED: &str = "restraint.dev/omitted-results";

/// Who writes, to the API server.
const WRITER: &str = "restraint-audit";

/// Writes at a time.
const TOGETHER: usize = 4;

/// Keeps a report in each namespace with findings.
pub(super) struct PolicyReports {
    client: Client,
    /// The version in which each was seen or written last, by namespace: another one means that
    /// somebody changed it.
    versions: BTreeMap<String, String>,
}

/// A report of ours that stands.
struct Standing {
    uid: Option<String>,
    version: String,
    digest: Option<String>,
}

/// What became of the report of a namespace.
enum Outcome {
    Unchanged(String),
    Written(String),
    Deleted,
    /// The namespace is about to go, or is gone.
    Gone,
    Conflict,
    Foreign,
    Failed(String),
    /// The API server does not answer.
    Lost(String),
}

impl PolicyReports {
    /// None are kept yet.
    pub(super) fn new(client: Client) -> Self {
        Self { client, versions: BTreeMap::new() }
    }

    /// Makes what stands say what the audit found: at most one write for each namespace.
    pub(super) async fn keep(&mut self, report: &Report) -> Kept {
        let api = match api::find(&self.client).await {
            Ok(Found::Known(api)) => api,
            Ok(Found::Absent) => return Kept::none(State::Absent, None),
            Ok(Found::OtherVersion(words)) => return Kept::none(State::OtherVersion, words),
            Err(error) => return Kept::none(State::Failed, error_message(&error)),
        };
        let resource = api.resource();
        let standing = match self.standing(&resource, report.namespace.as_deref()).await {
            Ok(standing) => standing,
            Err(error) => {
                let why =
                    format!("{} cannot be listed: {}", resource.plural, error_message(&error));
                return Kept::none(State::Failed, why);
            }
        };
        let findings = by_namespace(&report.findings);
        let namespaces: BTreeSet<&str> =
            findings.keys().copied().chain(standing.keys().map(String::as_str)).collect();
        let round = Round { client: &self.client, resource, versions: &self.versions };
        let writes = namespaces.into_iter().map(|namespace| {
            let found = findings.get(namespace).map(Vec::as_slice).unwrap_or_default();
            round.keep(namespace, found, standing.get(namespace))
        });
        let mut writes = stream::iter(writes).buffer_unordered(TOGETHER);
        let mut kept = Kept { state: State::Kept(api.name), ..Kept::default() };
        let mut versions = BTreeMap::new();
        while let Some((namespace, omitted, outcome)) = writes.next().await {
            kept.omitted = kept.omitted.saturating_add(omitted);
            let is_lost = matches!(outcome, Outcome::Lost(_));
            if let Some(version) = kept.count(namespace, outcome) {
                versions.insert(namespace.to_owned(), version);
            }
            // whoever is away is not asked once for each namespace
            if is_lost {
                break;
            }
        }
        drop(writes);
        self.versions = versions;
        kept
    }

    /// Those of ours that stand, by namespace.
    async fn standing(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
    ) -> kube::Result<BTreeMap<String, Standing>> {
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, resource),
            None => Api::all_with(self.client.clone(), resource),
        };
        let (key, value) = LABEL;
        let ours = ListParams::default().labels(&format!("{key}={value}"));
        let found = list_metadata(&api, &ours, |object| {
            if object.metadata.name.as_deref() != Some(NAME) {
                return None;
            }
            let digest = object.metadata.annotations.as_ref().and_then(|all| all.get(DIGEST));
            let standing = Standing {
                digest: digest.cloned(),
                uid: object.metadata.uid,
                version: object.metadata.resource_version.unwrap_or_default(),
            };
            Some((object.metadata.namespace?, standing))
        });
        Ok(found.await?.into_iter().collect())
    }
}

/// Findings of objects in namespaces, by these.
fn by_namespace(findings: &[Finding]) -> BTreeMap<&str, Vec<&Finding>> {
    let mut namespaces: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| !finding.namespace.is_empty()) {
        namespaces.entry(&finding.namespace).or_default().push(finding);
    }
    namespaces
}

/// One round over all namespaces.
struct Round<'r> {
    client: &'r Client,
    resource: ApiResource,
    versions: &'r BTreeMap<String, String>,
}

impl Round<'_> {
    /// Keeps the report of a namespace; how many findings it leaves out, and what became of it.
    async fn keep<'n>(
        &self,
        namespace: &'n str,
        findings: &[&Finding],
        standing: Option<&Standing>,
    ) -> (&'n str, usize, Outcome) {
        let api = Api::namespaced_with(self.client.clone(), namespace, &self.resource);
        if findings.is_empty() {
            let outcome = match standing {
                Some(standing) => delete(&api, standing).await,
                None => Outcome::Gone,
            };
            return (namespace, 0, outcome);
        }
        // made here, so that no more of them are in memory than are written
        let content = Content::of(findings);
        let outcome = match standing {
            None => self.create(&api, &content).await,
            Some(standing) if self.says(namespace, standing, &content) => {
                Outcome::Unchanged(standing.version.clone())
            }
            Some(standing) => self.apply(&api, &content, standing).await,
        };
        (namespace, content.omitted, outcome)
    }

    /// Whether what stands is what there is to say, and nobody else changed it since.
    fn says(&self, namespace: &str, standing: &Standing, content: &Content) -> bool {
        let is_same = |seen: &String| *seen == standing.version;
        standing.digest.as_ref() == Some(&content.digest)
            && self.versions.get(namespace).is_none_or(is_same)
    }

    async fn create(&self, api: &Api<DynamicObject>, content: &Content) -> Outcome {
        let object = match serde_json::from_value(self.body(content, None)) {
            Ok(object) => object,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let parameters =
            PostParams { field_manager: Some(WRITER.to_owned()), ..PostParams::default() };
        match api.create(&parameters, &object).await {
            Ok(written) => Outcome::Written(written.resource_version().unwrap_or_default()),
            Err(error) => match Outcome::of(&error, Outcome::Conflict) {
                Outcome::Conflict if !is_ours(api).await => Outcome::Foreign,
                outcome => outcome,
            },
        }
    }

    async fn apply(
        &self,
        api: &Api<DynamicObject>,
        content: &Content,
        standing: &Standing,
    ) -> Outcome {
        let body = self.body(content, Some(standing));
        let parameters = PatchParams::apply(WRITER).force();
        match api.patch(NAME, &parameters, &Patch::Apply(body)).await {
            Ok(written) => Outcome::Written(written.resource_version().unwrap_or_default()),
            Err(error) => Outcome::of(&error, Outcome::Conflict),
        }
    }

    fn body(&self, content: &Content, standing: Option<&Standing>) -> Value {
        let (key, value) = LABEL;
        let mut metadata = json!({
            "name": NAME,
            "labels": {key: value},
            "annotations": {DIGEST: content.digest, OMITTED: content.omitted.to_string()},
        });
        if let (Some(standing), Some(metadata)) = (standing, metadata.as_object_mut()) {
            metadata.insert("uid".to_owned(), json!(standing.uid));
            metadata.insert("resourceVersion".to_owned(), json!(standing.version));
        }
        json!({
            "apiVersion": self.resource.api_version, "kind": self.resource.kind, "metadata": metadata,
            "summary": content.summary, "results": content.results,
        })
    }
}

/// Whether the report that was in the way is one of ours, which another replica just made. One that
/// cannot be read is nobody's business here.
async fn is_ours(api: &Api<DynamicObject>) -> bool {
    let (key, value) = LABEL;
    let found = api.get_metadata(NAME).await;
    found.is_ok_and(|found| found.labels().get(key).is_some_and(|label| label == value))
}

async fn delete(api: &Api<DynamicObject>, standing: &Standing) -> Outcome {
    let preconditions = Preconditions {
        uid: standing.uid.clone(),
        resource_version: Some(standing.version.clone()),
    };
    let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    match api.delete(NAME, &parameters).await {
        Ok(_) => Outcome::Deleted,
        Err(error) => Outcome::of(&error, Outcome::Conflict),
    }
}

impl Outcome {
    /// What an error means, where `conflict` is what 409 means.
    fn of(error: &kube::Error, conflict: Self) -> Self {
        match error {
            kube::Error::Api(status) => match status.code {
                409 => conflict,
                404 => Self::Gone,
                403 if is_terminating(status) => Self::Gone,
                _ => Self::Failed(error_message(error)),
            },
            error => Self::Lost(error_message(error)),
        }
    }
}

/// Whether the namespace is about to go, where nothing new can be made.
fn is_terminating(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

impl Kept {
    /// Counts what became of the report of a namespace; the version in which it stands, if it does.
    fn count(&mut self, namespace: &str, outcome: Outcome) -> Option<String> {
        let one_more = |count: &mut usize| *count = count.saturating_add(1);
        match outcome {
            Outcome::Unchanged(version) => {
                one_more(&mut self.standing);
                return Some(version);
            }
            Outcome::Written(version) => {
                one_more(&mut self.standing);
                one_more(&mut self.written);
                return Some(version);
            }
            Outcome::Deleted => one_more(&mut self.deleted),
            Outcome::Gone => {}
            Outcome::Conflict => one_more(&mut self.conflicts),
            Outcome::Foreign => {
                one_more(&mut self.foreign);
                let (key, value) = LABEL;
                let why = format!(
                    "the report {NAME:?} in namespace {namespace:?} is somebody else's: it has no label {key}={value}"
                );
                self.trouble.get_or_insert(why);
            }
            Outcome::Failed(why) | Outcome::Lost(why) => {
                one_more(&mut self.failed);
                self.trouble.get_or_insert(format!("namespace {namespace:?}: {why}"));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, cause: &str) -> kube::Error {
        let details = json!({"causes": [{"reason": cause, "message": "", "field": ""}]});
        let status =
            json!({"status": "Failure", "message": "no", "code": code, "details": details});
        kube::Error::Api(serde_json::from_value::<Status>(status).unwrap().boxed())
    }

    #[test]
    fn what_is_refused_is_counted_by_what_it_means() {
        let mut kept = Kept::default();
        for (code, cause) in
            [(409, ""), (404, ""), (403, "NamespaceTerminating"), (403, ""), (500, "")]
        {
            assert_eq!(
                kept.count("shop", Outcome::of(&refused(code, cause), Outcome::Conflict)),
                None
            );
        }
        assert_eq!((kept.conflicts, kept.failed, kept.foreign), (1, 2, 0));
        assert_eq!(kept.trouble.as_deref(), Some("namespace \"shop\": no"));
        let away = kube::Error::ReadEvents(std::io::Error::other("reset"));
        assert!(matches!(Outcome::of(&away, Outcome::Conflict), Outcome::Lost(_)));
    }

    #[test]
    fn what_stands_is_counted_and_what_is_in_the_way_is_named() {
        let mut kept = Kept::default();
        assert_eq!(kept.count("a", Outcome::Unchanged("1".to_owned())).as_deref(), Some("1"));
        assert_eq!(kept.count("b", Outcome::Written("2".to_owned())).as_deref(), Some("2"));
        assert_eq!(kept.count("c", Outcome::Deleted), None);
        assert_eq!((kept.standing, kept.written, kept.deleted), (2, 1, 1));
        assert_eq!(kept.trouble, None);
        kept.count("d", Outcome::Foreign);
        assert!(
            kept.trouble.is_some_and(|why| why.contains("in namespace \"d\" is somebody else's"))
        );
    }
}
