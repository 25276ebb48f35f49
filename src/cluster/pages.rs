//! Lists of objects, page by page: each object as the text in which it came, so that memory does not
//! grow with the cluster.
//!
//! A list that breaks off says where. One whose place the API server forgot begins anew, once, and
//! leaves out what was handed over before. Pages that are too large are asked for in smaller ones.

use std::pin::pin;

use futures_util::{AsyncBufRead, AsyncBufReadExt};
use kube::Client;
use kube::api::{ApiResource, ListParams, Request};
use kube::core::GroupVersionKind;

use crate::json::text::Text;
use crate::json::{self, Raw, fields};

use super::error::error_message;
use super::kind::Kind;
use super::list::PAGE;

/// How often a list goes on that became too old to be continued.
const ATTEMPTS: u8 = 5;

/// The largest answer that is read, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// By how much a page that is too large is made smaller.
const SMALLER: u32 = 8;

/// A list under way.
pub(crate) struct Pages<'c> {
    client: &'c Client,
    request: Request,
    parameters: ListParams,
    /// The most objects in the next page.
    limit: u32,
    is_done: bool,
    attempts: u8,
    /// The last object that was handed over. Lists are in order of their objects' places.
    last: Option<String>,
    /// Whether the list began anew: then what comes up to this object was handed over before.
    handed_over: Option<String>,
    /// How many objects were handed over.
    pub(crate) read: usize,
    /// The version of the first page: a watch from there on misses nothing.
    pub(crate) version: String,
    /// How many there are besides, where the API server says it.
    remaining: Option<i64>,
    /// Objects that are too large to be read.
    pub(crate) too_large: Vec<String>,
}

/// Why a list is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// What the API server or the connection said.
    pub(crate) reason: String,
    /// How many objects came before.
    pub(crate) read: usize,
    /// How many there are besides, where the API server said it.
    pub(crate) remaining: Option<i64>,
    /// Whether the API server knows no such kind.
    pub(crate) is_unknown_kind: bool,
}

/// Why there is no page.
enum Fault {
    TooLarge,
    /// The answer did not come, or not whole.
    Cut(String),
    Refused(Box<kube::core::Status>),
    /// The question cannot be asked.
    Unasked(String),
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
    remaining: Option<i64>,
    version: Text<'a>,
}
fields!(Continued {
    "continue" => token,
    "remainingItemCount" => remaining,
    "resourceVersion" => version,
});

#[derive(Debug, Default)]
struct Placed<'a> {
    metadata: PlacedMetadata<'a>,
}
fields!(Placed { "metadata" => metadata });

#[derive(Debug, Default)]
struct PlacedMetadata<'a> {
    namespace: Text<'a>,
    name: Text<'a>,
}
fields!(PlacedMetadata { "namespace" => namespace, "name" => name });

impl<'c> Pages<'c> {
    /// The objects of `kind`, of one namespace or of all.
    pub(crate) fn of(
        client: &'c Client,
        kind: &Kind,
        namespace: Option<&str>,
        selector: Option<&str>,
    ) -> Self {
        let parameters =
            ListParams { label_selector: selector.map(str::to_owned), ..ListParams::default() };
        Self {
            client,
            request: Request::new(path(kind, namespace)),
            parameters,
            limit: PAGE,
            is_done: false,
            attempts: 1,
            last: None,
            handed_over: None,
            read: 0,
            version: String::new(),
            remaining: None,
            too_large: Vec::new(),
        }
    }

