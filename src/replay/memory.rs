//! What is remembered of objects, and of namespaces: no more than so many of them.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use serde_json::Value;

/// The state of an object, as far as the log tells.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// `metadata.uid`; empty where only requests tell of it.
    pub(super) uid: Box<str>,
    /// `metadata.generation`, where it is known.
    pub(super) generation: Option<i64>,
    /// `metadata.resourceVersion`; 0 where it is not known.
    pub(super) version: u64,
    /// The object, without what no rule reads.
    pub(super) object: Box<str>,
    /// Its status, where that told what became of a resize.
    pub(super) status: Option<Box<str>>,
    /// What its labels and annotations come to.
    pub(super) digest: u64,
    /// Whether it was made of what was asked for: what a LimitRange added is not in it.
    pub(super) is_asked: bool,
    /// Whether it may be another by now: it counts only where an answer confirms it.
    pub(super) is_doubtful: bool,
    /// Whether it was resized since its status was seen.
    pub(super) is_unsettled: bool,
}

impl State {
    /// The object.
    pub(super) fn value(&self) -> Option<Value> {
        serde_json::from_str(&self.object).ok()
    }

    /// The object with its status, as far as that tells of a resize.
    pub(super) fn whole(&self) -> Option<Value> {
        let mut value = self.value()?;
        if let Some(status) = &self.status {
            let status = serde_json::from_str(status).ok()?;
            value.as_object_mut()?.insert("status".to_owned(), status);
        }
        Some(value)
    }
}

/// Where an object is kept: its kind's plural name, its namespace and its name.
pub(super) fn place(plural: &str, namespace: &str, name: &str) -> Box<str> {
    [plural, "/", namespace, "/", name].concat().into()
}

/// The states of objects. The oldest half is forgotten when there are too many.
#[derive(Debug)]
pub(super) struct Memory {
    young: HashMap<Box<str>, State>,
    old: HashMap<Box<str>, State>,
    /// The most of one half.
    half: usize,
    /// How many were forgotten for want of room.
    pub(super) forgotten: usize,
    /// The labels of namespaces, as far as the log shows them.
    pub(super) namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Writes to pods that came in and of which the log tells no end yet: where each goes.
    open: BTreeMap<String, Box<str>>,
}

/// The most writes without an end that are remembered.
const MOST_OPEN: usize = 10_000;

