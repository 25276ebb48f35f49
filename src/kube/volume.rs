//! Volumes that carry configuration, and their mounts.

use crate::json::text::Text;
use crate::json::{self, Raw, Skipped, fields};

use super::configuration::ConfigKind;

/// An entry of `spec.volumes`.
#[derive(Clone, Debug, Default)]
pub struct Volume<'a> {
    /// `name`.
    pub name: Text<'a>,
    /// `configMap`.
    pub config_map: Option<ConfigMapVolume<'a>>,
    /// `secret`.
    pub secret: Option<SecretVolume<'a>>,
    /// `projected`.
    pub projected: Option<Projected<'a>>,
    /// `downwardAPI`.
    pub downward_api: Option<Skipped>,
    /// `emptyDir`, undecoded: few lie in memory, and rules hardly ask.
    pub(super) empty_dir: Option<Raw<'a>>,
    /// `csi`: an ephemeral volume of a driver.
    pub csi: Option<Box<CsiVolume<'a>>>,
}

fields!(Volume {
    "name" => name,
    "configMap" => config_map,
    "secret" => secret,
    "projected" => projected,
    "downwardAPI" => downward_api,
    "emptyDir" => empty_dir,
    "csi" => csi,
});

/// `volumes[].csi`.
#[derive(Clone, Debug, Default)]
pub struct CsiVolume<'a> {
    /// `driver`.
    pub driver: Text<'a>,
    /// `volumeAttributes`.
    pub volume_attributes: CsiAttributes<'a>,
}

fields!(CsiVolume { "driver" => driver, "volumeAttributes" => volume_attributes });

/// `volumes[].csi.volumeAttributes`.
#[derive(Clone, Debug, Default)]
pub struct CsiAttributes<'a> {
    /// `secretProviderClass` of the Secrets Store driver.
    pub secret_provider_class: Text<'a>,
}

fields!(CsiAttributes { "secretProviderClass" => secret_provider_class });

/// The driver of the Secrets Store, whose volumes hold secrets of a vault.
const SECRETS_STORE: &str = "secrets-store.csi.k8s.io";

/// Drivers whose volumes hold configuration, which they replace as the kubelet does.
const CONFIGURATION_DRIVERS: [&str; 2] = [SECRETS_STORE, "csi.cert-manager.io"];

/// `volumes[].configMap`, and `projected.sources[].configMap`.
#[derive(Clone, Debug, Default)]
pub struct ConfigMapVolume<'a> {
    /// `name`.
    pub name: Text<'a>,
    /// `items`, undecoded: every pod has some for its token, and rules hardly ask.
    items: Option<Raw<'a>>,
    /// `optional`: it need not be there.
    pub optional: bool,
}

fields!(ConfigMapVolume { "name" => name, "items" => items, "optional" => optional });

/// An entry of `items`: a key and the file it becomes.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyToPath<'a> {
    /// `key`.
    pub key: Text<'a>,
    /// `path` of the file in the volume.
    pub path: Text<'a>,
}

fields!(KeyToPath { "key" => key, "path" => path });

impl ConfigMapVolume<'_> {
    /// The keys that become files, and their paths; empty for all keys under their own names.
    pub(crate) fn items(&self) -> Vec<KeyToPath<'_>> {
        items(self.items)
    }

    /// The key that would become the file at `path`.
    fn key_at(&self, path: &str) -> Option<String> {
        match self.items() {
            items if items.is_empty() => {
                (!path.is_empty() && !path.contains('/')).then(|| path.to_owned())
            }
            items => {
                items.into_iter().find(|item| &*item.path == path).map(|item| item.key.to_string())
            }
        }
    }
}

impl SecretVolume<'_> {
    /// The keys that become files, and their paths; empty for all keys under their own names.
    pub(crate) fn items(&self) -> Vec<KeyToPath<'_>> {
        items(self.items)
    }
}

