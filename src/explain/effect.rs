//! What comes of a difference, and what is said of it.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// What comes of a difference, from the gravest to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The API server refuses it.
    Refused,
    /// Restraint denies it, with the policies it ships.
    Denied,
    /// Pods end, and nobody makes others.
    PodDeletion,
    /// Pods are replaced: new UID, new IP, restart count 0.
    PodRecreation,
    /// A container starts again in the same pod: its restart count grows.
    ContainerRestart,
    /// Resources change in place, and the container is restarted for it.
    ResizeWithRestart,
    /// Resources change in place under the running process.
    Resize,
    /// Pods are added or removed; those that stay are not touched.
    Scale,
    /// Only pods that are made later have it.
    NewPodsOnly,
    /// Running processes keep what they have; the next start of the container takes it, whatever
    /// the reason.
    NextStart,
    /// Files change under the process: it has to read them again.
    ReRead,
    /// It is not known what comes of it.
    Unknown,
    /// No process notices.
    Nothing,
}

impl Effect {
    /// Every effect, from the gravest to none.
    pub const ALL: [Self; 13] = [
        Self::Refused,
        Self::Denied,
        Self::PodDeletion,
        Self::PodRecreation,
        Self::ContainerRestart,
        Self::ResizeWithRestart,
        Self::Resize,
        Self::Scale,
        Self::NewPodsOnly,
        Self::NextStart,
        Self::ReRead,
        Self::Unknown,
        Self::Nothing,
    ];

    /// What it is called in the text form.
    pub fn words(self) -> &'static str {
        match self {
            Self::Refused => "refused by the API server",
            Self::Denied => "denied by Restraint",
            Self::PodDeletion => "pods end",
            Self::PodRecreation => "pods are replaced",
            Self::ContainerRestart => "container restart",
            Self::ResizeWithRestart => "resize in place with a restart",
            Self::Resize => "resize in place, no restart",
            Self::Scale => "pods are added or removed",
            Self::NewPodsOnly => "new pods only",
            Self::NextStart => "nothing until the next start",
            Self::ReRead => "the application must read again",
            Self::Unknown => "not known",
            Self::Nothing => "nothing",
        }
    }

    /// Whether somebody says no.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::Denied)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

/// What comes of one difference. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The object: `Pod shop/db-0`.
    pub object: String,
    /// Where: a JSON pointer into the new object, or into the old one for what is gone.
    pub pointer: String,
    /// The container, where it is about one.
    pub container: Option<String>,
    /// The old value: null where there was none, `(not shown)` where it may be secret or is no
    /// scalar.
    pub from: Value,
    /// The new value, likewise.
    pub to: Value,
    /// What comes of it.
    pub effect: Effect,
    /// Who acts.
    pub actor: String,
    /// Why, and what exactly happens.
    pub why: String,
    /// What to do; empty where nothing is to be done.
    pub remedy: String,
    /// The same place for people: `spec.containers[app].image`.
    #[serde(skip)]
    pub field: String,
}

/// What is said of a difference, without the difference.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Consequence {
    /// The container it is about, where the difference does not say.
    pub(super) container: Option<String>,
    pub(super) effect: Effect,
    pub(super) actor: String,
    pub(super) why: String,
    pub(super) remedy: String,
}

impl Consequence {
    pub(super) fn new(
        effect: Effect,
        actor: impl Into<String>,
        why: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            container: None,
            effect,
            actor: actor.into(),
            why: why.into(),
            remedy: remedy.into(),
        }
    }

    /// What the API server refuses.
    pub(super) fn refused(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Effect::Refused, "the API server", why, remedy)
    }

    /// What nobody notices.
    pub(super) fn nothing(actor: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Effect::Nothing, actor, why, "")
    }

    /// What this version cannot tell.
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self::new(
            Effect::Unknown,
            "not known",
            why,
            "look into the documentation of whoever reads this",
        )
    }
}
