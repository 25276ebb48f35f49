//! What is known of one setting.

/// How a setting is written, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// The setting with its value: `-Xmx512m`, `GOMEMLIMIT=512MiB`.
    pub(super) text: String,
    /// Where it stands, if not in what the container runs.
    pub(super) place: Option<Place>,
}

/// Where a setting stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the variable of this name.
    Variable(String),
    /// In a file that a ConfigMap carries, in words.
    File(String),
}

/// Where settings stand that are being read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Source<'n> {
    /// In what the container runs.
    #[default]
    Arguments,
    /// In the variable of this name.
    Variable(&'n str),
    /// In a file that a ConfigMap carries, in words.
    File(&'n str),
}

/// One setting, after everything that may set it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Setting<T> {
    /// Nothing sets it.
    #[default]
    Absent,
    /// Its value, and how it is written.
    Known(T, Written),
    /// Something may set it, or sets it to what is unknown.
    Unknown,
}

impl Written {
    /// What stands in what the container runs.
    pub(super) fn argument(text: &str) -> Self {
        Self { text: text.to_owned(), place: None }
    }

    /// What stands in a source.
    pub(super) fn within(text: &str, source: Source<'_>) -> Self {
        let place = match source {
            Source::Arguments => None,
            Source::Variable(name) => Some(Place::Variable(name.to_owned())),
            Source::File(name) => Some(Place::File(name.to_owned())),
        };
        Self { text: text.to_owned(), place }
    }

    /// The whole of a variable.
    pub(super) fn variable(name: &str, value: &str) -> Self {
        Self { text: format!("{name}={value}"), place: Some(Place::Variable(name.to_owned())) }
    }
}

impl<T: PartialOrd> Setting<T> {
    /// The setting with this value, written so.
    pub(super) fn read(value: Option<T>, written: impl FnOnce() -> Written) -> Self {
        value.map_or(Self::Unknown, |value| Self::Known(value, written()))
    }

    /// This setting where there is one, else `earlier`.
    pub(super) fn over(self, earlier: Self) -> Self {
        if matches!(self, Self::Absent) { earlier } else { self }
    }

    /// What holds where either may count: the smaller.
    pub(super) fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Absent, other) => other,
            (this, Self::Absent) => this,
            (Self::Known(one, text), Self::Known(other, _)) if one <= other => {
                Self::Known(one, text)
            }
            (_, other) => other,
        }
    }

    /// The value and how it is written, where known.
    pub(super) fn known(self) -> Option<(T, Written)> {
        match self {
            Self::Known(value, written) => Some((value, written)),
            _ => None,
        }
    }
}
