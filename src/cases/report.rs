//! What came of all cases.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::recording::{Decision, Ruled};

use super::case::Case;
use super::choice::Choices;
use super::expected::{Expected, ExpectedFinding};
use super::file::CaseFile;
use super::flaw::Flaw;
use super::found::Found;
use super::matching::Difference;

/// The schema of the report for programs.
const SCHEMA: &str = "restraint.dev/test/v1";

/// The exit code where a case failed.
const FAILED: u8 = 1;

/// The exit code where a case, or a file of cases, is faulty.
const FAULTY: u8 = 2;

/// What came of all cases.
#[derive(Debug, Default)]
pub(super) struct TestReport {
    /// File by file.
    pub(super) files: Vec<FileReport>,
}

/// What came of the cases of a file.
#[derive(Debug)]
pub(super) struct FileReport {
    /// Its name.
    pub(super) name: String,
    /// The policies that it is about, where they are sound.
    pub(super) policies: Option<String>,
    /// What is wrong with it.
    pub(super) flaws: Vec<Flaw>,
    /// What came of its cases, in order.
    pub(super) cases: Vec<CaseReport>,
}

/// What came of a case.
#[derive(Debug)]
pub(super) struct CaseReport {
    /// Its number in the file, from 0.
    pub(super) index: usize,
    /// Its name.
    pub(super) name: String,
    /// The line in which it begins, from 1.
    pub(super) line: u64,
    /// What is expected.
    pub(super) expected: Option<Expected>,
    /// What came of it.
    pub(super) result: CaseResult,
}

/// What came of a case.
#[derive(Debug)]
pub(super) enum CaseResult {
    /// What is found is what is expected.
    Passed(Found),
    /// It is not.
    Failed(Found, Difference),
    /// It was not, and is written down.
    Updated(Found),
    /// It cannot be judged.
    Faulty(Vec<Flaw>),
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) updated: usize,
    /// Faulty cases and files.
    pub(super) faulty: usize,
}

impl FileReport {
    /// Judges the cases of `file`.
    pub(super) fn of(file: &CaseFile, choices: &mut Choices<'_>) -> Self {
        let mut report = Self {
            name: file.name.clone(),
            policies: None,
            flaws: file.flaws.clone(),
            cases: Vec::new(),
        };
        if !file.flaws.is_empty() {
            return report;
        }
        let chosen = match choices.policies(file) {
            Ok(chosen) => chosen,
            Err(flaws) => {
                report.flaws = flaws;
                return report;
            }
        };
        for case in &file.cases {
            let judged = |cap| chosen.under(cap).ok_or_else(|| "no policies".to_owned());
            report.cases.push(CaseReport::of(case, |request| {
                judged(request.cap).and_then(|policies| Found::of(policies, request))
            }));
        }
        report.policies = Some(chosen.name);
        report
    }
}

impl CaseReport {
    fn of(
        case: &Case,
        judge: impl FnOnce(&super::request::Request) -> Result<Found, String>,
    ) -> Self {
        let faulty = |message: String| {
            CaseResult::Faulty(vec![Flaw { line: case.line, column: 1, message }])
        };
        let result = match &case.request {
            Some(request) if case.flaws.is_empty() => match judge(request) {
                Ok(found) => compared(case.expected.as_ref(), found)
                    .unwrap_or_else(|found| CaseResult::Failed(found, Difference::default())),
                Err(message) => faulty(message),
            },
            _ if case.flaws.is_empty() => faulty("it cannot be judged".to_owned()),
            _ => CaseResult::Faulty(case.flaws.clone()),
        };
        Self {
            index: case.index,
            name: case.name.clone(),
            line: case.line,
            expected: case.expected.clone(),
            result,
        }
    }

    /// What is found, where it could be judged.
    pub(super) fn found(&self) -> Option<&Found> {
        match &self.result {
            CaseResult::Passed(found)
            | CaseResult::Failed(found, _)
            | CaseResult::Updated(found) => Some(found),
            CaseResult::Faulty(_) => None,
        }
    }

