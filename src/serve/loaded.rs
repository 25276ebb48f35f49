//! What must be sound before a port opens, or, of policies in a pod, before a review is judged.

use std::io::{IsTerminal, stderr};

use anyhow::{Context, bail};

use crate::certificate::{IdentitySource, self_made};
use crate::cluster::{NamespacedName, ServiceAccess, is_in_pod};
use crate::policies::folder::Folder;
use crate::policies::set::PolicySet;

use super::options::Options;
use super::policies::config_map::Read;
use super::policies::log_wait;
use super::seal::SealKeys;
use super::tls::files::KeyFiles;
use super::tls::shared::Sharing;
use super::tls::{Clients, KeyMaterial};

/// Policies and keys as they are at start, and where they come from.
pub(super) struct Loaded {
    /// The policies, or what is wrong with them where sound ones may be waited for.
    pub(super) policies: Result<PolicySet, String>,
    /// The policies folder, if there is one, and what was read there.
    pub(super) folder: Option<(Folder, Read)>,
    pub(super) key_files: KeyFiles,
    pub(super) key_material: KeyMaterial,
    /// What certificates are shared, if they are.
    pub(super) sharing: Option<Sharing>,
    pub(super) seal_keys: SealKeys,
}

impl Loaded {
    /// Loads what `options` name.
    pub(super) fn load(options: &Options) -> anyhow::Result<Self> {
        let (policies, folder) = policies(options)?;
        needs_api_server(options, "policies config map", options.policies_config_map.as_ref())?;
        let sharing = sharing(options)?;
        let key_files = key_files(options, sharing.as_ref())?;
        let key_material = key_files.load()?;
        key_material.log();
        let seal_keys = seal_keys(options)?;
        Ok(Self { policies, folder, key_files, key_material, sharing, seal_keys })
    }

    /// One line about it.
    pub(super) fn summary(&self) -> String {
        let from = if self.folder.is_some() { "from the folder" } else { "built in" };
        let names = self.key_material.leaf().names.join(", ");
        match &self.policies {
            Ok(set) => format!(
                "ok: {} policies {from}, cap {}, digest {}, certificate for {names}",
                set.iter().count(),
                set.cap(),
                set.digest()
            ),
            Err(why) => why.clone(),
        }
    }
}

type LoadedPolicies = (Result<PolicySet, String>, Option<(Folder, Read)>);

fn policies(options: &Options) -> anyhow::Result<LoadedPolicies> {
    let Some(path) = &options.policies else {
        return Ok((Ok(PolicySet::embedded(options.cap)), None));
    };
    let folder = Folder::new(path.clone());
    let read = folder.read().map_err(|error| error.to_string());
    let set = read.as_ref().map_err(Clone::clone).and_then(|contents| {
        PolicySet::read(contents, options.cap).map_err(|error| error.to_string())
    });
    match set {
        Err(why) if !may_wait(options) => bail!(why),
        Err(why) => {
            log_wait(&why);
            Ok((Err(why), Some((folder, read))))
        }
        Ok(set) => Ok((Ok(set), Some((folder, read)))),
    }
}

/// Whether a server without sound policies waits for them. In a pod it would be started again and
/// again, and say less the longer that takes; elsewhere somebody waits for an answer.
fn may_wait(options: &Options) -> bool {
    !options.check && is_in_pod() && !stderr().is_terminal()
}

fn sharing(options: &Options) -> anyhow::Result<Option<Sharing>> {
    let sharing = options.sharing()?;
    needs_api_server(options, "tls secret", sharing.as_ref().map(|sharing| &sharing.secret))?;
    Ok(sharing)
}

fn key_files(options: &Options, sharing: Option<&Sharing>) -> anyhow::Result<KeyFiles> {
    let identity = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => {
            IdentitySource::Files { certificate: certificate.clone(), key: key.clone() }
        }
        // what is shared takes its place once the API server was asked
        _ => {
            let names = sharing.map_or(&[][..], |sharing| &sharing.names);
            IdentitySource::Held(self_made::make(names)?.0)
        }
    };
    let clients = options
        .client_ca
        .clone()
        .map(|authority| Clients { authority, names: options.client_name.clone() });
    Ok(KeyFiles { identity, clients })
}

fn seal_keys(options: &Options) -> anyhow::Result<SealKeys> {
    match (&options.seal_key, &options.seal_secret) {
        (Some(path), _) => {
            SealKeys::read(path).with_context(|| format!("seal key \"{}\"", path.display()))
        }
        (None, Some(secret)) => {
            needs_api_server(options, "seal secret", Some(secret))?;
            Ok(SealKeys::default()) // known once the API server was asked
        }
        (None, None) => Ok(SealKeys::made()?),
    }
}

/// Refuses the name of an object where nobody can be asked for it.
fn needs_api_server(
    options: &Options,
    what: &str,
    name: Option<&NamespacedName>,
) -> anyhow::Result<()> {
    match name {
        Some(name) if ServiceAccess::find(options.kubeconfig.clone()).is_none() => bail!(
            "{what} \"{name}\" needs an API server: a kubeconfig, or the service account of a pod"
        ),
        _ => Ok(()),
    }
}
