//! What is known of a ConfigMap that is written: who uses it, and which of its files are broken.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::config_file::{Fault, Severity};
use crate::judge::context::PolicyContext;
use crate::judge::subject::{FileFault, Resource, Subject};
use crate::judge::view::View;
use crate::kube::config_use::{ConfigUse, Way};
use crate::kube::config_user::{ConfigUser, Life, UserUse};
use crate::kube::configuration::ConfigKind;
use crate::kube::container::Role;
use crate::rules::change::broken_config_file::broken_files;

/// A workload, or a pod that nobody made, that uses the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserFact {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether processes of it run that hold what they read when they started.
    pub holds: bool,
    /// Whether containers of it will start.
    pub starts: bool,
    /// Each use.
    pub uses: Vec<UseFact>,
}

/// One use of one object by one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UseFact {
    /// Whether the object is a Secret, and not a ConfigMap.
    #[serde(default, skip_serializing_if = "is_false")]
    pub secret: bool,
    /// The name of the object.
    pub object: String,
    /// The container.
    pub container: String,
    /// Whether it is an init container that ends.
    #[serde(default, skip_serializing_if = "is_false")]
    pub init: bool,
    /// `env`, `envFrom`, `items`, `subPath` or `volume`.
    pub how: String,
    /// The key; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether the container starts without it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// Whether something rolls the workload when the object changes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rolled: bool,
    /// Whether a resize restarts the container in place.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_place: bool,
}

/// A file in the ConfigMap that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileFact {
    /// The key.
    pub key: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub expected: String,
    /// Whether some programs read it all the same.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lenient: bool,
}

/// What is wrong with the files of the ConfigMap that `subject` writes: to be known before its
/// content is taken out. `None` where it writes none.
pub(super) fn file_facts(subject: &Subject<'_>) -> Option<Vec<FileFact>> {
    if subject.resource != Resource::ConfigMap {
        return None;
    }
    let context = PolicyContext::default();
    let View::Configuration(change) = View::of(subject, &context)? else { return None };
    let fact = |(key, fault): (String, Fault)| FileFact {
        key,
        line: fault.line,
        column: fault.column,
        expected: fault.expected,
        lenient: fault.severity == Severity::Lenient,
    };
    Some(broken_files(&change).into_iter().map(fact).collect())
}

impl From<&FileFact> for FileFault {
    fn from(fact: &FileFact) -> Self {
        let FileFact { key, line, column, expected, lenient } = fact.clone();
        let severity = if lenient { Severity::Lenient } else { Severity::Broken };
        Self { key, fault: Fault { line, column, expected, severity } }
    }
}

impl From<&ConfigUser> for UserFact {
    fn from(user: &ConfigUser) -> Self {
        Self {
            kind: user.kind.to_owned(),
            name: user.name.clone(),
            holds: user.life.holds,
            starts: user.life.starts,
            uses: user.uses.iter().map(UseFact::from).collect(),
        }
    }
}

impl From<&UserUse> for UseFact {
    fn from(by: &UserUse) -> Self {
        let used = &by.used;
        Self {
            secret: used.kind == ConfigKind::Secret,
            object: used.name.to_string(),
            container: used.container.to_string(),
            init: !used.role.is_app(),
            how: used.way.as_str().to_owned(),
            key: used.key.as_deref().map(str::to_owned),
            optional: used.optional,
            rolled: by.is_rolled,
            in_place: by.restarts_in_place,
        }
    }
}

impl UserFact {
    /// The user; `None` where its kind is none that is known.
    pub(super) fn user(&self) -> Option<ConfigUser> {
        let kind = Resource::all().map(Resource::kind).find(|kind| *kind == self.kind)?;
        Some(ConfigUser {
            kind,
            name: self.name.clone(),
            life: Life { holds: self.holds, starts: self.starts },
            uses: self.uses.iter().filter_map(UseFact::used).collect(),
        })
    }
}

impl UseFact {
    fn used(&self) -> Option<UserUse> {
        let used = ConfigUse {
            kind: if self.secret { ConfigKind::Secret } else { ConfigKind::ConfigMap },
            name: Cow::Owned(self.object.clone()),
            container: Cow::Owned(self.container.clone()),
            role: if self.init { Role::Init } else { Role::Regular },
            way: Way::ALL.into_iter().find(|way| way.as_str() == self.how)?,
            key: self.key.clone().map(Cow::Owned),
            optional: self.optional,
        };
        Some(UserUse { used, is_rolled: self.rolled, restarts_in_place: self.in_place })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !flag
}
