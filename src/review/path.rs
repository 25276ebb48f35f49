//! The two ways a review comes in.

use std::fmt;
use std::str::FromStr;

/// Which way a review came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// `POST /validate`: denies, warns, records.
    Validate,
    /// `POST /mutate`: amends, records.
    Mutate,
}

/// A word that is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path is \"validate\" or \"mutate\"")]
pub struct UnknownPath;

impl Path {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Validate, Self::Mutate];

    /// The word for it in logs, metrics and recordings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Mutate => "mutate",
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Path {
    type Err = UnknownPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|path| path.as_str() == text).ok_or(UnknownPath)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_words() {
        for path in Path::ALL {
            assert_eq!((path.as_str().parse(), path.to_string().parse()), (Ok(path), Ok(path)));
        }
        assert_eq!("/validate".parse::<Path>(), Err(UnknownPath));
    }
}
