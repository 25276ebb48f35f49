//! What the rules about changes of configuration say of a ConfigMap or Secret that changes: the same
//! as where it is written, from the same code.

use std::sync::Arc;

use serde::Serialize;

use crate::judge::context::PolicyContext;
use crate::judge::subject::{Evidence, Operation, Subject};
use crate::judge::view::{ConfigurationView, View};
use crate::kube::config_user::ConfigUser;
use crate::manifest::unstructured::Unstructured;
use crate::rules::change::{broken_config_file, missing_config_key, unseen_config_change};
use crate::rules::config_change::{ConfigEffect, missing, unseen};
use crate::rules::config_users::config_user;

use super::Sides;

/// What a rule says. The names of its fields stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigFinding {
    /// The rule.
    pub rule: &'static str,
    /// The ConfigMap or Secret: `KIND/NAME`.
    pub object: String,
    /// Whom it hits: `KIND/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// The key; none where the whole object goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// How the container uses it: `env`, `envFrom`, `items`, `subPath` or `volume`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<&'static str>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Who uses ConfigMaps and Secrets, with the namespace: as it will be, for that is what starts next.
pub(super) fn users(sides: &Sides<'_>) -> Vec<(String, ConfigUser)> {
    let rolled = sides.users().rolled;
    let is_gone = |one: &Unstructured| sides.gone.iter().any(|gone| gone.is_same_object(one));
    let stays = sides.all.iter().filter(|one| !is_gone(one));
    let user = |one: &&Unstructured| {
        let mut user = config_user(one.resource(), &one.namespace, one.decode().ok()?)?;
        let is_new = sides.made.iter().any(|made| made.is_same_object(one));
        // its pods are made in the same change
        if is_new || rolled.iter().any(|rolled| rolled.is_same_object(one)) {
            user.life.holds = false;
        }
        Some((one.namespace.clone(), user))
    };
    stays.filter_map(user).collect()
}

/// What is said of one object.
pub(super) fn of(
    old: Option<&Unstructured>,
    new: Option<&Unstructured>,
    users: &[(String, ConfigUser)],
) -> Vec<ConfigFinding> {
    let Some(object) = new.or(old) else { return Vec::new() };
    let is_refused = new.is_some() && old.is_some_and(|old| old.is_true("/immutable"));
    if object.resource().configuration().is_none() || is_refused {
        return Vec::new();
    }
    let in_namespace = users.iter().filter(|(namespace, _)| *namespace == object.namespace);
    let evidence = Evidence {
        config_users: Some(Arc::new(in_namespace.map(|(_, user)| user.clone()).collect())),
        ..Evidence::default()
    };
    let stored = old.map(Unstructured::decode).transpose();
    let (Ok(present), Ok(stored)) = (object.decode(), stored) else { return Vec::new() };
    let namespace = object.namespace.as_str().into();
    let subject = Subject {
        operation: match (old, new) {
            (_, None) => Operation::Delete,
            (Some(_), _) => Operation::Update,
            (None, _) => Operation::Create,
        },
        old_object: stored,
        ..Subject::created(object.resource(), namespace, present, evidence)
    };
    match View::of(&subject, &PolicyContext::default()) {
        Some(View::Configuration(change)) => findings(&change),
        _ => Vec::new(),
    }
}

fn findings(change: &ConfigurationView<'_>) -> Vec<ConfigFinding> {
    let object = format!("{}/{}", change.kind, change.name);
    let mut findings = Vec::new();
    for (key, fault) in broken_config_file::broken_files(change) {
        findings.push(ConfigFinding {
            rule: broken_config_file::RULE.name,
            object: object.clone(),
            workload: None,
            container: None,
            how: None,
            message: format!("{key:?} {}", broken_config_file::told(&key, &fault)),
            key: Some(key),
            remedy: broken_config_file::REMEDY.to_owned(),
        });
    }
    let finding = |rule: &'static str, verb: &str, effect: &ConfigEffect<'_>, remedy: String| {
        let workload = format!("{}/{}", effect.user.kind, effect.user.name);
        let used = &effect.by.used;
        let what =
            effect.key.map_or_else(|| format!("the {}", change.kind), |key| format!("{key:?}"));
        ConfigFinding {
            rule,
            object: object.clone(),
            message: format!(
                "{workload} {verb} {what} ({} of container {:?})",
                used.way, used.container
            ),
            workload: Some(workload),
            key: effect.key.map(str::to_owned),
            container: Some(used.container.to_string()),
            how: Some(used.way.as_str()),
            remedy,
        }
    };
    for effect in missing(change) {
        let rule = missing_config_key::RULE.name;
        findings.push(finding(rule, missing_config_key::WORDS.verb, &effect, effect.keep()));
    }
    for effect in unseen(change) {
        let (rule, remedy) = (unseen_config_change::RULE.name, effect.restart(change.namespace));
        findings.push(finding(rule, unseen_config_change::WORDS.verb, &effect, remedy));
    }
    findings
}
