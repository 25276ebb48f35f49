//! Words: quotes, escapes, variables and substitutions.

use super::names::is_name;
use super::scan::Parser;
use super::tree::{RawWord, WordPart};

impl Parser<'_> {
    /// Reads the word that starts here. `None` where it is not understood.
    pub(super) fn word(&mut self) -> Option<RawWord> {
        let mut word = RawWord::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'\'' => {
                    self.step();
                    let text = self.take_while(|byte| byte != b'\'');
                    word.push_text(text, true);
                    self.eat("'").then_some(())?;
                }
                b'"' => {
                    self.step();
                    self.double(&mut word)?;
                }
                b'\\' => {
                    self.step();
                    if !self.eat("\n") {
                        word.push_text(self.character().unwrap_or("\\"), true);
                    }
                }
                b'$' => self.dollar(&mut word, false)?,
                b'`' => self.backquote(&mut word)?,
                b'(' if is_array(&word) => {
                    self.array()?;
                    word.parts.push(WordPart::Opaque);
                }
                b'<' | b'>' if word.parts.is_empty() => {
                    self.step();
                    self.eat("(").then_some(())?;
                    let list = self.deeper(Self::substitution)?;
                    word.parts.push(WordPart::Output { list, process: true });
                }
                _ if !self.at_word() || matches!(byte, b'<' | b'>') => break,
                _ => {
                    let text = self.take_while(is_plain);
                    word.push_text(text, false);
                }
            }
        }
        Some(word)
    }

    /// Reads on to the closing double quote.
    fn double(&mut self, word: &mut RawWord) -> Option<()> {
        if self.peek() == Some(b'"') {
            word.push_text("", true);
        }
        loop {
            match self.peek()? {
                b'"' => {
                    self.step();
                    return Some(());
                }
                b'\\' => {
                    self.step();
                    if self.eat("\n") {
                        continue;
                    }
                    if !matches!(self.peek()?, b'$' | b'`' | b'"' | b'\\') {
                        word.push_text("\\", true);
                    }
                    word.push_text(self.character()?, true);
                }
                b'$' => self.dollar(word, true)?,
                b'`' => self.backquote(word)?,
                _ => {
                    let text = self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'$' | b'`'));
                    word.push_text(text, true);
                }
            }
        }
    }

    /// Reads what a dollar sign starts.
    fn dollar(&mut self, word: &mut RawWord, quoted: bool) -> Option<()> {
        self.step();
        let part = match self.peek() {
            Some(b'(') => {
                self.step();
                if self.eat("(") {
                    if self.arithmetic()?.is_some() {
                        word.parts.push(WordPart::Opaque);
                        return Some(());
                    }
                    self.rewind(self.position().saturating_sub(1));
                }
                WordPart::Output { list: self.deeper(Self::substitution)?, process: false }
            }
            Some(b'{') => {
                self.step();
                self.deeper(|parser| parser.braces(quoted))?
            }
            Some(b'\'') if !quoted => {
                self.step();
                self.escapes()?;
                WordPart::Opaque
            }
            Some(b'"') if !quoted => {
                self.step();
                word.parts.push(WordPart::Opaque);
                return self.double(word);
            }
            Some(byte) if byte.is_ascii_digit() || b"?#!$-@*".contains(&byte) => {
                WordPart::Variable { name: self.character()?.to_owned(), fallback: false, quoted }
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => WordPart::Variable {
                name: self
                    .take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                    .to_owned(),
                fallback: false,
                quoted,
            },
            _ => {
                word.push_text("$", quoted);
                return Some(());
            }
        };
        word.parts.push(part);
        Some(())
    }

    /// Reads `${...}` after its opening brace.
    fn braces(&mut self, quoted: bool) -> Option<WordPart> {
        let start = self.position();
        let special = self.take_while(|byte| b"?#!$-@*".contains(&byte));
        let name = if special.is_empty() {
            self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        } else {
            self.since(start)
        };
        let tested = self.eat(":");
        let plain = !tested && self.peek() == Some(b'}');
        let fallback = matches!(self.peek(), Some(b'-' | b'?' | b'='));
        let mut ignored = RawWord::default();
        loop {
            match self.peek()? {
                b'}' => {
                    self.step();
                    break;
                }
                b'\\' => {
                    self.step();
                    self.character()?;
                }
                b'\'' if !quoted => {
                    self.step();
                    self.take_while(|byte| byte != b'\'');
                    self.eat("'").then_some(())?;
                }
                b'"' => {
                    self.step();
                    self.double(&mut ignored)?;
                }
                b'$' => self.dollar(&mut ignored, quoted)?,
                b'`' => self.backquote(&mut ignored)?,
                _ => {
                    self.take_while(|byte| {
                        !matches!(byte, b'}' | b'\\' | b'\'' | b'"' | b'$' | b'`')
                    });
                    if quoted {
                        self.eat("'");
                    }
                }
            }
        }
        let known = is_name(name)
            || name.bytes().all(|byte| byte.is_ascii_digit())
            || matches!(name, "?" | "!" | "@" | "*" | "#" | "$" | "-");
        Some(if known && !name.is_empty() && (plain || fallback) {
            WordPart::Variable { name: name.to_owned(), fallback: !plain, quoted }
        } else {
            WordPart::Opaque
        })
    }

    /// Reads the commands of a substitution and its closing parenthesis.
    fn substitution(&mut self) -> Option<super::tree::List> {
        let list = self.list()?;
        self.eat(")").then_some(list)
    }

    /// Reads a backquoted substitution: its text is unescaped, then parsed like any other script.
    fn backquote(&mut self, word: &mut RawWord) -> Option<()> {
        self.step();
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|byte| byte != b'`' && byte != b'\\'));
            if self.eat("`") {
                break;
            }
            self.eat("\\").then_some(())?;
            if !matches!(self.peek()?, b'$' | b'`' | b'\\') {
                text.push('\\');
            }
            text.push_str(self.character()?);
        }
        let depth = self.depth();
        let list = self.deeper(|_| Parser::new(&text, depth.saturating_add(1)).script())?;
        word.parts.push(WordPart::Output { list, process: false });
        Some(())
    }

    /// Steps over `$'...'`, in which a backslash escapes the quote.
    fn escapes(&mut self) -> Option<()> {
        loop {
            self.take_while(|byte| byte != b'\'' && byte != b'\\');
            if self.eat("'") {
                return Some(());
            }
            self.eat("\\").then_some(())?;
            self.character()?;
        }
    }

    /// Steps over the elements of an array.
    fn array(&mut self) -> Option<()> {
        self.step();
        loop {
            self.gaps();
            if self.eat(")") {
                return Some(());
            }
            self.at_word().then_some(())?;
            self.deeper(Self::word)?;
        }
    }
}

/// Whether a byte of a word stands for itself and the word goes on after it.
fn is_plain(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b'\t'
            | b'\n'
            | b';'
            | b'&'
            | b'|'
            | b'('
            | b')'
            | b'<'
            | b'>'
            | b'\''
            | b'"'
            | b'\\'
            | b'$'
            | b'`'
    )
}

/// Whether an opening parenthesis after this much of a word starts an array.
fn is_array(word: &RawWord) -> bool {
    word.bare()
        .and_then(|text| text.strip_suffix('='))
        .is_some_and(|name| is_name(name.strip_suffix('+').unwrap_or(name)))
}
