//! The parser's position in the text: bytes, blanks, comments, keywords and here-documents.

/// How deeply constructs may nest before a script counts as not understood. Real ones stay below
/// ten.
const DEEPEST: usize = 32;

/// A position in a script. Everything that reads on is a method of it, in this file and its
/// siblings.
pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Here-documents announced on the present line: delimiter, and whether leading tabs go.
    documents: Vec<(String, bool)>,
}

const KEYWORDS: [&str; 19] = [
    "if", "then", "elif", "else", "fi", "while", "until", "for", "select", "do", "done", "case",
    "esac", "function", "time", "{", "}", "!", "[[",
];

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, depth: usize) -> Self {
        Self { text, at: 0, depth, documents: Vec::new() }
    }

    /// Runs a step one level deeper; refuses where that would be too deep.
    pub(super) fn deeper<T>(&mut self, step: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEEPEST {
            return None;
        }
        self.depth = self.depth.saturating_add(1);
        let result = step(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Goes back to an earlier position.
    pub(super) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, distance: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at.checked_add(distance)?).copied()
    }

    /// Steps over one byte. Only called on ASCII, so the position stays between characters.
    pub(super) fn step(&mut self) {
        self.at = self.at.saturating_add(1).min(self.text.len());
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.starts_with(text);
        if found {
            self.at = self.at.saturating_add(text.len());
        }
        found
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// The text between an earlier position and this one.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Steps over bytes as long as they please; the text stepped over.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
        self.at = start.saturating_add(length);
        self.since(start)
    }

    /// Steps over one whole character; its text.
    pub(super) fn character(&mut self) -> Option<&'a str> {
        let start = self.at;
        let width = self.text.get(start..)?.chars().next()?.len_utf8();
        self.at = start.saturating_add(width);
        Some(self.since(start))
    }

    /// Steps over blanks, line continuations and a comment.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.step(),
                Some(b'\\') if self.ahead(1) == Some(b'\n') => {
                    self.eat("\\\n");
                }
                Some(b'#') => {
                    self.take_while(|byte| byte != b'\n');
                }
                _ => return,
            }
        }
    }

    /// Steps over blanks and line ends.
    pub(super) fn gaps(&mut self) {
        self.blanks();
        while self.peek() == Some(b'\n') {
            self.line_end();
            self.blanks();
        }
    }

    /// Steps over a line end and the here-documents that begin after it.
    pub(super) fn line_end(&mut self) {
        self.step();
        for (delimiter, tabs) in std::mem::take(&mut self.documents) {
            while self.peek().is_some() {
                let line = self.take_while(|byte| byte != b'\n');
                self.step();
                let line = if tabs { line.trim_start_matches('\t') } else { line };
                if line == delimiter {
                    break;
                }
            }
        }
    }

    pub(super) fn announce(&mut self, delimiter: String, tabs: bool) {
        self.documents.push((delimiter, tabs));
    }

    /// The keyword that starts here, if one does.
    pub(super) fn keyword(&self) -> Option<&'static str> {
        let first = self.peek()?;
        KEYWORDS.into_iter().find(|keyword| {
            keyword.as_bytes().first() == Some(&first)
                && self.starts_with(keyword)
                && self.ahead(keyword.len()).is_none_or(|byte| {
                    matches!(
                        byte,
                        b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'
                    )
                })
        })
    }

    /// Steps over this keyword, if it starts here.
    pub(super) fn eat_keyword(&mut self, keyword: &str) -> bool {
        self.keyword() == Some(keyword) && self.eat(keyword)
    }

    /// Whether a word starts here.
    pub(super) fn at_word(&self) -> bool {
        match self.peek() {
            None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')') => false,
            Some(b'<' | b'>') => self.ahead(1) == Some(b'('),
            Some(_) => true,
        }
    }

    /// Steps over the rest of `((...))`; its text. `None` and no step where it is not closed by
    /// `))`. The outer option is `None` where not even the parentheses match.
    pub(super) fn arithmetic(&mut self) -> Option<Option<&'a str>> {
        let start = self.at;
        let mut open = 0_usize;
        loop {
            match self.peek()? {
                b'(' => open = open.saturating_add(1),
                b')' if open > 0 => open = open.saturating_sub(1),
                b')' => break,
                _ => {}
            }
            self.at = self.at.saturating_add(1);
        }
        let inside = self.since(start);
        if self.eat("))") {
            return Some(Some(inside));
        }
        self.at = start;
        Some(None)
    }
}
