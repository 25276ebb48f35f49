//! Which policies a file of cases is about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::judge::mode::{Cap, Mode};
use crate::judge::policies::Policies;
use crate::manifest::documents;
use crate::policies::folder::Folder;
use crate::policies::{PolicyErrors, embedded_files};
use crate::yaml::Position;
use crate::yaml::suggest::{quoted, unknown};

use super::file::{CaseFile, folder_of};
use super::flaw::Flaw;

/// The word for the policies that are built in.
const BUILT_IN: &str = "built-in";

/// The policies that a file is about, under the caps that its cases say.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The folder, or that they are built in.
    pub(super) name: String,
    by_cap: BTreeMap<Cap, Policies>,
}

/// Chooses policies for files.
#[derive(Debug)]
pub(super) struct Choices<'o> {
    given: Option<&'o Path>,
}

impl<'o> Choices<'o> {
    /// Those of the folder `given`, or else what each file asks for.
    pub(super) fn of(given: Option<&'o Path>) -> Self {
        Self { given }
    }

    /// The policies that `file` is about, or what is wrong with them.
    pub(super) fn policies(&self, file: &CaseFile) -> Result<Chosen, Vec<Flaw>> {
        let (folder, place) = self.folder(file)?;
        let name = match &folder {
            Some(folder) => shown(folder),
            None => "built in".to_owned(),
        };
        let at = |message: String| Flaw::at(place, message);
        let contents = match &folder {
            Some(folder) => {
                Folder::new(folder.clone()).read().map_err(|error| vec![at(error.to_string())])?
            }
            None => embedded_files().map(|(name, text)| (name, text.to_owned())).collect(),
        };
        let caps: BTreeSet<Cap> =
            file.cases.iter().filter_map(|case| Some(case.request.as_ref()?.cap)).collect();
        let mut by_cap = BTreeMap::new();
        for cap in caps.into_iter().chain([Cap::Enforce]) {
            let told = |errors: PolicyErrors| {
                errors.iter().map(|error| at(format!("{name}/{error}"))).collect::<Vec<_>>()
            };
            let policies = Policies::read(contents.iter()).map_err(told)?;
            check_modes(&file.wanted.modes, &policies)?;
            let modes = file.wanted.modes.iter().map(|(name, (mode, _))| (name.clone(), *mode));
            let policies = policies.with_modes(&modes.collect()).under(cap).with_whole_messages();
            by_cap.insert(cap, policies);
        }
        Ok(Chosen { name, by_cap })
    }

    /// The folder of the policies, where they are not built in, and the place that says so.
    fn folder(&self, file: &CaseFile) -> Result<(Option<PathBuf>, Position), Vec<Flaw>> {
        if let Some(given) = self.given {
            return Ok((Some(given.to_owned()), Position::START));
        }
        let own = file.folder();
        match &file.wanted.policies {
            Some((word, place)) if word == BUILT_IN => Ok((None, *place)),
            Some((word, place)) => Ok((Some(own.join(word)), *place)),
            None if holds_policies(own) => {
                let message = "the file stands among policies, and a server would take it for one: \
                               move it into a folder there, such as tests/";
                Err(vec![Flaw::at(Position::START, message.to_owned())])
            }
            None => {
                let above = above(own);
                Ok((holds_policies(&above).then_some(above), Position::START))
            }
        }
    }
}

impl Chosen {
    /// The policies under `cap`.
    pub(super) fn under(&self, cap: Cap) -> Option<&Policies> {
        self.by_cap.get(&cap)
    }
}

fn check_modes(
    modes: &BTreeMap<String, (Mode, Position)>,
    policies: &Policies,
) -> Result<(), Vec<Flaw>> {
    let known: Vec<&str> = policies.iter().map(|policy| &*policy.name).collect();
    let mut flaws = Vec::new();
    for (name, (mode, place)) in modes {
        match policies.iter().find(|policy| policy.name == *name) {
            None => {
                let subject = format!("policy {}", quoted(name));
                flaws.push(Flaw::at(*place, unknown(&subject, name, &known)));
            }
            Some(policy) if *mode == Mode::Fix && policy.rule.fix.is_none() => {
                let rule = policy.rule.name;
                let message =
                    format!("rule {rule:?} has no fix: its strongest mode is \"enforce\"");
                flaws.push(Flaw::at(*place, message));
            }
            Some(_) => {}
        }
    }
    if flaws.is_empty() { Ok(()) } else { Err(flaws) }
}

/// `folder` as reports have it.
fn shown(folder: &Path) -> String {
    let name = folder.display().to_string();
    name.strip_prefix("./").map_or(name.clone(), str::to_owned)
}

/// The folder that holds `folder`.
fn above(folder: &Path) -> PathBuf {
    match folder.file_name() {
        Some(_) => folder_of(folder).to_owned(),
        None => folder.join(".."),
    }
}

/// Whether files of `folder` are policies.
fn holds_policies(folder: &Path) -> bool {
    let is_policy = |text: &String| {
        documents::value(text)
            .is_some_and(|node| node.field("rule").is_some() || node.field("exemptions").is_some())
    };
    Folder::new(folder.to_owned()).read().is_ok_and(|files| files.values().any(is_policy))
}