/// Items of another shape than the API server takes count as none.
fn items(raw: Option<Raw<'_>>) -> Vec<KeyToPath<'_>> {
    raw.and_then(|raw| json::read(raw.get()).ok()).unwrap_or_default()
}

/// `volumes[].secret`: the only reference that calls the name `secretName`.
#[derive(Clone, Debug, Default)]
pub struct SecretVolume<'a> {
    /// `secretName`.
    pub secret_name: Text<'a>,
    /// `items`, undecoded: every pod has some for its token, and rules hardly ask.
    items: Option<Raw<'a>>,
    /// `optional`: it need not be there.
    pub optional: bool,
}

fields!(SecretVolume { "secretName" => secret_name, "items" => items, "optional" => optional });

/// `volumes[].projected`.
#[derive(Clone, Debug, Default)]
pub struct Projected<'a> {
    /// `sources`.
    pub sources: Vec<ProjectedSource<'a>>,
}

fields!(Projected { "sources" => sources });

/// An entry of `projected.sources`.
#[derive(Clone, Debug, Default)]
pub struct ProjectedSource<'a> {
    /// `configMap`.
    pub config_map: Option<ConfigMapVolume<'a>>,
    /// `secret`.
    pub secret: Option<ConfigMapVolume<'a>>,
    /// `serviceAccountToken`.
    pub service_account_token: Option<Skipped>,
}

fields!(ProjectedSource { "configMap" => config_map, "secret" => secret, "serviceAccountToken" => service_account_token });

/// What kind of configuration a volume carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum VolumeSource<'v> {
    /// One ConfigMap, by name.
    ConfigMap(&'v str),
    /// One Secret, by name.
    Secret(&'v str),
    /// A projected volume with a service-account token that expires.
    Token,
    /// Secrets of a vault, by the name of their SecretProviderClass.
    SecretProviderClass(&'v str),
    /// A volume of another driver for configuration, by the driver's name.
    Driver(&'v str),
    /// Another projected volume.
    Projected(&'v [ProjectedSource<'v>]),
    /// Fields of the pod itself.
    DownwardApi,
}

impl<'v> VolumeSource<'v> {
    /// The object of this kind and name.
    pub(crate) fn of(kind: ConfigKind, name: &'v str) -> Self {
        match kind {
            ConfigKind::ConfigMap => Self::ConfigMap(name),
            ConfigKind::Secret => Self::Secret(name),
        }
    }

    /// The kind and the name of the one object it is; `None` where it is not one.
    pub(crate) fn named(self) -> Option<(ConfigKind, &'v str)> {
        match self {
            Self::ConfigMap(name) => Some((ConfigKind::ConfigMap, name)),
            Self::Secret(name) => Some((ConfigKind::Secret, name)),
            _ => None,
        }
    }
}

impl CsiVolume<'_> {
    /// The configuration it carries; `None` for data.
    fn source(&self) -> Option<VolumeSource<'_>> {
        let class = &*self.volume_attributes.secret_provider_class;
        match &*self.driver {
            SECRETS_STORE if !class.is_empty() => Some(VolumeSource::SecretProviderClass(class)),
            driver => {
                CONFIGURATION_DRIVERS.contains(&driver).then_some(VolumeSource::Driver(driver))
            }
        }
    }
}

impl ProjectedSource<'_> {
    /// The ConfigMap or Secret this is a part of; `None` for what is neither.
    pub(crate) fn source(&self) -> Option<VolumeSource<'_>> {
        let config_map =
            self.config_map.as_ref().map(|reference| VolumeSource::ConfigMap(&reference.name));
        config_map
            .or_else(|| self.secret.as_ref().map(|reference| VolumeSource::Secret(&reference.name)))
    }

    fn part(&self) -> Option<VolumePart<'_>> {
        let reference = self.config_map.as_ref().or(self.secret.as_ref())?;
        let (items, optional) = (reference.items(), reference.optional);
        Some(VolumePart { source: self.source()?, items, optional })
    }
}

