//! Everything that is followed while the server runs.

use std::sync::Arc;

use kube::Client;
use tracing::warn;

use crate::policies::folder::Folder;
use crate::policies::set::PolicySet;
use crate::service::health::{Health, Topic, Trouble};

use super::configuration::{self, Index};
use super::followed::Followed;
use super::followed::file_watch::Intervals;
use super::loaded::Loaded;
use super::metrics::{Metrics, SharedMetrics};
use super::namespaces::Namespaces;
use super::options::Options;
use super::policies::collector::Digest;
use super::policies::config_map::{PolicyMap, Read};
use super::policies::exemptions::Exemptions;
use super::policies::{self, PolicySource};
use super::seal::SealKeys;
use super::seal::collector::Keys;
use super::seal::file::KeyFile;
use super::seal::secret::SharedSecret;
use super::tasks::supervise;
use super::tls::KeyMaterial;
use super::tls::files::{KeyFiles, KeyFilesSource};
use super::tls::shared::source::SharedSource;
use super::tls::shared::{Rotations, Sharing};

/// What is in force, and who is told of it.
pub(super) struct Following {
    pub(super) policies: Arc<Followed<Option<PolicySet>>>,
    pub(super) key_material: Arc<Followed<KeyMaterial>>,
    pub(super) seal_keys: Arc<Followed<SealKeys>>,
    pub(super) namespaces: Arc<Namespaces>,
    pub(super) config_users: Arc<Index>,
    pub(super) health: Arc<Health>,
    pub(super) metrics: SharedMetrics,
}

impl Following {
    /// Puts in force what was loaded and follows where it came from, through `client` where it is
    /// the API server. Needs a runtime.
    pub(super) fn start(
        options: &Options,
        loaded: Loaded,
        mut metrics: Metrics,
        client: Option<&Client>,
    ) -> Self {
        let (policies, fault) = match loaded.policies {
            Ok(set) => (Some(set), None),
            Err(why) => (None, Some(why)),
        };
        let policies = Arc::new(Followed::new(policies));
        metrics.registry().register_collector(Box::new(Digest(Arc::clone(&policies))));
        metrics.registry().register_collector(Box::new(Exemptions(Arc::clone(&policies))));
        let seal_keys = Arc::new(Followed::new(loaded.seal_keys));
        metrics.registry().register_collector(Box::new(Keys(Arc::clone(&seal_keys))));
        let config_users = Arc::<Index>::default();
        if options.configuration {
            let users = configuration::Users(Arc::clone(&config_users));
            metrics.registry().register_collector(Box::new(users));
        }
        let sharing =
            loaded.sharing.map(|sharing| (sharing, Rotations::register(metrics.registry())));
        let following = Self {
            policies,
            key_material: Arc::new(Followed::new(loaded.key_material)),
            seal_keys,
            namespaces: Arc::default(),
            config_users,
            health: Arc::default(),
            metrics: Arc::new(metrics),
        };
        following.tell(fault);
        following.follow_namespaces(client);
        if options.configuration {
            following.follow_config_users(client);
        }
        following.follow_seal_keys(options, client);
        match (sharing, client) {
            (Some((sharing, rotations)), Some(client)) => {
                following.follow_shared(sharing, rotations, loaded.key_files, client);
            }
            _ => following.follow_key_files(loaded.key_files),
        }
        if let Some((folder, read)) = loaded.folder {
            following.follow_policies(options, folder, read, client);
        }
        following
    }

    /// Tells readiness and metrics what is in force at start, and why there are no policies, if so.
    fn tell(&self, fault: Option<String>) {
        let (policies, key_material) = (self.policies.load(), self.key_material.load());
        self.metrics.policies(policies::count(&policies), fault.is_none());
        if let Some(set) = &**policies {
            self.health.in_force(Topic::Policies, policies::describe(set));
        }
        if let Some(why) = fault {
            self.health.wait_for(Topic::Policies);
            self.health.trouble(Topic::Policies, Trouble::Refused(why));
        }
        self.metrics.certificate_expiry(key_material.leaf().not_after);
        self.health.in_force(Topic::Certificate, key_material.describe());
    }

