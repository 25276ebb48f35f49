//! What is measured: the rows of the table.

use anyhow::{bail, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::bodies;
use crate::load::Post;

/// About how large the reviews are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Size {
    /// A pod of one container is created.
    #[value(name = "5k")]
    #[serde(rename = "5k")]
    Small,
    /// A running pod of two containers is resized.
    #[value(name = "20k")]
    #[serde(rename = "20k")]
    Medium,
    /// A pod of fourteen containers is created.
    #[value(name = "150k")]
    #[serde(rename = "150k")]
    Large,
}

impl Size {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Small => "5k",
            Self::Medium => "20k",
            Self::Large => "150k",
        }
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answerer {
    Floor,
    Restraint,
    Kube,
}

impl Answerer {
    pub(crate) const ALL: [Self; 3] = [Self::Floor, Self::Restraint, Self::Kube];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Restraint => "restraint",
            Self::Kube => "kube",
        }
    }
}

/// One row: a review sent to a server.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) size: Size,
    pub(crate) answerer: Answerer,
    /// What happens to the review.
    pub(crate) what: &'static str,
    /// Whether the targets are about this row.
    pub(crate) main: bool,
    pub(crate) post: Post,
    /// Whether the answer carries a patch.
    amended: bool,
}

/// Every case of these sizes. The first of a size that Restraint answers is what its targets are about; the floor and
/// kube get the same review.
pub(crate) fn all(sizes: &[Size]) -> anyhow::Result<Vec<Case>> {
    const MUTATE: &str = "/mutate?timeout=2s";
    const VALIDATE: &str = "/validate?timeout=2s";
    let mut cases = Vec::new();
    for size in sizes.iter().copied() {
        let asked: Vec<(&'static str, &'static str, Bytes, bool)> = match size {
            Size::Small => vec![
                ("create, amended", MUTATE, bodies::create_small(false)?, true),
                ("create, allowed", VALIDATE, bodies::create_small(true)?, false),
            ],
            Size::Medium => vec![("resize, allowed", VALIDATE, bodies::resize_medium()?, false)],
            Size::Large => vec![("create, amended", MUTATE, bodies::create_large()?, true)],
        };
        for (index, (what, path, body, amended)) in asked.into_iter().enumerate() {
            let main = index == 0;
            let case = Case { size, answerer: Answerer::Restraint, what, main, post: Post { path, body }, amended };
            if main {
                cases.push(Case { answerer: Answerer::Floor, what: "body read, constant", amended: false, ..case.clone() });
                cases.push(Case { answerer: Answerer::Kube, what: "body parsed, allowed", amended: false, ..case.clone() });
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

/// Reviews mixed as a cluster mixes them, without end: mostly small creations and medium resizes, one large in a hundred.
pub(crate) fn mixed() -> anyhow::Result<Vec<Post>> {
    let cases: Vec<Case> = all(&[Size::Small, Size::Medium, Size::Large])?;
    let own: Vec<&Case> = cases.iter().filter(|case| case.answerer == Answerer::Restraint).collect();
    let [create, validate, resize, large] = own.as_slice() else { bail!("the mixture knows four reviews, there are {}", own.len()) };
    let of_a_hundred = |index: usize| match index {
        0 => large,
        index if index % 3 == 0 => resize,
        index if index % 3 == 1 => create,
        _ => validate,
    };
    Ok((0..100).map(|index| of_a_hundred(index).post.clone()).collect())
}

#[derive(Deserialize)]
struct Reply {
    response: Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    allowed: bool,
    patch: Option<String>,
}

impl Case {
    /// Whether the answer is the one expected: a server that fails fast must not look cheap.
    pub(crate) fn check(&self, answer: &[u8]) -> anyhow::Result<()> {
        let text = String::from_utf8_lossy(answer);
        let Ok(Reply { response }) = serde_json::from_slice(answer) else { bail!("{} answered no review: {text}", self.answerer.as_str()) };
        ensure!(response.allowed, "{} denied the review \"{}\": {text}", self.answerer.as_str(), self.what);
        ensure!(response.patch.is_some() == self.amended, "{} did not do \"{}\": {text}", self.answerer.as_str(), self.what);
        Ok(())
    }
}
