//! An approval by somebody who may not give it.
//!
//! **Why it matters.** Whoever may edit a pod may annotate it. If an annotation alone approved a
//! decrease, developers would approve their own.
//!
//! **What it looks at.** Annotations of a pod that grant (`approved-by-sre`,
//! `restraint.dev/approve`) and the stamp (`restraint.dev/approval`), where a request adds or
//! changes them. A grant is turned into a stamp and taken off while it is stored, if the requester
//! may approve: by default RBAC decides, verb `approve` on `pods/resize` of that pod. A stamp is
//! accepted if the service sealed it for this pod, in this state, for this requester, just now, and
//! if the requester may approve. Through `pods/status`, `pods/binding` and `bindings` nobody may
//! write either.
//!
//! **What it allows.** Grants by approvers. Removing a grant or a stamp: that revokes.
//!
//! **How to fix it.** Ask an approver, or ask for the right to approve. A grant is `true`
//! (any decrease) or names parts and floors: `app=256Mi,@pod=1Gi; for=30m; reason=INC-4711`.
//!
//! **Settings.** `approvalAnnotation`: another annotation than `approved-by-sre`. `approvers`:
//! `users` and `groups` who may approve, instead of RBAC; `*` matches any run of characters, but is
//! an error in the namespace of a service account. `lifetime`: how long an approval holds
//! that does not say (default `1h`). `longestLifetime`: the longest it may say (default and at most
//! `24h`).

mod refused;

use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

use crate::approval::{
    Agreement, ApprovalNote, Authority, DEFAULT_ANNOTATION, FRESH, Grant, Invalid,
    LONGEST_LIFETIME, PodState, STAMP_ANNOTATION, Stamp, Stamped, parse_lifetime,
};
use crate::judge::finding::Findings;
use crate::judge::requesters::{Grantees, REQUESTER_FIELDS};
use crate::judge::rule::{ApprovalPolicy, Rule, Stages};
use crate::judge::settings::{self, Setting, SettingsError};
use crate::judge::view::ApprovalChange;

use refused::{NAME, Refused};

pub(crate) const RULE: Rule = Rule::staged(
    NAME,
    include_str!("../../../policies/approval-authority.yaml"),
    &[
        Setting::plain("approvalAnnotation"),
        Setting::with_fields("approvers", REQUESTER_FIELDS),
        Setting::plain("lifetime"),
        Setting::plain("longestLifetime"),
    ],
    configure,
)
.not_ignorable();

fn configure(settings: serde_json::Value) -> Result<Stages, SettingsError> {
    let authority: ApprovalAuthority = settings::read(settings)?;
    if let Some(lifetime) = authority.lifetime.filter(|time| *time > authority.longest_lifetime) {
        return Err(SettingsError::together(format!(
            "longestLifetime is {:#}, and lifetime {lifetime:#} is longer",
            authority.longest_lifetime
        )));
    }
    Ok(Stages { approval: Some(Arc::new(authority)), ..Stages::default() })
}

/// How long an approval holds where neither grant nor policy says.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct ApprovalAuthority {
    approval_annotation: String,
    approvers: Option<Grantees>,
    /// How long an approval holds that does not say.
    #[serde(deserialize_with = "some_lifetime")]
    lifetime: Option<SignedDuration>,
    #[serde(deserialize_with = "lifetime")]
    longest_lifetime: SignedDuration,
}

impl Default for ApprovalAuthority {
    fn default() -> Self {
        Self {
            approval_annotation: DEFAULT_ANNOTATION.to_owned(),
            approvers: None,
            lifetime: None,
            longest_lifetime: LONGEST_LIFETIME,
        }
    }
}

impl ApprovalPolicy for ApprovalAuthority {
    fn annotation(&self) -> &str {
        &self.approval_annotation
    }

    fn asks_for_authority(&self) -> bool {
        self.approvers.is_none()
    }

    fn grant(&self, change: &ApprovalChange<'_>, findings: &mut Findings) -> Option<Box<Stamp>> {
        match self.stamp(change) {
            Ok(stamp) => Some(Box::new(stamp)),
            Err(refused) => {
                refused.report(findings);
                None
            }
        }
    }

