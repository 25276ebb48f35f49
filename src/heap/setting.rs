//! What is known of one setting.

/// One setting, after everything that may set it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Setting<T> {
    /// Nothing sets it.
    #[default]
    Absent,
    /// Its value, and how it is written.
    Known(T, String),
    /// Something may set it, or sets it to what is unknown.
    Unknown,
}

impl<T: PartialOrd> Setting<T> {
    /// The setting with this value, written so.
    pub(super) fn read(value: Option<T>, written: impl FnOnce() -> String) -> Self {
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
    pub(super) fn known(self) -> Option<(T, String)> {
        match self {
            Self::Known(value, written) => Some((value, written)),
            _ => None,
        }
    }
}
