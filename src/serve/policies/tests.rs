use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::NamespacedName;
use crate::serve::metrics::Metrics;
use crate::serve::testing::{api_server, json as reply};
use crate::service::health::Health;

use super::*;

/// The modes by which sets are told apart, from old to new.
const MODES: [&str; 4] = ["off", "audit", "warn", "enforce"];

/// A folder, and the ConfigMap that it shows sooner or later.
struct Place {
    source: PolicySource,
    folder: TempDir,
    /// The answer about the ConfigMap.
    answer: Arc<Mutex<(u16, Value)>>,
    health: Arc<Health>,
}

impl Place {
    /// Folder and ConfigMap have the oldest set, which is in force.
    async fn new() -> Self {
        let answer = Arc::new(Mutex::new((200, map(&text(MODES[0])))));
        let answered = Arc::clone(&answer);
        let routes = Router::new().fallback(any(move |request: Request| {
            assert_eq!(request.uri().path(), "/api/v1/namespaces/restraint/configmaps/policies");
            let (status, body) = answered.lock().unwrap().clone();
            async move { reply(status, &body) }
        }));
        let (client, health) = (api_server(routes).await, Arc::new(Health::default()));
        let name = NamespacedName::new("restraint", "policies");
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file-watch.yaml"), text(MODES[0])).unwrap();
        let read = Folder::new(folder.path().to_owned());
        let source = PolicySource::new(
            read.clone(),
            Some(PolicyMap::new(client, name, Arc::clone(&health))),
            Cap::Enforce,
            Some(Ok(read.read().unwrap())),
            false,
            Arc::new(Metrics::new()),
        );
        Self { source, folder, answer, health }
    }

    /// From now on the ConfigMap has this set.
    fn store(&self, mode: &str) {
        *self.answer.lock().unwrap() = (200, map(&text(mode)));
    }

    /// From now on the ConfigMap may not be read.
    fn forbid(&self) {
        let status = json!({"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "not for you"});
        *self.answer.lock().unwrap() = (403, status);
    }

    /// From now on the folder shows this set.
    fn show(&self, mode: &str) {
        fs::write(self.folder.path().join("file-watch.yaml"), text(mode)).unwrap();
    }

    /// From now on a folder is behind for no time at all.
    fn catch_up(&mut self) {
        self.source.map.as_mut().unwrap().set_lag(Duration::ZERO);
    }

    /// The mode of the set that a look finds, or what else comes of it.
    async fn look(&mut self) -> String {
        match self.source.look().await.unwrap() {
            Look::Unchanged => "unchanged".to_owned(),
            Look::Found(set) => set.unwrap().iter().next().unwrap().mode.to_string(),
            Look::Refused(why) => format!("refused: {why}"),
            Look::Unreachable { why, .. } => panic!("{why}"),
        }
    }

    fn report(&self) -> String {
        self.health.report().1
    }
}

fn text(mode: &str) -> String {
    format!("name: file-watch\nrule: file-watch\nmode: {mode}\n")
}

fn map(text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "policies"}, "data": {"file-watch.yaml": text, "notes": "none"}})
}

#[tokio::test]
async fn a_folder_that_is_behind_takes_nothing_back() {
    let mut place = Place::new().await;
    assert_eq!(place.look().await, "unchanged", "both show what is in force");
    place.store("enforce");
    assert_eq!(place.look().await, "enforce");
    for mode in MODES {
        place.show(mode);
        assert_eq!(place.look().await, "unchanged", "the folder shows {mode}");
    }
    place.show("off");
    place.catch_up();
    assert_eq!(place.look().await, "unchanged", "however long it takes");
    place.store("off");
    assert_eq!(place.look().await, "off", "what was before may be the newest again");
}

#[tokio::test]
async fn while_the_config_map_is_out_of_reach_news_in_the_folder_count() {
    let mut place = Place::new().await;
    place.store("warn");
    assert_eq!(place.look().await, "warn");
    place.forbid();
    place.show("audit");
    assert_eq!(place.look().await, "unchanged", "it may be older");
    place.show("off");
    place.catch_up();
    assert_eq!(place.look().await, "unchanged", "it shows what it showed all the time");
    place.show("enforce");
    assert_eq!(place.look().await, "enforce");
    place.show("off");
    assert_eq!(place.look().await, "off", "from now on it is the only one that is heard");
    place.store("audit");
    assert_eq!(place.look().await, "audit");
    place.show("enforce");
    assert_eq!(place.look().await, "unchanged");
}

#[tokio::test]
async fn without_the_right_the_folder_is_followed() {
    let mut place = Place::new().await;
    place.forbid();
    assert_eq!(place.look().await, "unchanged");
    place.show("enforce");
    assert_eq!(place.look().await, "enforce");
    let report = place.report();
    assert!(report.contains("config map: cannot be read or written now:\n  "), "{report}");
    assert!(report.contains("not for you"), "{report}");
}

#[tokio::test]
async fn readiness_says_whether_the_config_map_is_read() {
    let mut place = Place::new().await;
    place.look().await;
    assert_eq!(place.report(), "ok\nconfig map: restraint/policies\n");
    *place.answer.lock().unwrap() =
        (404, json!({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound"}));
    assert_eq!(place.look().await, "unchanged", "what is deleted takes no policy away");
    let expected = "ok\nconfig map: restraint/policies\nconfig map: cannot be read or written now:\n  \
                    config map \"restraint/policies\" does not exist\n";
    assert_eq!(place.report(), expected);
    place.store("off");
    place.look().await;
    assert_eq!(place.report(), "ok\nconfig map: restraint/policies\n");
}

#[tokio::test]
async fn a_faulty_config_map_is_refused_once_and_cured() {
    let mut place = Place::new().await;
    place.store("loud");
    let told = "refused: file-watch.yaml:3:7: unknown mode \"loud\"";
    let said = place.look().await;
    assert!(said.starts_with(told), "{said}");
    assert_eq!(place.look().await, "unchanged");
    *place.answer.lock().unwrap() = (200, json!({"metadata": {"name": "policies"}}));
    assert!(place.look().await.ends_with("has no entries that end in .yaml or .yml"));
    place.store("warn");
    assert_eq!(place.look().await, "warn");
}
