//! From words as written to words as the program gets them.

use super::tree::{Part, Raw};
use super::walk::{Place, Walker};
use super::{Source, Word};

/// A word in the making.
struct Draft {
    text: String,
    known: bool,
    source: Source,
}

/// The words made so far, and the one in the making.
#[derive(Default)]
struct Fields {
    done: Vec<Word>,
    draft: Option<Draft>,
}

impl Fields {
    fn draft(&mut self) -> &mut Draft {
        self.draft.get_or_insert_with(|| Draft {
            text: String::new(),
            known: true,
            source: Source::Other,
        })
    }

    fn push(&mut self, text: &str) {
        let draft = self.draft();
        if draft.known {
            draft.text.push_str(text);
        }
    }

    fn unknown(&mut self, source: Source) {
        let draft = self.draft();
        draft.known = false;
        draft.source = source;
    }

    fn close(&mut self) {
        if let Some(draft) = self.draft.take() {
            self.done.push(match draft.known {
                true => Word::Known(draft.text),
                false => Word::Unknown { prefix: draft.text, source: draft.source },
            });
        }
    }

    /// Text outside quotes, in which a pattern would be replaced by file names.
    fn push_pattern(&mut self, text: &str) {
        match pattern(text) {
            Some(at) => {
                self.push(text.get(..at).unwrap_or_default());
                self.unknown(Source::Other);
            }
            None => self.push(text),
        }
    }

    /// The value of a variable outside quotes: blanks in it part words.
    fn push_split(&mut self, value: &str) {
        if value.starts_with([' ', '\t', '\n']) {
            self.close();
        }
        for (position, piece) in value.split_ascii_whitespace().enumerate() {
            if position > 0 {
                self.close();
            }
            self.push_pattern(piece);
        }
        if value.ends_with([' ', '\t', '\n']) {
            self.close();
        }
    }
}

impl<'t> Walker<'t> {
    /// The words that one word becomes.
    pub(super) fn words(&mut self, raw: &'t Raw, place: &Place, words: &mut Vec<Word>) {
        if let [Part::Variable { name, quoted: true, fallback: false }] = raw.parts.as_slice()
            && name == "@"
            && let Some(parameters) = &self.state.parameters
        {
            words.extend(parameters.iter().skip(1).cloned());
            let length = parameters.iter().map(|word| word.prefix().len().saturating_add(1)).sum();
            return self.spend(length);
        }
        match plain(raw) {
            Some(text) => words.push(Word::Known(text.to_owned())),
            None => words.append(&mut self.fields(raw, place, true).done),
        }
    }

    /// The one word that a word becomes where it is neither split nor matched against files.
    pub(super) fn word(&mut self, raw: &'t Raw, place: &Place) -> Word {
        let mut fields = self.fields(raw, place, false);
        fields.done.pop().unwrap_or(Word::Known(String::new()))
    }

    /// The value of a variable.
    fn value(&mut self, name: &str) -> Word {
        let value = self.state.value(name);
        self.spend(value.prefix().len());
        value
    }

    fn fields(&mut self, raw: &'t Raw, place: &Place, split: bool) -> Fields {
        let mut fields = Fields::default();
        let alone = raw.parts.len() == 1;
        for (position, part) in raw.parts.iter().enumerate() {
            match part {
                Part::Text { text, quoted: true } => fields.push(text),
                Part::Text { text, quoted: false } => {
                    if position == 0 && text.starts_with('~') {
                        fields.unknown(Source::Other);
                    }
                    match split {
                        true => fields.push_pattern(text),
                        false => fields.push(text),
                    }
                }
                Part::Variable { name, fallback, quoted } => match self.value(name) {
                    Word::Known(value) if *fallback && value.is_empty() => {
                        fields.unknown(Source::Other)
                    }
                    Word::Known(value) => match split && !quoted {
                        true if self.state.separated => fields.unknown(Source::Other),
                        true => fields.push_split(&value),
                        false => fields.push(&value),
                    },
                    Word::Unknown { prefix, source } => {
                        if *quoted || !split {
                            fields.push(&prefix);
                        }
                        fields.unknown(if alone { source } else { Source::Other });
                    }
                },
                Part::Output { list, process } => {
                    let first = self.script.commands.len();
                    self.aside(|walker| walker.deeper(|walker| walker.list(list, place)));
                    let count = self.script.commands.len().saturating_sub(first);
                    fields.unknown(match alone && !process {
                        true => Source::Output { first, count },
                        false => Source::Other,
                    });
                }
                Part::Opaque => fields.unknown(Source::Other),
            }
        }
        fields.close();
        fields
    }
}

/// The text of a word in which the shell replaces nothing.
fn plain(raw: &Raw) -> Option<&str> {
    match raw.parts.as_slice() {
        [Part::Text { text, quoted }] => {
            Some(text).filter(|text| *quoted || !(text.starts_with('~') || pattern(text).is_some()))
        }
        _ => None,
    }
    .map(String::as_str)
}

/// Where the first character stands that makes unquoted text a pattern.
fn pattern(text: &str) -> Option<usize> {
    if !text.bytes().any(|byte| matches!(byte, b'[' | b'{' | b'*' | b'?')) {
        return None;
    }
    let bracket =
        text.find('[').filter(|at| text.get(*at..).is_some_and(|rest| rest.contains(']')));
    let brace = text.find('{').filter(|at| {
        text.get(*at..)
            .is_some_and(|rest| rest.contains('}') && (rest.contains(',') || rest.contains("..")))
    });
    [text.find(['*', '?']), bracket, brace].into_iter().flatten().min()
}
