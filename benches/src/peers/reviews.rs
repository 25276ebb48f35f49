//! What is sent: reviews as an API server sent them, and large ones made from them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;

use crate::bodies::json::Json;
use crate::cases::Answer;

use super::grown::grown;

/// A limit of memory is lowered, and nobody approved it.
const LOWERED: &str =
    include_str!("../../../tests/reviews/resize-limit-down-unapproved.pods-resize.validate.json");

/// It is raised.
const RAISED: &str =
    include_str!("../../../tests/reviews/resize-memory-up.pods-resize.validate.json");

/// A pod is created that has no `resizePolicy`.
const CREATED: &str = include_str!("../../../tests/reviews/create-bare.pods.mutate.json");

/// About how large a large review is.
const LARGE: usize = 114_000;

/// What a server should do with a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expected {
    Allowed,
    Amended,
    Denied,
}

/// A review, and what should become of it.
#[derive(Clone, Debug)]
pub(super) struct Review {
    pub(super) name: String,
    pub(super) body: Bytes,
    pub(super) expected: Expected,
}

/// Every review.
pub(super) fn all() -> anyhow::Result<Vec<Review>> {
    let recorded = |text| anyhow::Ok(serde_json::from_str::<Json>(text)?);
    let large = |text| grown(&recorded(text)?, LARGE);
    Ok(vec![
        Review::new("resize denied", &recorded(LOWERED)?, Expected::Denied)?,
        Review::new("resize allowed", &recorded(RAISED)?, Expected::Allowed)?,
        Review::new("create amended", &recorded(CREATED)?, Expected::Amended)?,
        Review::new("resize denied", &large(LOWERED)?, Expected::Denied)?,
        Review::new("create amended", &large(CREATED)?, Expected::Amended)?,
    ])
}

impl Review {
    fn new(what: &str, review: &Json, expected: Expected) -> anyhow::Result<Self> {
        // recordings are spread over lines, which an API server does not do
        let text = review.to_text()?;
        let name = format!("{what}, {} KB", (text.len() + 500) / 1000);
        Ok(Self { name, body: Bytes::from(text), expected })
    }

    /// Whether fewer of them arrive in a second.
    pub(super) fn is_large(&self) -> bool {
        self.body.len() > LARGE / 2
    }

    /// Why `answer` is not the one expected.
    pub(super) fn fault(&self, answer: &[u8]) -> Option<String> {
        let Some(answer) = Answer::read(answer) else {
            return Some("answers no review".to_owned());
        };
        let patch = answer.patch.as_deref().filter(|patch| !patch.is_empty());
        let found = match (answer.allowed, patch, answer.code()) {
            // what went wrong is no verdict
            (false, _, Some(code @ 500..)) => return Some(format!("fails with {code}")),
            (false, _, _) => Expected::Denied,
            (true, None, _) => Expected::Allowed,
            (true, Some(patch), _) if makes_restart(patch) => Expected::Amended,
            (true, Some(_), _) => return Some("amends something else".to_owned()),
        };
        let (found, expected) = (found.as_str(), self.expected.as_str());
        (found != expected).then(|| format!("{found} instead of {expected}"))
    }
}

impl Expected {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Amended => "amended",
            Self::Denied => "denied",
        }
    }
}

/// Whether a patch, in base64, writes the `resizePolicy` that every peer is to write.
fn makes_restart(patch: &str) -> bool {
    let patch = STANDARD.decode(patch).unwrap_or_default();
    String::from_utf8_lossy(&patch).contains("RestartContainer")
}

#[cfg(test)]
mod tests {
    use super::*;

    use restraint::judge::policies::Policies;
    use restraint::judge::{amend, judge};
    use restraint::review;

    #[test]
    fn restraint_answers_as_expected() {
        let policies = Policies::embedded();
        let reviews = all().unwrap();
        for asked in &reviews {
            let decoded = review::decode(&asked.body).unwrap();
            let way = if asked.expected == Expected::Amended { amend } else { judge };
            let answer = review::answer(&decoded.uid, &way(&policies, &decoded.subject));
            assert_eq!(asked.fault(&answer), None, "{}", asked.name);
        }
        let names: Vec<&str> = reviews.iter().map(|review| &*review.name).collect();
        let expected = [
            "resize denied, 8 KB",
            "resize allowed, 7 KB",
            "create amended, 3 KB",
            "resize denied, 114 KB",
            "create amended, 114 KB",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn other_answers_are_told() {
        let review = |expected| Review { name: String::new(), body: Bytes::new(), expected };
        let fault = |expected, response: &str| {
            review(expected).fault(format!(r#"{{"response":{response}}}"#).as_bytes())
        };
        let patch =
            |text: &str| format!(r#"{{"allowed":true,"patch":"{}"}}"#, STANDARD.encode(text));
        assert_eq!(fault(Expected::Denied, r#"{"allowed":false}"#), None);
        assert_eq!(fault(Expected::Denied, r#"{"allowed":false,"status":{"code":400}}"#), None);
        assert_eq!(fault(Expected::Amended, &patch("RestartContainer")), None);
        let told = |expected, response: &str| fault(expected, response).unwrap();
        assert_eq!(told(Expected::Denied, r#"{"allowed":true}"#), "allowed instead of denied");
        assert_eq!(
            told(Expected::Denied, r#"{"allowed":false,"status":{"code":500}}"#),
            "fails with 500"
        );
        assert_eq!(told(Expected::Amended, r#"{"allowed":true}"#), "allowed instead of amended");
        assert_eq!(told(Expected::Amended, &patch("[]")), "amends something else");
        assert_eq!(told(Expected::Allowed, "[]"), "answers no review");
    }
}
