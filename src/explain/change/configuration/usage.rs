//! How the containers of a pod or workload use a ConfigMap or Secret.

use crate::judge::context::PolicyContext;
use crate::judge::subject::{Evidence, Subject};
use crate::judge::view::{PodView, View};
use crate::kube::config_use::{ConfigUse, Way as Field, config_uses};
use crate::kube::configuration::ConfigKind;
use crate::kube::container::Role;
use crate::manifest::decode::Malformed;
use crate::manifest::unstructured::Unstructured;
use crate::rules::trigger;

/// One way in which one container uses an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) container: String,
    pub(super) way: Way,
    /// Whether Reloader is told to restart the workload for it.
    pub(super) is_reloaded: bool,
}

/// How it gets into the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As variables.
    Environment,
    /// As files of a whole mount.
    Volume,
    /// As a file mounted alone.
    SubPath,
    /// Somehow, into a container that ran to its end.
    Init,
}

impl Way {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Environment => "takes it as environment variables",
            Self::Volume => "mounts it as files",
            Self::SubPath => "mounts it by subPath",
            Self::Init => "uses it in an init container",
        }
    }
}

/// An object, and the key of it that matters; without one any does.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    kind: ConfigKind,
    name: &'w str,
    key: Option<&'w str>,
}

/// How `user` uses `object`, or `key` of it.
///
/// # Errors
///
/// Where `user` cannot be read, so that nobody can tell.
pub(super) fn of(
    user: &Unstructured,
    object: &Unstructured,
    key: Option<&str>,
) -> Result<Vec<Usage>, Malformed> {
    if user.namespace != object.namespace || user.template().is_none() {
        return Ok(Vec::new());
    }
    let kind = if object.kind == "Secret" { ConfigKind::Secret } else { ConfigKind::ConfigMap };
    let subject = Subject::created(
        user.resource(),
        user.namespace.as_str().into(),
        user.decode()?,
        Evidence::default(),
    );
    let context = PolicyContext::default();
    match View::of(&subject, &context) {
        Some(View::Pod { new, .. }) => Ok(usages(&new, Wanted { kind, name: &object.name, key })),
        // a workload without a template has no containers
        _ => Ok(Vec::new()),
    }
}

fn usages(pod: &PodView<'_>, wanted: Wanted<'_>) -> Vec<Usage> {
    let is_reloaded = trigger::is_reloaded(pod, wanted.kind, wanted.name);
    let is_wanted = |used: &ConfigUse<'_>| {
        let any = || used.key.as_deref().is_none_or(|own| wanted.key.is_none_or(|key| key == own));
        used.is_of(wanted.kind, wanted.name) && any()
    };
    let mut usages = Vec::new();
    for used in config_uses(pod.spec).iter().filter(|used| is_wanted(used)) {
        let way = match used.way {
            _ if used.role == Role::Init => Way::Init,
            Field::Env | Field::EnvFrom => Way::Environment,
            Field::SubPath => Way::SubPath,
            Field::Items | Field::Volume => Way::Volume,
        };
        let usage = Usage { container: used.container.to_string(), way, is_reloaded };
        if !usages.contains(&usage) {
            usages.push(usage);
        }
    }
    usages
}
