//! Following the workloads: each kind is listed page by page, and then watched from where the list
//! began.
//!
//! Objects are read from the text in which they come, and only as far as rules read them. With typed
//! objects one page would take more memory than the whole index.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{AsyncBufRead, AsyncBufReadExt};
use kube::Client;
use kube::api::{Request, WatchParams};
use kube::core::Status;
use kube::runtime::watcher::DefaultBackoff;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::cluster::error::error_message;
use crate::cluster::kind::Kind;
use crate::cluster::pages::{Broken, Pages, path};
use crate::json::text::Text;
use crate::json::{self, Raw, fields};
use crate::judge::subject::Resource;
use crate::serve::followed::LastTrouble;
use crate::serve::tasks::supervise;
use crate::service::health::{Health, Topic, Trouble};

use super::index::{FOLLOWED, Index, Knowledge, Listing};

/// Labels of controllers on the pods that they make, so that most of them do not even travel.
const NOT_MADE: &str =
    "!pod-template-hash,!controller-revision-hash,!batch.kubernetes.io/controller-uid";

/// How long a watch may be silent: longer than the API server lets any go on.
const SILENCE: Duration = Duration::from_secs(310);

/// A watch that says nothing and ends before this would be asked for without a pause.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The longest event that is read, in bytes. No object is as large.
const LONGEST: usize = 16 * 1024 * 1024;

/// The room for events that is kept from one to the next, in bytes.
const ROOM: usize = 64 * 1024;

/// Follows every kind for ever, beside everything else. Needs a runtime.
pub(in crate::serve) fn follow(index: &Arc<Index>, client: &Client, health: &Arc<Health>) {
    tell(index, health);
    for resource in FOLLOWED {
        let (index, client, health) = (Arc::clone(index), client.clone(), Arc::clone(health));
        supervise("users of configuration", move || {
            let (index, health) = (Arc::clone(&index), Arc::clone(&health));
            Follower { resource, index, client: client.clone(), health }.follow()
        });
    }
}

/// Tells readiness what is known.
fn tell(index: &Index, health: &Health) {
    index.tell(|Knowledge { users, unknown, troubles }| {
        let known = if unknown.is_empty() {
            format!("{users} workloads and pods that use ConfigMaps or Secrets are known")
        } else {
            let unknown = unknown.join(", ");
            format!("rules about users are silent, because these are not known yet: {unknown}")
        };
        health.in_force(Topic::Configuration, known);
        if !troubles.is_empty() {
            health.trouble(Topic::Configuration, Trouble::Unreachable(troubles.join("\n")));
        }
    });
}

/// Follows one kind.
struct Follower {
    resource: Resource,
    index: Arc<Index>,
    client: Client,
    health: Arc<Health>,
}

/// Why a watch does not go on.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The API server no longer knows what came after the last event.
    Expired,
    /// Anything else.
    Broken(String),
}

#[derive(Debug, Default)]
struct Event<'a> {
    kind: Text<'a>,
    object: Option<Raw<'a>>,
}
fields!(Event { "type" => kind, "object" => object });

#[derive(Debug, Default)]
struct Versioned<'a> {
    metadata: Version<'a>,
}
fields!(Versioned { "metadata" => metadata });

#[derive(Debug, Default)]
struct Version<'a> {
    version: Text<'a>,
}
fields!(Version { "resourceVersion" => version });

impl Follower {
    async fn follow(self) {
        let (mut last, mut pauses) = (LastTrouble::default(), DefaultBackoff::default());
        loop {
            let end = match self.list().await {
                Ok(version) => {
                    last.news(None);
                    self.tell_of_list();
                    self.watch(version).await
                }
                Err(why) => End::Broken(why),
            };
            let why = match end {
                End::Expired => None,
                End::Broken(why) => Some(why),
            };
            self.index.lost(self.resource, why.clone());
            tell(&self.index, &self.health);
            let trouble = why.map(Trouble::Unreachable);
            if let Some(Trouble::Unreachable(error)) = last.news(trouble) {
                let kind = self.resource.kind();
                warn!(
                    kind,
                    error,
                    "users of ConfigMaps cannot be followed; rules about them are silent where it lasts; tried again"
                );
            }
            sleep(pauses.next().unwrap_or(SILENCE)).await;
        }
    }

