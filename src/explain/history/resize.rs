//! The state of a pod's resize: what is wanted, what the kubelet agreed to, and what the containers
//! have.

pub(super) mod amount;
mod failure;
mod impossible;
pub(super) mod past;
mod reason;
mod summary;

use serde::Serialize;

pub use self::amount::Amount;
use self::amount::{differing, put_back};
use self::failure::{error_of, failure, measured};
use self::impossible::impossible;
pub use self::reason::Reason;
use self::reason::{lacking, usage};
use super::event::Events;
use super::kubectl::{Kubectl, with};
use super::record::{Condition, Record};
use crate::kube::version::Version;

/// The state of a resize.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resize {
    /// How far it is.
    pub state: State,
    /// Why it is not carried out.
    pub cause: Option<Reason>,
    /// What the kubelet says about it.
    pub message: String,
    /// `metadata.generation`: the state of the spec.
    pub generation: Option<i64>,
    /// The generation that the kubelet speaks of.
    pub observed_generation: Option<i64>,
    /// What it means.
    pub why: String,
    /// What to do.
    pub remedy: String,
    /// Why this pod cannot be resized at all, where it cannot.
    pub impossible: Option<String>,
    /// Amounts that are not the same everywhere.
    pub differing: Vec<Amount>,
}

/// How far a resize is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing is left to do: wanted and actual are the same.
    Settled,
    /// It waits for room.
    Deferred,
    /// The kubelet will not do it.
    Infeasible,
    /// The kubelet is at it.
    InProgress,
    /// The kubelet tried, and it failed.
    Error,
    /// The kubelet did not say anything about it yet.
    Unseen,
    /// The pod does not run.
    NotRunning,
}

impl State {
    /// What it is called in the text form.
    pub fn words(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Deferred => "deferred",
            Self::Infeasible => "infeasible",
            Self::InProgress => "in progress",
            Self::Error => "failed, tried again",
            Self::Unseen => "not seen by the kubelet yet",
            Self::NotRunning => "the pod does not run",
        }
    }
}

/// What is said of a state.
struct Account {
    state: State,
    cause: Option<Reason>,
    message: String,
    why: String,
    remedy: String,
}

impl Account {
    fn new(state: State, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (why, remedy) = (why.into(), remedy.into());
        Self { state, cause: None, message: String::new(), why, remedy }
    }
}

/// The state of the resize of a pod.
pub(super) fn state(
    record: &Record,
    events: &Events,
    kubectl: Kubectl<'_>,
    version: Option<&Version>,
) -> Resize {
    let mut differing = differing(record);
    let pending = record.standing("PodResizePending");
    let progress = record.standing("PodResizeInProgress");
    let impossible = impossible(record, version);
    let failure = failure(record, events, progress, !differing.is_empty());
    let mut account =
        account(record, (pending, failure, progress), &differing, measured(events), version);
    hold_up(&mut account, &mut differing);
    if impossible.is_none() {
        put_back_remedy(record, &mut account, &differing, kubectl);
    } else {
        account.remedy =
            "change the template or the manifest, and have the pod made anew".to_owned();
        if matches!(account.state, State::Settled | State::NotRunning) {
            account.remedy.clear();
        }
    }
    let observed = pending
        .or(progress)
        .and_then(|one| one.observed_generation)
        .or(record.status.observed_generation);
    behind(record, observed, &mut account);
    let Account { state, cause, message, why, remedy } = account;
    let generation = record.metadata.generation;
    Resize {
        state,
        cause,
        message,
        generation,
        observed_generation: observed,
        why,
        remedy,
        impossible,
        differing,
    }
}

/// What the kubelet's conditions, its last failure and the amounts come to.
fn account(
    record: &Record,
    (pending, failure, progress): (Option<&Condition>, Option<&str>, Option<&Condition>),
    differing: &[Amount],
    measured: Option<u64>,
    version: Option<&Version>,
) -> Account {
    let mut account = match (pending, failure, progress) {
        _ if record.is_over() => quiet(record, differing),
        (Some(pending), ..) => waiting(pending, version),
        (None, Some(failure), _) => failed(progress, failure, measured, version),
        (None, None, Some(_)) => under_way(record, differing),
        (None, None, None) => quiet(record, differing),
    };
    if let (State::Deferred, Some(_), Some(_)) = (account.state, pending, progress) {
        let word = if failure.is_some() { "failed and is tried again" } else { "is in progress" };
        account.why = format!("{}; an earlier resize {word}", account.why);
    }
    account
}

