//! Objects, field by field. Fields go by their names wherever they stand: whoever puts a field into
//! the wrong place keeps its secrets all the same.

use crate::json::text::{Entries, Text};
use crate::json::write::{list, object, text};
use crate::json::{self, Raw};
use crate::judge::subject::Resource;
use crate::kube::container::{Container, EnvVar};

use super::Redactor;
use super::environment::Environment;
use super::secrets::{scrub, scrub_words};

/// How deep values may lie in each other. What lies deeper is marked whole.
const DEEPEST: u8 = 100;

impl Redactor<'_> {
    /// An object that `resource` keeps.
    pub(super) fn object(&self, json: &mut Vec<u8>, raw: &str, resource: Resource) {
        match resource {
            Resource::Secret => names(json, raw),
            Resource::Other if kind(raw).as_deref() != Some("ConfigMap") => names(json, raw),
            _ => self.value(json, raw, 0),
        }
    }

    /// A value of which nothing is known but the names of the fields in it.
    pub(super) fn value(&self, json: &mut Vec<u8>, raw: &str, depth: u8) {
        let deeper = depth.saturating_add(1);
        match raw.as_bytes().first() {
            Some(b'{' | b'[') if deeper > DEEPEST => text(json, &self.marks.of_part(raw)),
            Some(b'{') => self.fields(json, raw, |json, name, raw| {
                self.field(json, name, raw, deeper);
            }),
            Some(b'[') => self.entries(json, raw, |json, raw| self.value(json, raw, deeper)),
            // an address, or a path with a query
            Some(b'"') if raw.contains(['=', ':']) => {
                self.text(json, raw, |value| scrub(&self.marks, value));
            }
            _ => json.extend_from_slice(raw.as_bytes()),
        }
    }

    fn field(&self, json: &mut Vec<u8>, name: &str, raw: &str, depth: u8) {
        let (is_map, is_list) = (raw.starts_with('{'), raw.starts_with('['));
        match name {
            // who wrote which field: no rule asks, and it is half of some objects
            "managedFields" => json.extend_from_slice(b"null"),
            "annotations" if is_map => self.fields(json, raw, |json, key, raw| {
                self.text(json, raw, |value| self.annotation(key, value));
            }),
            "containers" | "initContainers" | "ephemeralContainers" if is_list => {
                self.entries(json, raw, |json, raw| self.container(json, raw, depth));
            }
            "command" | "args" if is_list => self.words(json, raw),
            "env" if is_list => self.variables(json, raw, &Environment::default(), depth),
            "httpHeaders" if is_list => self.variables(json, raw, &Environment::default(), depth),
            "data" | "binaryData" | "stringData" | "flexVolume" => self.all(json, raw, depth),
            "volumeAttributes" if is_map => self.fields(json, raw, |json, name, raw| match name {
                "secretProviderClass" => json.extend_from_slice(raw.as_bytes()),
                _ => self.all(json, raw, depth),
            }),
            // what a process said last
            "terminated" | "waiting" if is_map => {
                self.fields(json, raw, |json, name, raw| match name {
                    "message" => self.all(json, raw, depth),
                    _ => self.value(json, raw, depth),
                })
            }
            _ => self.value(json, raw, depth),
        }
    }

    fn container(&self, json: &mut Vec<u8>, raw: &str, depth: u8) {
        let container = Container::from_json(raw).ok();
        let environment = container.as_ref().map(Environment::of).unwrap_or_default();
        self.fields(json, raw, |json, name, raw| match name {
            "env" => self.variables(json, raw, &environment, depth),
            _ => self.field(json, name, raw, depth),
        });
    }

    /// A list of names and values.
    fn variables(&self, json: &mut Vec<u8>, raw: &str, environment: &Environment<'_>, depth: u8) {
        self.entries(json, raw, |json, raw| {
            let variable: EnvVar<'_> = json::read(raw).unwrap_or_default();
            self.fields(json, raw, |json, name, raw| match name {
                "value" => self
                    .text(json, raw, |value| environment.value(&self.marks, &variable.name, value)),
                _ => self.value(json, raw, depth),
            });
        });
    }

    /// A command.
    fn words(&self, json: &mut Vec<u8>, raw: &str) {
        let Ok(words) = json::read::<Vec<Text<'_>>>(raw) else {
            return text(json, &self.marks.of_part(raw));
        };
        let words = scrub_words(&self.marks, words.iter().map(|word| &**word));
        list(json, words, |json, word| text(json, &word));
    }

    /// A text as `redacted`; a mark where it is none.
    fn text(&self, json: &mut Vec<u8>, raw: &str, redacted: impl FnOnce(&str) -> String) {
        match json::read::<Option<Text<'_>>>(raw) {
            Ok(Some(value)) => text(json, &redacted(&value)),
            Ok(None) => json.extend_from_slice(raw.as_bytes()),
            Err(_) => text(json, &self.marks.of_part(raw)),
        }
    }

    /// A value in which every text, number and word is marked.
    pub(super) fn all(&self, json: &mut Vec<u8>, raw: &str, depth: u8) {
        let deeper = depth.saturating_add(1);
        match raw.as_bytes().first() {
            Some(b'{') if deeper <= DEEPEST => {
                self.fields(json, raw, |json, _, raw| self.all(json, raw, deeper));
            }
            Some(b'[') if deeper <= DEEPEST => {
                self.entries(json, raw, |json, raw| self.all(json, raw, deeper));
            }
            _ => self.text(json, raw, |value| self.marks.of(value)),
        }
    }

    /// The fields of `raw`, each as `write` writes its value; a mark where there are none to be read.
    pub(super) fn fields(
        &self,
        json: &mut Vec<u8>,
        raw: &str,
        mut write: impl FnMut(&mut Vec<u8>, &str, &str),
    ) {
        if raw == "null" {
            return json.extend_from_slice(raw.as_bytes());
        }
        match json::read::<Entries<'_, Raw<'_>>>(raw) {
            Ok(fields) => object(json, |object| {
                for (name, raw) in fields.iter() {
                    write(object.field(name), name, raw.get());
                }
            }),
            Err(_) => text(json, &self.marks.of_part(raw)),
        }
    }

    fn entries(&self, json: &mut Vec<u8>, raw: &str, write: impl Fn(&mut Vec<u8>, &str)) {
        match json::read::<Vec<Raw<'_>>>(raw) {
            Ok(entries) => list(json, entries, |json, raw| write(json, raw.get())),
            Err(_) => text(json, &self.marks.of_part(raw)),
        }
    }
}