    /// What is expected and not found.
    pub(super) fn missing(&self) -> Vec<&ExpectedFinding> {
        let CaseResult::Failed(_, difference) = &self.result else { return Vec::new() };
        let Some(expected) = &self.expected else { return Vec::new() };
        difference.missing.iter().filter_map(|number| expected.findings.get(*number)).collect()
    }

    /// What is found and not expected.
    pub(super) fn unexpected(&self) -> Vec<&Ruled> {
        let CaseResult::Failed(found, difference) = &self.result else { return Vec::new() };
        difference.unexpected.iter().filter_map(|number| found.findings.get(*number)).collect()
    }
}

/// What comes of a case; what is found comes back where nothing is expected.
fn compared(expected: Option<&Expected>, found: Found) -> Result<CaseResult, Found> {
    let Some(expected) = expected else { return Err(found) };
    let difference = Difference::of(expected, &found);
    Ok(if difference.is_none() {
        CaseResult::Passed(found)
    } else {
        CaseResult::Failed(found, difference)
    })
}

impl TestReport {
    /// How many there are of each.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for file in &self.files {
            if !file.flaws.is_empty() {
                counts.faulty = counts.faulty.saturating_add(1);
            }
            for case in &file.cases {
                let count = match case.result {
                    CaseResult::Passed(_) => &mut counts.passed,
                    CaseResult::Failed(..) => &mut counts.failed,
                    CaseResult::Updated(_) => &mut counts.updated,
                    CaseResult::Faulty(_) => &mut counts.faulty,
                };
                *count = count.saturating_add(1);
            }
        }
        counts
    }

    /// What is wrong outweighs what fails.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self.counts() {
            Counts { faulty: 1.., .. } => ExitCode::from(FAULTY),
            Counts { failed: 1.., .. } => ExitCode::from(FAILED),
            _ => ExitCode::SUCCESS,
        }
    }

    /// The report for programs.
    pub(super) fn to_json(&self) -> Value {
        let Counts { passed, failed, updated, faulty } = self.counts();
        let cases = self
            .files
            .iter()
            .flat_map(|file| file.cases.iter().map(move |case| case_json(file, case)));
        let errors = self
            .files
            .iter()
            .flat_map(|file| file.flaws.iter().map(move |flaw| flaw_json(&file.name, flaw)));
        json!({
            "schema": SCHEMA,
            "version": env!("CARGO_PKG_VERSION"),
            "totals": {"files": self.files.len(), "passed": passed, "failed": failed, "updated": updated, "errors": faulty},
            "cases": cases.collect::<Vec<_>>(),
            "errors": errors.collect::<Vec<_>>(),
        })
    }
}

impl CaseResult {
    /// The word for it.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(..) => "failed",
            Self::Updated(_) => "updated",
            Self::Faulty(_) => "error",
        }
    }
}

fn case_json(file: &FileReport, case: &CaseReport) -> Value {
    let errors: Vec<Value> = match &case.result {
        CaseResult::Faulty(flaws) => flaws.iter().map(|flaw| flaw_json(&file.name, flaw)).collect(),
        _ => Vec::new(),
    };
    json!({
        "file": file.name,
        "line": case.line,
        "name": case.name,
        "policies": file.policies,
        "result": case.result.as_str(),
        "expected": case.expected.as_ref().map(expected_json),
        "found": case.found().map(|found| json!({
            "decision": found.decision,
            "allowance": found.allowance,
            "findings": found.findings,
        })),
        "missing": case.missing().into_iter().map(finding_json).collect::<Vec<_>>(),
        "unexpected": case.unexpected(),
        "hints": case.found().map(Found::hints).unwrap_or_default(),
        "errors": errors,
    })
}

fn expected_json(expected: &Expected) -> Value {
    let decision: Decision = expected.decision;
    json!({
        "decision": decision,
        "allowance": expected.allowance,
        "findings": expected.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

fn finding_json(finding: &ExpectedFinding) -> Value {
    json!({
        "rule": finding.rule,
        "mode": finding.mode.map(|mode| mode.as_str()),
        "outcome": finding.outcome.map(|outcome| outcome.as_str()),
        "container": finding.container,
        "message": finding.message,
    })
}

fn flaw_json(file: &str, flaw: &Flaw) -> Value {
    json!({"file": file, "line": flaw.line, "column": flaw.column, "message": flaw.message})
}