/// The container that an amount is of, or the pod itself.
pub(super) fn whose(amount: &Amount) -> String {
    amount
        .container
        .as_ref()
        .map_or_else(|| "the pod's".to_owned(), |name| format!("container {name:?}"))
}

fn waiting(pending: &Condition, version: Option<&Version>) -> Account {
    let cause = Reason::of(&pending.message);
    let is_infeasible = pending.reason == "Infeasible";
    let (state, cause) = match (is_infeasible, cause) {
        (true, cause) => (State::Infeasible, cause),
        (false, Reason::Other) => (State::Deferred, Reason::NodeFull),
        (false, cause) => (State::Deferred, cause),
    };
    let why = cause.why(&pending.message, version);
    let why = if is_infeasible {
        format!(
            "the kubelet will not do it, and does not try again until the spec changes; nothing of it is carried out: {why}"
        )
    } else {
        why
    };
    let remedy = match (state, cause) {
        (State::Deferred, Reason::NodeFull) => {
            "wait, make room on the node, ask for less, or have the pod replaced elsewhere"
        }
        (_, Reason::NodeTooSmall) => "ask for less, or have the pod replaced on a larger node",
        (_, Reason::StaticCpuManager | Reason::StaticMemoryManager) => {
            "other values take a new pod: change the template or the manifest, and have the pod replaced"
        }
        _ => {
            "ask for other values, or change the template or the manifest and have the pod replaced"
        }
    };
    let message = pending.message.clone();
    Account { state, cause: Some(cause), message, why, remedy: remedy.to_owned() }
}

/// The kubelet is at it, as far as it says.
fn under_way(record: &Record, differing: &[Amount]) -> Account {
    let lives_on = |amount: &Amount| {
        let named = |name: &String| record.containers().find(|told| told.status.name == *name);
        let container = amount.container.as_ref().and_then(named).and_then(|told| told.spec);
        amount.is_memory_decrease() && container.is_none_or(|one| !one.restarts_for("memory"))
    };
    let mut why = "the kubelet agreed and is changing the containers: seconds, or a restart with its grace period".to_owned();
    if differing.iter().any(lives_on) {
        why.push_str(
            "; should it go on longer, the new memory limit is at or below what is in use: the condition has the reason Error then, and \
             loses it for moments while the kubelet tries again (event ResizeError)",
        );
    }
    Account::new(State::InProgress, why, "wait")
}

fn failed(
    progress: Option<&Condition>,
    failure: &str,
    measured: Option<u64>,
    version: Option<&Version>,
) -> Account {
    let cause = Reason::of(failure);
    let mut why = cause.why(failure, version);
    let told = progress.filter(|progress| progress.reason == "Error");
    if told.is_none() {
        why = format!(
            "{why} (the condition has lost its reason Error while it tries again: an event tells)"
        );
    }
    let told = usage(failure);
    if told == Some(0) {
        why.push_str("; \"usage (0)\" means that it had not measured the container yet");
    }
    if let Some(bytes) = measured.or(told).filter(|bytes| *bytes > 0) {
        let mebibytes = bytes / (1024 * 1024);
        why = format!("{why}; in use, of the whole pod, were {mebibytes} MiB when it last said so");
    }
    let remedy = match cause {
        Reason::BelowUsage => "have the process use less",
        Reason::UsageUnknown => "wait a minute",
        _ => "see to what the kubelet says",
    };
    let message = error_of(failure);
    Account { state: State::Error, cause: Some(cause), message, why, remedy: remedy.to_owned() }
}

