//! What is measured: each review, and who answers it.

use anyhow::{bail, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::bodies::{Asked, Weight, body};
use crate::config_map;
use crate::load::Post;

/// About how large the reviews are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Size {
    #[value(name = "5k")]
    #[serde(rename = "5k")]
    Small,
    #[value(name = "20k")]
    #[serde(rename = "20k")]
    Medium,
    #[value(name = "150k")]
    #[serde(rename = "150k")]
    Large,
    #[value(name = "1m")]
    #[serde(rename = "1m")]
    Huge,
}

impl Size {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Small => "5 KB",
            Self::Medium => "20 KB",
            Self::Large => "150 KB",
            Self::Huge => "1 MB",
        }
    }

    pub(crate) fn weight(self) -> Weight {
        match self {
            Self::Small => Weight::Small,
            Self::Medium => Weight::Medium,
            Self::Large => Weight::Large,
            Self::Huge => Weight::Huge,
        }
    }
}

/// What a review is about. The floor and kube get the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum What {
    Create,
    ResizeAllowed,
    ResizeDenied,
    TenFindings,
    /// A change of a ConfigMap of 900 KB, whatever size is asked for. Where nobody follows who uses it,
    /// its keys are compared alone.
    ConfigMap,
}

impl What {
    /// Every review about pods and what makes them.
    pub(crate) const ALL: [Self; 4] =
        [Self::Create, Self::ResizeAllowed, Self::ResizeDenied, Self::TenFindings];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::ResizeAllowed => "resize, allowed",
            Self::ResizeDenied => "resize, denied",
            Self::TenFindings => "workload, ten findings",
            Self::ConfigMap => "ConfigMap, one key changed",
        }
    }

    fn body(self, weight: Weight) -> anyhow::Result<String> {
        let asked = match self {
            Self::Create => Asked::Creation,
            Self::ResizeAllowed => Asked::Increase,
            Self::ResizeDenied => Asked::Decrease,
            Self::TenFindings => Asked::FaultyWorkload,
            Self::ConfigMap => return Ok(config_map::update()),
        };
        Ok(body(asked, weight)?)
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answerer {
    Floor,
    Kube,
    Restraint,
}

impl Answerer {
    pub(crate) const ALL: [Self; 3] = [Self::Floor, Self::Kube, Self::Restraint];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Kube => "kube",
            Self::Restraint => "restraint",
        }
    }
}

/// The answer that a case expects: a server that fails fast must not look cheap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Allowed,
    Amended,
    Denied,
    Warned(usize),
}

/// One row: a review sent to a server.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) size: Size,
    pub(crate) what: What,
    pub(crate) answerer: Answerer,
    /// What the server does with it.
    pub(crate) done: &'static str,
    pub(crate) post: Post,
    expected: Expected,
}

pub(crate) const MUTATE: &str = "/mutate?timeout=2s";
pub(crate) const VALIDATE: &str = "/validate?timeout=2s";

/// Every case of these sizes, about these things.
pub(crate) fn all(sizes: &[Size], about: &[What]) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for size in sizes.iter().copied() {
        for what in about.iter().copied() {
            let bytes = |asked| anyhow::Ok(Bytes::from(body(asked, size.weight())?));
            let post = Post { path: VALIDATE.into(), body: Bytes::from(what.body(size.weight())?) };
            let case = |answerer, done, post: &Post, expected| Case {
                size,
                what,
                answerer,
                done,
                post: post.clone(),
                expected,
            };
            // whoever uses kube's types has a path for each kind
            let typed = Post {
                path: match what {
                    What::TenFindings => "/deployments",
                    What::ConfigMap => "/configmaps",
                    _ => "/pods",
                }
                .into(),
                ..post.clone()
            };
            cases.push(case(Answerer::Floor, "body read, constant", &post, Expected::Allowed));
            cases.push(case(Answerer::Kube, "body parsed, allowed", &typed, Expected::Allowed));
            let mut own = |done, post: &Post, expected| {
                cases.push(case(Answerer::Restraint, done, post, expected))
            };
            match what {
                What::Create => {
                    own(
                        "judged, allowed",
                        &Post { path: VALIDATE.into(), body: bytes(Asked::AmendedCreation)? },
                        Expected::Allowed,
                    );
                    own("amended", &Post { path: MUTATE.into(), ..post }, Expected::Amended);
                }
                What::ResizeAllowed => own("judged, allowed", &post, Expected::Allowed),
                What::ResizeDenied => own("judged, denied", &post, Expected::Denied),
                What::TenFindings => own("judged, ten warnings", &post, Expected::Warned(10)),
                What::ConfigMap => own("judged, allowed", &post, Expected::Allowed),
            }
        }
    }
    Ok(cases)
}

