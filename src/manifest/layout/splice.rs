//! Parts of a text that are replaced.

/// A part of a text that is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Splice {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: String,
}

impl Splice {
    pub(crate) fn insert(at: usize, text: String) -> Self {
        Self { start: at, end: at, text }
    }

    pub(crate) fn delete(start: usize, end: usize) -> Self {
        Self { start, end, text: String::new() }
    }
}

/// `text` after the replacements; `None` where two of them are about the same part.
pub(crate) fn apply(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| splice.start);
    let (mut new, mut copied) = (String::with_capacity(text.len()), 0);
    for splice in splices {
        new.push_str(text.get(copied..splice.start)?);
        new.push_str(&splice.text);
        copied = splice.end.max(splice.start);
    }
    new.push_str(text.get(copied..)?);
    Some(new)
}
