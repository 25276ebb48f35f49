//! Kinds that make pods and are none of Kubernetes' own: those that are known, and those that
//! somebody names.

use std::str::FromStr;

use crate::kube::template::{Like, PodMaker};
use crate::manifest::pointer::{resolve, tokens};
use crate::yaml::{Node, Value};

/// The kinds of a run.
#[derive(Clone, Debug)]
pub(super) struct Kinds(Vec<CustomKind>);

/// A kind that makes pods: `KIND.GROUP=POINTER`, as in
/// `Widget.example.com=/spec/parts/*/template`. Several pointers are parted by commas, and
/// `Widget.example.com:Job=` says that its pods come to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomKind {
    group: String,
    pub(super) kind: String,
    /// The JSON pointers of its templates; `*` stands for each item of a list.
    templates: Vec<String>,
    /// What rolls its pods.
    pub(super) like: Like,
    /// Whether Reloader looks at it.
    pub(super) reloaded: bool,
    /// Whether its API knows only some fields of a pod.
    pub(super) closed: bool,
}

/// By which kind a custom one may go.
const LIKE: [Like; 5] =
    [Like::Deployment, Like::StatefulSet, Like::DaemonSet, Like::ReplicaSet, Like::Job];

/// Text that names no kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not of the form KIND.GROUP=POINTER[,POINTER], such as \"Widget.example.com=/spec/template\"; \
     after GROUP may stand :Deployment, :StatefulSet, :DaemonSet, :ReplicaSet or :Job, by which it goes"
)]
pub struct NoKind;

impl FromStr for CustomKind {
    type Err = NoKind;

    fn from_str(text: &str) -> Result<Self, NoKind> {
        let (name, pointers) = text.split_once('=').ok_or(NoKind)?;
        let (name, like) = name.split_once(':').unwrap_or((name, "Deployment"));
        let (kind, group) = name.split_once('.').ok_or(NoKind)?;
        let templates: Vec<_> = pointers.split(',').map(str::to_owned).collect();
        let is_pointer = |pointer: &String| pointer.len() > 1 && pointer.starts_with('/');
        let is_like = |known: &Like| known.kind().is_some_and(|(_, kind)| kind == like);
        let like = LIKE.into_iter().find(is_like).ok_or(NoKind)?;
        if kind.is_empty() || group.is_empty() || !templates.iter().all(is_pointer) {
            return Err(NoKind);
        }
        let (group, kind) = (group.to_owned(), kind.to_owned());
        Ok(Self { group, kind, templates, like, reloaded: false, closed: false })
    }
}

impl From<&PodMaker> for CustomKind {
    fn from(row: &PodMaker) -> Self {
        Self {
            group: row.group.to_owned(),
            kind: row.kind.to_owned(),
            templates: row.templates.iter().map(|pointer| (*pointer).to_owned()).collect(),
            like: row.like,
            reloaded: row.reloaded,
            closed: row.closed,
        }
    }
}

impl Kinds {
    /// Those that are known, and `named` before them.
    pub(super) fn with(named: &[CustomKind]) -> Self {
        Self(named.iter().cloned().chain(PodMaker::others().map(CustomKind::from)).collect())
    }

    /// The kind of this group and name.
    pub(super) fn find(&self, group: &str, kind: &str) -> Option<&CustomKind> {
        self.0.iter().find(|known| (&*known.group, &*known.kind) == (group, kind))
    }

    /// Whether any kind has this name, in whatever group.
    pub(super) fn has(&self, kind: &str) -> bool {
        self.0.iter().any(|known| known.kind == kind)
    }
}

impl CustomKind {
    /// The JSON pointers of the templates in `object`.
    pub(super) fn places(&self, object: &Node) -> Vec<String> {
        let mut places = Vec::new();
        for template in &self.templates {
            let mut found = vec![String::new()];
            for token in tokens(template) {
                let step = |place: String| match (&*token, resolve(object, &place)) {
                    ("*", Some(Node { value: Value::List(items), .. })) => {
                        (0..items.len()).map(|index| format!("{place}/{index}")).collect()
                    }
                    ("*", _) => Vec::new(),
                    _ => vec![format!("{place}/{}", token.replace('~', "~0").replace('/', "~1"))],
                };
                found = found.into_iter().flat_map(step).collect();
            }
            let is_there = |place: &String| {
                resolve(object, place).is_some_and(|node| matches!(node.value, Value::Map(_)))
            };
            places.extend(found.into_iter().filter(is_there));
        }
        places
    }
}

/// How deep an object is searched for a template.
const DEEPEST: usize = 6;

/// The JSON pointer of something in `object` that looks like the template of a pod.
pub(super) fn likely_template(object: &Node) -> Option<String> {
    search(object, String::new(), DEEPEST)
}

fn search(node: &Node, pointer: String, depth: usize) -> Option<String> {
    let is_container =
        |node: &Node| ["image", "name"].iter().all(|field| node.field(field).is_some());
    let containers = node.field("spec").and_then(|spec| spec.field("containers"));
    let containers = containers.map(Node::elements).unwrap_or_default();
    if !pointer.is_empty() && !containers.is_empty() && containers.iter().all(is_container) {
        return Some(pointer);
    }
    let depth = depth.checked_sub(1)?;
    match &node.value {
        Value::Map(entries) => entries.iter().find_map(|(key, value)| {
            let key = key.as_text()?.replace('~', "~0").replace('/', "~1");
            search(value, format!("{pointer}/{key}"), depth)
        }),
        Value::List(items) => {
            items.iter().find_map(|item| search(item, format!("{pointer}/*"), depth))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::documents;

    #[test]
    fn kinds_are_named() {
        let read = |text: &str| text.parse::<CustomKind>();
        let widget = read("Widget.example.com=/spec/template,/spec/parts/*/pod").unwrap();
        assert_eq!((&*widget.kind, &*widget.group), ("Widget", "example.com"));
        assert_eq!(widget.templates, ["/spec/template", "/spec/parts/*/pod"]);
        assert_eq!(widget.like, Like::Deployment);
        assert_eq!(read("Task.example.com:Job=/spec/template").unwrap().like, Like::Job);
        for wrong in [
            "",
            "Widget",
            "Widget=/spec",
            "Widget.x=spec",
            "Widget.x=",
            ".x=/a",
            "W.x:Pod=/a",
            "W.x=/a,",
        ] {
            assert_eq!(read(wrong), Err(NoKind), "{wrong}");
        }
    }

    #[test]
    fn templates_are_found() {
        let text = "{spec: {a: {spec: {containers: [{name: a, image: x}]}}, parts: [{pod: {}}, {pod: {}}, {pod: 1}]}}";
        let object = documents::value(text).unwrap();
        let kind: CustomKind = "W.x=/spec/a,/spec/parts/*/pod,/spec/b".parse().unwrap();
        assert_eq!(kind.places(&object), ["/spec/a", "/spec/parts/0/pod", "/spec/parts/1/pod"]);
        assert_eq!(likely_template(&object).as_deref(), Some("/spec/a"));
        let other = documents::value("{spec: {containers: [{name: a, image: x}]}}").unwrap();
        assert_eq!(likely_template(&other), None, "a part of somebody else's pod");
    }
}
