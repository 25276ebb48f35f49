//! Allowances: standing rules by which a decrease needs no person.

use serde::Deserialize;

use crate::judge::requesters::{Grantees, REQUESTER_FIELDS};
use crate::judge::settings::Setting;
use crate::judge::view::{MemoryChange, ResizeView};
use crate::kube::name::is_dns_label;
use crate::kube::part::Part;
use crate::kube::quantity::Quantity;
use crate::kube::usage::Usage;

/// The fields of an allowance.
pub(super) const FIELDS: &[Setting] = &[
    Setting::plain("name"),
    Setting::with_fields("requesters", REQUESTER_FIELDS),
    Setting::plain("atLeast"),
    Setting::plain("step"),
    Setting::plain("aboveUsage"),
    Setting::plain("onlyWithRestart"),
    Setting::plain("onlyUnscheduled"),
];

/// The allowances of a policy, in order: the first that covers a resize lets it through.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Vec<Allowance>")]
pub(super) struct Allowances(Vec<Allowance>);

impl TryFrom<Vec<Allowance>> for Allowances {
    type Error = String;

    fn try_from(list: Vec<Allowance>) -> Result<Self, String> {
        let mut rest = list.iter();
        while let Some(Allowance { name, .. }) = rest.next() {
            if rest.clone().any(|other| other.name == *name) {
                return Err(format!("two allowances are called {name:?}"));
            }
        }
        Ok(Self(list))
    }
}

impl Allowances {
    /// The name of the allowance that covers every decrease of `resize`.
    pub(super) fn covering(&self, resize: &ResizeView<'_>) -> Option<&str> {
        let mut covering = self.0.iter().filter(|allowance| allowance.covers(resize));
        covering.next().map(|allowance| &*allowance.name)
    }

    /// Whether live usage decides: one covers `resize` but for that, and none covers it without.
    pub(super) fn ask_for_usage(&self, resize: &ResizeView<'_>) -> bool {
        let mut fitting = self.0.iter().filter(|allowance| allowance.fits(resize)).peekable();
        fitting.peek().is_some() && fitting.all(|allowance| allowance.above_usage.is_some())
    }
}

/// A standing rule by which a decrease needs no person. All that it says must hold for every part
/// of the pod that shrinks.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Written")]
struct Allowance {
    name: String,
    /// Whom it is for; `None` for everybody.
    requesters: Option<Grantees>,
    /// No shrinking part ends below it, in bytes.
    at_least: Option<i128>,
    /// At most so much of what it has, in percent, is taken in one resize.
    step: Option<i128>,
    /// What is left above the live working set, in percent of it.
    above_usage: Option<i128>,
    /// Only containers that restart for a resize of memory.
    only_with_restart: bool,
    /// Only pods on no node.
    only_unscheduled: bool,
}

/// An allowance as it is written in a policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    name: String,
    requesters: Option<Grantees>,
    at_least: Option<Amount>,
    step: Option<Percentage>,
    above_usage: Option<Percentage>,
    #[serde(default)]
    only_with_restart: bool,
    #[serde(default)]
    only_unscheduled: bool,
}

impl TryFrom<Written> for Allowance {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { name, requesters, only_with_restart, only_unscheduled, .. } = written;
        if !is_dns_label(&name) {
            return Err(format!(
                "an allowance cannot be called {name:?}: lower-case letters, digits and \"-\", at most 63"
            ));
        }
        if written.at_least.is_none() && written.above_usage.is_none() && !only_unscheduled {
            return Err(format!(
                "allowance {name:?} has no end: it needs \"atLeast\", \"aboveUsage\" or \"onlyUnscheduled\", because steps add up"
            ));
        }
        if requesters.as_ref().is_some_and(Grantees::is_empty) {
            return Err(format!(
                "allowance {name:?} is for nobody: leave \"requesters\" out to mean everybody"
            ));
        }
        let step = written.step.map(|step| step.0);
        if step.is_some_and(|step| !(1..=99).contains(&step)) {
            return Err(format!("the step of allowance {name:?} is not from 1% to 99%"));
        }
        Ok(Self {
            name,
            requesters,
            at_least: written.at_least.map(|amount| amount.0),
            step,
            above_usage: written.above_usage.map(|above| above.0),
            only_with_restart,
            only_unscheduled,
        })
    }
}

impl Allowance {
    fn covers(&self, resize: &ResizeView<'_>) -> bool {
        self.fits(resize) && self.leaves_above_usage(resize)
    }

    /// Whether all holds that needs no look-up.
    fn fits(&self, resize: &ResizeView<'_>) -> bool {
        let for_requester =
            self.requesters.as_ref().is_none_or(|those| those.include(resize.requester()));
        for_requester
            && (!self.only_unscheduled || !resize.is_scheduled())
            && falling(resize).all(|change| self.permits(&change))
    }

    fn permits(&self, change: &MemoryChange<'_>) -> bool {
        // what does not fit 64 bits wraps around on its way to the kernel
        let Some(new) = bytes_left(change) else { return false };
        let within = |step: i128| {
            let had = change.limit.0.bytes().and_then(|had| i128::try_from(had).ok());
            let least = had.map(|had| had.saturating_mul(100_i128.saturating_sub(step)));
            least.is_some_and(|least| new.saturating_mul(100) >= least)
        };
        self.at_least.is_none_or(|least| least <= new)
            && self.step.is_none_or(within)
            && (!self.only_with_restart || change.policy == "RestartContainer")
    }

    /// What is not known is not allowed.
    fn leaves_above_usage(&self, resize: &ResizeView<'_>) -> bool {
        let Some(above) = self.above_usage else { return true };
        let Some(usage) = resize.usage() else { return false };
        falling(resize).all(|change| {
            let used = used(resize, usage, &change);
            let needed = used.map(|used| used.saturating_mul(above.saturating_add(100)));
            bytes_left(&change)
                .zip(needed)
                .is_some_and(|(new, needed)| new.saturating_mul(100) >= needed)
        })
    }
}

fn falling<'v>(resize: &'v ResizeView<'_>) -> impl Iterator<Item = MemoryChange<'v>> {
    resize.memory_changes().filter(MemoryChange::limit_falls)
}

fn bytes_left(change: &MemoryChange<'_>) -> Option<i128> {
    i128::try_from(change.limit.1.bytes()?).ok()
}

/// The live working set of the part, where it was measured: of the pod, where all were that run as
/// long as it does.
fn used(resize: &ResizeView<'_>, usage: &Usage, change: &MemoryChange<'_>) -> Option<i128> {
    match change.part {
        Part::Pod => {
            let mut running = resize.old.spec.all_containers().filter(|one| one.role.is_app());
            running.all(|one| usage.of(&one.container.name).is_some()).then(|| usage.total())
        }
        Part::Container(name) => usage.of(name),
    }
}

/// An amount of memory in bytes, written as a quantity.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Amount(i128);

impl TryFrom<String> for Amount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let quantity = Quantity::parse(text.as_str()).ok();
        let bytes = quantity.and_then(|quantity| quantity.value()).map(i128::from);
        let positive = bytes.filter(|bytes| *bytes > 0);
        positive.map(Self).ok_or_else(|| format!("{text:?} is no amount of memory, such as 256Mi"))
    }
}

/// A share in percent: `25%`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Percentage(i128);

impl TryFrom<String> for Percentage {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits =
            text.strip_suffix('%').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let percent =
            digits.and_then(|digits| digits.parse().ok()).filter(|percent| *percent <= 1000);
        percent
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no share, such as 25%, of at most 1000%"))
    }
}