/// The `kind` of an object.
fn kind(raw: &str) -> Option<String> {
    let fields = json::read::<Entries<'_, Raw<'_>>>(raw).ok()?;
    json::read::<Text<'_>>(fields.value("kind")?.get()).ok().map(|kind| kind.to_string())
}

/// An object of which only its kind and its names are left.
fn names(json: &mut Vec<u8>, raw: &str) {
    let Ok(fields) = json::read::<Entries<'_, Raw<'_>>>(raw) else {
        return json.extend_from_slice(b"null");
    };
    let plain = |raw: &Raw<'_>| raw.get().starts_with('"');
    object(json, |written| {
        for name in ["apiVersion", "kind"] {
            if let Some(raw) = fields.value(name).filter(|raw| plain(raw)) {
                written.field(name).extend_from_slice(raw.get().as_bytes());
            }
        }
        let metadata = fields.value("metadata");
        let metadata = metadata.and_then(|raw| json::read::<Entries<'_, Raw<'_>>>(raw.get()).ok());
        let Some(metadata) = metadata else { return };
        object(written.field("metadata"), |written| {
            for name in ["name", "generateName", "namespace", "uid"] {
                if let Some(raw) = metadata.value(name).filter(|raw| plain(raw)) {
                    written.field(name).extend_from_slice(raw.get().as_bytes());
                }
            }
        });
    });
}
