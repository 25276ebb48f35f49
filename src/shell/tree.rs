//! The syntax tree of a script: what was written, nothing resolved yet.

/// Statements, one after the other.
#[derive(Debug, Default)]
pub(super) struct List(pub(super) Vec<Item>);

/// Pipelines joined by `&&` and `||`, started in the background where `&` follows.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) first: Pipeline,
    pub(super) rest: Vec<(Joint, Pipeline)>,
    pub(super) background: bool,
}

/// What joins two pipelines of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    And,
    Or,
}

/// Commands joined by `|`; a single command is a pipeline of one.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) negated: bool,
    pub(super) stages: Vec<Node>,
}

/// A command with its redirections.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) redirects: Vec<Redirect>,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    Simple(Simple),
    Group(List),
    Subshell(List),
    While {
        until: bool,
        condition: List,
        body: List,
    },
    For {
        name: String,
        words: Vec<RawWord>,
        /// `for ((;;))`: no condition at all.
        endless: bool,
        body: List,
    },
    If {
        branches: Vec<(List, List)>,
        otherwise: List,
    },
    Case {
        subject: RawWord,
        arms: Vec<List>,
    },
    Function {
        name: String,
        body: Box<Node>,
    },
    /// `(( ... ))`, with its text.
    Arithmetic(String),
}

impl NodeKind {
    /// The lists a compound command is made of.
    pub(super) fn lists(&self) -> impl Iterator<Item = &List> {
        let mut found: Vec<&List> = Vec::new();
        match self {
            Self::Group(list) | Self::Subshell(list) => found.push(list),
            Self::While { condition, body, .. } => found.extend([condition, body]),
            Self::For { body, .. } => found.push(body),
            Self::If { branches, otherwise } => {
                for (condition, body) in branches {
                    found.extend([condition, body]);
                }
                found.push(otherwise);
            }
            Self::Case { arms, .. } => found.extend(arms),
            Self::Simple(_) | Self::Function { .. } | Self::Arithmetic(_) => {}
        }
        found.into_iter()
    }
}

/// Assignments, then words.
#[derive(Debug, Default)]
pub(super) struct Simple {
    pub(super) assignments: Vec<Assignment>,
    pub(super) words: Vec<RawWord>,
}

#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) append: bool,
    pub(super) value: RawWord,
}

#[derive(Debug)]
pub(super) struct Redirect {
    pub(super) operator: String,
    pub(super) target: RawWord,
}

/// A word as written.
#[derive(Debug, Default)]
pub(super) struct RawWord {
    pub(super) parts: Vec<WordPart>,
}

#[derive(Debug)]
pub(super) enum WordPart {
    Text {
        text: String,
        quoted: bool,
    },
    /// `$X`, `${X}`, and `${X:-...}` with `fallback`.
    Variable {
        name: String,
        fallback: bool,
        quoted: bool,
    },
    /// `$(...)`, backquotes, and `<(...)` with `process`.
    Output {
        list: List,
        process: bool,
    },
    /// Anything else the shell would compute.
    Opaque,
}

impl RawWord {
    /// The word's text where nothing in it is quoted or computed: what can be a keyword or a name.
    pub(super) fn bare(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [WordPart::Text { text, quoted: false }] => Some(text),
            _ => None,
        }
    }

    /// The word's text where nothing in it is computed.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [WordPart::Text { text, .. }] => Some(text),
            _ => None,
        }
    }

    /// Adds text, joined to the text before it where both are quoted alike.
    pub(super) fn push_text(&mut self, more: &str, quote: bool) {
        if let Some(WordPart::Text { text, quoted }) = self.parts.last_mut()
            && *quoted == quote
        {
            text.push_str(more);
        } else {
            if self.parts.is_empty() {
                self.parts = Vec::with_capacity(1); // most words are of one part
            }
            self.parts.push(WordPart::Text { text: more.to_owned(), quoted: quote });
        }
    }
}
