//! What came of linting.

use std::process::ExitCode;

use crate::judge::mode::Mode;
use crate::judge::policies::Policies;
use crate::manifest::parallel::in_parallel;
use crate::report::{FailOn, counted};

use super::evidence::Evidences;
use super::finding::{self, Finding};
use super::read::{File, Remark, Tally, Weight};

/// The exit code where there are findings.
const FOUND: u8 = 1;

/// The exit code where something could not be read or written.
const INCOMPLETE: u8 = 2;

/// What came of it.
#[derive(Debug)]
pub(super) struct LintReport {
    /// What was read.
    pub(super) files: Vec<File>,
    /// Findings in order of file and place.
    pub(super) findings: Vec<Finding>,
    /// What could not be judged although it was read.
    malformed: Vec<Remark>,
}

impl LintReport {
    /// Judges what is in `files`.
    pub(super) fn of(policies: &Policies, files: Vec<File>) -> Self {
        let evidences = Evidences::of(&files);
        let judged =
            in_parallel(&files, |index, file| finding::of_file(policies, &evidences, index, file));
        let (mut findings, mut malformed) = (Vec::new(), Vec::new());
        for (found, remarks) in judged {
            findings.extend(found);
            malformed.extend(remarks);
        }
        Self { files, findings, malformed }
    }

    /// What is to be said of what was not judged.
    pub(super) fn remarks(&self, verbose: bool) -> impl Iterator<Item = &Remark> {
        let remarks = self.files.iter().flat_map(|file| &file.remarks).chain(&self.malformed);
        remarks.filter(move |remark| verbose || remark.weight == Weight::Plain)
    }

    /// Everything in numbers. Once what can be fixed `is_fixed`, the rest cannot.
    pub(super) fn summary(&self, is_fixed: bool) -> String {
        let of =
            |mode: Mode| self.findings.iter().filter(|finding| finding.mode.mode() == mode).count();
        let modes = [Mode::Enforce, Mode::Warn, Mode::Audit]
            .map(|mode| format!("{} {mode}", of(mode)))
            .join(", ");
        let sum = |count: fn(&Tally) -> usize| {
            self.files.iter().map(|file| count(&file.tally)).sum::<usize>()
        };
        let judged = sum(|tally| tally.workloads).saturating_sub(self.malformed.len());
        let left_out = [
            (sum(|tally| tally.skipped), "of an apiVersion or kind that is not judged"),
            (self.malformed.len(), "malformed"),
            (sum(|tally| tally.broken), "broken"),
            (sum(|tally| tally.evidence), "as evidence"),
            (sum(|tally| tally.others), "of other kinds"),
            (sum(|tally| tally.foreign), "not of Kubernetes"),
        ];
        let left_out: Vec<_> = left_out
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let left_out = if left_out.is_empty() {
            String::new()
        } else {
            format!("; besides {}", left_out.join(", "))
        };
        let fixable = self.findings.iter().filter(|finding| finding.fixable && !is_fixed).count();
        let fixable = match fixable {
            0 => String::new(),
            count => format!("; {count} fixable with --fix"),
        };
        let (findings, files) =
            (counted(self.findings.len(), "finding"), counted(self.files.len(), "file"));
        format!(
            "{findings} ({modes}) in {files}, {} judged{left_out}{fixable}",
            counted(judged, "workload")
        )
    }

    /// How the command ends.
    pub(super) fn exit_code(&self, fail_on: FailOn, is_incomplete: bool) -> ExitCode {
        let weakest = fail_on.weakest();
        let fails =
            |weakest: Mode| self.findings.iter().any(|finding| finding.mode.mode() >= weakest);
        if is_incomplete || self.files.iter().any(|file| file.is_unreadable) {
            ExitCode::from(INCOMPLETE)
        } else if weakest.is_some_and(fails) {
            ExitCode::from(FOUND)
        } else {
            ExitCode::SUCCESS
        }
    }
}
