//! The ConfigMaps and Secrets that a container's environment comes from.

use crate::kube::configuration::ConfigKind;
use crate::kube::container::Container;
use crate::kube::object::Spec;
use crate::kube::volume::{ProjectedSource, Volume, VolumeSource};

/// A part of the environment that comes from a ConfigMap or Secret.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct EnvSource<'s> {
    /// The field that says so.
    pub(in crate::rules) field: &'static str,
    pub(in crate::rules) source: VolumeSource<'s>,
    pub(in crate::rules) keys: EnvKeys<'s>,
    /// Whether it need not be there.
    pub(in crate::rules) optional: bool,
}

/// The keys of an object that become variables.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) enum EnvKeys<'s> {
    /// This one.
    One(&'s str),
    /// All, with this in front of their names.
    All { prefix: &'s str },
}

/// What the environment of `container` comes from: `env` first, then `envFrom`.
pub(in crate::rules) fn env_sources<'s>(
    container: &'s Container<'_>,
) -> impl Iterator<Item = EnvSource<'s>> {
    let single = container.env.iter().filter_map(|variable| {
        let (kind, reference) = variable.value_from.as_ref()?.reference()?;
        Some(EnvSource {
            field: "env",
            source: VolumeSource::of(kind, &reference.name),
            keys: EnvKeys::One(&reference.key),
            optional: reference.optional,
        })
    });
    let whole = container.env_from.iter().filter_map(|from| {
        let (kind, reference) = from.reference()?;
        Some(EnvSource {
            field: "envFrom",
            source: VolumeSource::of(kind, &reference.name),
            keys: EnvKeys::All { prefix: &from.prefix },
            optional: reference.optional,
        })
    });
    single.chain(whole)
}

/// Every ConfigMap and Secret that the environment of a container or a volume refers to.
pub(crate) fn config_sources<'s>(
    spec: &'s Spec<'_>,
) -> impl Iterator<Item = (ConfigKind, &'s str)> + use<'s> {
    let environment = spec
        .all_containers()
        .flat_map(|placed| env_sources(placed.container).map(|part| part.source));
    let volumes = spec.volumes.iter();
    let projected = volumes
        .clone()
        .flat_map(|volume| volume.projected.iter().flat_map(|projected| &projected.sources));
    let whole = volumes.filter_map(Volume::source);
    environment
        .chain(whole)
        .chain(projected.filter_map(ProjectedSource::source))
        .filter_map(VolumeSource::named)
}
