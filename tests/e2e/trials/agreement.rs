//! The linter and the cluster say the same of the same manifest: the same rules, in the same words,
//! as strongly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use restraint::policies::embedded_files;
use restraint::rules;
use serde_json::Value;

use crate::dry_run::{self, Answer};
use crate::installation::Installation;
use crate::linter::{self, Finding};
use crate::manifests::{self, Manifest};
use crate::world::{cluster, enforcing};

use super::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "agreement: under the policies built in, the linter says what the cluster says",
            as_it_comes,
        ),
        trial(
            "agreement: where every policy denies, the linter says what the cluster says",
            where_all_deny,
        ),
        trial(
            "agreement: an autoscaler may own absent replicas in a file, and in the cluster they are 1",
            absent_replicas,
        ),
        trial(
            "agreement: what the linter has put right is accepted, and its pods are not amended",
            put_right,
        ),
    ]
}

/// What the service puts right, and the linter cannot.
const NOT_PUT_RIGHT: [&str; 1] = ["rules--memory-resize-policy--fail--null-policy.yaml"];

/// Those of them that no API server takes, and why.
const REFUSED: [(&str, &str); 15] = [
    ("rules--config-polling--pass--token.yaml", "serviceAccountToken: Forbidden"),
    ("rules--cpu-resize-restarts--pass--init-container.yaml", "for non-sidecar initContainers"),
    ("rules--file-watch--pass--script-that-nobody-knows.yaml", "cannot unmarshal number 755.0"),
    ("rules--heap-above-limit--fail--init-container.yaml", "spec.containers: Required value"),
    ("rules--heap-above-limit--fail--sidecar.yaml", "spec.containers: Required value"),
    (
        "rules--heap-above-limit--pass--own-limit-before-pod-level.yaml",
        "must be less than or equal to pod limits",
    ),
    (
        "rules--memory-resize-policy--pass--ephemeral-container.yaml",
        "spec.ephemeralContainers: Forbidden",
    ),
    (
        "rules--memory-resize-policy--pass--storage-and-hugepages-only.yaml",
        "HugePages require cpu or memory",
    ),
    (
        "rules--restart-all-broad-exit-codes--pass--unknown-operator.yaml",
        "Unsupported value: \"Within\"",
    ),
    (
        "rules--restart-all-init-state--fail--claim-of-a-stateful-set.yaml",
        "spec.volumeClaimTemplates[0].spec.accessModes: Required value",
    ),
    (
        "rules--restart-all-init-state--pass--deeper-mount-is-read-only.yaml",
        "volumeMounts[1].name: Not found",
    ),
    (
        "rules--subpath-config-mount--pass--volume-of-the-stateful-set.yaml",
        "volumeMounts[0].name: Not found",
    ),
    (
        "rules--subpath-config-mount--pass--volume-that-is-missing.yaml",
        "volumeMounts[0].name: Not found",
    ),
    (
        "rules--unmounted-reload-path--pass--claim-of-a-stateful-set.yaml",
        "volumeMounts[0].name: Not found",
    ),
    (
        "rules--watched-subpath--pass--claim-of-a-stateful-set.yaml",
        "volumeMounts[0].name: Not found",
    ),
];

fn as_it_comes() {
    let found = agree(&manifests::those(enforcing().space().name(), has_findings), None);
    // no policy denies what is created
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["amended", "noted", "warned"]);
}

fn where_all_deny() {
    let policies = cluster().file("policies-that-deny");
    fs::create_dir(&policies).unwrap();
    for (name, text) in embedded_files() {
        let settings =
            if name == "restart-all-not-allowed.yaml" { "settings: {allow: []}\n" } else { "" };
        let lines = text
            .lines()
            .map(|line| if line.starts_with("mode: ") { "mode: enforce" } else { line });
        fs::write(
            policies.join(&name),
            format!("{}\n{settings}", lines.collect::<Vec<_>>().join("\n")),
        )
        .unwrap();
    }
    let installation =
        Installation::new(cluster(), "denying", &["--policies", policies.to_str().unwrap()]);
    let found = agree(&manifests::those(installation.space().name(), |_| true), Some(&policies));
    assert!(found["denied"].len() > found.values().map(Vec::len).sum::<usize>() / 2, "{found:?}");
}

fn absent_replicas() {
    let space = enforcing().space();
    let is_it = |file: &str| file == "rules--reloader-takes-all-down--pass--replicas-absent.yaml";
    let mut manifests = manifests::those(space.name(), is_it);
    manifests[0].object["spec"].as_object_mut().unwrap().remove("replicas");
    let folder = cluster().file("manifests-without-replicas");
    manifests::write(&folder, &manifests);
    assert_eq!(linter::findings(&folder, None).len(), 0);
    let answers = dry_run::create(cluster(), &[manifests.remove(0).object]);
    let rules: Vec<_> = entries(&answers[0], "noted").into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, ["reloader-takes-all-down"]);
}