    fn review(&self, change: &ApprovalChange<'_>, stamped: bool, findings: &mut Findings) {
        let grant = change.grants().next().map(|(key, _)| key);
        let stamp = change.written(STAMP_ANNOTATION).map(|_| STAMP_ANNOTATION);
        if !change.is_through_pod() {
            if let Some(key) = grant.or(stamp) {
                Refused::through_subresource(change, key).report(findings);
            }
            return;
        }
        if let Some(key) = grant.filter(|_| stamped) {
            Refused::not_stamped(key).report(findings);
        }
        if stamp.is_some() {
            // whoever reaches the service's port can have a stamp made for a requester of their
            // invention: here it is the API server that says who asks
            let own = own_stamp(change).map_err(Refused::foreign_stamp);
            match own.and_then(|stamp| self.may_approve(change, STAMP_ANNOTATION).map(|()| stamp)) {
                Ok(stamp) => {
                    if let Some(warning) = refused::unknown_part(change, stamp) {
                        findings.report(warning);
                    }
                    findings.approval(ApprovalNote::Granted(Box::new(stamp.clone())));
                }
                Err(refused) => refused.report(findings),
            }
        } else if change.removes_stamp() {
            findings.approval(ApprovalNote::Revoked);
        }
    }
}

impl ApprovalAuthority {
    /// The stamp of the grant that `change` carries.
    fn stamp(&self, change: &ApprovalChange<'_>) -> Result<Stamp, Refused> {
        let grants: Vec<_> = change.grants().collect();
        let [(key, text)] = grants.as_slice() else { return Err(Refused::ambiguous(&grants)) };
        let grant = Grant::parse(text).map_err(|error| Refused::malformed(key, &error))?;
        self.may_approve(change, key)?;
        let lifetime =
            grant.lifetime.or(self.lifetime).unwrap_or(LIFETIME.min(self.longest_lifetime));
        if lifetime > self.longest_lifetime {
            return Err(Refused::too_long(key, self.longest_lifetime));
        }
        let pod = change
            .stored()
            .filter(|pod| !pod.uid.is_empty())
            .ok_or_else(|| Refused::no_generation(key))?;
        let generation = pod
            .generation
            .filter(|generation| *generation > 0)
            .ok_or_else(|| Refused::no_generation(key))?;
        let granted = change
            .now()
            .filter(|_| change.subject.evidence.can_seal)
            .ok_or_else(|| Refused::not_ready(key))?;
        Ok(Stamp::of(Agreement {
            approver: change.subject.requester.username.to_string(),
            memory: grant.floors,
            granted,
            lifetime,
            uid: pod.uid.to_string(),
            generation,
            unscheduled: change.subject.object.spec.node_name.is_empty(),
            force: grant.force,
            reason: grant.reason,
        }))
    }

    fn may_approve(&self, change: &ApprovalChange<'_>, key: &str) -> Result<(), Refused> {
        let requester = &change.subject.requester;
        match (&self.approvers, &change.subject.evidence.authority) {
            (Some(approvers), _) if approvers.include(requester) => Ok(()),
            (Some(_), _) => Err(Refused::not_listed(change, key)),
            (None, Authority::Held) => Ok(()),
            (None, Authority::Lacking) => Err(Refused::lacking(change, key)),
            (None, Authority::NotAsked) => {
                Err(Refused::authority_unknown(key, "there is no API server to ask"))
            }
            (None, Authority::Unknown(why)) => Err(Refused::authority_unknown(key, why)),
        }
    }
}

/// The stamp that `change` writes, if the service made it of a grant in this very request.
fn own_stamp<'s>(change: &ApprovalChange<'s>) -> Result<&'s Stamp, &'static str> {
    let stamp = match change.stamped() {
        Stamped::Sealed(stamp) => stamp,
        Stamped::Unsealed(_) => return Err("is not sealed by this service for this pod"),
        Stamped::Malformed => return Err("is malformed"),
        Stamped::Unknown => return Err("is unchecked"),
    };
    let Some(now) = change.now() else { return Err("is unchecked") };
    if stamp.approver != *change.subject.requester.username {
        return Err("was made for another approver");
    }
    // the API server counts the generation up before it asks, where the same request changes the
    // spec
    let uid = change.stored().map_or("", |pod| &pod.uid);
    let pod = PodState { uid, ..PodState::of(&change.subject.object) };
    stamp.holds(pod, now).map_err(|invalid| match invalid {
        Invalid::PodChanged | Invalid::Scheduled => "and a change of the spec do not go together",
        Invalid::OtherPod => "is another pod's",
        _ => "is not of this time",
    })?;
    if now.duration_since(stamp.granted) > FRESH {
        Err("was made for an earlier request")
    } else {
        Ok(stamp)
    }
}

fn some_lifetime<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SignedDuration>, D::Error> {
    lifetime(deserializer).map(Some)
}

fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    parse_lifetime(&String::deserialize(deserializer)?)
        .map_err(|_| serde::de::Error::custom("not a duration from 1s to 24h"))
}
