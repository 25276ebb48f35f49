//! The grammar: lists, pipelines, commands and the compound ones.

use super::names::is_name;
use super::scan::Parser;
use super::tree::{Item, Joint, List, Node, NodeKind, Pipeline, Simple};

/// Keywords that end a list and belong to the construct around it.
const CLOSERS: [&str; 8] = ["then", "elif", "else", "fi", "do", "done", "esac", "}"];

impl Parser<'_> {
    /// Reads a whole script.
    pub(super) fn script(&mut self) -> Option<List> {
        let list = self.list()?;
        self.peek().is_none().then_some(list)
    }

    /// Reads statements up to whatever closes the list; that is left unread.
    pub(super) fn list(&mut self) -> Option<List> {
        let mut items = Vec::new();
        loop {
            self.gaps();
            if self.at_end() {
                return Some(List(items));
            }
            let mut item = self.item()?;
            self.blanks();
            match self.peek() {
                Some(b'&') => {
                    self.step();
                    item.background = true;
                }
                Some(b';') if !self.starts_with(";;") && !self.starts_with(";&") => self.step(),
                Some(b'\n') => {}
                _ => self.at_end().then_some(())?,
            }
            items.push(item);
        }
    }

    fn at_end(&self) -> bool {
        matches!(self.peek(), None | Some(b')'))
            || self.starts_with(";;")
            || self.starts_with(";&")
            || self.keyword().is_some_and(|word| CLOSERS.contains(&word))
    }

    /// A list with at least one statement, between the keywords of a construct.
    fn inner(&mut self, close: &str) -> Option<List> {
        let list = self.deeper(Self::list)?;
        (self.eat_keyword(close) && !list.0.is_empty()).then_some(list)
    }

    fn item(&mut self) -> Option<Item> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let joint = if self.eat("&&") {
                Joint::And
            } else if self.eat("||") {
                Joint::Or
            } else {
                break;
            };
            self.gaps();
            rest.push((joint, self.pipeline()?));
        }
        Some(Item { first, rest, background: false })
    }

    fn pipeline(&mut self) -> Option<Pipeline> {
        let mut negated = false;
        loop {
            self.blanks();
            if self.eat_keyword("!") {
                negated = !negated;
            } else if self.eat_keyword("time") {
                self.blanks();
                self.eat("-p ");
            } else {
                break;
            }
        }
        let mut stages = vec![self.command()?];
        loop {
            self.blanks();
            if self.starts_with("||") || !(self.eat("|&") || self.eat("|")) {
                break;
            }
            self.gaps();
            stages.push(self.command()?);
        }
        Some(Pipeline { negated, stages })
    }

    pub(super) fn command(&mut self) -> Option<Node> {
        self.blanks();
        let mut redirects = Vec::new();
        let kind = match self.keyword() {
            Some("[[") => NodeKind::Simple(self.test()?),
            Some("function") => {
                self.eat("function");
                self.blanks();
                let name = self.word()?.bare()?.to_owned();
                self.blanks();
                if self.eat("(") {
                    self.blanks();
                    self.eat(")").then_some(())?;
                }
                self.function(name)?
            }
            Some(keyword) if !CLOSERS.contains(&keyword) => {
                self.eat(keyword);
                self.compound(keyword)?
            }
            Some(_) => return None,
            None if self.peek() == Some(b'(') => self.parentheses()?,
            None => self.simple_command(&mut redirects)?,
        };
        loop {
            self.blanks();
            if !self.redirect(&mut redirects)? {
                return Some(Node { kind, redirects });
            }
        }
    }

    fn compound(&mut self, keyword: &str) -> Option<NodeKind> {
        Some(match keyword {
            "{" => NodeKind::Group(self.inner("}")?),
            "while" | "until" => NodeKind::While {
                until: keyword == "until",
                condition: self.inner("do")?,
                body: self.inner("done")?,
            },
            "for" | "select" => self.iteration()?,
            "if" => {
                let mut branches = vec![(self.inner("then")?, self.deeper(Self::list)?)];
                while self.eat_keyword("elif") {
                    branches.push((self.inner("then")?, self.deeper(Self::list)?));
                }
                let otherwise = if self.eat_keyword("else") {
                    self.deeper(Self::list)?
                } else {
                    List::default()
                };
                self.eat_keyword("fi").then_some(())?;
                NodeKind::If { branches, otherwise }
            }
            "case" => self.case()?,
            _ => return None,
        })
    }

    fn iteration(&mut self) -> Option<NodeKind> {
        self.blanks();
        let mut name = String::new();
        let mut words = Vec::new();
        let mut endless = false;
        if self.eat("((") {
            let mut clauses = self.arithmetic()??.split(';');
            endless = clauses.nth(1).is_some_and(|test| test.trim().is_empty());
        } else {
            name.push_str(self.word()?.bare().filter(|name| is_name(name))?);
            self.gaps();
            if self.eat("in") {
                self.blanks();
                while self.at_word() {
                    words.push(self.word()?);
                    self.blanks();
                }
            }
        }
        self.blanks();
        self.eat(";");
        self.gaps();
        self.eat_keyword("do").then_some(())?;
        Some(NodeKind::For { name, words, endless, body: self.inner("done")? })
    }

    fn case(&mut self) -> Option<NodeKind> {
        self.blanks();
        let subject = self.word()?;
        self.gaps();
        self.eat("in").then_some(())?;
        let mut arms = Vec::new();
        loop {
            self.gaps();
            if self.eat_keyword("esac") {
                return Some(NodeKind::Case { subject, arms });
            }
            self.eat("(");
            loop {
                self.blanks();
                self.at_word().then_some(())?;
                self.word()?;
                self.blanks();
                if !self.eat("|") {
                    break;
                }
            }
            self.eat(")").then_some(())?;
            arms.push(self.deeper(Self::list)?);
            if !(self.eat(";;&") || self.eat(";;") || self.eat(";&"))
                && self.keyword() != Some("esac")
            {
                return None;
            }
        }
    }

    /// Reads `((...))` or `(...)`.
    fn parentheses(&mut self) -> Option<NodeKind> {
        self.step();
        if self.eat("(") {
            if let Some(text) = self.arithmetic()? {
                return Some(NodeKind::Arithmetic(text.to_owned()));
            }
            self.rewind(self.position().saturating_sub(1));
        }
        let list = self.deeper(Self::list)?;
        self.eat(")").then_some(NodeKind::Subshell(list))
    }

    /// Reads `[[ ... ]]`, in which operators are part of the test.
    fn test(&mut self) -> Option<Simple> {
        let mut simple = Simple::default();
        loop {
            self.gaps();
            if self.at_word() {
                let word = self.word()?;
                let last = word.bare() == Some("]]");
                simple.words.push(word);
                if last {
                    return Some(simple);
                }
            } else {
                self.character()?;
            }
        }
    }
}