    fn tell_of_list(&self) {
        tell(&self.index, &self.health);
        let Knowledge { users, unknown, .. } = self.index.knowledge();
        if unknown.is_empty() {
            info!(users, "users of ConfigMaps and Secrets known");
        }
    }

    /// Lists all objects. Returns the version to watch from.
    async fn list(&self) -> Result<String, String> {
        let kind = self.kind()?;
        let mut pages = Pages::of(&self.client, kind, None, self.selector());
        let mut listing = Listing::default();
        let broken = |broken: Broken| broken.reason;
        while let Some(page) = pages.next().await.map_err(broken)? {
            for item in pages.items(&page).map_err(broken)? {
                self.index.take(self.resource, item, Some(&mut listing));
            }
        }
        self.index.listed(self.resource, &listing);
        Ok(pages.version)
    }

    /// Takes what happens after `version`, until that fails.
    async fn watch(&self, mut version: String) -> End {
        loop {
            let begun = Instant::now();
            let before = version.clone();
            if let Err(end) = self.watch_once(&mut version).await {
                return end;
            }
            if begun.elapsed() < AT_ONCE && version == before {
                return End::Broken("the watch ends as soon as it begins".to_owned());
            }
        }
    }

    async fn watch_once(&self, version: &mut String) -> Result<(), End> {
        let kind = self.kind().map_err(End::Broken)?;
        let parameters = WatchParams {
            label_selector: self.selector().map(str::to_owned),
            ..WatchParams::default()
        };
        let http = Request::new(path(kind, None)).watch(&parameters, version);
        let http = http.map_err(|error| End::Broken(error.to_string()))?;
        let answer = timeout(SILENCE, self.client.request_stream(http)).await.map_err(silent)?;
        let mut answer = pin!(answer.map_err(|error| match error {
            kube::Error::Api(status) => refused(&status),
            error => End::Broken(error_message(&error)),
        })?);
        let mut line = Vec::new();
        loop {
            line.clear();
            line.shrink_to(ROOM);
            let read = timeout(SILENCE, read_line(&mut answer, &mut line)).await.map_err(silent)?;
            if !read? {
                return Ok(());
            }
            let text = str::from_utf8(&line)
                .map_err(|_| End::Broken("the watch is not UTF-8".to_owned()))?;
            self.take(text, version)?;
        }
    }

    /// Takes one event.
    fn take(&self, text: &str, version: &mut String) -> Result<(), End> {
        let unreadable = |error| End::Broken(format!("an event cannot be read: {error}"));
        let event: Event<'_> = json::read(text).map_err(unreadable)?;
        let object = event.object.map_or("{}", Raw::get);
        match &*event.kind {
            "ADDED" | "MODIFIED" => self.index.take(self.resource, object, None),
            "DELETED" => self.index.forget(self.resource, object),
            "ERROR" => {
                let status: Status = serde_json::from_str(object).unwrap_or_default();
                return Err(refused(&status));
            }
            _ => {}
        }
        let Versioned { metadata } = json::read(object).map_err(unreadable)?;
        if !metadata.version.is_empty() {
            metadata.version.as_str().clone_into(version);
        }
        Ok(())
    }

    fn kind(&self) -> Result<&'static Kind, String> {
        let kind = self.resource.kind();
        Kind::find(kind).ok_or_else(|| format!("{kind} is no kind that is read"))
    }

    fn selector(&self) -> Option<&'static str> {
        (self.resource == Resource::Pod).then_some(NOT_MADE)
    }
}

fn silent(_: tokio::time::error::Elapsed) -> End {
    End::Broken("the API server says nothing".to_owned())
}

fn refused(status: &Status) -> End {
    match status.code {
        410 => End::Expired,
        _ => End::Broken(error_message(&kube::Error::Api(Box::new(status.clone())))),
    }
}

/// Reads up to the end of a line; `false` where there is none any more.
async fn read_line(
    answer: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> Result<bool, End> {
    loop {
        let broken = |error| End::Broken(format!("the watch broke off: {error}"));
        let piece = answer.fill_buf().await.map_err(broken)?;
        let (length, is_end) = match piece.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at.saturating_add(1), true),
            None => (piece.len(), false),
        };
        if length == 0 {
            return Ok(!line.is_empty());
        }
        if line.len().saturating_add(length) > LONGEST {
            return Err(End::Broken("an event is too long".to_owned()));
        }
        line.extend_from_slice(piece.get(..length).unwrap_or_default());
        answer.consume_unpin(length);
        if is_end {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests;