fn put_right() {
    let space = enforcing().space();
    let folder = cluster().file("manifests-to-put-right");
    let mut faulty = manifests::those(space.name(), has_findings);
    manifests::write(&folder, &faulty);
    let before: BTreeSet<_> = fixable(&folder).collect();
    faulty.retain(|manifest| before.contains(&manifest.file));
    let folder = cluster().file("manifests-put-right");
    manifests::write(&folder, &faulty);
    linter::fix(&folder);
    assert_eq!(fixable(&folder).collect::<Vec<_>>(), [""; 0], "all that can be is put right");
    let is_refused = |manifest: &Manifest| REFUSED.iter().any(|(file, _)| *file == manifest.file);
    faulty.retain(|manifest| !is_refused(manifest));
    let fixed: Vec<_> =
        faulty.iter().map(|manifest| manifests::read(&folder, &manifest.file)).collect();

    let pod = |object: &Value| manifests::pod_of(object).unwrap();
    let pods_before = create(faulty.iter().map(|manifest| pod(&manifest.object)));
    let workloads = create(fixed.iter().filter(|object| object["kind"] != "Pod").cloned());
    let pods = create(fixed.iter().map(pod));
    let mut faults = Vec::new();
    for workload in &workloads {
        faults.extend(
            refusal(workload).map(|reason| format!("refused once it is put right: {reason}")),
        );
    }
    for ((manifest, pod_before), pod) in faulty.iter().zip(&pods_before).zip(&pods) {
        let mut expect = |holds: bool, what: &str, answer: &Answer| {
            if !holds {
                faults.push(format!(
                    "{}: {what}: {} {:?}",
                    manifest.file,
                    answer.body["message"],
                    entries(answer, "amended")
                ));
            }
        };
        // or else nothing was put right that mattered
        expect(
            !entries(pod_before, "amended").is_empty(),
            "its pod was not amended before",
            pod_before,
        );
        expect(pod.code == 201, "its pod is refused", pod);
        expect(entries(pod, "amended").is_empty(), "its pod is amended", pod);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Files with findings that the linter knows how to put right.
fn fixable(folder: &Path) -> impl Iterator<Item = String> {
    let found = linter::findings(folder, None).into_iter();
    found.filter(|(_, found)| found.iter().any(|finding| finding.fixable)).map(|(file, _)| file)
}

/// Where nothing is found there is no mode to differ in, and nothing to put right.
fn has_findings(file: &str) -> bool {
    !file.contains("--pass--")
}

fn create(objects: impl Iterator<Item = Value>) -> Vec<Answer> {
    dry_run::create(cluster(), &objects.collect::<Vec<_>>())
}

/// Rules that ask for ConfigMaps of the same file, or about them: a cluster is asked by a hook of its
/// own, which is not there.
const OF_CONFIGURATION: [&str; 2] = ["broken-config-file", "missing-config-key"];

/// What is found, by what becomes of it in the cluster: rule, message, and where.
type Found = BTreeMap<&'static str, Vec<(String, String)>>;

/// That linter and cluster agree on each of `manifests` that the API server takes. What they agree
/// on.
fn agree(manifests: &[Manifest], policies: Option<&Path>) -> Found {
    let folder = cluster().file(policies.map_or("manifests", |_| "manifests-to-deny"));
    manifests::write(&folder, manifests);
    let linted = linter::findings(&folder, policies);
    let answers = create(manifests.iter().map(|manifest| manifest.object.clone()));

    let (mut differences, mut found) = (Vec::new(), Found::new());
    for (manifest, answer) in manifests.iter().zip(&answers) {
        let known =
            REFUSED.iter().find(|(file, _)| *file == manifest.file).map(|(_, reason)| *reason);
        if let Some(reason) = refusal(answer) {
            let is_known = known.is_some_and(|known| reason.contains(known));
            differences
                .extend((!is_known).then(|| format!("{} is refused: {reason}", manifest.file)));
            continue;
        }
        differences.extend(known.map(|_| format!("{} is accepted", manifest.file)));
        let said = said(answer);
        let linted = linted.get(&manifest.file).into_iter().flatten();
        let linted = linted.filter(|finding| !OF_CONFIGURATION.contains(&&*finding.rule));
        let linted: Vec<_> = linted.map(|finding| as_told(finding, &said)).collect();
        let (expected, linted) = (expected(&linted, manifest, policies.is_none()), &*linted);
        if expected != said {
            differences
                .push(format!("{}\n  linter  {expected:?}\n  cluster {said:?}", manifest.file));
        }
        differences.extend(
            inconsistency(answer, linted).map(|fault| format!("{}\n  {fault}", manifest.file)),
        );
        said.into_iter().for_each(|(outcome, list)| found.entry(outcome).or_default().extend(list));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    found
}

/// The same finding in the words of the cluster, whose warnings have no room for long names.
fn as_told(finding: &Finding, said: &Found) -> Finding {
    let is_short_for = |told: &str| {
        let mut rest = &*finding.message;
        let mut parts = told.split('…');
        parts.next().is_some_and(|head| rest.strip_prefix(head).map(|left| rest = left).is_some())
            && parts.all(|part| rest.find(part).map(|at| rest = &rest[at + part.len()..]).is_some())
    };
    let told = said.values().flatten().filter(|(rule, _)| *rule == finding.rule);
    let told = told.map(|(_, told)| told).find(|told| told.contains('…') && is_short_for(told));
    let mut finding = finding.clone();
    told.inspect(|told| finding.message.clone_from(told));
    finding
}

/// What the linter leads to expect of the cluster.
fn expected(linted: &[Finding], manifest: &Manifest, amends: bool) -> Found {
    let is_pod = manifest.object["kind"] == "Pod";
    let is_left = NOT_PUT_RIGHT.contains(&&*manifest.file);
    let mut found = Found::new();
    for finding in linted {
        let outcome = match &*finding.mode {
            _ if amends && is_pod && (finding.fixable || is_left) => "amended",
            "enforce" => "denied",
            "warn" => "warned",
            _ => "noted",
        };
        found.entry(outcome).or_default().push((finding.rule.clone(), finding.message.clone()));
    }
    // a variable that a resize would leave behind is no fault any more, once a resize restarts the
    // container
    if found.contains_key("amended")
        && let Some(noted) = found.get_mut("noted")
    {
        noted.retain(|(rule, _)| rule != "stale-resource-env");
    }
    found.retain(|_, list| !list.is_empty());
    found.values_mut().for_each(|list| list.sort());
    found
}

/// What the cluster said, for the record.
fn said(answer: &Answer) -> Found {
    let outcomes = ["amended", "denied", "warned", "noted"];
    let mut found: Found = outcomes.map(|outcome| (outcome, entries(answer, outcome))).into();
    found.retain(|_, list| !list.is_empty());
    found.values_mut().for_each(|list| list.sort());
    found
}

/// What else the cluster said, if it is not what it has on record.
fn inconsistency(answer: &Answer, linted: &[Finding]) -> Option<String> {
    let mut recorded = entries(answer, "warned");
    recorded.sort();
    recorded.dedup();
    let warnings = answer.warnings.iter().filter_map(|warning| entry(warning));
    // a warning has the start of the remedy behind what is on record
    let cut = |rule: &str, message: &str| {
        let same =
            recorded.iter().find(|(known, text)| known == rule && message.starts_with(&**text));
        same.map_or(message, |(_, text)| text).to_owned()
    };
    let mut warned: Vec<_> =
        warnings.map(|(rule, message)| (rule.to_owned(), cut(rule, message))).collect();
    warned.sort();
    if warned != recorded {
        return Some(format!("warnings {warned:?}, on record {recorded:?}"));
    }
    let field = |cause: &Value, field: &str| cause[field].as_str().unwrap_or_default().to_owned();
    let causes = answer.body["details"]["causes"].as_array().into_iter().flatten();
    let mut causes: Vec<_> = causes
        .map(|cause| (field(cause, "reason"), field(cause, "message"), field(cause, "field")))
        .collect();
    causes.sort();
    let denied = linted.iter().filter(|finding| finding.mode == "enforce");
    let mut denied: Vec<_> = denied
        .map(|finding| (finding.rule.clone(), finding.message.clone(), finding.pointer.clone()))
        .collect();
    denied.sort();
    (causes != denied).then(|| format!("causes {causes:?}, by the linter {denied:?}"))
}

/// The findings under an outcome in the audit log. A new pod is amended on one path and judged on
/// the other.
fn entries(answer: &Answer, outcome: &str) -> Vec<(String, String)> {
    let hooks: &[&str] = if outcome == "amended" { &["approval", "pods"] } else { &["advice"] };
    let mut entries: Vec<(String, String)> = Vec::new();
    for hook in hooks {
        for part in answer
            .event
            .annotation(&format!("{hook}.restraint.dev/{outcome}"))
            .split("; ")
            .filter(|part| !part.is_empty())
        {
            match (entry(part), entries.last_mut()) {
                (Some((rule, message)), _) => entries.push((rule.to_owned(), message.to_owned())),
                (None, Some((_, message))) => message.push_str(&format!("; {part}")),
                (None, None) => panic!("{part}"),
            }
        }
    }
    entries
}

/// The rule and the message of `rule: message`.
fn entry(text: &str) -> Option<(&str, &str)> {
    text.split_once(": ").filter(|(rule, _)| rules::find(rule).is_some())
}

/// Why the API server does not take a manifest, if it is not for Restraint.
fn refusal(answer: &Answer) -> Option<String> {
    let message = answer.body["message"].as_str().unwrap_or_default();
    let by_restraint = message.starts_with("admission webhook \"")
        && message.contains(".restraint.dev\" denied the request: ");
    (answer.code >= 400 && !by_restraint).then(|| format!("{}: {message}", answer.code))
}
