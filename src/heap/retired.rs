//! Java options about memory that newer virtual machines have given up.
//!
//! Tried: OpenJDK 17 warns of the fractions and does not start with `UseCGroupMemoryLimitForHeap`,
//! OpenJDK 25 starts with none of them. With `-XX:+IgnoreUnrecognizedVMOptions`, wherever it
//! stands, both pass over what they do not know.

use crate::kube::container::Container;

use super::environment::Variables;
use super::java::Java;
use super::launch::{Alone, Launch, Reader};
use super::{begins_flag, field};

/// An option that newer virtual machines have given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// Its name: `MaxRAMFraction`.
    pub name: &'static str,
    /// As written: `-XX:MaxRAMFraction=2`.
    pub option: String,
}

/// The options that a container gives its virtual machine in vain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetiredOptions {
    /// Each with the field of the container that says so: `args`, `command` or `env`.
    pub list: Vec<(Retired, &'static str)>,
    /// Whether virtual machines that do not know them start all the same.
    pub ignored: bool,
}

/// The option of JDK 8 and 9 that let the heap follow the memory limit.
pub const CGROUP: &str = "UseCGroupMemoryLimitForHeap";

/// The fractions that percentages replaced.
const FRACTIONS: [&str; 3] = ["MaxRAMFraction", "MinRAMFraction", "InitialRAMFraction"];

impl Retired {
    /// Reads an option; `None` for any other.
    pub(super) fn of(option: &str) -> Option<Self> {
        let text = option.strip_prefix("-XX:")?;
        let name = match text.strip_prefix(['+', '-']) {
            Some(name) => Some(CGROUP).filter(|known| *known == name),
            None => FRACTIONS
                .into_iter()
                .find(|known| text.strip_prefix(known).is_some_and(|rest| rest.starts_with('='))),
        };
        Some(Self { name: name?, option: option.to_owned() })
    }
}

/// The options of `container` that were given up. Without a word of any it costs nothing.
pub fn retired_options(container: &Container<'_>) -> RetiredOptions {
    retired_options_by(&Alone, container)
}

/// The same, within what `reader` allows for.
pub(crate) fn retired_options_by(reader: &dyn Reader, container: &Container<'_>) -> RetiredOptions {
    let mentions = |text: &str| {
        begins_flag(text)
            && text.contains("-XX:")
            && (text.contains(CGROUP) || text.contains("RAMFraction"))
    };
    let variable = container.env.iter().any(|variable| mentions(&variable.value));
    if !variable && !container.command.iter().chain(&container.args).any(|text| mentions(text)) {
        return RetiredOptions::default();
    }
    let launch = Launch::of(container, reader);
    let Some(variables) = Variables::of(container, &launch, reader) else {
        return RetiredOptions::default();
    };
    let (retired, ignored) = Java::started(&variables, &launch).into_retired();
    let placed = |retired: Retired| {
        let field = field(container, &retired.option);
        (retired, field)
    };
    RetiredOptions { list: retired.into_iter().map(placed).collect(), ignored }
}