    /// The next page, as text; `None` at the end.
    ///
    /// # Errors
    ///
    /// Where the list breaks off; what came before was handed over.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, Broken> {
        let mut was_cut = false;
        while !self.is_done {
            match self.ask(false).await {
                Ok(text) => {
                    self.limit = self.limit.saturating_mul(2).min(PAGE);
                    return Ok(Some(text));
                }
                Err(Fault::TooLarge) if self.limit > 1 => {
                    self.limit = self.limit.checked_div(SMALLER).unwrap_or_default().max(1);
                }
                Err(Fault::TooLarge) => self.leave_out().await?,
                Err(Fault::Cut(_)) if !was_cut => was_cut = true,
                Err(Fault::Refused(status)) if status.code == 410 => self.go_on(&status)?,
                Err(fault) => return Err(self.broken(fault)),
            }
        }
        Ok(None)
    }

    /// The objects of a page, each as text. The next page is the one after it.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub(crate) fn items<'t>(&mut self, text: &'t str) -> Result<Vec<&'t str>, Broken> {
        let page: Page<'t> = json::read(text).map_err(|error| Broken {
            reason: format!("a page cannot be read: {error}"),
            read: self.read,
            remaining: self.remaining,
            is_unknown_kind: false,
        })?;
        let mut items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        if let Some(handed_over) = &self.handed_over {
            items.retain(|item| place(item) > *handed_over);
        }
        if let Some(item) = items.last() {
            self.last = Some(place(item));
        }
        self.read = self.read.saturating_add(items.len());
        self.turn_to(&page.metadata);
        Ok(items)
    }

    fn turn_to(&mut self, next: &Continued<'_>) {
        self.remaining = next.remaining;
        if self.version.is_empty() {
            self.version = next.version.to_string();
        }
        self.parameters.continue_token = Some(next.token.to_string());
        self.is_done = next.token.is_empty();
    }

    /// The answer to the next question, about the objects or about their metadata alone.
    async fn ask(&self, metadata_alone: bool) -> Result<String, Fault> {
        let parameters = self.parameters.clone().limit(self.limit);
        let http = if metadata_alone {
            self.request.list_metadata(&parameters)
        } else {
            self.request.list(&parameters)
        };
        let http = http.map_err(|error| Fault::Unasked(error.to_string()))?;
        let answer = match self.client.request_stream(http).await {
            Ok(answer) => answer,
            Err(kube::Error::Api(status)) => return Err(Fault::Refused(status)),
            Err(error) => return Err(Fault::Cut(error_message(&error))),
        };
        read_whole(pin!(answer)).await
    }

    /// Leaves out the one object that comes next: its metadata says which it is, and what comes
    /// after it.
    async fn leave_out(&mut self) -> Result<(), Broken> {
        let text = self.ask(true).await.map_err(|fault| self.broken(fault))?;
        let page: Page<'_> = json::read(&text).unwrap_or_default();
        for place in page.items.iter().map(|item| place(item.get())) {
            if self.handed_over.as_ref().is_none_or(|handed_over| place > *handed_over) {
                self.too_large.push(place.clone());
                self.last = Some(place);
            }
        }
        self.turn_to(&page.metadata);
        Ok(())
    }

    /// Goes on where the API server says, or else begins anew, once.
    fn go_on(&mut self, status: &kube::core::Status) -> Result<(), Broken> {
        let token = status.metadata.as_ref().and_then(|list| list.continue_.clone());
        let token = token.filter(|token| !token.is_empty());
        let begins_anew = token.is_none() && self.handed_over.is_none();
        self.attempts = self.attempts.saturating_add(1);
        if self.attempts > ATTEMPTS || (token.is_none() && !begins_anew) {
            return Err(self.broken(Fault::Refused(Box::new(status.clone()))));
        }
        if begins_anew {
            self.handed_over = Some(self.last.clone().unwrap_or_default());
        }
        self.parameters.continue_token = token;
        Ok(())
    }

    fn broken(&self, fault: Fault) -> Broken {
        let is_unknown_kind = matches!(&fault, Fault::Refused(status) if status.code == 404);
        let reason = match fault {
            Fault::TooLarge => "the metadata of one object is too large".to_owned(),
            Fault::Cut(reason) | Fault::Unasked(reason) => reason,
            Fault::Refused(status) => error_message(&kube::Error::Api(status)),
        };
        Broken { reason, read: self.read, remaining: self.remaining, is_unknown_kind }
    }
}

/// The whole text of an answer. It is not read with `read_to_end`, which fills the rest of its buffer
/// with zeros whenever it has to wait.
async fn read_whole(mut answer: impl AsyncBufRead + Unpin) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    loop {
        let cut = |error| Fault::Cut(format!("the answer broke off: {error}"));
        let piece = answer.fill_buf().await.map_err(cut)?;
        if piece.is_empty() {
            break;
        }
        if bytes.len().saturating_add(piece.len()) > LARGEST {
            return Err(Fault::TooLarge);
        }
        bytes.extend_from_slice(piece);
        let length = piece.len();
        answer.consume_unpin(length);
    }
    String::from_utf8(bytes).map_err(|_| Fault::Cut("the answer is not UTF-8".to_owned()))
}

/// Where an object is kept: lists are in this order.
fn place(item: &str) -> String {
    let Placed { metadata } = json::read(item).unwrap_or_default();
    format!("{}/{}", &*metadata.namespace, &*metadata.name)
}

/// Where the objects of `kind` are listed and watched: in one namespace, or in all.
pub(crate) fn path(kind: &Kind, namespace: Option<&str>) -> String {
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
