//! An Event on the workload that says who did what.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::PostParams;

use crate::cluster::Cluster;
use crate::cluster::error::error_message;
use crate::terminal;

use super::keeper::Keeper;
use super::rights::{self, Right};

/// What writing one takes. Without it nothing is told, and that is said.
const RIGHT: Right = Right::new("create", "events.k8s.io", "events");

/// The longest note that the API server takes, in bytes.
const LONGEST: usize = 1024;

/// What was done, in words of Events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    /// `Resized`, for example.
    pub(super) reason: &'static str,
    /// `Resize`, for example.
    pub(super) action: &'static str,
    /// Whether it went wrong.
    pub(super) is_warning: bool,
}

/// That nobody else will read of it, where that is so.
///
/// # Errors
///
/// Where the API server does not say.
pub(super) async fn silence(cluster: &Cluster) -> anyhow::Result<Option<String>> {
    let is_missing = !rights::missing(cluster, &[RIGHT]).await?.is_empty();
    Ok(is_missing.then(|| format!("nobody else will read of it: no right to {RIGHT}")))
}

/// Tells it on the workload. A failure is a remark: the deed is done.
pub(super) async fn tell(cluster: &Cluster, keeper: &Keeper, deed: Deed, note: String) {
    let events: Api<Event> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let event = event(&cluster.namespace, keeper, deed, note);
    if let Err(error) = events.create(&PostParams::default(), &event).await {
        let target = keeper.target();
        terminal::remark(&format!(
            "note: no event on {target} tells of it: {}",
            error_message(&error)
        ));
    }
}

fn event(namespace: &str, keeper: &Keeper, deed: Deed, mut note: String) -> Event {
    note.truncate(note.floor_char_boundary(LONGEST));
    let kind = if deed.is_warning { "Warning" } else { "Normal" };
    Event {
        metadata: ObjectMeta {
            generate_name: Some("restraint-".to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime(Timestamp::now())),
        regarding: Some(ObjectReference {
            api_version: Some(keeper.api_version.clone()),
            kind: Some(keeper.kind.clone()),
            name: Some(keeper.name.clone()),
            namespace: Some(namespace.to_owned()),
            uid: Some(keeper.uid.clone()),
            ..ObjectReference::default()
        }),
        type_: Some(kind.to_owned()),
        reason: Some(deed.reason.to_owned()),
        action: Some(deed.action.to_owned()),
        note: Some(note),
        reporting_controller: Some("restraint.dev/operate".to_owned()),
        reporting_instance: Some("restraint".to_owned()),
        ..Event::default()
    }
}
