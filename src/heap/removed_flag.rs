//! A Java option about memory that newer virtual machines have removed.

/// An option that newer virtual machines have removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedFlag {
    /// Its name: `MaxRAMFraction`.
    pub name: &'static str,
    /// As written: `-XX:MaxRAMFraction=2`. Where more stands in the same word, without that.
    pub option: String,
}

/// The option of JDK 8 and 9 that let the heap follow the memory limit.
pub(crate) const CGROUP_FLAG: &str = "UseCGroupMemoryLimitForHeap";

/// The fractions that percentages replaced.
const FRACTIONS: [&str; 3] = ["MaxRAMFraction", "MinRAMFraction", "InitialRAMFraction"];

impl RemovedFlag {
    /// Reads an option; `None` for any other.
    pub(super) fn of(option: &str) -> Option<Self> {
        let text = option.strip_prefix("-XX:")?;
        let name = match text.strip_prefix(['+', '-']) {
            Some(name) => Some(CGROUP_FLAG).filter(|known| *known == name),
            None => FRACTIONS
                .into_iter()
                .find(|known| text.strip_prefix(known).is_some_and(|rest| rest.starts_with('='))),
        };
        let written = option.split_whitespace().next().unwrap_or(option);
        Some(Self { name: name?, option: written.to_owned() })
    }
}
