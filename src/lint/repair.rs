//! `--fix`: from findings to changed files.

use std::collections::BTreeMap;

use similar::TextDiff;

use crate::judge::policies::Policies;
use crate::manifest::files::Input;
use crate::manifest::parallel::in_parallel;
use crate::manifest::write;
use crate::terminal::{self, plain};

use super::finding::Finding;
use super::fix::{self, Fixed};
use super::read::{File, Remark, Weight};
use super::report::LintReport;
use crate::report::counted;

/// Where changed texts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FixOutput {
    /// Into the files they come from.
    Files,
    /// To standard output.
    Stdout,
    /// Nowhere: what would change is printed.
    DryRun,
}

/// What was fixed.
#[derive(Debug)]
pub(super) struct Repair {
    output: FixOutput,
    /// New texts by number of file.
    texts: BTreeMap<usize, String>,
    /// How many findings are fixed.
    done: usize,
    remarks: Vec<Remark>,
    failed: bool,
}

impl Repair {
    /// Fixes what can be fixed of `report`, whose files are those of `inputs`.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    pub(super) fn of(
        report: &LintReport,
        inputs: &[Input],
        output: FixOutput,
    ) -> anyhow::Result<Self> {
        let mut repair =
            Self { output, texts: BTreeMap::new(), done: 0, remarks: Vec::new(), failed: false };
        let fixes = in_parallel(&report.files, |index, file| {
            let found = report.of_file(index);
            let text =
                file.text.as_deref().filter(|_| found.iter().any(|one| one.edit.is_some()))?;
            Some(fix::fix(text, &file.documents, found, &file.kinds))
        });
        let files = report.files.iter().zip(fixes).zip(inputs).enumerate();
        for (index, ((file, fixed), input)) in files {
            let (Some(fixed), Some(text)) = (fixed, &file.text) else {
                repair.leave(file)?;
                continue;
            };
            let asked = report.of_file(index).iter().enumerate();
            let is_refused = |(number, one): &(usize, &Finding)| {
                let is_left = !file.can_be_written() || fixed.refused.contains(number);
                one.edit.is_some() && is_left
            };
            repair.remarks.extend(asked.filter(is_refused).map(|(_, finding)| refusal(finding)));
            if !file.can_be_written() {
                repair.remarks.push(Remark {
                    file: file.name.clone(),
                    line: None,
                    message: "not UTF-8, so --fix leaves it as it is".to_owned(),
                    weight: Weight::Plain,
                });
                continue;
            }
            repair.write(index, text, fixed, input)?;
        }
        Ok(repair)
    }

    /// The report with the new texts, judged again.
    pub(super) fn adopt(&self, policies: &Policies, mut report: LintReport) -> LintReport {
        if !self.texts.is_empty() {
            report = self.judged_again(policies, report);
        }
        report.promise_nothing();
        report
    }

    fn judged_again(&self, policies: &Policies, report: LintReport) -> LintReport {
        let fresh = |(index, file): (usize, File)| match self.texts.get(&index) {
            Some(text) => {
                let fresh = File::of(file.name, text, &file.kinds);
                File { text: Some(text.clone()), source: file.source, ..fresh }
            }
            None => file,
        };
        LintReport::of(policies, report.files.into_iter().enumerate().map(fresh).collect())
    }

    /// What could not be fixed.
    pub(super) fn remarks(&self) -> impl Iterator<Item = &Remark> {
        self.remarks.iter()
    }

    /// What was fixed, in numbers.
    pub(super) fn summary(&self) -> String {
        let verb = if self.output == FixOutput::DryRun { "would fix" } else { "fixed" };
        format!("{verb} {} in {}", counted(self.done, "finding"), counted(self.texts.len(), "file"))
    }

    /// Whether a file could not be written.
    pub(super) fn is_incomplete(&self) -> bool {
        self.failed
    }

    /// Prints what has nothing to fix, where the whole text is asked for.
    fn leave(&self, file: &File) -> anyhow::Result<()> {
        match &file.text {
            Some(text) if self.output == FixOutput::Stdout => terminal::print(text),
            _ => Ok(()),
        }
    }

    fn write(
        &mut self,
        index: usize,
        old: &str,
        fixed: Fixed,
        input: &Input,
    ) -> anyhow::Result<()> {
        match (self.output, input) {
            (FixOutput::Stdout, _) => terminal::print(&fixed.text)?,
            _ if fixed.text == old => return Ok(()),
            (FixOutput::DryRun, _) => terminal::print(&diff(&input.name(), old, &fixed.text))?,
            (FixOutput::Files, Input::File(path)) => {
                if let Err(error) = write::replace(path, old, &fixed.text) {
                    let message = format!("cannot be written: {error}");
                    self.remarks.push(Remark {
                        file: input.name(),
                        line: None,
                        message,
                        weight: Weight::Plain,
                    });
                    self.failed = true;
                    return Ok(());
                }
            }
            (FixOutput::Files, Input::Stdin) => return Ok(()),
        }
        if fixed.text != old {
            self.done += fixed.done.len();
            self.texts.insert(index, fixed.text);
        }
        Ok(())
    }
}

fn refusal(finding: &Finding) -> Remark {
    let message = format!(
        "--fix cannot change what is written like this: {} [{}]",
        finding.message, finding.rule
    );
    Remark { file: finding.file.clone(), line: Some(finding.line), message, weight: Weight::Plain }
}

/// What changes, as `diff -u` tells it.
fn diff(name: &str, old: &str, new: &str) -> String {
    let name = plain(name);
    TextDiff::from_lines(old, new)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}
