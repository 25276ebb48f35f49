//! A place in an object.

use std::fmt;

use crate::judge::patch::pointer_token;

/// A place in an object, from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::explain) struct Path(Vec<Step>);

/// A step on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::explain) enum Step {
    /// A field.
    Field(String),
    /// An item of a list, by its name and its place.
    Item(String, usize),
}

/// The lists whose items are containers.
const CONTAINERS: [&str; 3] = ["containers", "ephemeralContainers", "initContainers"];

impl Path {
    pub(in crate::explain) fn field(&self, name: &str) -> Self {
        self.with(Step::Field(name.to_owned()))
    }

    pub(in crate::explain) fn item(&self, name: &str, index: usize) -> Self {
        self.with(Step::Item(name.to_owned(), index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(in crate::explain) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether `other` is this place, or one within it.
    pub(in crate::explain) fn leads_to(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The name of the field it ends in.
    pub(in crate::explain) fn last_field(&self) -> Option<&str> {
        match self.0.last()? {
            Step::Field(name) => Some(name),
            Step::Item(..) => None,
        }
    }

    /// Its words: fields, and `*` for items.
    pub(in crate::explain) fn words(&self) -> Vec<&str> {
        fn word(step: &Step) -> &str {
            match step {
                Step::Field(name) => name,
                Step::Item(..) => "*",
            }
        }
        self.0.iter().map(word).collect()
    }

    /// The container it is in or at: the name of its list and its own.
    pub(in crate::explain) fn container(&self) -> Option<(&str, &str)> {
        self.0.windows(2).find_map(|steps| match steps {
            [Step::Field(list), Step::Item(name, _)] if CONTAINERS.contains(&list.as_str()) => {
                Some((list.as_str(), name.as_str()))
            }
            _ => None,
        })
    }

    /// The same place as a JSON pointer.
    pub(in crate::explain) fn pointer(&self) -> String {
        let token = |step: &Step| match step {
            Step::Field(name) => format!("/{}", pointer_token(name)),
            Step::Item(_, index) => format!("/{index}"),
        };
        self.0.iter().map(token).collect()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if name.contains(['.', '/']) => write!(formatter, "[{name}]")?,
                Step::Field(name) if index == 0 => formatter.write_str(name)?,
                Step::Field(name) => write!(formatter, ".{name}")?,
                Step::Item(name, _) => write!(formatter, "[{name}]")?,
            }
        }
        Ok(())
    }
}
