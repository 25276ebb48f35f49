//! From words as written to words as the program gets them.

use super::tree::{RawWord, WordPart};
use super::walk::{Frame, Walker};
use super::{Word, WordOrigin};

/// A word in the making.
struct Draft {
    text: String,
    known: bool,
    origin: WordOrigin,
}

/// The words made so far, and the one in the making.
#[derive(Default)]
struct Expansion {
    done: Vec<Word>,
    draft: Option<Draft>,
}

impl Expansion {
    fn draft(&mut self) -> &mut Draft {
        self.draft.get_or_insert_with(|| Draft {
            text: String::new(),
            known: true,
            origin: WordOrigin::Other,
        })
    }

    fn push(&mut self, text: &str) {
        let draft = self.draft();
        if draft.known {
            draft.text.push_str(text);
        }
    }

    fn unknown(&mut self, origin: WordOrigin) {
        let draft = self.draft();
        draft.known = false;
        draft.origin = origin;
    }

    fn close(&mut self) {
        if let Some(draft) = self.draft.take() {
            self.done.push(match draft.known {
                true => Word::Known(draft.text),
                false => Word::Unknown { prefix: draft.text, origin: draft.origin },
            });
        }
    }

    /// Text outside quotes, in which a pattern would be replaced by file names.
    fn push_pattern(&mut self, text: &str) {
        match pattern(text) {
            Some(at) => {
                self.push(text.get(..at).unwrap_or_default());
                self.unknown(WordOrigin::Other);
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
    pub(super) fn words(&mut self, raw: &'t RawWord, frame: &Frame, words: &mut Vec<Word>) {
        if let [WordPart::Variable { name, quoted: true, fallback: false }] = raw.parts.as_slice()
            && name == "@"
            && let Some(parameters) = &self.state.parameters
        {
            words.extend(parameters.iter().skip(1).cloned());
            let length = parameters.iter().map(|word| word.prefix().len().saturating_add(1)).sum();
            return self.spend(length);
        }
        match plain(raw) {
            Some(text) => words.push(Word::Known(text.to_owned())),
            None => words.append(&mut self.fields(raw, frame, true).done),
        }
    }

    /// The one word that a word becomes where it is neither split nor matched against files.
    pub(super) fn word(&mut self, raw: &'t RawWord, frame: &Frame) -> Word {
        let mut fields = self.fields(raw, frame, false);
        fields.done.pop().unwrap_or(Word::Known(String::new()))
    }

    /// The value of a variable.
    fn value(&mut self, name: &str) -> Word {
        let value = self.state.value(name);
        self.spend(value.prefix().len());
        value
    }

    fn fields(&mut self, raw: &'t RawWord, frame: &Frame, split: bool) -> Expansion {
        let mut fields = Expansion::default();
        let alone = raw.parts.len() == 1;
        for (position, part) in raw.parts.iter().enumerate() {
            match part {
                WordPart::Text { text, quoted: true } => fields.push(text),
                WordPart::Text { text, quoted: false } => {
                    if position == 0 && text.starts_with('~') {
                        fields.unknown(WordOrigin::Other);
                    }
                    match split {
                        true => fields.push_pattern(text),
                        false => fields.push(text),
                    }
                }
                WordPart::Variable { name, fallback, quoted } => match self.value(name) {
                    Word::Known(value) if *fallback && value.is_empty() => {
                        fields.unknown(WordOrigin::Other)
                    }
                    Word::Known(value) => match split && !quoted {
                        true if self.state.separated => fields.unknown(WordOrigin::Other),
                        true => fields.push_split(&value),
                        false => fields.push(&value),
                    },
                    Word::Unknown { prefix, origin } => {
                        if *quoted || !split {
                            fields.push(&prefix);
                        }
                        fields.unknown(if alone { origin } else { WordOrigin::Other });
                    }
                },
                WordPart::Output { list, process } => {
                    let first = self.script.commands.len();
                    self.aside(|walker| walker.deeper(|walker| walker.list(list, frame)));
                    let count = self.script.commands.len().saturating_sub(first);
                    fields.unknown(match alone && !process {
                        true => WordOrigin::Output { first, count },
                        false => WordOrigin::Other,
                    });
                }
                WordPart::Opaque => fields.unknown(WordOrigin::Other),
            }
        }
        fields.close();
        fields
    }
}

/// The text of a word in which the shell replaces nothing.
fn plain(raw: &RawWord) -> Option<&str> {
    match raw.parts.as_slice() {
        [WordPart::Text { text, quoted }] => {
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
