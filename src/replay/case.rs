//! A request with all that may have been meant, and what policies say of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::approval::STAMP_ANNOTATION;
use crate::judge::policies::Policies;
use crate::judge::subject::{Operation, Resource};
use crate::recording::{Decision, Facts, Inputs, Judgement, judge_again};
use crate::review::Path;

use super::event::Event;
use super::memory::Memory;
use super::patch::json_patched;
use super::webhooks::used_approval;
use super::world::{Why, World};
use super::writes::worlds;

/// A request that is to be judged.
#[derive(Debug)]
pub(super) struct Case {
    worlds: Result<Vec<World>, Why>,
    resource: Resource,
    operation: Operation,
    /// `request` of the review, without objects.
    request: Value,
    time: Timestamp,
    namespace_labels: Option<BTreeMap<String, String>>,
    /// Whether a stamp on the pod was used then, so that its seal was genuine.
    used_approval: bool,
}

/// What policies say of a request.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// In a word.
    pub(super) decision: Decision,
    /// The rules that it rests on.
    pub(super) rules: BTreeSet<&'static str>,
    /// Why, or why nothing can be told.
    pub(super) reason: String,
    /// Everything that was found.
    pub(super) findings: Vec<Found>,
    /// What a rule asked for and nobody knows: it was silent.
    pub(super) assumed: Assumed,
}

/// A finding, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Found {
    /// The rule.
    pub(super) rule: &'static str,
    /// What comes of it.
    pub(super) outcome: &'static str,
    /// What is wrong.
    pub(super) message: String,
}

/// What is taken for granted where the log does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Assumed {
    /// That live usage is no matter.
    pub(super) usage: bool,
    /// That the node has room.
    pub(super) node: bool,
}

/// The annotation by which the kubelet marks the API's copy of a static pod: the hook that fixes new
/// pods does not ask about those.
const MIRROR: &str = "/metadata/annotations/kubernetes.io~1config.mirror";

const AUTHORITY: &str = "whether the requester may approve is not in the log";
const SEAL: &str = "whether the seal of the approval on the pod is genuine is not in the log";
const GRANT: &str =
    "an approval was asked for on the pod, and whether its author may approve is not in the log";
const USAGE: &str = "the live memory use that an allowance asks for is not in the log";
const NO_TIME: &str = "the event has no time";

impl Told {
    /// That nothing can be told.
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self { decision: Decision::Unknown, reason: why.into(), ..Self::default() }
    }

    /// What both say; else what is not known.
    fn agreed(mut self, other: &Self, doubt: &str) -> Self {
        if self.decision != other.decision {
            return Self::unknown(doubt);
        }
        self.rules.retain(|rule| other.rules.contains(rule));
        let same = |one: &Found, two: &Found| (one.rule, one.outcome) == (two.rule, two.outcome);
        self.findings.retain(|one| other.findings.iter().any(|two| same(one, two)));
        self.assumed.usage |= other.assumed.usage;
        self.assumed.node |= other.assumed.node;
        self
    }

    /// The reason in words, of what is left of the findings.
    pub(super) fn settled(mut self) -> Self {
        let said = |found: &&Found| self.rules.contains(found.rule);
        if self.reason.is_empty() {
            let messages: Vec<_> =
                self.findings.iter().filter(said).map(|found| found.message.as_str()).collect();
            self.reason = messages.join("; ");
        }
        self
    }
}

impl Case {
    /// The case that `event` is, by what is remembered.
    pub(super) fn of(event: &Event<'_>, memory: &Memory) -> Self {
        let worlds = match event.received() {
            Some(_) => worlds(event, memory),
            None => Err(NO_TIME.into()),
        };
        let user: Value = serde_json::from_str(event.requester().get()).unwrap_or_default();
        let (resource, operation) = (event.resource(), event.operation());
        let name = match event.name() {
            "" => worlds.as_ref().ok().and_then(|worlds| named(worlds)).unwrap_or_default(),
            name => name.to_owned(),
        };
        let request = json!({
            "uid": &*event.audit_id,
            "resource": {"group": event.group(), "version": event.version(), "resource": event.plural()},
            "subResource": event.subresource(),
            "name": name, "namespace": event.namespace(),
            "operation": operation.as_str(), "userInfo": user, "dryRun": event.is_dry_run(),
        });
        Self {
            worlds,
            resource,
            operation,
            request,
            time: event.received().unwrap_or_default(),
            namespace_labels: memory.namespaces.get(event.namespace()).cloned(),
            used_approval: used_approval(event),
        }
    }

