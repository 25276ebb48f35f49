//! Simple commands: assignments, words and redirections; and functions, which begin like them.

use super::names::is_name;
use super::scan::Parser;
use super::tree::{Assignment, NodeKind, RawWord, Redirect, Simple, WordPart};

const REDIRECTIONS: [&str; 12] =
    ["<<<", "<<-", "<<", "<&", "<>", "<", "&>>", "&>", ">>", ">&", ">|", ">"];

impl Parser<'_> {
    pub(super) fn function(&mut self, name: String) -> Option<NodeKind> {
        self.gaps();
        let body = Box::new(self.deeper(Self::command)?);
        Some(NodeKind::Function { name, body })
    }

    pub(super) fn simple_command(&mut self, redirects: &mut Vec<Redirect>) -> Option<NodeKind> {
        let mut simple = Simple::default();
        loop {
            self.blanks();
            if self.redirect(redirects)? {
                continue;
            }
            if !self.at_word() {
                break;
            }
            let word = self.word()?;
            if simple.words.is_empty() {
                match assignment(word) {
                    Ok(assignment) => simple.assignments.push(assignment),
                    Err(word) => simple.words.push(word),
                }
            } else {
                simple.words.push(word);
            }
            if let [name] = simple.words.as_slice()
                && self.parameters()
            {
                return self.function(name.bare()?.to_owned());
            }
        }
        let empty = simple.words.is_empty() && simple.assignments.is_empty();
        (!empty || !redirects.is_empty()).then_some(NodeKind::Simple(simple))
    }

    /// Steps over the parentheses that make the word before them the name of a function.
    fn parameters(&mut self) -> bool {
        let start = self.position();
        self.blanks();
        if self.eat("(") {
            self.blanks();
            if self.eat(")") {
                return true;
            }
        }
        self.rewind(start);
        false
    }

    /// Reads a redirection if one starts here.
    pub(super) fn redirect(&mut self, redirects: &mut Vec<Redirect>) -> Option<bool> {
        let start = self.position();
        self.take_while(|byte| byte.is_ascii_digit());
        let operator = if self.at_word() {
            None
        } else {
            REDIRECTIONS.into_iter().find(|text| self.eat(text))
        };
        let Some(operator) = operator else {
            self.rewind(start);
            return Some(false);
        };
        let operator_text = self.since(start).to_owned();
        self.blanks();
        self.at_word().then_some(())?;
        let target = self.word()?;
        if matches!(operator, "<<" | "<<-") {
            self.announce(delimiter(&target)?, operator == "<<-");
        }
        redirects.push(Redirect { operator: operator_text, target });
        Some(true)
    }
}

/// Takes a word apart at the `=` of an assignment, or gives it back.
fn assignment(mut word: RawWord) -> Result<Assignment, RawWord> {
    let Some(WordPart::Text { text, quoted: false }) = word.parts.first_mut() else {
        return Err(word);
    };
    let Some((left, value)) = text.split_once('=') else {
        return Err(word);
    };
    let name = left.strip_suffix('+').unwrap_or(left);
    if !is_name(name) {
        return Err(word);
    }
    let append = name.len() < left.len();
    let name = name.to_owned();
    *text = value.to_owned();
    if text.is_empty() {
        word.parts.remove(0);
    }
    Ok(Assignment { name, append, value: word })
}

/// The text that ends a here-document.
fn delimiter(word: &RawWord) -> Option<String> {
    word.parts
        .iter()
        .map(|part| match part {
            WordPart::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}
