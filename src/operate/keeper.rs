//! Who keeps a pod: the workload at the top of its controllers.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::cluster::kind::Kind;
use crate::cluster::object_name::ObjectName;
use crate::explain::live;
use crate::manifest::unstructured::Unstructured;

/// More controllers above each other than there are.
const HIGHEST: usize = 5;

/// A workload, or a pod that nobody keeps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Keeper {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// It as it is stored; `None` where it may not be read or its kind is not known here.
    pub(super) object: Option<Unstructured>,
    /// The controller of a kind that is not known here, an operator's say, which keeps it:
    /// `Cluster "db"`.
    pub(super) operator: Option<String>,
}

impl Keeper {
    /// Climbs from `object`, which may be a pod or a workload, to whatever keeps it.
    pub(super) async fn of(cluster: &Cluster, object: &Unstructured) -> Self {
        let mut keeper = Self::itself(object);
        for _ in 0..HIGHEST {
            let Some(owner) = keeper.object.as_ref().and_then(Reference::controller_of) else {
                break;
            };
            let Some(kind) = owner.known_kind() else {
                keeper.operator = Some(format!("{} {:?}", owner.kind, owner.name));
                break;
            };
            let named = ObjectName { kind, name: owner.name.clone() };
            // what may not be read is still known by its reference
            let above = live::read(cluster, &named).await.ok();
            let above = above.filter(|object| object.text("/metadata/uid") == Some(&owner.uid));
            keeper = Self {
                api_version: owner.api_version,
                kind: owner.kind,
                name: owner.name,
                uid: owner.uid,
                object: above,
                operator: None,
            };
        }
        keeper
    }

    fn itself(object: &Unstructured) -> Self {
        let text = |pointer: &str| object.text(pointer).unwrap_or_default().to_owned();
        Self {
            api_version: text("/apiVersion"),
            kind: object.kind.clone(),
            name: object.name.clone(),
            uid: text("/metadata/uid"),
            object: Some(object.clone()),
            operator: None,
        }
    }

    /// Whether it is the pod itself.
    pub(super) fn is_pod(&self) -> bool {
        self.kind == "Pod"
    }

    /// What commands call it: `statefulset/db`.
    pub(super) fn target(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}

/// A reference to a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
}

impl Reference {
    fn controller_of(object: &Unstructured) -> Option<Self> {
        let owners = object.value().pointer("/metadata/ownerReferences")?.as_array()?;
        let is_controller =
            |owner: &&Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
        let owner = owners.iter().find(is_controller)?;
        let text = |key: &str| Some(owner.get(key)?.as_str()?.to_owned());
        Some(Self {
            api_version: text("apiVersion")?,
            kind: text("kind")?,
            name: text("name")?,
            uid: text("uid")?,
        })
    }

    fn known_kind(&self) -> Option<&'static Kind> {
        Kind::every().find(|kind| kind.name == self.kind && kind.api_version() == self.api_version)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_controller_keeps_and_its_group_tells_its_kind() {
        let owned = |api_version: &str, kind: &str, controller: bool| {
            let owner = json!({"apiVersion": api_version, "kind": kind, "name": "db", "uid": "u", "controller": controller});
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "ownerReferences": [owner]}});
            Reference::controller_of(&Unstructured::of(pod, "shop").unwrap())
        };
        let known = |reference: Option<Reference>| reference.unwrap().known_kind().is_some();
        assert!(known(owned("apps/v1", "StatefulSet", true)));
        assert!(!known(owned("apps.kruise.io/v1beta1", "StatefulSet", true)));
        assert!(!known(owned("postgresql.cnpg.io/v1", "Cluster", true)));
        assert_eq!(owned("apps/v1", "StatefulSet", false), None);
    }
}