    /// The name of the object, where it is known.
    pub(super) fn name(&self) -> &str {
        self.request.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether labels of the namespace are known.
    pub(super) fn knows_namespace(&self) -> bool {
        self.namespace_labels.is_some()
    }

    /// What `policies` say, as far as all worlds agree.
    pub(super) fn judged_by(&self, policies: &Policies) -> Told {
        let worlds = match &self.worlds {
            Ok(worlds) => worlds,
            Err(why) => return Told::unknown(why),
        };
        let mut told = None::<Told>;
        for world in worlds {
            let seals: &[bool] = match (self.bears_stamp(world), self.used_approval) {
                (false, _) => &[false],
                (true, true) => &[true],
                (true, false) => &[false, true],
            };
            for (index, sealed) in seals.iter().enumerate() {
                let one = self.judge(policies, world, *sealed);
                let doubt = if index > 0 { SEAL } else { world.doubt };
                told = Some(match told {
                    None => one,
                    Some(earlier) => earlier.agreed(&one, doubt),
                });
                if let Some(told) = told.take_if(|told| told.decision == Decision::Unknown) {
                    return told;
                }
            }
        }
        let told = told.unwrap_or_else(|| Told::unknown("nothing is known of the request"));
        let is_taken = matches!(told.decision, Decision::Denied | Decision::Restored);
        if is_taken && self.bears_grant(policies) {
            return Told::unknown(GRANT);
        }
        told.settled()
    }

    /// Whether the request is about a stamp.
    fn bears_stamp(&self, world: &World) -> bool {
        let stamp = |pod: &Value| annotation(pod, STAMP_ANNOTATION).cloned();
        let old = world.old.as_ref().and_then(stamp);
        match self.resource {
            Resource::PodResize => old.is_some(),
            Resource::Pod => stamp(&world.object).is_some_and(|new| Some(new) != old),
            _ => false,
        }
    }

    /// Whether somebody asked on the pod that is resized for an approval, of which Restraint would
    /// have made a stamp.
    fn bears_grant(&self, policies: &Policies) -> bool {
        if self.resource != Resource::PodResize {
            return false;
        }
        let keys = policies.context().approval_annotations.iter();
        let grants: Vec<_> = keys.filter(|key| *key != STAMP_ANNOTATION).collect();
        let olds = self.worlds.iter().flatten().filter_map(|world| world.old.as_ref());
        olds.into_iter().any(|old| grants.iter().any(|key| annotation(old, key).is_some()))
    }

    /// What `policies` say in one world: what the mutating path does first, then what the validating
    /// one says of what is left.
    fn judge(&self, policies: &Policies, world: &World, sealed: bool) -> Told {
        let mut object = world.object.clone();
        let mut judgements = Vec::new();
        if self.is_mutated(&object) {
            match self.ask(policies, Path::Mutate, &object, world, sealed) {
                Ok(judgement) if judgement.missing.authority => return Told::unknown(AUTHORITY),
                Ok(judgement) => {
                    match json_patched(&object, &Value::Array(judgement.patch.clone())) {
                        Some(amended) => object = amended,
                        None => return Told::unknown("the amendment does not fit the object"),
                    }
                    judgements.push(judgement);
                }
                Err(why) => return Told::unknown(why),
            }
        }
        // of a grant the service makes a stamp, which it accepts
        let stamps = self.resource == Resource::Pod
            && self.operation == Operation::Update
            && judgements.iter().any(|one| one.decision == Decision::Amended);
        let is_over = |one: &Judgement| one.decision == Decision::Denied;
        if !stamps && !judgements.iter().any(is_over) {
            match self.ask(policies, Path::Validate, &object, world, sealed) {
                Ok(judgement) if judgement.missing.authority => return Told::unknown(AUTHORITY),
                Ok(judgement) => judgements.push(judgement),
                Err(why) => return Told::unknown(why),
            }
        }
        told(&judgements)
    }

    /// Whether a mutating hook asks about it.
    fn is_mutated(&self, object: &Value) -> bool {
        match (self.resource, self.operation) {
            (Resource::Pod, Operation::Create) => object.pointer(MIRROR).is_none(),
            (Resource::Pod | Resource::PodResize, _) => true,
            _ => false,
        }
    }

    fn ask(
        &self,
        policies: &Policies,
        path: Path,
        object: &Value,
        world: &World,
        sealed: bool,
    ) -> Result<Judgement, String> {
        let mut request = self.request.clone();
        if let Some(fields) = request.as_object_mut() {
            fields.insert("object".to_owned(), object.clone());
            if let Some(old) = &world.old {
                fields.insert("oldObject".to_owned(), old.clone());
            }
        }
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request,
        });
        let facts =
            Facts { namespace_labels: self.namespace_labels.clone(), sealed, ..Facts::default() };
        let review = review.to_string();
        let inputs = Inputs { path, review: review.as_bytes(), time: self.time, facts: &facts };
        judge_again(policies, &inputs)
            .map_err(|_| "the objects of the request cannot be read".to_owned())
    }
}

fn annotation<'v>(object: &'v Value, key: &str) -> Option<&'v Value> {
    object.get("metadata")?.get("annotations")?.get(key)
}

/// The name that the API server made up.
fn named(worlds: &[World]) -> Option<String> {
    let name = worlds.first()?.object.pointer("/metadata/name")?.as_str()?;
    Some(name.to_owned())
}

/// What several judgements of one request come to.
pub(super) fn told(judgements: &[Judgement]) -> Told {
    let decision = judgements.iter().map(|one| one.decision).min().unwrap_or(Decision::Allowed);
    let usage = judgements.iter().any(|one| one.missing.usage);
    let node = judgements.iter().any(|one| one.missing.node_capacity);
    if usage && matches!(decision, Decision::Denied | Decision::Restored) {
        return Told::unknown(USAGE);
    }
    let mut findings: Vec<Found> = Vec::new();
    for ruled in judgements.iter().flat_map(|one| &one.rulings) {
        let (rule, outcome) = (ruled.rule, ruled.outcome);
        let found = Found { rule, outcome, message: ruled.message.clone() };
        if !findings.contains(&found) {
            findings.push(found);
        }
    }
    let is_cause = |outcome: &str| match decision {
        // under a cap of warn clients are told of everything that would be done
        Decision::Warned => {
            matches!(outcome, "warned" | "would-deny" | "would-amend" | "would-restore")
        }
        Decision::Denied | Decision::Restored | Decision::Amended => outcome == decision.as_str(),
        _ => false,
    };
    let causes = findings.iter().filter(|found| is_cause(found.outcome));
    let rules = causes.map(|found| found.rule).collect();
    Told { decision, rules, findings, assumed: Assumed { usage, node }, ..Told::default() }
}
