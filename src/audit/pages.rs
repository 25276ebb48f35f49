//! Lists of objects, page by page: each object as the text in which it came, so that memory does not
//! grow with the cluster.

use kube::api::{ApiResource, ListParams, Request};
use kube::core::GroupVersionKind;

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::cluster::kind::Kind;
use crate::cluster::list::PAGE;
use crate::json::text::Text;
use crate::json::{Raw, fields};

/// How often a list goes on that became too old to be continued.
const ATTEMPTS: u8 = 5;

/// Why a list is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// What the API server or the connection said.
    pub(super) reason: String,
    /// How many objects came before.
    pub(super) read: usize,
    /// Whether the API server knows no such kind.
    pub(super) is_unknown_kind: bool,
}

#[derive(Debug, Default)]
struct Page<'a> {
    metadata: Continued<'a>,
    items: Vec<Raw<'a>>,
}

fields!(Page { "metadata" => metadata, "items" => items });

#[derive(Debug, Default)]
struct Continued<'a> {
    token: Text<'a>,
}

fields!(Continued { "continue" => token });

/// Where the objects of `kind` are listed: in one namespace, or in all.
fn path(kind: &Kind, namespace: Option<&str>) -> String {
    let resource = ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk(kind.group, kind.version(), kind.name),
        kind.plural(),
    );
    let (group, version) = (&resource.group, &resource.version);
    let root = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    match namespace {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{}", resource.plural),
        None => format!("{root}/{}", resource.plural),
    }
}

/// Hands every object of `kind` to `read`, as JSON.
///
/// # Errors
///
/// Where the list breaks off; what came before was handed over.
pub(super) async fn for_each(
    cluster: &Cluster,
    kind: &Kind,
    namespace: Option<&str>,
    selector: Option<&str>,
    mut read: impl FnMut(&str),
) -> Result<usize, Broken> {
    let request = Request::new(path(kind, namespace));
    let mut parameters = ListParams::default().limit(PAGE);
    parameters.label_selector = selector.map(str::to_owned);
    let (mut count, mut attempts) = (0_usize, 1);
    let broken = |reason: String, read: usize, is_unknown_kind: bool| Broken {
        reason,
        read,
        is_unknown_kind,
    };
    loop {
        let http =
            request.list(&parameters).map_err(|error| broken(error.to_string(), count, false))?;
        let text = match cluster.client.request_text(http).await {
            Ok(text) => text,
            // the API server says how a list that grew too old goes on
            Err(kube::Error::Api(status)) if status.code == 410 && attempts < ATTEMPTS => {
                let token = status.metadata.as_ref().and_then(|list| list.continue_.clone());
                let Some(token) = token.filter(|token| !token.is_empty()) else {
                    return Err(broken(status.message.clone(), count, false));
                };
                attempts = attempts.saturating_add(1);
                parameters = parameters.continue_token(&token);
                continue;
            }
            Err(error) => {
                let is_unknown = matches!(&error, kube::Error::Api(status) if status.code == 404);
                return Err(broken(error_message(&error), count, is_unknown));
            }
        };
        let page: Page<'_> = crate::json::read(&text)
            .map_err(|error| broken(format!("a page cannot be read: {error}"), count, false))?;
        for item in &page.items {
            count = count.saturating_add(1);
            read(item.get());
        }
        if page.metadata.token.is_empty() {
            return Ok(count);
        }
        parameters = parameters.continue_token(page.metadata.token.as_str());
    }
}
