//! Reloader is to restart a workload that has no configuration.
//!
//! **Why it matters.** With `auto` stakater's Reloader restarts a workload when a ConfigMap or
//! Secret changes that its pods refer to. Where they refer to none nothing ever happens: the
//! reference was forgotten, or the annotation is left over, or the program reads its configuration
//! from the API and nobody restarts it.
//!
//! **What it looks at.** Workloads that Reloader follows where `auto`, or `auto` for ConfigMaps or
//! Secrets alone, is on. As Reloader does, it looks for references in `env`, `envFrom` and volumes,
//! projected ones included, of regular and init containers. Image pull secrets do not count, nor do
//! the secrets of storage drivers.
//!
//! **What it allows.** Lists of names and `search`; volumes of CSI drivers, which Reloader can
//! watch. Workloads that another object controls.
//!
//! **How to fix it.** Refer to the configuration, name it in
//! `configmap.reloader.stakater.com/reload` or `secret.reloader.stakater.com/reload`, or remove the
//! annotation.

use crate::judge::finding::{Finding, Findings};
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;
use crate::kube::configuration::ConfigKind;
use crate::rules::environment::config_sources;
use crate::rules::reloader_annotations::{
    CONFIG_MAP, KINDS, ReloaderAnnotations, SECRET, SECRET_PROVIDER_CLASS,
};

pub(crate) const RULE: Rule = Rule::new::<ReloaderWithoutConfig>(
    "reloader-without-config",
    include_str!("../../../policies/reloader-without-config.yaml"),
);

#[derive(Debug, Default)]
struct ReloaderWithoutConfig;

impl Check for ReloaderWithoutConfig {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        let Some(reloader) = ReloaderAnnotations::of(pod).filter(|_| !pod.is_owned()) else {
            return;
        };
        if KINDS.into_iter().any(|keys| reloader.lists(keys) || reloader.searches(keys)) {
            return;
        }
        let (config_maps, secrets) =
            (reloader.is_automatic(&CONFIG_MAP), reloader.is_automatic(&SECRET));
        let missing = match (config_maps, secrets) {
            (true, true) => "ConfigMap or Secret",
            (true, false) => "ConfigMap",
            (false, true) => "Secret",
            (false, false) => return,
        };
        let driver = pod.spec.volumes.iter().any(|volume| volume.csi.is_some());
        let refers = config_sources(pod.spec).any(|(kind, _)| match kind {
            ConfigKind::ConfigMap => config_maps,
            ConfigKind::Secret => secrets,
        });
        if refers || (driver && reloader.is_automatic(&SECRET_PROVIDER_CLASS)) {
            return;
        }
        let message = |_| format!("Reloader's auto is on, and the pod refers to no {missing}");
        let remedy =
            "refer to the configuration, name it in a reload annotation, or remove the annotation";
        findings.report(Finding::new(RULE.name, reloader.pointer(pod), message, remedy));
    }
}
