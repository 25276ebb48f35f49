//! A document: elements within elements, and what may stand around the outermost.

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::Event;

use crate::config_file::DEEPEST;
use crate::config_file::blanks::{BYTE_ORDER_MARK, is_blank};
use crate::config_file::flaw::{Flaw, Stop};

use super::markup;

/// What has been read of a document.
#[derive(Debug)]
pub(super) struct Document<'t> {
    text: &'t str,
    /// Where the elements begin that are open.
    open: Vec<usize>,
    /// Where the second outermost element begins, and whether there is a first.
    roots: usize,
    second_root: Option<usize>,
    /// Where text begins that stands in no element.
    loose_text: Option<usize>,
    /// Whether entities may be declared that are not known here.
    has_declarations: bool,
}

impl<'t> Document<'t> {
    /// Reads all of `text`, and says what is no document but may be a part of one.
    pub(super) fn read(text: &'t str) -> Result<Option<Flaw>, Stop> {
        if let Some(at) = text.find(markup::is_forbidden) {
            return Err(Flaw::broken(at, "expected no control character").into());
        }
        let mut document = Self {
            text,
            open: Vec::new(),
            roots: 0,
            second_root: None,
            loose_text: None,
            has_declarations: false,
        };
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        loop {
            let start = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            match reader.read_event() {
                Ok(Event::Eof) => return document.end(),
                Ok(event) => document.take(&event, start)?,
                Err(error) => {
                    let place = usize::try_from(reader.error_position()).unwrap_or(start);
                    return Err(document.syntax(&error, place).into());
                }
            }
        }
    }

    fn take(&mut self, event: &Event<'_>, start: usize) -> Result<(), Stop> {
        match event {
            Event::Start(tag) => {
                self.element(tag, start)?;
                if self.open.len() >= DEEPEST {
                    return Err(Stop::TooMuch);
                }
                self.open.push(start);
            }
            Event::Empty(tag) => self.element(tag, start)?,
            Event::End(_) => drop(self.open.pop()),
            Event::Text(text) if self.open.is_empty() && !is_blank(text) => self.loose(start),
            Event::CData(_) if self.open.is_empty() => self.loose(start),
            Event::GeneralRef(name) => {
                if self.open.is_empty() {
                    self.loose(start);
                }
                markup::check_reference(name, start, self.has_declarations)?;
            }
            Event::Decl(_) => {
                let before = self.text.get(..start).unwrap_or_default();
                if !before.trim_start_matches(BYTE_ORDER_MARK).is_empty() {
                    let expected = "expected nothing before \"<?xml\", not even blanks";
                    return Err(Flaw::broken(start, expected).into());
                }
            }
            Event::DocType(_) => self.has_declarations = true,
            _ => {}
        }
        Ok(())
    }

    fn element(
        &mut self,
        tag: &quick_xml::events::BytesStart<'_>,
        start: usize,
    ) -> Result<(), Flaw> {
        if self.open.is_empty() {
            self.roots = self.roots.saturating_add(1);
            if self.roots == 2 {
                self.second_root = Some(start);
            }
        }
        markup::check_tag(tag, start, self.has_declarations)
    }

    fn loose(&mut self, start: usize) {
        self.loose_text.get_or_insert(start);
    }

    fn end(self) -> Result<Option<Flaw>, Stop> {
        let end = self.text.trim_end().len();
        if let Some(start) = self.open.last() {
            let line = crate::config_file::place::of(self.text, *start).0;
            let expected = format!("expected an end tag: the element of line {line} is not closed");
            return Err(Flaw::broken(end, expected).into());
        }
        if let Some(start) = self.loose_text {
            let text = self.text.get(start..).unwrap_or_default();
            let blanks = text.len().saturating_sub(text.trim_start().len());
            let start = start.saturating_add(blanks);
            return Err(
                Flaw::broken(start, "expected no text outside of the outermost element").into()
            );
        }
        Ok(match self.second_root {
            Some(start) => Some(Flaw::lenient(start, "expected a single outermost element")),
            None if self.roots == 0 => Some(Flaw::lenient(end, "expected an element")),
            None => None,
        })
    }

    /// What the parser refuses.
    fn syntax(&self, error: &Error, place: usize) -> Flaw {
        let expected = match error {
            Error::Syntax(SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
                "expected \"?>\""
            }
            Error::Syntax(SyntaxError::UnclosedComment) => "expected \"-->\" after the comment",
            Error::Syntax(SyntaxError::UnclosedCData) => "expected \"]]>\"",
            Error::Syntax(SyntaxError::UnclosedDoctype) => "expected \">\" after the document type",
            Error::Syntax(SyntaxError::UnclosedTag) => "expected \">\" after the tag",
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => "expected a quote after the value of the attribute",
            Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => {
                let line = self
                    .open
                    .last()
                    .map_or(1, |start| crate::config_file::place::of(self.text, *start).0);
                let expected = format!("expected the end tag of the element of line {line}");
                return Flaw::broken(place, expected);
            }
            Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => {
                "expected no end tag: no element is open"
            }
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => {
                "expected no \"--\" within a comment"
            }
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                "expected \"&amp;\", or \";\" after the name of an entity"
            }
            Error::IllFormed(IllFormedError::MissingDoctypeName) => {
                "expected a name in the document type"
            }
            _ => "expected markup of XML",
        };
        Flaw::broken(place, expected)
    }
}