    fn follow_namespaces(&self, client: Option<&Client>) {
        let Some(client) = client.cloned() else {
            return self.warn_of_unknown_labels();
        };
        self.health.wait_for(Topic::Namespaces);
        let (namespaces, health) = (Arc::clone(&self.namespaces), Arc::clone(&self.health));
        supervise("namespaces", move || {
            Arc::clone(&namespaces).follow(client.clone(), Arc::clone(&health))
        });
    }

    /// Readiness does not wait: while users are not known, rules about them are silent.
    fn follow_config_users(&self, client: Option<&Client>) {
        match client {
            Some(client) => configuration::follow(&self.config_users, client, &self.health),
            None => {
                let why = "there is no API server to ask".to_owned();
                warn!("users of ConfigMaps are not known: {why}");
                self.health.trouble(Topic::Configuration, Trouble::Unreachable(why));
            }
        }
    }

    fn follow_seal_keys(&self, options: &Options, client: Option<&Client>) {
        match (&options.seal_key, &options.seal_secret, client.cloned()) {
            (Some(path), ..) => {
                let path = path.clone();
                let start = move || KeyFile::new(path.clone());
                self.seal_keys.supervise("seal keys", &self.health, start);
            }
            (None, Some(name), Some(client)) => {
                self.health.wait_for(Topic::SealKeys);
                let name = name.clone();
                let start = move || SharedSecret::new(client.clone(), name.clone());
                self.seal_keys.supervise("seal keys", &self.health, start);
            }
            (None, _, Some(_)) => warn!(
                "seal key made at start: approvals end with this process, and other replicas do not know them"
            ),
            (None, ..) => {}
        }
    }

    fn follow_shared(
        &self,
        sharing: Sharing,
        rotations: Rotations,
        files: KeyFiles,
        client: &Client,
    ) {
        self.health.wait_for(Topic::Certificate);
        let (client, health) = (client.clone(), Arc::clone(&self.health));
        let metrics = Arc::clone(&self.metrics);
        self.key_material.supervise("shared certificate", &self.health, move || {
            SharedSource::new(
                client.clone(),
                sharing.clone(),
                files.clients.clone(),
                rotations.clone(),
                Arc::clone(&health),
                Arc::clone(&metrics),
            )
        });
    }

    fn follow_key_files(&self, files: KeyFiles) {
        if files.paths().is_empty() {
            return;
        }
        let metrics = Arc::clone(&self.metrics);
        self.key_material.supervise("certificate files", &self.health, move || {
            KeyFilesSource::new(files.clone(), Intervals::default(), Arc::clone(&metrics))
        });
    }

    fn follow_policies(
        &self,
        options: &Options,
        folder: Folder,
        read: Read,
        client: Option<&Client>,
    ) {
        let (metrics, health) = (Arc::clone(&self.metrics), Arc::clone(&self.health));
        let map = client.cloned().zip(options.policies_config_map.clone());
        let (cap, mut tried, policies) = (options.cap, Some(read), Arc::clone(&self.policies));
        self.policies.supervise("policies", &self.health, move || {
            let map = map.clone();
            let map = map.map(|(client, name)| PolicyMap::new(client, name, Arc::clone(&health)));
            // after a panic nobody knows what came of the last try
            let waits = policies.load().is_none();
            PolicySource::new(folder.clone(), map, cap, tried.take(), waits, Arc::clone(&metrics))
        });
    }

    /// A policy that selects namespaces by label applies to all of them while their labels are
    /// unknown.
    fn warn_of_unknown_labels(&self) {
        for policy in self.policies.load().iter().flat_map(|set| set.unresolvable()) {
            warn!(
                policy = policy.name,
                "selects namespaces by label, which are not known here: it applies to every namespace"
            );
        }
    }
}
