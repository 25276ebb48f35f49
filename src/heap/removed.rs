//! Java options about memory that newer virtual machines have removed.
//!
//! Tried: OpenJDK 17 warns of the fractions and does not start with `UseCGroupMemoryLimitForHeap`,
//! OpenJDK 25 starts with none of them. With `-XX:+IgnoreUnrecognizedVMOptions`, wherever it
//! stands, both pass over what they do not know.

use crate::kube::container::Container;

use super::environment::Variables;
use super::java::Java;
use super::launch::{Launch, ScriptReader, UnsharedReader};
use super::removed_flag::{CGROUP_FLAG, RemovedFlag};
use super::setting::Written;
use super::{begins_flag, field};

/// The options that a container gives its virtual machine in vain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovedFlags {
    /// Each with the field of the container that says so: `args`, `command` or `env`.
    pub list: Vec<(RemovedFlag, String)>,
    /// Whether virtual machines that do not know them start all the same.
    pub ignored: bool,
}

/// The options of `container` that were removed. Without a word of any it costs nothing.
pub fn removed_flags(container: &Container<'_>) -> RemovedFlags {
    removed_flags_by(&UnsharedReader, container)
}

/// The same, within what `reader` allows for.
pub(crate) fn removed_flags_by(
    reader: &dyn ScriptReader,
    container: &Container<'_>,
) -> RemovedFlags {
    let mentions = |text: &str| {
        begins_flag(text)
            && text.contains("-XX:")
            && (text.contains(CGROUP_FLAG) || text.contains("RAMFraction"))
    };
    let variable = container.env.iter().any(|variable| mentions(&variable.value));
    if !variable && !container.command.iter().chain(&container.args).any(|text| mentions(text)) {
        return RemovedFlags::default();
    }
    let launch = Launch::of(container, reader);
    let Some(variables) = Variables::of(container, &launch, reader) else {
        return RemovedFlags::default();
    };
    let (removed, ignored) = Java::started(&variables, &launch).into_removed_flags();
    let placed = |removed: RemovedFlag| {
        let field = field(container, &Written::argument(&removed.option));
        (removed, field)
    };
    RemovedFlags { list: removed.into_iter().map(placed).collect(), ignored }
}
