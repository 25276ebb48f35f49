//! A ConfigMap or Secret that is written, changed or deleted.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::json::text::{Entries, decode_text};
use crate::json::{self, Raw};
use crate::judge::patch::pointer_token;
use crate::judge::subject::{Evidence, FileFault, Operation, Subject};
use crate::kube::config_user::ConfigUser;
use crate::kube::configuration::ConfigKind;
use crate::kube::object::{Metadata, Object};

/// A ConfigMap or Secret: as it would be stored, as it is stored, and who uses it.
#[derive(Debug)]
pub struct ConfigurationView<'s> {
    /// What it is.
    pub kind: ConfigKind,
    /// Its name.
    pub name: &'s str,
    /// The namespace.
    pub namespace: &'s str,
    /// The metadata as it would be stored; as it is stored where it is deleted.
    pub metadata: &'s Metadata<'s>,
    new: Option<Content<'s>>,
    old: Option<Content<'s>>,
    evidence: &'s Evidence,
    changes: OnceCell<Vec<KeyChange<'s>>>,
}

/// A key that differs from what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyChange<'s> {
    /// The key.
    pub(crate) key: Cow<'s, str>,
    /// As it would be stored; `None` where it goes.
    pub(crate) new: Option<Value<'s>>,
    /// As it is stored; `None` where it comes.
    pub(crate) old: Option<Value<'s>>,
}

/// What stands under a key, undecoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'s> {
    /// `data`, or `binaryData` where this is not set. Variables come from `data` alone.
    pub(crate) is_text: bool,
    raw: Raw<'s>,
}

/// The keys of an object.
#[derive(Debug, Default)]
struct Content<'s>(BTreeMap<Cow<'s, str>, Value<'s>>);

impl<'s> ConfigurationView<'s> {
    pub(super) fn new(subject: &'s Subject<'_>, kind: ConfigKind) -> Option<Self> {
        let is_deleted = subject.operation == Operation::Delete;
        let old = subject.old_object.as_ref();
        let object = if is_deleted { old? } else { &subject.object };
        Some(Self {
            kind,
            name: if subject.name.is_empty() { &object.metadata.name } else { &subject.name },
            namespace: &subject.namespace,
            metadata: &object.metadata,
            // what cannot be read says nothing: neither what comes nor what goes
            new: if is_deleted { None } else { Some(Content::of(object)?) },
            old: match old {
                Some(old) => Some(Content::of(old)?),
                None => None,
            },
            evidence: &subject.evidence,
            changes: OnceCell::new(),
        })
    }

    /// Whether it is deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.new.is_none()
    }

    /// Whether it is stored already.
    pub(crate) fn is_stored(&self) -> bool {
        self.old.is_some()
    }

    /// The keys that come, change or go, in their order.
    pub(crate) fn changes(&self) -> &[KeyChange<'s>] {
        self.changes.get_or_init(|| {
            let (nothing, nobody) = (Content::default(), Content::default());
            let new = self.new.as_ref().unwrap_or(&nothing);
            new.changes(self.old.as_ref().unwrap_or(&nobody))
        })
    }

    /// Where `key` stands: a JSON pointer.
    pub(crate) fn pointer(&self, key: &str) -> String {
        let is_binary = |content: &Content<'_>| content.0.get(key).is_some_and(|one| !one.is_text);
        let content = self.new.as_ref().filter(|new| new.0.contains_key(key)).or(self.old.as_ref());
        let field = if content.is_some_and(is_binary) { "binaryData" } else { "data" };
        format!("/{field}/{}", pointer_token(key))
    }

    /// Who uses it; `None` where that is not known.
    pub(crate) fn users(&self) -> Option<&'s [ConfigUser]> {
        self.evidence.config_users.as_ref().map(|users| users.as_slice())
    }

    /// What was found wrong with the files in it before its content was taken out; `None` where the
    /// content is here.
    pub(crate) fn known_faults(&self) -> Option<&'s [FileFault]> {
        self.evidence.file_faults.as_ref().map(|faults| faults.as_slice())
    }
}

impl Value<'_> {
    /// The text, decoded now; `None` for what is none.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        if self.is_text { decode_text(self.raw) } else { None }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.is_text == other.is_text
            && (self.raw == other.raw || decode_text(self.raw) == decode_text(other.raw))
    }
}

impl<'s> Content<'s> {
    /// The keys of `object`; `None` where they cannot be read.
    fn of(object: &'s Object<'_>) -> Option<Self> {
        let mut content = BTreeMap::new();
        for (raw, is_text) in [(object.data, true), (object.binary_data, false)] {
            let Some(raw) = raw else { continue };
            let entries: Entries<'s, Raw<'s>> = json::read(raw.get()).ok()?;
            content.extend(
                entries.into_pairs().map(|(key, raw)| (key.into_cow(), Value { is_text, raw })),
            );
        }
        Some(Self(content))
    }

    /// What differs from `old`.
    fn changes(&self, old: &Self) -> Vec<KeyChange<'s>> {
        let mut changes = Vec::new();
        for (key, value) in &self.0 {
            let before = old.0.get(key);
            if before.is_none_or(|before| !before.is_same(value)) {
                let (key, old) = (key.clone(), before.copied());
                changes.push(KeyChange { key, new: Some(*value), old });
            }
        }
        for (key, value) in old.0.iter().filter(|(key, _)| !self.0.contains_key(*key)) {
            changes.push(KeyChange { key: key.clone(), new: None, old: Some(*value) });
        }
        changes.sort_by(|one, other| one.key.cmp(&other.key));
        changes
    }
}

impl KeyChange<'_> {
    /// Whether nothing is left under the key.
    pub(crate) fn is_gone(&self) -> bool {
        self.new.is_none()
    }

    /// Whether no variable can be made of it any longer, and one could before.
    pub(crate) fn is_no_text_any_longer(&self) -> bool {
        self.old.is_some_and(|old| old.is_text) && !self.new.is_some_and(|new| new.is_text)
    }
}
