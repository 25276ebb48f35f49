//! Looking facts up before judging: all that one review asks for at once, each with a deadline of
//! its own.
//!
//! Live usage and node room only ever add a finding. Where they cannot be had in time the verdict
//! is the same as without the rules that ask for them, so nothing here is an error; what came of it
//! is counted.

mod live;
mod usage;

use crate::approval::Authority;
use crate::judge::look_up::LookUps;
use crate::judge::subject::{Evidence, Subject};
use crate::kube::node_capacity::NodeCapacity;
use crate::kube::usage::Usage;

use super::authority::{self, Authorities};
pub(super) use live::Live;
use live::{Node, Pod};

/// Whom to ask.
#[derive(Debug)]
pub(super) struct Sources {
    authorities: Authorities,
    live: Live,
}

/// What one review asks, in words of its own: the review itself is gone while somebody is asked.
#[derive(Debug)]
pub(super) struct Questions {
    authority: Option<Option<authority::Question>>,
    usage: Option<Pod>,
    node_capacity: Option<Node>,
}

/// What is known then.
#[derive(Debug)]
pub(super) struct Answers {
    authority: Authority,
    usage: Option<Usage>,
    node_capacity: Option<NodeCapacity>,
}

impl Questions {
    /// The questions that `subject` raises; `None` where nothing must be looked up.
    pub(super) fn about(subject: &Subject<'_>, asked: LookUps) -> Option<Self> {
        (!asked.is_empty()).then(|| Self {
            authority: asked.authority.then(|| authority::Question::about(subject)),
            usage: asked.usage.then(|| Pod::of(subject)),
            node_capacity: asked.node_capacity.then(|| Node::of(subject)),
        })
    }
}

impl Answers {
    /// Puts what is known where rules look.
    pub(super) fn give(self, evidence: &mut Evidence) {
        evidence.authority = self.authority;
        evidence.usage = self.usage;
        evidence.node_capacity = self.node_capacity;
    }
}

impl Sources {
    /// Asks those who know who may approve, and what runs right now.
    pub(super) fn new(authorities: Authorities, live: Live) -> Self {
        Self { authorities, live }
    }

    /// The answers, as soon as the last is there or too late.
    pub(super) async fn ask(&self, questions: Questions) -> Answers {
        let authority = async {
            match questions.authority {
                Some(question) => self.authorities.ask(question).await,
                None => Authority::NotAsked,
            }
        };
        let (authority, usage, node_capacity) = tokio::join!(
            authority,
            self.live.usage(questions.usage),
            self.live.node_capacity(questions.node_capacity)
        );
        Answers { authority, usage, node_capacity }
    }
}