fn quiet(record: &Record, differing: &[Amount]) -> Account {
    let never = record.metadata.generation == Some(1);
    match record.status.phase.as_str() {
        "Running" if differing.is_empty() && never => Account::new(
            State::Settled,
            "what the spec says is in force; the spec never changed (generation 1)",
            "",
        ),
        "Running" if !differing.is_empty() && differing.iter().all(Amount::is_limit_to_none) => {
            Account::new(
                State::Settled,
                "a limit of 0 is no limit: the kubelet changes nothing of the process that runs, which keeps the old one; the next start of \
             the container is without",
                "",
            )
        }
        "Running" if differing.is_empty() => {
            Account::new(State::Settled, "what the spec says is in force", "")
        }
        "Running" => Account::new(
            State::Unseen,
            "the spec differs from what is in force and the kubelet says nothing: it has not looked yet, cannot resize, or does not \
             tell what containers have",
            "wait a minute; then see whether the kubelet is 1.33 or later and its node is ready",
        ),
        "Succeeded" | "Failed" => {
            Account::new(State::NotRunning, "the pod has ended: nothing is left to resize", "")
        }
        _ => Account::new(
            State::NotRunning,
            "resources of a pod that does not run are given to its containers when they start",
            "",
        ),
    }
}

/// Marks what could be done by itself, and waits because the rest cannot: a resize happens as a
/// whole or not at all.
fn hold_up(account: &mut Account, differing: &mut [Amount]) {
    let decrease = |amount: &Amount| amount.is_memory_decrease();
    let culprit = match (account.state, account.cause) {
        (State::Error, _) => differing.iter().find(|amount| decrease(amount)).cloned(),
        (State::Deferred | State::Infeasible, Some(Reason::NodeFull | Reason::NodeTooSmall)) => {
            let lacking = lacking(&account.message);
            let lacks = |amount: &&Amount| lacking == Some(amount.kind());
            differing
                .iter()
                .find(|amount| lacks(amount) && amount.resource.starts_with("requests"))
                .cloned()
        }
        _ => None,
    };
    let Some(culprit) = culprit else { return };
    for amount in differing.iter_mut() {
        let is_other = match account.state {
            State::Error => !decrease(amount),
            _ => amount.kind() != culprit.kind(),
        };
        if is_other {
            amount.behind = Some(culprit.resource.clone());
        }
    }
    let waits = differing.iter().filter(|amount| amount.behind.is_some());
    let waits: Vec<String> =
        waits.map(|amount| format!("{} {}", whose(amount), amount.resource)).collect();
    if !waits.is_empty() {
        account.why = format!(
            "{}; {} waits behind it, though it could be done by itself",
            account.why,
            waits.join(" and ")
        );
    }
}

/// The command that takes the resize back: what is in force is asked for again.
fn put_back_remedy(
    record: &Record,
    account: &mut Account,
    differing: &[Amount],
    kubectl: Kubectl<'_>,
) {
    let patch = match (account.state, account.cause) {
        (State::Error, Some(Reason::BelowUsage)) => {
            put_back(record, differing.iter().filter(|amount| amount.is_memory_decrease()))
        }
        (State::Deferred | State::Infeasible | State::Error, _) => {
            put_back(record, differing.iter())
        }
        _ => None,
    };
    let Some(command) = patch.and_then(|patch| kubectl.resize(&patch)) else { return };
    let is_decrease = account.cause == Some(Reason::BelowUsage);
    let what = if is_decrease { "limit" } else { "values" };
    let waits = is_decrease && differing.iter().any(|amount| amount.behind.is_some());
    let frees = if waits { "has what waits behind it carried out, and " } else { "" };
    let sentence =
        format!("{}; or put the old {what} back, which {frees}restarts nothing", account.remedy);
    account.remedy = with(&sentence, Some(command));
}

/// The kubelet may not have seen the spec of now. A deletion counts as a generation, and changes
/// nothing of the spec.
fn behind(record: &Record, observed: Option<i64>, account: &mut Account) {
    let (Some(generation), Some(observed)) = (record.metadata.generation, observed) else { return };
    let deletion = i64::from(record.metadata.deletion_timestamp.is_some());
    if observed < generation.saturating_sub(deletion) && account.state != State::NotRunning {
        account.why = format!(
            "{}; the spec has changed since (generation {observed} of {generation})",
            account.why
        );
    }
}