/// Reviews mixed as a cluster mixes them, without end: small and medium creations and resizes, one
/// large in a hundred.
pub(crate) fn mixed() -> anyhow::Result<Vec<Post>> {
    let own = |sizes: &[Size]| {
        let cases =
            all(sizes, &What::ALL)?.into_iter().filter(|case| case.answerer == Answerer::Restraint);
        anyhow::Ok(cases.map(|case| case.post).collect::<Vec<_>>())
    };
    let (usual, large) = (own(&[Size::Small, Size::Medium])?, own(&[Size::Large])?);
    let turns = usual.iter().cycle().take(99 * large.len()).collect::<Vec<_>>();
    let hundreds = turns.chunks(99).zip(&large);
    Ok(hundreds.flat_map(|(usual, large)| usual.iter().copied().chain([large])).cloned().collect())
}

#[derive(Deserialize)]
struct Reply {
    response: Answer,
}

/// An answer to a review.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) allowed: bool,
    /// In base64.
    pub(crate) patch: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
struct Status {
    code: Option<u16>,
}

impl Answer {
    /// What `text` says; `None` where it answers no review.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        Some(serde_json::from_slice::<Reply>(text).ok()?.response)
    }

    /// The HTTP code that it gives the API server.
    pub(crate) fn code(&self) -> Option<u16> {
        self.status.as_ref().and_then(|status| status.code)
    }
}

impl Case {
    /// Whether the object comes back amended, instead of judged.
    pub(crate) fn is_amended(&self) -> bool {
        self.expected == Expected::Amended
    }

    /// Whether the answer is the one expected.
    pub(crate) fn check(&self, answer: &[u8]) -> anyhow::Result<()> {
        let text = String::from_utf8_lossy(answer);
        let (who, size, what) = (self.answerer.as_str(), self.size.as_str(), self.what.as_str());
        let Some(answer) = Answer::read(answer) else { bail!("{who} answered no review: {text}") };
        let code = answer.code();
        let found = match (answer.allowed, answer.patch, code, answer.warnings.len()) {
            (true, None, None, 0) => Expected::Allowed,
            (true, Some(_), None, 0) => Expected::Amended,
            (false, None, Some(403), 0) => Expected::Denied,
            (true, None, None, warnings) => Expected::Warned(warnings),
            _ => bail!("{who} answered in no known way: {text}"),
        };
        ensure!(
            found == self.expected,
            "{who} on {size}, {what}: {found:?} instead of {:?}: {text}",
            self.expected
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restraint_answers_as_expected() {
        let policies = restraint::judge::policies::Policies::embedded();
        let mut faults = Vec::new();
        for case in all(&[Size::Small, Size::Medium, Size::Large, Size::Huge], &What::ALL).unwrap()
        {
            if case.answerer == Answerer::Restraint {
                let review = restraint::review::decode(&case.post.body).unwrap();
                let way = if case.post.path == MUTATE {
                    restraint::judge::amend
                } else {
                    restraint::judge::judge
                };
                let answer =
                    restraint::review::answer(&review.uid, &way(&policies, &review.subject));
                faults.extend(case.check(&answer).err().map(|error| error.to_string()));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn one_review_in_a_hundred_is_large() {
        let posts = mixed().unwrap();
        assert_eq!(posts.len() % 100, 0);
        assert_eq!(
            posts.iter().filter(|post| post.body.len() > 100_000).count(),
            posts.len() / 100
        );
    }
}
