//! What came of linting.

use std::ops::Range;
use std::process::ExitCode;

use crate::judge::mode::Mode;
use crate::judge::policies::Policies;
use crate::manifest::parallel::in_parallel;
use crate::report::{FailOn, counted};

use super::evidence::Evidences;
use super::finding::{self, Finding};
use super::fingerprint;
use super::fix;
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
    /// Where those of each file stand.
    places: Vec<Range<usize>>,
    /// What could not be judged although it was read.
    malformed: Vec<Remark>,
}

impl LintReport {
    /// Judges what is in `files`.
    pub(super) fn of(policies: &Policies, files: Vec<File>) -> Self {
        let evidences = Evidences::of(&files);
        let judged =
            in_parallel(&files, |index, file| finding::of_file(policies, &evidences, index, file));
        let (mut findings, mut malformed, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (found, remarks) in judged {
            let start = findings.len();
            findings.extend(found);
            malformed.extend(remarks);
            places.push(start..findings.len());
        }
        fingerprint::mark(&mut findings);
        check_promises(&files, &places, &mut findings);
        Self { files, findings, places, malformed }
    }

    /// Promises no fix any more: what can be fixed is.
    pub(super) fn promise_nothing(&mut self) {
        self.findings.iter_mut().for_each(|finding| finding.fixable = false);
    }

    /// The findings in the file with this number.
    pub(super) fn of_file(&self, index: usize) -> &[Finding] {
        let place = self.places.get(index).cloned().unwrap_or_default();
        self.findings.get(place).unwrap_or_default()
    }

    /// What is to be said of what was not judged.
    pub(super) fn remarks(&self, verbose: bool) -> impl Iterator<Item = &Remark> {
        let remarks = self.files.iter().flat_map(|file| &file.remarks).chain(&self.malformed);
        remarks.filter(move |remark| verbose || remark.weight == Weight::Plain)
    }

    /// Everything in numbers.
    pub(super) fn summary(&self) -> String {
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
            (sum(|tally| tally.patches), "in patches"),
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
        let fixable = self.findings.iter().filter(|finding| finding.fixable).count();
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

/// Takes the promise of a fix from those of `findings`, which stand at `places`, that cannot be fixed
/// as they are written in `files`.
fn check_promises(files: &[File], places: &[Range<usize>], findings: &mut [Finding]) {
    let refused = in_parallel(files, |index, file| {
        let found = places.get(index).cloned().and_then(|place| findings.get(place));
        let found = found.filter(|found| found.iter().any(|one| one.fixable)).unwrap_or_default();
        match &file.text {
            Some(_) if !file.can_be_written() => (0..found.len()).collect(),
            Some(text) if !found.is_empty() => fix::refused(text, &file.documents, found),
            _ => Vec::new(),
        }
    });
    for (place, refused) in places.iter().zip(refused) {
        let found = findings.get_mut(place.clone()).unwrap_or_default();
        for index in refused {
            found.get_mut(index).into_iter().for_each(|finding| finding.fixable = false);
        }
    }
}
