//! How strongly a policy acts, and the strongest it may.

use std::fmt;
use std::str::FromStr;

/// The label that lowers the cap for a namespace.
pub const CAP_LABEL: &str = "restraint.dev/cap";

/// How strongly a policy acts on a finding. Ordered from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// The policy is not in force.
    Off,
    /// Findings are recorded and nobody is told.
    Audit,
    /// Findings are shown to the client.
    Warn,
    /// Findings deny the request.
    Enforce,
    /// The fault is fixed where a pod is created. It never denies: where the fix is missed the
    /// client is told.
    Fix,
}

impl Mode {
    /// Every mode, from weak to strong.
    pub const ALL: [Self; 5] = [Self::Off, Self::Audit, Self::Warn, Self::Enforce, Self::Fix];

    /// The word for it in policies, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
            Self::Fix => "fix",
        }
    }

    /// The mode that is left of this one under `cap`.
    pub fn under(self, cap: Cap) -> Self {
        match cap {
            Cap::Enforce => self,
            Cap::Warn => self.min(Self::Warn),
            Cap::Audit => self.min(Self::Audit),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The strongest mode allowed, for the whole service or for a namespace. Ordered from strict to
/// lenient limits: the smaller of two caps is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cap {
    /// Nothing is denied, changed or said: the dry-run mode. What would have happened is recorded.
    Audit,
    /// Nothing is denied or changed; clients are warned.
    Warn,
    /// Every mode acts as it says.
    #[default]
    Enforce,
}

impl Cap {
    /// Every cap, from the most to the least restraining.
    pub const ALL: [Self; 3] = [Self::Audit, Self::Warn, Self::Enforce];

    /// The word for it in flags, labels and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Cap {
    type Err = UnknownCap;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|cap| cap.as_str() == text).ok_or(UnknownCap)
    }
}

/// Text that is no cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cap is \"enforce\", \"warn\" or \"audit\"")]
pub struct UnknownCap;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_weaken_and_never_strengthen() {
        assert_eq!(Mode::Fix.under(Cap::Enforce), Mode::Fix);
        assert_eq!(Mode::Fix.under(Cap::Warn), Mode::Warn);
        assert_eq!(Mode::Enforce.under(Cap::Audit), Mode::Audit);
        for mode in Mode::ALL {
            for cap in Cap::ALL {
                assert!(mode.under(cap) <= mode);
                assert_eq!(mode.under(cap).under(cap), mode.under(cap));
            }
        }
    }

    #[test]
    fn caps_are_read_from_words() {
        for cap in Cap::ALL {
            assert_eq!((cap.as_str().parse(), cap.to_string().parse()), (Ok(cap), Ok(cap)));
        }
        assert_eq!("Enforce".parse::<Cap>(), Err(UnknownCap));
    }
}
