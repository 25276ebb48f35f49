//! Whether a text is a stream of YAML documents of any dialect, without a tree of it.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_saphyr::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag,
};

use super::margin::{self, Failure, Indented};

/// How much of a text is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The deepest nesting.
    pub(crate) depth: usize,
    /// The most values, keys and ends of lists and mappings.
    pub(crate) events: usize,
    /// The most bytes that are scanned again for quoted text that goes on too far left.
    pub(crate) rescanned: usize,
}

/// What is wrong with a text, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) offset: usize,
    pub(crate) kind: FlawKind,
}

/// What kind of thing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FlawKind {
    /// It is out of bounds.
    TooMuch,
    /// It is not YAML.
    Invalid(ErrorKind),
    /// A key stands twice in one mapping.
    RepeatedKey,
    /// A tag that YAML itself does not define.
    UnknownTag,
}

/// What `text` has that readers differ about, the first of it, and what ends the reading.
pub(crate) fn flaws(text: &str, bounds: Bounds) -> (Option<Flaw>, Option<Flaw>) {
    let mut stream = Stream { bounds, ..Stream::default() };
    let Some(error) = stream.read(text) else { return (stream.doubtful, stream.fatal) };
    if !margin::is_outdented(error.kind()) {
        return (stream.doubtful, Some(Flaw::of(&error, text)));
    }
    let indented = match Indented::of(text, bounds.rescanned) {
        Ok(indented) => indented,
        Err(Failure::Unclosed(offset)) => {
            let kind = FlawKind::Invalid(ErrorKind::UnclosedQuotedScalar);
            return (stream.doubtful, Some(Flaw { offset, kind }));
        }
        Err(Failure::Unknown) => {
            let flaw = Flaw { kind: FlawKind::TooMuch, ..Flaw::of(&error, text) };
            return (stream.doubtful, Some(flaw));
        }
    };
    let mut stream = Stream { bounds, ..Stream::default() };
    let error = stream.read(indented.text());
    let fatal = stream.fatal.or_else(|| error.map(|error| Flaw::of(&error, indented.text())));
    let original = |flaw: Flaw| Flaw { offset: indented.original(flaw.offset), ..flaw };
    (stream.doubtful.map(original), fatal.map(original))
}

impl Flaw {
    fn of(error: &ScanError, text: &str) -> Self {
        let offset = error.marker().byte_offset().unwrap_or(text.len());
        let kind = match error.kind() {
            ErrorKind::RecursionLimitExceeded
            | ErrorKind::AnchorCountOverflow
            | ErrorKind::DirectiveByteLimitExceeded { .. }
            | ErrorKind::TooManyReservedDirectiveParams { .. } => FlawKind::TooMuch,
            kind => FlawKind::Invalid(kind.clone()),
        };
        Self { offset, kind }
    }
}

/// A list or a mapping that is open.
#[derive(Debug)]
enum Open<'t> {
    List,
    /// The keys so far, and whether a key comes next.
    Mapping(HashSet<Key<'t>>, bool),
}

/// A key, and whether it is without quotes: then it may be a number.
type Key<'t> = (Cow<'t, str>, bool);

#[derive(Debug)]
struct Stream<'t> {
    bounds: Bounds,
    open: Vec<Open<'t>>,
    doubtful: Option<Flaw>,
    fatal: Option<Flaw>,
}

impl Default for Stream<'_> {
    fn default() -> Self {
        let bounds = Bounds { depth: 0, events: 0, rescanned: 0 };
        Self { bounds, open: Vec::new(), doubtful: None, fatal: None }
    }
}

impl<'t> Stream<'t> {
    /// Reads all of `text`, unless an error ends it.
    fn read(&mut self, text: &'t str) -> Option<ScanError> {
        let mut options = Options::default();
        options.emit_comments = false;
        options.flow_nesting_limit = self.bounds.depth;
        options.block_nesting_limit = self.bounds.depth;
        let mut parser = Parser::new_from_str_with_options(text, options);
        let mut events = 0_usize;
        while let Some(next) = parser.next_event() {
            let (event, span) = match next {
                Ok(next) => next,
                Err(error) => return Some(error),
            };
            events = events.saturating_add(1);
            if events > self.bounds.events || self.open.len() > self.bounds.depth {
                self.fatal = Some(Flaw { offset: start(&span), kind: FlawKind::TooMuch });
                return None;
            }
            self.take(event, &span);
        }
        None
    }

    fn take(&mut self, event: Event<'t>, span: &Span) {
        match event {
            Event::Scalar(text, style, _, tag) => {
                self.check_tag(tag.as_deref(), span);
                self.node(Some((text, style == ScalarStyle::Plain)), span);
            }
            Event::Alias(_) => self.node(None, span),
            Event::SequenceStart(_, _, tag) => {
                self.check_tag(tag.as_deref(), span);
                self.node(None, span);
                self.open.push(Open::List);
            }
            Event::MappingStart(_, _, tag) => {
                self.check_tag(tag.as_deref(), span);
                self.node(None, span);
                self.open.push(Open::Mapping(HashSet::new(), true));
            }
            Event::SequenceEnd | Event::MappingEnd => drop(self.open.pop()),
            _ => {}
        }
    }

    /// A node, which has this text if it is a scalar: in a mapping every other one is a key.
    fn node(&mut self, scalar: Option<Key<'t>>, span: &Span) {
        let Some(Open::Mapping(keys, is_key_next)) = self.open.last_mut() else { return };
        let is_key = std::mem::replace(is_key_next, !*is_key_next);
        // a merge key may stand twice
        let Some(key) = scalar.filter(|key| is_key && *key != (Cow::Borrowed("<<"), true)) else {
            return;
        };
        if !keys.insert(key) {
            self.doubt(start(span), FlawKind::RepeatedKey);
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, span: &Span) {
        if tag.is_some_and(is_unknown) {
            let offset = span.tag_start().and_then(|tag| tag.byte_offset());
            self.doubt(offset.unwrap_or_else(|| start(span)), FlawKind::UnknownTag);
        }
    }

    fn doubt(&mut self, offset: usize, kind: FlawKind) {
        self.doubtful.get_or_insert(Flaw { offset, kind });
    }
}

fn start(span: &Span) -> usize {
    span.byte_range().map_or(0, |range| range.start)
}

/// The types of YAML 1.1 and 1.2.
const TYPES: [&str; 14] = [
    "str",
    "int",
    "float",
    "bool",
    "null",
    "map",
    "seq",
    "binary",
    "timestamp",
    "merge",
    "set",
    "omap",
    "pairs",
    "value",
];

fn is_unknown(tag: &Tag) -> bool {
    // `!` alone says that it is no number, and not what it is
    let is_bare = tag.handle().is_empty() && tag.suffix() == "!"
        || tag.handle() == "!" && tag.suffix().is_empty();
    !is_bare
        && tag
            .suffix_in_namespace("tag:yaml.org,2002:")
            .is_none_or(|name| !TYPES.contains(&name.as_ref()))
}

#[cfg(test)]
mod tests;