/// A ConfigMap or Secret that a volume is made of.
#[derive(Debug)]
pub(crate) struct VolumePart<'v> {
    /// Which one.
    pub source: VolumeSource<'v>,
    /// The keys that become files, and their paths; empty for all keys under their own names.
    pub items: Vec<KeyToPath<'v>>,
    /// Whether it need not be there.
    pub optional: bool,
}

impl Volume<'_> {
    /// Whether it is an `emptyDir`.
    pub(crate) fn is_empty_dir(&self) -> bool {
        self.empty_dir.is_some()
    }

    /// The names of the ConfigMaps it carries.
    pub(crate) fn config_maps(&self) -> impl Iterator<Item = &str> {
        let projected = self.projected.iter().flat_map(|projected| &projected.sources);
        let parts = projected.filter_map(|part| part.config_map.as_ref());
        self.config_map.iter().chain(parts).map(|config_map| &*config_map.name)
    }

    /// The ConfigMaps of which the file at `path` in this volume may be a key, and that key: the
    /// first that has it.
    pub(crate) fn config_map_keys<'v>(
        &'v self,
        path: &str,
    ) -> impl Iterator<Item = (&'v str, String)> {
        // of two files at one path the later counts
        let projected = self.projected.iter().flat_map(|projected| projected.sources.iter().rev());
        let parts = projected.filter_map(|part| part.config_map.as_ref());
        self.config_map
            .iter()
            .chain(parts)
            .filter_map(move |config_map| Some((&*config_map.name, config_map.key_at(path)?)))
    }

    /// The configuration this volume carries; `None` for data volumes.
    pub(crate) fn source(&self) -> Option<VolumeSource<'_>> {
        if let Some(config_map) = &self.config_map {
            return Some(VolumeSource::ConfigMap(&config_map.name));
        }
        if let Some(secret) = &self.secret {
            return Some(VolumeSource::Secret(&secret.secret_name));
        }
        if let Some(projected) = &self.projected {
            let token =
                projected.sources.iter().any(|source| source.service_account_token.is_some());
            return Some(if token {
                VolumeSource::Token
            } else {
                VolumeSource::Projected(&projected.sources)
            });
        }
        let driver = self.csi.as_ref().and_then(|csi| csi.source());
        driver.or(self.downward_api.map(|_| VolumeSource::DownwardApi))
    }

    /// The ConfigMaps and Secrets it is made of.
    pub(crate) fn objects(&self) -> impl Iterator<Item = VolumePart<'_>> {
        let config_map = self.config_map.iter().map(|volume| VolumePart {
            source: VolumeSource::ConfigMap(&volume.name),
            items: volume.items(),
            optional: volume.optional,
        });
        let secret = self.secret.iter().map(|volume| VolumePart {
            source: VolumeSource::Secret(&volume.secret_name),
            items: volume.items(),
            optional: volume.optional,
        });
        let projected = self.projected.iter().flat_map(|projected| &projected.sources);
        config_map.chain(secret).chain(projected.filter_map(ProjectedSource::part))
    }
}

/// An entry of `containers[].volumeMounts`.
#[derive(Clone, Debug, Default)]
pub struct VolumeMount<'a> {
    /// `name` of the volume.
    pub name: Text<'a>,
    /// `readOnly`.
    pub read_only: bool,
    /// `mountPath`.
    pub mount_path: Text<'a>,
    /// `subPath`.
    pub sub_path: Text<'a>,
    /// `subPathExpr`.
    pub sub_path_expr: Text<'a>,
}

fields!(VolumeMount {
    "name" => name,
    "readOnly" => read_only,
    "mountPath" => mount_path,
    "subPath" => sub_path,
    "subPathExpr" => sub_path_expr,
});

impl VolumeMount<'_> {
    /// The `subPath` or `subPathExpr` in use; `None` where the whole volume is mounted.
    pub(crate) fn part(&self) -> Option<&str> {
        [&self.sub_path, &self.sub_path_expr]
            .into_iter()
            .map(|part| &**part)
            .find(|part| !part.is_empty())
    }
}
