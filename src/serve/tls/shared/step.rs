//! What is to be done next: a function of what the Secret holds, what this replica holds, what is
//! published, and the time.
//!
//! No step takes away what somebody may still rely on. A new authority only joins those that are
//! trusted; it issues the serving certificate once callers have had time to hear of it; and those
//! before it go when what they issued has ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::certificate::issue::{self, Issued, Validity};

use super::material::{Authority, Leaf, Material, Previous};

/// The longest time that callers are given to take note of a bundle.
const LONGEST_NOTICE: Duration = Duration::from_secs(60);

/// How long new certificates are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Lifetimes {
    /// Serving certificates.
    pub(in crate::serve) leaf: SignedDuration,
    /// Authorities.
    pub(in crate::serve) authority: SignedDuration,
}

impl Lifetimes {
    /// How long a bundle must have been published before anything relies on it, and how often to
    /// look.
    pub(super) fn notice(self) -> Duration {
        LONGEST_NOTICE.min(self.leaf.unsigned_abs().checked_div(30).unwrap_or_default())
    }
}

/// What a step is decided by.
pub(super) struct View<'v> {
    /// What the Secret holds; `None` where there is no Secret.
    pub(super) stored: Option<&'v Material>,
    /// What this replica took from it before.
    pub(super) held: Option<&'v Material>,
    /// For how long callers have been told to trust whom the Secret trusts, as far as this replica
    /// has seen it.
    pub(super) published: Option<Duration>,
    /// The names that the serving certificate must have.
    pub(super) names: &'v [String],
    pub(super) lifetimes: Lifetimes,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Step {
    /// Nothing.
    Rest,
    /// Make an authority and a serving certificate: there is none that anybody could rely on.
    Begin,
    /// Put back what this replica holds.
    Restore,
    /// Make an authority beside those that are trusted.
    RenewAuthority,
    /// Make a serving certificate.
    RenewLeaf,
    /// Trust those authorities no longer whose certificates have ended.
    Trim,
}

impl Step {
    /// Every step that changes something.
    pub(in crate::serve) const ALL: [Self; 5] =
        [Self::Begin, Self::Restore, Self::RenewAuthority, Self::RenewLeaf, Self::Trim];

    /// The word for it in logs and metrics.
    pub(in crate::serve) fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Begin => "begin",
            Self::Restore => "restore",
            Self::RenewAuthority => "renew-authority",
            Self::RenewLeaf => "renew-leaf",
            Self::Trim => "trim",
        }
    }
}

/// The next step at `now`.
pub(super) fn next_step(view: &View<'_>, now: Timestamp) -> Step {
    let Some(stored) = view.stored else {
        let whole = view.held.is_some_and(|held| {
            held.issuer(now).is_some() && held.sound(&held.trusted, now).is_some()
        });
        return if whole { Step::Restore } else { view.replacement(now) };
    };
    let Some(issuer) = stored.issuer(now) else { return view.replacement(now) };
    // one that only this replica holds still serves here
    let current =
        stored.sound(&stored.trusted, now).or_else(|| view.held?.sound(&stored.trusted, now));
    let Some((leaf, place)) = current else { return Step::RenewLeaf };
    if place > 0 {
        let known = view.published.is_some_and(|published| published >= view.lifetimes.notice());
        return if known { Step::RenewLeaf } else { Step::Rest };
    }
    let is_stored = stored.leaf.as_ref().is_some_and(|stored| stored.issued == leaf.issued);
    if !is_stored || !leaf.names(view.names) || leaf.validity().is_due(now) {
        return Step::RenewLeaf;
    }
    if issuer.authority.validity.is_due(now) {
        return Step::RenewAuthority;
    }
    if stored.trusted.iter().skip(1).any(|authority| has_ended(authority, stored, now)) {
        Step::Trim
    } else {
        Step::Rest
    }
}

