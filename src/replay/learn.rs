//! What an event tells of objects, for the events after it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::json::text::{Labels, Text};
use crate::json::{self, Raw, fields};
use crate::judge::subject::{Operation, Resource};

use super::event::{Answer, Event};
use super::memory::{Memory, State, place};
use super::patch::patched;
use super::resources::{Way, default_requests, may_grow, resized};
use super::snapshot::{Head, prune, snapshot};
use super::webhooks::with_all_patches;

impl Memory {
    /// Takes note of what `event` tells.
    pub(super) fn learn(&mut self, event: &Event<'_>) {
        if &*event.stage == "RequestReceived" {
            if !event.is_dry_run() {
                let place = place("pods", event.namespace(), event.name());
                self.begin(&event.audit_id, place);
            }
            return;
        }
        if event.is_dry_run() {
            return;
        }
        let place = place(event.plural(), event.namespace(), event.name());
        match event.answer() {
            Answer::Done if event.is_complete() => {}
            Answer::Refused(404) => return self.forget(&place),
            Answer::Refused(_) => return,
            // it may have been done
            _ => return self.doubt(&place),
        }
        match (event.plural(), event.subresource()) {
            ("namespaces", "") => self.learn_namespace(event),
            _ if event.is_deletion() => match event.name() {
                "" => self.doubt_all(event.plural(), event.namespace()),
                _ => self.doubt(&place),
            },
            ("pods", "binding") | ("bindings", "") => self.learn_binding(event),
            _ => self.learn_object(event, place),
        }
    }

    fn learn_object(&mut self, event: &Event<'_>, place: Box<str>) {
        let kind = match event.resource() {
            Resource::Other => "Pod",
            resource => resource.kind(),
        };
        if let Some(raw) = event.response_of(kind) {
            return self.learn_state(event.plural(), raw, event.subresource() == "resize");
        }
        if let Some(raw) = event.response_of("PodList") {
            return self.learn_list(raw);
        }
        let is_write = matches!(event.operation(), Operation::Create | Operation::Update);
        // statuses and ephemeral containers change nothing that is judged
        if is_write && matches!(event.subresource(), "" | "resize") {
            self.learn_request(event, place);
        }
    }

    /// An object as it is stored.
    fn learn_state(&mut self, plural: &str, raw: Raw<'_>, is_resize: bool) {
        let Some(head) = Head::read(raw.get()) else { return };
        let metadata = &head.metadata;
        if metadata.name.is_empty() || metadata.uid.is_empty() {
            return;
        }
        let place = place(plural, &metadata.namespace, &metadata.name);
        let (version, digest) = (head.version(), head.digest());
        if let Some(state) = self.state_mut(&place)
            && *state.uid == *metadata.uid
        {
            if state.version > version {
                // what was read elsewhere may be of before
                return;
            }
            let is_same = state.generation.is_some()
                && state.generation == metadata.generation
                && state.digest == digest;
            if is_same {
                let place = place.clone();
                state.version = version;
                state.status = head.resize_status();
                state.is_doubtful = false;
                state.is_unsettled &= is_resize;
                return self.close(&place);
            }
        }
        // whatever came in before is in this state, or will tell of itself
        self.close(&place);
        let Some(object) = snapshot(raw.get()) else { return self.forget(&place) };
        let state = State {
            uid: (*metadata.uid).into(),
            generation: metadata.generation,
            version,
            object,
            status: head.resize_status(),
            digest,
            is_unsettled: is_resize,
            ..State::default()
        };
        self.put(place, state);
    }

