//! What a case asks: a review, and everything that is known beside it.

use std::path::Path as FilePath;

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::judge::mode::Cap;
use crate::policies::error::Flaws;
use crate::recording::Facts;
use crate::yaml::Node;
use crate::yaml::suggest::quoted;

use super::composed::{NAMESPACE, composed};
use super::evidence::read_facts;
use super::manifests::recorded_review;
use super::way::Way;
use super::written::Written;

/// The time of cases that say none: what depends on the time says it.
const NOW: &str = "2026-01-01T12:00:00Z";

/// The fields that a recorded review says itself.
const OF_REVIEW: [&str; 12] = [
    "annotate",
    "approved",
    "manifest",
    "namespace",
    "object",
    "oldManifest",
    "oldObject",
    "operation",
    "requester",
    "resize",
    "resource",
    "review",
];

/// What a case asks.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The hooks that are asked.
    pub(super) way: Way,
    /// The AdmissionReview.
    pub(super) review: Json,
    /// What is looked up.
    pub(super) facts: Facts,
    /// The service's time.
    pub(super) now: Timestamp,
    /// The service's cap.
    pub(super) cap: Cap,
}

/// What the case at `node` asks. Without a flaw there is something.
pub(super) fn read_request(
    node: &Node,
    written: &Written<'_, '_>,
    folder: &FilePath,
    flaws: &mut Flaws,
) -> Option<Request> {
    let before = flaws.count();
    let now = read_now(written, flaws);
    let cap =
        read_word(written, "cap", flaws, |word| word.parse::<Cap>().map_err(|e| e.to_string()));
    let way = read_word(written, "path", flaws, |word| word.parse().map_err(|e| format!("{e}")));
    let (review, resource) = if written.own.node("review").is_some() {
        (recorded(written, folder, flaws), None)
    } else {
        let composed = composed(node, written, folder, now, flaws);
        let resource = composed.as_ref().map(|(resource, _)| *resource);
        (composed.map(|(_, review)| review), resource)
    };
    let way = match (way, resource) {
        (Some(path), _) => Some(Way::Alone(path)),
        (None, Some(resource)) => Some(Way::of(resource)),
        (None, None) => None,
    };
    let namespace = review.as_ref().and_then(namespace_of).unwrap_or(NAMESPACE);
    let facts = read_facts(written, namespace, flaws);
    if flaws.count() > before {
        return None;
    }
    Some(Request { way: way?, review: review?, facts: facts?, now, cap: cap.unwrap_or_default() })
}

fn namespace_of(review: &Json) -> Option<&str> {
    review.pointer("/request/namespace")?.as_str()
}

fn read_now(written: &Written<'_, '_>, flaws: &mut Flaws) -> Timestamp {
    let read = |word: &str| {
        word.parse().map_err(|_| format!("{} is no time: write it like {NOW}", quoted(word)))
    };
    let now = read_word(written, "now", flaws, read);
    now.unwrap_or_else(|| NOW.parse().unwrap_or(Timestamp::UNIX_EPOCH))
}

/// What `read` makes of the word in the field `name`.
fn read_word<T>(
    written: &Written<'_, '_>,
    name: &str,
    flaws: &mut Flaws,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let word = written.holder(name).word(name, flaws)?;
    read(word.text).map_err(|message| flaws.add(word.place, format!("{name:?}: {message}"))).ok()
}

/// The review in a file.
fn recorded(written: &Written<'_, '_>, folder: &FilePath, flaws: &mut Flaws) -> Option<Json> {
    let word = written.own.word("review", flaws)?;
    for (name, _) in written.own.iter().filter(|(name, _)| *name != "review") {
        if OF_REVIEW.contains(&name) {
            let place = written.own.node(name).map_or(word.place, |node| node.place);
            flaws.add(place, format!("{name:?} does not go with \"review\", which says it itself"));
        }
    }
    if written.own.node("path").is_none() {
        flaws.add(
            word.place,
            "a recorded review needs \"path\", the way it came in: mutate or validate",
        );
    }
    recorded_review(&folder.join(word.text))
        .map_err(|message| flaws.add(word.place, format!("{}: {message}", quoted(word.text))))
        .ok()
}
