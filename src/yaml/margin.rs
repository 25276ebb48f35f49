//! Quoted text that goes on left of the block it is in.
//!
//! libyaml, and so kubectl, lets it go on in any column; the parser here wants it further right.
//! Blanks at the beginning of such a line are no part of the text, so they are put there.

use serde_saphyr::Error;
use serde_saphyr::granit_parser::{ErrorKind, Scanner, StrInput};
use serde_saphyr::localizer::ExternalMessageSource;

/// A text with blanks before the lines that stand too far left.
#[derive(Debug)]
pub(super) struct Indented {
    text: String,
    /// Where blanks were put, in order, and how many up to there.
    inserted: Vec<(usize, usize)>,
}

/// Why there is no such text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The quote at this byte is not closed in its document.
    Unclosed(usize),
    /// There are too many such lines, or none.
    Unknown,
}

/// Whether `error` is about how far left quoted text goes on.
pub(super) fn is_about_quotes(error: &Error) -> bool {
    match error {
        Error::ExternalMessage { source, .. } => match &**source {
            ExternalMessageSource::Parser(error) => is_outdented(error.kind()),
            _ => false,
        },
        _ => false,
    }
}

pub(super) fn is_outdented(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidQuotedScalarIndent | ErrorKind::TabInIndentation)
}

impl Indented {
    /// `text` with such blanks. A text is scanned from its beginning for each such line, up to `most`
    /// bytes in all.
    pub(super) fn of(text: &str, most: usize) -> Result<Self, Failure> {
        let mut indented = Self { text: text.to_owned(), inserted: Vec::new() };
        let mut scanned = 0_usize;
        while let Some(line) = outdented_line(&indented.text) {
            scanned = scanned.saturating_add(indented.text.len());
            if scanned > most {
                return Err(Failure::Unknown);
            }
            let open = open_quote(indented.text.get(..line).unwrap_or_default());
            let open = open.ok_or(Failure::Unknown)?;
            // a line that ends the document is indented by nobody
            let is_end = indented.text.get(line..).is_some_and(is_indicator);
            let close = closing_quote(&indented.text, open).filter(|_| !is_end);
            let close = close.ok_or_else(|| Failure::Unclosed(indented.original(open)))?;
            indented.indent(open, close).ok_or(Failure::Unknown)?;
        }
        if indented.inserted.is_empty() { Err(Failure::Unknown) } else { Ok(indented) }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where in the text as it is written that is which is at `offset` here.
    pub(super) fn original(&self, offset: usize) -> usize {
        let before = self.inserted.partition_point(|(place, _)| *place < offset);
        let blanks = before.checked_sub(1).and_then(|last| self.inserted.get(last));
        offset.saturating_sub(blanks.map_or(0, |(_, count)| *count))
    }

    /// Indents the quoted text from the quote at `open` to that at `close`.
    fn indent(&mut self, open: usize, close: usize) -> Option<()> {
        let start = line_start(&self.text, open);
        // further right than the quote is further right than its block
        let margin = " ".repeat(open.checked_sub(start)?.checked_add(1)?);
        let (quoted, rest) = self.text.get(open..)?.split_at_checked(close.checked_sub(open)?)?;
        let mut text = self.text.get(..open)?.to_owned();
        let mut total = self.inserted.last().map_or(0, |(_, count)| *count);
        for (index, line) in quoted.split_inclusive('\n').enumerate() {
            if index > 0 && !is_indicator(line) {
                total = total.checked_add(margin.len())?;
                self.inserted.push((text.len(), total));
                text.push_str(&margin);
            }
            text.push_str(line);
        }
        text.push_str(rest);
        self.text = text;
        Some(())
    }
}

/// Where the first line begins that stands too far left.
fn outdented_line(text: &str) -> Option<usize> {
    let error = Scanner::new(StrInput::new(text)).find_map(Result::err)?;
    let place = error.marker().byte_offset().filter(|_| is_outdented(error.kind()))?;
    Some(line_start(text, place))
}

/// The quote that is open at the end of `text`.
fn open_quote(text: &str) -> Option<usize> {
    // an end at the margin would be too far left, too
    let text = text.trim_ascii_end();
    let error = Scanner::new(StrInput::new(text)).find_map(Result::err)?;
    if *error.kind() != ErrorKind::UnclosedQuotedScalar {
        return None;
    }
    error.marker().byte_offset()
}

/// Where the text is closed whose quote stands at `open`.
fn closing_quote(text: &str, open: usize) -> Option<usize> {
    let mut letters = text.get(open..).unwrap_or_default().char_indices();
    let quote = letters.next().map(|(_, letter)| letter);
    let mut letters = letters.peekable();
    while let Some((offset, letter)) = letters.next() {
        match letter {
            '\\' if quote == Some('"') => drop(letters.next()),
            _ if Some(letter) != quote => {}
            '\'' if letters.next_if(|(_, next)| *next == '\'').is_some() => {}
            _ => return Some(open.saturating_add(offset)),
        }
    }
    None
}

/// Whether the line would end the document even within quotes: then nobody reads it.
fn is_indicator(line: &str) -> bool {
    ["---", "..."].into_iter().any(|mark| {
        line.strip_prefix(mark)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
    })
}

fn line_start(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.rfind('\n').map_or(0, |at| at.saturating_add(1))
}