    fn learn_list(&mut self, raw: Raw<'_>) {
        #[derive(Default)]
        struct List<'a> {
            items: Vec<Raw<'a>>,
        }
        fields!(List { "items" => items });
        let list: Option<List<'_>> = json::read(raw.get()).ok();
        for item in list.into_iter().flat_map(|list| list.items) {
            self.learn_state("pods", item, false);
        }
    }

    /// An object of which only the request tells.
    fn learn_request(&mut self, event: &Event<'_>, place: Box<str>) {
        let body = event.request_object.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let is_creation = event.operation() == Operation::Create;
        if event.name().is_empty() {
            return;
        }
        if is_creation {
            self.close(&place);
        }
        let known = self.state(&place).filter(|_| !is_creation).cloned();
        let uid = known.as_ref().map(|known| known.uid.clone()).unwrap_or_default();
        if !uid.is_empty() && event.subresource().is_empty() {
            // the log has answers about it, which tell more
            return self.doubt(&place);
        }
        let next = body.and_then(|body| next_state(event, known.as_ref(), &body));
        match next {
            Some(object) => {
                let grows =
                    known.as_ref().and_then(State::value).is_none_or(|old| may_grow(&old, &object));
                let state = State {
                    uid,
                    object: object.to_string().into(),
                    is_asked: is_creation || known.as_ref().is_none_or(|known| known.is_asked),
                    is_unsettled: event.subresource() == "resize" && grows
                        || known.is_some_and(|known| known.is_unsettled),
                    ..State::default()
                };
                self.put(place, state);
            }
            None => self.forget(&place),
        }
    }

    /// A pod is bound to a node: the annotations of the binding become its own.
    fn learn_binding(&mut self, event: &Event<'_>) {
        let Some(binding) = event.request_object.and_then(|raw| json_of(raw)) else { return };
        let text = |pointer| binding.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = if event.name().is_empty() { text("/metadata/name") } else { event.name() };
        let Some(state) = self.state_mut(&place("pods", event.namespace(), name)) else { return };
        let Some(mut pod) = state.value() else { return };
        if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
            spec.insert("nodeName".to_owned(), text("/target/name").into());
        }
        if let Some(annotations) = binding.pointer("/metadata/annotations") {
            json_patch::merge(
                &mut pod,
                &serde_json::json!({"metadata": {"annotations": annotations}}),
            );
        }
        state.object = pod.to_string().into();
    }

    fn learn_namespace(&mut self, event: &Event<'_>) {
        if event.is_deletion() {
            self.namespaces.remove(event.name());
            return self.doubt_all("", event.name());
        }
        #[derive(Default)]
        struct Namespace<'a> {
            metadata: Metadata<'a>,
        }
        fields!(Namespace { "metadata" => metadata });
        #[derive(Default)]
        struct Metadata<'a> {
            name: Text<'a>,
            labels: Labels<'a>,
        }
        fields!(Metadata { "name" => name, "labels" => labels });
        #[derive(Default)]
        struct List<'a> {
            items: Vec<Namespace<'a>>,
        }
        fields!(List { "items" => items });

        let whole = match &*event.verb {
            "create" | "update" => event.response_of("Namespace").or(event.request_object),
            _ => event.response_of("Namespace"),
        };
        let list: Option<List<'_>> =
            event.response_of("NamespaceList").and_then(|raw| json::read(raw.get()).ok());
        let one: Option<Namespace<'_>> = whole.and_then(|raw| json::read(raw.get()).ok());
        if &*event.verb == "patch" {
            // its labels may be others by now, unless the answer tells them
            self.namespaces.remove(event.name());
        }
        for namespace in one.into_iter().chain(list.into_iter().flat_map(|list| list.items)) {
            let Metadata { name, labels } = namespace.metadata;
            let labels: BTreeMap<_, _> =
                labels.iter().map(|(key, value)| (key.to_owned(), value.to_string())).collect();
            if !name.is_empty() {
                self.namespaces.insert(name.to_string(), labels);
            }
        }
    }
}

fn json_of(raw: Raw<'_>) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

/// The object after the request, where that can be told.
fn next_state(event: &Event<'_>, known: Option<&State>, body: &Value) -> Option<Value> {
    let is_resize = event.subresource() == "resize";
    let mut next = if event.operation() == Operation::Create {
        body.clone()
    } else {
        let known = known.filter(|known| !known.is_doubtful)?;
        let old = known.value()?;
        let way = match &*event.verb {
            "update" => Way::Put,
            _ if event.is_apply() => Way::Apply,
            _ => Way::Patch,
        };
        match (is_resize, way) {
            (true, way) => only(resized(&old, body, way, known.is_asked))?,
            (false, Way::Put) => body.clone(),
            // what a manager no longer asks for goes away, and which that is nobody tells
            (false, Way::Apply) => return None,
            (false, Way::Patch) => only(patched(&old, body, false))?,
        }
    };
    if event.resource() == Resource::Pod {
        default_requests(&mut next);
    }
    let mut next = with_all_patches(event, next).ok()?;
    prune(&mut next);
    Some(next)
}

/// The only one.
fn only(mut answers: Vec<Value>) -> Option<Value> {
    let answer = answers.pop()?;
    answers.is_empty().then_some(answer)
}
