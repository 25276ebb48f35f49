//! What is counted of a report, within bounds: a cluster may have any number of namespaces and pods.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::audit::report::{Finding, LingeringResize, Report};

/// The most namespaces whose findings are counted one by one.
const MOST_NAMESPACES: usize = 200;

/// The most pods whose resize is counted one by one.
const MOST_PODS: usize = 500;

/// Reasons for a resize to linger; any other is `other`.
const REASONS: [&str; 4] = ["Deferred", "Infeasible", "Error", "InProgress"];

/// What any other reason is called.
const OTHER: &str = "other";

/// What is counted of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Findings by namespace, rule and mode, in the namespaces that have most.
    pub(super) findings: BTreeMap<(String, &'static str, &'static str), u64>,
    /// Namespaces that are left out.
    pub(super) omitted_namespaces: usize,
    /// Their findings.
    pub(super) omitted_findings: u64,
    /// Findings of objects that are in no namespace.
    pub(super) cluster_scoped: u64,
    /// For how many seconds resizes linger, by namespace, pod and reason; the oldest ones.
    pub(super) resizes: BTreeMap<(String, String, &'static str), i64>,
    /// All that linger, by reason.
    pub(super) lingering: BTreeMap<&'static str, u64>,
    /// Those that are left out.
    pub(super) omitted_resizes: usize,
}

impl Numbers {
    /// Those of a report.
    pub(super) fn of(report: &Report) -> Self {
        let mut numbers = Self::default();
        numbers.count_findings(&report.findings);
        numbers.count_resizes(&report.resizes);
        numbers
    }

    fn count_findings(&mut self, findings: &[Finding]) {
        let mut namespaces: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in findings {
            match finding.namespace.as_str() {
                "" => increase(&mut self.cluster_scoped),
                namespace => increase(namespaces.entry(namespace).or_default()),
            }
        }
        let mut order: Vec<(&str, u64)> = namespaces.into_iter().collect();
        order.sort_by_key(|(name, count)| (Reverse(*count), *name));
        self.omitted_namespaces = order.len().saturating_sub(MOST_NAMESPACES);
        self.omitted_findings = order.iter().skip(MOST_NAMESPACES).map(|(_, count)| count).sum();
        order.truncate(MOST_NAMESPACES);
        order.sort_unstable();
        for finding in findings {
            let namespace = finding.namespace.as_str();
            if order.binary_search_by_key(&namespace, |(name, _)| name).is_ok() {
                let mode = finding.mode.mode().as_str();
                increase(
                    self.findings.entry((namespace.to_owned(), finding.rule, mode)).or_default(),
                );
            }
        }
    }

    fn count_resizes(&mut self, resizes: &[LingeringResize]) {
        self.lingering = REASONS.into_iter().chain([OTHER]).map(|reason| (reason, 0)).collect();
        let mut order: Vec<&LingeringResize> = resizes.iter().collect();
        order.sort_by_key(|one| (Reverse(age(one)), &one.namespace, &one.pod));
        self.omitted_resizes = order.len().saturating_sub(MOST_PODS);
        for (place, resize) in order.into_iter().enumerate() {
            let reason = reason(&resize.reason);
            increase(self.lingering.entry(reason).or_default());
            if place < MOST_PODS {
                let key = (resize.namespace.clone(), resize.pod.clone(), reason);
                self.resizes.insert(key, age(resize));
            }
        }
    }
}

/// Clocks differ: an age is never negative, and one that nobody knows has just begun.
fn age(resize: &LingeringResize) -> i64 {
    resize.age_seconds.unwrap_or_default().max(0)
}

/// A reason is the kubelet's word: an unknown one must not become a label.
fn reason(said: &str) -> &'static str {
    REASONS.into_iter().find(|known| *known == said).unwrap_or(OTHER)
}

fn increase(count: &mut u64) {
    *count = count.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use crate::audit::testing::{finding, report, resize};

    use super::*;

    #[test]
    fn findings_are_counted_by_namespace_rule_and_mode() {
        let findings = [
            finding("shop", "Deployment", "web", "file-watch"),
            finding("shop", "Deployment", "api", "file-watch"),
            finding("pay", "Pod", "db", "file-watch"),
            finding("", "Namespace", "pay", "file-watch"),
        ];
        let numbers = Numbers::of(&report(findings.to_vec(), Vec::new()));
        let of = |namespace: &str| numbers.findings[&(namespace.to_owned(), "file-watch", "warn")];
        assert_eq!((of("shop"), of("pay"), numbers.findings.len()), (2, 1, 2));
        assert_eq!((numbers.cluster_scoped, numbers.omitted_namespaces), (1, 0));
    }

    #[test]
    fn the_namespaces_with_most_findings_are_kept() {
        let mut findings = Vec::new();
        for number in 0..MOST_NAMESPACES + 3 {
            findings.push(finding(&format!("n{number:04}"), "Pod", "a", "file-watch"));
        }
        // the last by name, but not by number
        findings.push(finding("n0202", "Pod", "b", "file-watch"));
        findings.push(finding("n0201", "Pod", "b", "file-watch"));
        let numbers = Numbers::of(&report(findings, Vec::new()));
        let has = |name: &str| numbers.findings.keys().any(|(namespace, ..)| namespace == name);
        assert_eq!(numbers.findings.len(), MOST_NAMESPACES);
        assert!(has("n0000") && has("n0197") && has("n0201") && has("n0202"));
        assert!(!has("n0198") && !has("n0199") && !has("n0200"));
        assert_eq!((numbers.omitted_namespaces, numbers.omitted_findings), (3, 3));
    }

    #[test]
    fn the_oldest_resizes_are_kept_and_all_are_counted() {
        let mut resizes: Vec<_> = (0..600_i64)
            .map(|number| resize(&format!("p{number:03}"), "Deferred", Some(number)))
            .collect();
        resizes.push(resize("future", "Error", Some(-5)));
        resizes.push(resize("unknown", "Infeasible", None));
        resizes.push(resize("odd", "a \"quoted\"\nreason", Some(10_000)));
        let numbers = Numbers::of(&report(Vec::new(), resizes));
        assert_eq!((numbers.resizes.len(), numbers.omitted_resizes), (MOST_PODS, 103));
        let age =
            |pod: &str, reason| numbers.resizes.get(&("shop".to_owned(), pod.to_owned(), reason));
        assert_eq!(age("odd", "other"), Some(&10_000));
        assert_eq!((age("p599", "Deferred"), age("p000", "Deferred")), (Some(&599), None));
        assert!(numbers.resizes.values().all(|age| *age >= 0));
        let expected =
            [("Deferred", 600), ("Error", 1), ("InProgress", 0), ("Infeasible", 1), ("other", 1)];
        assert_eq!(numbers.lingering, BTreeMap::from(expected));
    }
}
