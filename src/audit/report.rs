//! What an audit found: one schema for every form.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::judge::mode::Mode;
use crate::rules::strength::Strength;

/// What an audit found. The names of its fields stay as they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// The name and version of this form.
    pub(super) schema: &'static str,
    /// When it was read.
    pub(super) time: Timestamp,
    /// The version of Restraint.
    pub(super) version: &'static str,
    /// The API server.
    pub(super) cluster: String,
    /// The namespace; absent where all were read.
    pub(super) namespace: Option<String>,
    /// The label selector.
    pub(super) selector: Option<String>,
    /// Where the policies are from.
    pub(super) policies: String,
    /// The cap for the whole service.
    pub(super) cap: &'static str,
    /// The Service of the installation whose policies or cap these are; absent where both were
    /// named, and where none is known.
    pub(super) installation: Option<String>,
    pub(super) totals: Totals,
    pub(super) findings: Vec<Finding>,
    pub(super) resizes: Vec<LingeringResize>,
    pub(super) differing: Vec<DifferingLimit>,
    pub(super) approvals: Vec<Approval>,
    pub(super) autoscalers: Vec<Autoscaler>,
    /// What could not be read, or not be judged.
    pub(super) missing: Vec<Missing>,
    /// What the next stage would do. What is stored does not tell, so there is nothing yet.
    pub(super) next: (),
}

/// Where to learn what the next stage would do.
pub(super) const NEXT: &str = "what enforce would have denied needs a recording or an audit log: \
     restraint replay";

/// The schema of the report.
pub(super) const SCHEMA: &str = "restraint.dev/audit/v1";

/// Everything in numbers.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Totals {
    /// Namespaces with anything in them.
    pub(super) namespaces: usize,
    /// Objects that were judged, by kind.
    pub(super) objects: BTreeMap<String, usize>,
    /// Pods that were seen.
    pub(super) pods: usize,
    /// Findings by mode.
    pub(super) findings: BTreeMap<&'static str, usize>,
    /// Findings by rule, those of the strongest mode first, and of one mode those with most.
    pub(super) by_rule: Vec<ByRule>,
    /// Findings by namespace, those with most first.
    pub(super) by_namespace: Vec<ByNamespace>,
}

/// The findings of a rule.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ByRule {
    pub(super) rule: &'static str,
    pub(super) mode: Strength,
    pub(super) findings: usize,
    /// Pods of the objects that it found something in.
    pub(super) pods: usize,
}

/// The findings in a namespace.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ByNamespace {
    pub(super) namespace: String,
    pub(super) enforce: usize,
    pub(super) warn: usize,
    pub(super) audit: usize,
}

/// One thing that is wrong with an object.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) rule: &'static str,
    /// How strongly it would be acted on.
    pub(super) mode: Strength,
    pub(super) namespace: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// How many pods the object has at present.
    pub(super) pods: usize,
    pub(super) container: Option<String>,
    /// The JSON pointer into the object.
    pub(super) pointer: String,
    pub(super) message: String,
    pub(super) remedy: Cow<'static, str>,
}

/// A resize that is not done.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LingeringResize {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) node: String,
    /// `Deferred`, `Infeasible`, `Error` or `InProgress`.
    pub(super) reason: String,
    /// What the kubelet says.
    pub(super) message: String,
    /// Since when.
    pub(super) since: Option<Timestamp>,
    pub(super) age_seconds: Option<i64>,
}

/// A container that has another limit than its spec says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DifferingLimit {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
    /// `spec`.
    pub(super) desired: String,
    /// `status`: what the process has.
    pub(super) actual: String,
}

/// An approval on a pod.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Approval {
    pub(super) namespace: String,
    pub(super) pod: String,
    /// Whether it counts, and why not.
    pub(super) state: &'static str,
    pub(super) approver: Option<String>,
    pub(super) memory: Option<String>,
    pub(super) expires: Option<Timestamp>,
}

/// What the present recommendation of an autoscaler would come to, for the pods of one owner.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Autoscaler {
    pub(super) namespace: String,
    pub(super) name: String,
    /// The owner of the pods.
    pub(super) target: String,
    pub(super) mode: String,
    /// `allowed`, `restored` or `denied`.
    pub(super) outcome: &'static str,
    /// The allowance that lets it through.
    pub(super) allowance: Option<String>,
    /// Containers that it would restart.
    pub(super) restarts: Vec<String>,
    /// Memory limits before and after, by container.
    pub(super) changes: Vec<String>,
    pub(super) why: String,
}

/// Something that is not in the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Missing {
    pub(super) what: String,
    pub(super) why: String,
    /// Whether findings may be missing with it: then what is not in the report is not gone.
    #[serde(skip)]
    pub(super) is_gap: bool,
}

impl Missing {
    /// Something without which the report is not whole, such as a list.
    pub(super) fn gap(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), is_gap: true }
    }

    /// Single objects, or facts beside the objects: all the rest is in the report.
    pub(super) fn single(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), is_gap: false }
    }
}

impl Totals {
    /// Counts `findings`.
    pub(super) fn count(&mut self, findings: &[Finding]) {
        let mut rules: BTreeMap<(std::cmp::Reverse<Strength>, &'static str), (usize, usize)> =
            BTreeMap::new();
        let mut namespaces: BTreeMap<&str, ByNamespace> = BTreeMap::new();
        self.findings = Strength::ALL.into_iter().map(|mode| (mode.mode().as_str(), 0)).collect();
        for finding in findings {
            let count = |count: &mut usize| *count = count.saturating_add(1);
            count(self.findings.entry(finding.mode.mode().as_str()).or_default());
            let rule = rules.entry((std::cmp::Reverse(finding.mode), finding.rule)).or_default();
            count(&mut rule.0);
            rule.1 = rule.1.saturating_add(finding.pods);
            let of = namespaces.entry(&finding.namespace).or_default();
            match finding.mode.mode() {
                Mode::Enforce | Mode::Fix => count(&mut of.enforce),
                Mode::Warn => count(&mut of.warn),
                Mode::Audit | Mode::Off => count(&mut of.audit),
            }
        }
        self.by_rule = rules
            .into_iter()
            .map(|((mode, rule), (findings, pods))| ByRule { rule, mode: mode.0, findings, pods })
            .collect();
        self.by_rule.sort_by_key(|of| std::cmp::Reverse((of.mode, of.findings)));
        self.by_namespace = namespaces
            .into_iter()
            .map(|(namespace, counts)| ByNamespace { namespace: namespace.to_owned(), ..counts })
            .collect();
        self.by_namespace.sort_by_key(|of| std::cmp::Reverse((of.enforce, of.warn, of.audit)));
    }
}
