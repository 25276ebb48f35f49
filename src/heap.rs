//! Heaps that a container fixes when it starts: how large, and by which setting, as far as its
//! manifest tells.
//!
//! Read are `-Xmx`, `-XX:MaxHeapSize` and `-XX:MaxRAMPercentage` of Java, `--max-old-space-size` of
//! Node.js and `GOMEMLIMIT` of Go, in the command, the arguments and the literal environment, with
//! Kubernetes' `$(NAME)` expanded. Each runtime's own words are split by its own rules, and of
//! repeated settings the one counts that the runtime would take.
//!
//! Pure and total. What is unknown is left out, and so is a setting that something unknown may
//! override: a value from elsewhere, a reference that leads nowhere here, a script that assigns to
//! the variable. Where it is unknown which of several settings counts, the smallest does.

mod environment;
mod java;
mod launch;
mod node;
#[cfg(test)]
mod properties;
mod removed;
mod removed_flag;
mod setting;
mod size;
#[cfg(test)]
mod tests;

use self::environment::Variables;
use self::java::Java;
pub(crate) use self::launch::ScriptReader;
use self::launch::{Launch, UnsharedReader};
pub(crate) use self::removed::removed_flags_by;
pub use self::removed::{RemovedFlags, removed_flags};
pub(crate) use self::removed_flag::CGROUP_FLAG;
pub use self::removed_flag::RemovedFlag;

use self::setting::Setting;
use crate::json::text::Text;
use crate::kube::container::Container;

/// A heap that is fixed at start.
#[derive(Clone, Debug, PartialEq)]
pub struct Heap {
    /// The setting as written, with its value: `-Xmx512m`, `GOMEMLIMIT=512MiB`.
    pub setting: String,
    /// How large it may become.
    pub size: Size,
    /// The field of the container that says so: `args`, `command` or `env`.
    pub field: &'static str,
}

/// How large a heap may become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// The heap or, in Go, all that the runtime manages, in bytes.
    Whole(u64),
    /// The old generation only, in bytes: the rest of the heap comes on top (V8).
    OldSpace(u64),
    /// A share of the memory limit, in percent: it follows the limit at the next start.
    Share(f64),
}

/// The share of the limit, in percent, at which V8's old space leaves too little for the rest.
const OLD_SPACE: u128 = 80;

/// The share of the limit, in percent, above which a Java heap leaves too little for the rest.
const JAVA_SHARE: f64 = 85.0;

impl Heap {
    /// Whether it leaves too little below a memory limit of so many bytes.
    pub fn fills(&self, limit: u128) -> bool {
        match self.size {
            Size::Whole(bytes) => u128::from(bytes) >= limit,
            Size::OldSpace(bytes) => {
                u128::from(bytes).saturating_mul(100) >= limit.saturating_mul(OLD_SPACE)
            }
            Size::Share(percent) => percent > JAVA_SHARE,
        }
    }
}

/// The variable that Go reads.
const GO: &str = "GOMEMLIMIT";

/// The heaps that `container` fixes at start, at most one for each runtime. Without a word of any
/// it costs nothing.
pub fn heaps(container: &Container<'_>) -> Vec<Heap> {
    heaps_by(&UnsharedReader, container)
}

/// The same, within what `reader` allows for.
pub(crate) fn heaps_by(reader: &dyn ScriptReader, container: &Container<'_>) -> Vec<Heap> {
    if mentions(container) { found(reader, container) } else { Vec::new() }
}

/// A cheap look that keeps most containers unread: `curl -X` and `--max-age` are no settings.
fn mentions(container: &Container<'_>) -> bool {
    let java = |text: &Text<'_>| {
        text.contains("-X") && (text.contains("-Xmx") || text.contains("-XX:Max"))
    };
    let node = |text: &Text<'_>| text.contains("--max") && text.contains("old");
    let flag = |text: &Text<'_>| begins_flag(text) && (java(text) || node(text));
    // the words first: they are fewer than the variables
    let words = container.command.iter().chain(&container.args).any(flag);
    words || container.env.iter().any(|variable| &*variable.name == GO || flag(&variable.value))
}

/// A cheaper look, at everything that [`heaps`] and [`removed_flags`] go by: without it they find
/// nothing.
pub(crate) fn may_be_set(container: &Container<'_>) -> bool {
    let flag =
        |text: &Text<'_>| begins_flag(text) && (text.contains("-X") || text.contains("--max"));
    let words = container.command.iter().chain(&container.args).any(flag);
    words || container.env.iter().any(|variable| &*variable.name == GO || flag(&variable.value))
}

/// Whether `-X` or `--` stands in it. Of hundreds of variables hardly one has either, and this is a
/// look without a branch.
fn begins_flag(text: &str) -> bool {
    let (bytes, next) = (text.as_bytes(), text.as_bytes().get(1..).unwrap_or_default());
    let begins = |byte: u8, next: u8| (byte == b'-') & ((next == b'X') | (next == b'-'));
    bytes.iter().zip(next).fold(false, |found, (byte, next)| found | begins(*byte, *next))
}

fn found(reader: &dyn ScriptReader, container: &Container<'_>) -> Vec<Heap> {
    let launch = Launch::of(container, reader);
    let Some(variables) = Variables::of(container, &launch, reader) else { return Vec::new() };
    let old_space = node::old_space(&variables, &launch)
        .known()
        .map(|(size, setting)| (setting, Size::OldSpace(size)));
    let go = go(&variables).known().map(|(size, setting)| (setting, Size::Whole(size)));
    let settings =
        Java::started(&variables, &launch).into_heap().into_iter().chain(old_space).chain(go);
    settings
        .map(|(setting, size)| Heap { field: field(container, &setting), setting, size })
        .collect()
}

/// What Go is told. `off` and an empty value are no limit; what Go cannot read ends the program.
fn go(variables: &Variables<'_>) -> Setting<u64> {
    match variables.value(GO) {
        Setting::Known("" | "off", _) => Setting::Absent,
        Setting::Known(value, _) => Setting::read(size::go(value), || format!("{GO}={value}")),
        _ => Setting::Absent,
    }
}

/// Where the setting stands; a variable's may have come together from several.
fn field(container: &Container<'_>, setting: &str) -> &'static str {
    let within = |words: &[Text<'_>]| words.iter().any(|word| word.contains(setting));
    match () {
        () if within(&container.args) => "args",
        () if within(&container.command) => "command",
        () => "env",
    }
}
