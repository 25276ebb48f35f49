//! The fields of the kinds that are explained, and what each holds: traced from the types of
//! k8s-openapi, which are made from the API server's own OpenAPI document. So nobody keeps a list.

mod shape;
mod trace;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use k8s_openapi::api::{apps, batch, core};

pub(super) use shape::Shape;
use shape::Types;
use trace::trace;

/// The types that are known, and the kinds of objects among them.
#[derive(Debug, Default)]
struct Schema {
    types: Types,
    kinds: BTreeMap<(&'static str, &'static str), Shape>,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema = Schema::default();
    let types = &mut schema.types;
    let kinds = [
        (("v1", "ConfigMap"), trace::<core::v1::ConfigMap>(types)),
        (("v1", "PersistentVolumeClaim"), trace::<core::v1::PersistentVolumeClaim>(types)),
        (("v1", "Pod"), trace::<core::v1::Pod>(types)),
        (("v1", "ReplicationController"), trace::<core::v1::ReplicationController>(types)),
        (("v1", "Secret"), trace::<core::v1::Secret>(types)),
        (("v1", "Service"), trace::<core::v1::Service>(types)),
        (("apps/v1", "DaemonSet"), trace::<apps::v1::DaemonSet>(types)),
        (("apps/v1", "Deployment"), trace::<apps::v1::Deployment>(types)),
        (("apps/v1", "ReplicaSet"), trace::<apps::v1::ReplicaSet>(types)),
        (("apps/v1", "StatefulSet"), trace::<apps::v1::StatefulSet>(types)),
        (("batch/v1", "CronJob"), trace::<batch::v1::CronJob>(types)),
        (("batch/v1", "Job"), trace::<batch::v1::Job>(types)),
    ];
    schema.kinds.extend(kinds);
    schema
});

impl Shape {
    /// The shape of objects of this version and kind; [`Shape::Any`] of those that are not known.
    pub(super) fn of_kind(api_version: &str, kind: &str) -> Self {
        let shape = SCHEMA.kinds.iter().find(|(key, _)| **key == (api_version, kind));
        shape.map_or(Self::Any, |(_, shape)| shape.clone())
    }

    /// What a field of it holds; `None` where it has no such field.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(of) => SCHEMA.types.get(of)?.get(name),
            Self::Map(values) => Some(values),
            Self::Any => Some(self),
            _ => None,
        }
    }

    /// The names of its fields; none where it may have any.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static str> {
        let fields = match self {
            Self::Object(of) => SCHEMA.types.get(of),
            _ => None,
        };
        fields.into_iter().flat_map(|fields| fields.keys().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn at(kind: (&str, &str), path: &[&str]) -> Option<Shape> {
        let mut shape = Shape::of_kind(kind.0, kind.1);
        for word in path {
            shape = if *word == "*" { shape.item().clone() } else { shape.field(word)?.clone() };
        }
        Some(shape)
    }

    #[test]
    fn fields_are_what_the_api_says() {
        let sets = ("apps/v1", "StatefulSet");
        assert_eq!(at(sets, &["spec", "replicas"]), Some(Shape::Integer));
        assert_eq!(at(sets, &["spec", "strategy"]), None);
        assert_eq!(
            at(sets, &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]),
            Some(Shape::IntegerOrText)
        );
        let claims = ["spec", "volumeClaimTemplates", "*", "spec", "resources", "requests"];
        assert_eq!(at(sets, &claims), Some(Shape::Map(Box::new(Shape::Amount))));
        let container = ["spec", "jobTemplate", "spec", "template", "spec", "containers", "*"];
        let jobs = ("batch/v1", "CronJob");
        assert_eq!(at(jobs, &container), Some(Shape::Object("Container")));
        let with = |more: &[&'static str]| at(jobs, &[&container[..], more].concat());
        assert_eq!(with(&["tty"]), Some(Shape::Flag));
        assert_eq!(with(&["command"]), Some(Shape::List(Box::new(Shape::Text))));
        assert_eq!(with(&["readinessProbe", "httpGet", "port"]), Some(Shape::IntegerOrText));
        assert_eq!(at(("v1", "Secret"), &["data", "a"]), Some(Shape::Bytes));
        assert_eq!(at(("v1", "Pod"), &["metadata", "deletionTimestamp"]), Some(Shape::Time));
        assert_eq!(at(("example.com/v1", "Widget"), &["a", "b"]), Some(Shape::Any));
    }
}
