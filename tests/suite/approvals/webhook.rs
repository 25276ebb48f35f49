//! A webhook that a test approves through.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use serde_json::Value;

use crate::following::{VolumeFolder, policy};
use crate::server::Server;
use crate::subjects::update;

/// A server where the policy says that alice approves.
pub(super) struct Webhook {
    pub(super) server: Server,
    pub(super) _folder: Option<VolumeFolder>,
}

impl Webhook {
    pub(super) fn new(flags: &[&str]) -> Self {
        Self::of(policy("memory-limit-decrease", "enforce"), flags)
    }

    /// The same with another policy on decreases.
    pub(super) fn of(decrease: (String, String), flags: &[&str]) -> Self {
        let (name, text) = policy("approval-authority", "enforce");
        let authority =
            (name, format!("{text}\nsettings: {{approvers: {{users: [alice], groups: [sre]}}}}\n"));
        let folder = VolumeFolder::new(&[authority, decrease]);
        let server = Server::start(&[&["--policies", folder.path()], flags].concat());
        Self { server, _folder: Some(folder) }
    }

    pub(super) async fn ask(&self, path: &str, body: &[u8]) -> Value {
        let (status, answer) = self.server.client().await.post(path, body.to_vec()).await;
        assert_eq!(status, StatusCode::OK);
        serde_json::from_slice::<Value>(&answer).unwrap()["response"].take()
    }

    /// The pod after the mutating path, or what it refuses with.
    pub(super) async fn mutate(
        &self,
        user: &str,
        old: &Value,
        new: &Value,
        dry_run: bool,
    ) -> Result<Value, String> {
        let response = self.ask("/mutate", &by(user, &update(old, new), dry_run)).await;
        if response["allowed"] == false {
            return Err(response["status"]["message"].as_str().unwrap().to_owned());
        }
        Ok(patched(new, &response))
    }

    pub(super) async fn validate(
        &self,
        user: &str,
        body: &[u8],
        dry_run: bool,
    ) -> Result<(), String> {
        let response = self.ask("/validate", &by(user, body, dry_run)).await;
        if response["allowed"] == true {
            Ok(())
        } else {
            Err(response["status"]["message"].as_str().unwrap().to_owned())
        }
    }
}

pub(super) fn by(user: &str, body: &[u8], dry_run: bool) -> Vec<u8> {
    let mut review: Value = serde_json::from_slice(body).unwrap();
    review["request"]["userInfo"]["username"] = user.into();
    review["request"]["dryRun"] = dry_run.into();
    serde_json::to_vec(&review).unwrap()
}

pub(super) fn patched(object: &Value, response: &Value) -> Value {
    let mut object = object.clone();
    if let Some(patch) = response["patch"].as_str() {
        let operations: json_patch::Patch =
            serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
        json_patch::patch(&mut object, &operations).unwrap();
    }
    object
}