impl Memory {
    /// Nothing yet, and never more than `most` objects.
    pub(super) fn of(most: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: (most / 2).max(1),
            forgotten: 0,
            namespaces: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// What is known of the object at `place`.
    pub(super) fn state(&self, place: &str) -> Option<&State> {
        self.young.get(place).or_else(|| self.old.get(place))
    }

    /// The same, to be changed.
    pub(super) fn state_mut(&mut self, place: &str) -> Option<&mut State> {
        if !self.young.contains_key(place) {
            let (place, state) = self.old.remove_entry(place)?;
            self.put(place, state);
        }
        self.young.get_mut(place)
    }

    /// Remembers the object at `place`.
    pub(super) fn put(&mut self, place: Box<str>, state: State) {
        // it is not forgotten
        self.old.remove(&place);
        if self.young.len() >= self.half && !self.young.contains_key(&place) {
            self.forgotten = self.forgotten.saturating_add(self.old.len());
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(place, state);
    }

    /// Forgets the object at `place`.
    pub(super) fn forget(&mut self, place: &str) {
        self.young.remove(place);
        self.old.remove(place);
    }

    /// The object at `place` may be gone, or another: what only requests tell of it is forgotten.
    pub(super) fn doubt(&mut self, place: &str) {
        let Some(state) = self.state_mut(place) else { return };
        if state.uid.is_empty() {
            self.forget(place);
        } else {
            state.is_doubtful = true;
        }
    }

    /// The same for every object of this kind in this namespace; an empty kind is every kind.
    pub(super) fn doubt_all(&mut self, plural: &str, namespace: &str) {
        let belongs = |place: &str| {
            let mut words = place.split('/');
            let same = words.next().is_some_and(|word| plural.is_empty() || word == plural);
            same && words.next() == Some(namespace)
        };
        for half in [&mut self.young, &mut self.old] {
            half.retain(|place, state| {
                let is_meant = belongs(place);
                state.is_doubtful |= is_meant;
                !(is_meant && state.uid.is_empty())
            });
        }
    }

    /// A write to the pod at `place` came in.
    pub(super) fn begin(&mut self, id: &str, place: Box<str>) {
        if self.open.len() >= MOST_OPEN {
            self.open.pop_first();
        }
        self.open.insert(id.to_owned(), place);
    }

    /// The log tells what came of it.
    pub(super) fn end(&mut self, id: &str) {
        self.open.remove(id);
    }

    /// Whether a write to the pod at `place` came in of which the log does not tell the end.
    pub(super) fn is_open(&self, place: &str) -> bool {
        self.open.values().any(|other| **other == *place)
    }

    /// A pod of this name is made anew: what was open goes to another.
    pub(super) fn close(&mut self, place: &str) {
        self.open.retain(|_, other| **other != *place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(uid: &str) -> State {
        State { uid: uid.into(), ..State::default() }
    }

    #[test]
    fn the_oldest_are_forgotten_and_counted() {
        let mut memory = Memory::of(4);
        for number in 0..4 {
            memory.put(place("pods", "a", &number.to_string()), state("u"));
        }
        assert_eq!(memory.forgotten, 0);
        assert!(memory.state_mut("pods/a/0").is_some(), "used again, it is young again");
        memory.put(place("pods", "a", "4"), state("u"));
        let kept = |number: &str| memory.state(&place("pods", "a", number)).is_some();
        assert!(kept("0") && kept("4") && !kept("1"), "{memory:?}");
        assert!(memory.forgotten > 0 && memory.young.len() + memory.old.len() <= 4);
    }

    #[test]
    fn what_is_seen_again_is_not_forgotten() {
        let mut memory = Memory::of(4);
        for number in ["0", "1", "2", "3", "0"] {
            memory.put(place("pods", "a", number), state("u"));
        }
        assert_eq!(memory.forgotten, 1);
        for half in ["pods/a/0", "pods/a/3"] {
            memory.forget(half);
            assert!(memory.state(half).is_none(), "{half}");
        }
    }

    #[test]
    fn what_only_requests_tell_of_is_forgotten_where_another_would_be_doubted() {
        let mut memory = Memory::of(9);
        memory.put(place("pods", "a", "asked"), state(""));
        memory.put(place("pods", "a", "seen"), state("u"));
        memory.put(place("pods", "b", "asked"), state(""));
        memory.doubt_all("pods", "a");
        assert!(memory.state("pods/a/asked").is_none() && memory.state("pods/b/asked").is_some());
        assert!(memory.state("pods/a/seen").unwrap().is_doubtful);
        memory.put(place("pods", "b", "seen"), state("u"));
        memory.doubt("pods/b/asked");
        memory.doubt("pods/b/seen");
        assert!(memory.state("pods/b/asked").is_none());
        assert!(memory.state("pods/b/seen").unwrap().is_doubtful);
    }

    #[test]
    fn writes_without_an_end_are_known() {
        let mut memory = Memory::of(9);
        memory.begin("1", place("pods", "a", "db-0"));
        assert!(memory.is_open("pods/a/db-0") && !memory.is_open("pods/a/db-1"));
        memory.begin("2", place("pods", "a", "db-1"));
        memory.end("1");
        assert!(!memory.is_open("pods/a/db-0") && memory.is_open("pods/a/db-1"));
        memory.begin("3", place("pods", "a", "db-2"));
        memory.close("pods/a/db-1");
        assert!(!memory.is_open("pods/a/db-1") && memory.is_open("pods/a/db-2"));
        for number in 0..=MOST_OPEN {
            memory.begin(&format!("more {number}"), place("pods", "a", "db-3"));
        }
        assert_eq!(memory.open.len(), MOST_OPEN);
    }
}
