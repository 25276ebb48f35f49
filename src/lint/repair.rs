//! `--fix`: from findings to changed files.

use std::collections::BTreeMap;

use similar::TextDiff;

use crate::judge::policies::Policies;
use crate::terminal::{self, plain};

use super::files::Source;
use super::finding::Finding;
use super::fix::{self, Fixed};
use super::outcome::{Outcome, counted};
use super::read::{File, Remark, Weight, in_parallel};

/// Where changed texts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Into the files they come from.
    Files,
    /// To standard output.
    Output,
    /// Nowhere: what would change is printed.
    Nowhere,
}

/// What was put right.
#[derive(Debug)]
pub(super) struct Repair {
    target: Target,
    /// New texts by number of file.
    texts: BTreeMap<usize, String>,
    /// How many findings are put right.
    done: usize,
    remarks: Vec<Remark>,
    failed: bool,
}

impl Repair {
    /// Puts right what can be put right of `outcome`, whose files are those of `sources`.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    pub(super) fn of(
        outcome: &Outcome,
        sources: &[Source],
        target: Target,
    ) -> anyhow::Result<Self> {
        let mut repair =
            Self { target, texts: BTreeMap::new(), done: 0, remarks: Vec::new(), failed: false };
        let by_file = by_file(&outcome.findings);
        let fixes = in_parallel(&outcome.files, |_, file| {
            let findings = by_file.get(&*file.name).copied().unwrap_or_default();
            file.text.as_deref().map(|text| fix::fix(text, &file.documents, findings))
        });
        for (index, ((file, fixed), source)) in
            outcome.files.iter().zip(fixes).zip(sources).enumerate()
        {
            let (Some(fixed), Some(text)) = (fixed, &file.text) else { continue };
            let findings = by_file.get(&*file.name).copied().unwrap_or_default();
            repair
                .remarks
                .extend(fixed.refused.iter().filter_map(|index| findings.get(*index)).map(refusal));
            repair.write(index, text, fixed, source)?;
        }
        Ok(repair)
    }

    /// The outcome with the new texts, judged again.
    pub(super) fn adopt(&self, policies: &Policies, outcome: Outcome) -> Outcome {
        if self.texts.is_empty() {
            return outcome;
        }
        let fresh = |(index, file): (usize, File)| match self.texts.get(&index) {
            Some(text) => File::of(file.name, text),
            None => file,
        };
        Outcome::of(policies, outcome.files.into_iter().enumerate().map(fresh).collect())
    }

    /// What could not be put right.
    pub(super) fn remarks(&self) -> impl Iterator<Item = &Remark> {
        self.remarks.iter()
    }

    /// What was put right, in numbers.
    pub(super) fn summary(&self) -> String {
        let verb = if self.target == Target::Nowhere { "would put" } else { "put" };
        format!(
            "{verb} {} right in {}",
            counted(self.done, "finding"),
            counted(self.texts.len(), "file")
        )
    }

    /// Whether a file could not be written.
    pub(super) fn is_incomplete(&self) -> bool {
        self.failed
    }

    fn write(
        &mut self,
        index: usize,
        old: &str,
        fixed: Fixed,
        source: &Source,
    ) -> anyhow::Result<()> {
        match (self.target, source) {
            (Target::Output, _) => terminal::print(&fixed.text)?,
            _ if fixed.text == old => return Ok(()),
            (Target::Nowhere, _) => terminal::print(&diff(&source.name(), old, &fixed.text))?,
            (Target::Files, Source::File(path)) => {
                if let Err(error) = fix::replace(path, old, &fixed.text) {
                    let message = format!("cannot be written: {error}");
                    self.remarks.push(Remark {
                        file: source.name(),
                        line: None,
                        message,
                        weight: Weight::Plain,
                    });
                    self.failed = true;
                    return Ok(());
                }
            }
            (Target::Files, Source::Input) => return Ok(()),
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
        "cannot be put right by --fix as it is written here: {} [{}]",
        finding.message, finding.rule
    );
    Remark { file: finding.file.clone(), line: Some(finding.line), message, weight: Weight::Plain }
}

/// Findings come in order of file, so those of one file stand together.
fn by_file(findings: &[Finding]) -> BTreeMap<&str, &[Finding]> {
    findings
        .chunk_by(|one, next| one.file == next.file)
        .filter_map(|chunk| Some((&*chunk.first()?.file, chunk)))
        .collect()
}

/// What changes, as `diff -u` tells it.
fn diff(name: &str, old: &str, new: &str) -> String {
    let name = plain(name);
    TextDiff::from_lines(old, new)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}