/// What the Secret holds after a step.
pub(super) fn take(step: Step, view: &View<'_>, now: Timestamp) -> Result<Material, rcgen::Error> {
    let stored = view.stored.cloned().unwrap_or_default();
    match step {
        Step::Rest => Ok(stored),
        Step::Restore => Ok(view.held.cloned().unwrap_or_default()),
        Step::Begin | Step::RenewAuthority => {
            let validity = Validity::starting(now, view.lifetimes.authority);
            let issued = issue::authority(&format!("restraint authority {now:.0}"), validity)?;
            let authority = Authority::from_pem(&issued.certificate)
                .ok_or(rcgen::Error::CouldNotParseCertificate)?;
            let leaf = match view.keep(now) {
                Some(leaf) => leaf.clone(),
                None => new_leaf(view.names, &issued, &authority, view.lifetimes, now)?,
            };
            let trusted = std::iter::once(authority).chain(view.trusted()).collect();
            let previous = stored.previous.or_else(|| view.held?.previous.clone());
            Ok(Material { trusted, key: Some(issued.key), leaf: Some(leaf), previous })
        }
        Step::RenewLeaf => {
            let issuer = stored.issuer(now).ok_or(rcgen::Error::CouldNotParseKeyPair)?;
            let current = stored
                .sound(&stored.trusted, now)
                .or_else(|| view.held?.sound(&stored.trusted, now));
            let leaf = new_leaf(
                &view.names_beside(current, now),
                &issuer.issued(),
                issuer.authority,
                view.lifetimes,
                now,
            )?;
            let ended = current.filter(|(_, place)| *place > 0).map(|(leaf, _)| Previous {
                certificate: leaf.issued.certificate.clone(),
                until: leaf.validity().until,
            });
            let previous = ended.or_else(|| stored.previous.clone());
            Ok(Material { leaf: Some(leaf), previous, ..stored })
        }
        Step::Trim => {
            let mut trimmed = stored.clone();
            let mut place = 0_usize;
            trimmed.trusted.retain(|authority| {
                place = place.saturating_add(1);
                place == 1 || !has_ended(authority, &stored, now)
            });
            if trimmed.trusted.len() == 1 {
                trimmed.previous = None;
            }
            Ok(trimmed)
        }
    }
}

impl View<'_> {
    /// The step where nothing can issue.
    fn replacement(&self, now: Timestamp) -> Step {
        if self.keep(now).is_some() { Step::RenewAuthority } else { Step::Begin }
    }

    /// Everybody trusted by the Secret, or by this replica where the Secret is of no use.
    fn trusted(&self) -> Vec<Authority> {
        let mut trusted = self.stored.map(|stored| stored.trusted.clone()).unwrap_or_default();
        let held = self.held.filter(|_| self.stored.is_none_or(|stored| stored.key.is_none()));
        for authority in held.iter().flat_map(|held| &held.trusted) {
            if !trusted.contains(authority) {
                trusted.push(authority.clone());
            }
        }
        trusted
    }

    /// The serving certificate that outlives a change of the authority.
    fn keep(&self, now: Timestamp) -> Option<&Leaf> {
        let trusted = self.trusted();
        let found = self
            .stored
            .and_then(|stored| stored.sound(&trusted, now))
            .or_else(|| self.held?.sound(&trusted, now));
        found.map(|(leaf, _)| leaf)
    }

    /// The names for a new certificate. One that is not due yet lacks names that this replica was
    /// told of, and may have some that another was told of: without those the two would outdo each
    /// other.
    fn names_beside(&self, current: Option<(&Leaf, usize)>, now: Timestamp) -> Vec<String> {
        let mut names = self.names.to_vec();
        if let Some((leaf, _)) = current.filter(|(leaf, _)| !leaf.validity().is_due(now)) {
            names.extend(
                leaf.identity
                    .leaf()
                    .names
                    .iter()
                    .filter(|name| !self.names.contains(name))
                    .cloned(),
            );
        }
        names
    }
}

/// Whether nobody can need an authority of before any more.
fn has_ended(authority: &Authority, stored: &Material, now: Timestamp) -> bool {
    let last = stored
        .previous
        .as_ref()
        .map_or(authority.validity.until, |previous| previous.until.min(authority.validity.until));
    now.as_second() > last
}

fn new_leaf(
    names: &[String],
    issuer: &Issued,
    authority: &Authority,
    lifetimes: Lifetimes,
    now: Timestamp,
) -> Result<Leaf, rcgen::Error> {
    let validity = Validity::starting(now, lifetimes.leaf).within(authority.validity);
    Leaf::read(issue::leaf(names, validity, issuer)?).ok_or(rcgen::Error::CouldNotParseCertificate)
}

#[cfg(test)]
mod tests;
