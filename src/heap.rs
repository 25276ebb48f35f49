//! Heaps that a container fixes when it starts: how large, and by which setting, as far as its
//! manifest tells.
//!
//! Read are `-Xmx`, `-XX:MaxHeapSize`, `-XX:MaxRAMPercentage` and `-XX:MaxRAMFraction` of Java,
//! `--max-old-space-size` of Node.js, `GOMEMLIMIT` of Go and the variables and flags of one program
//! each that a table lists, in the command, the arguments and the literal environment, with
//! Kubernetes' `$(NAME)` expanded and what an inline script exports. Each runtime's own words are
//! split by its own rules, and of repeated settings the one counts that the runtime would take.
//!
//! Pure and total. What is unknown is left out, and so is a setting that something unknown may
//! override: a value from elsewhere, a reference that leads nowhere here, a script that assigns
//! something unknown to the variable. Where it is unknown which of several settings counts, the
//! smallest does.

mod bound;
mod environment;
mod file;
mod java;
mod known_file;
mod launch;
mod node;
#[cfg(test)]
mod properties;
mod refused;
mod removed;
mod removed_flag;
mod server;
mod setting;
mod size;
#[cfg(test)]
mod tests;
mod variable;

pub use self::bound::{Bound, Size};
use self::environment::Variables;
use self::java::Java;
pub(crate) use self::known_file::{KnownFile, may_hold_setting};
pub(crate) use self::launch::ScriptReader;
use self::launch::{Launch, UnsharedReader};
use self::refused::{Refused, is_plain};
pub(crate) use self::removed::removed_flags_by;
pub use self::removed::{RemovedFlags, removed_flags};
pub(crate) use self::removed_flag::CGROUP_FLAG;
pub use self::removed_flag::RemovedFlag;
use self::setting::{Place, Setting, Source, Written};

use crate::json::text::Text;
use crate::kube::container::{Container, EnvVar};

/// A heap that is fixed at start.
#[derive(Clone, Debug, PartialEq)]
pub struct Heap {
    /// The setting as written, with its value: `-Xmx512m`, `GOMEMLIMIT=512MiB`.
    pub setting: String,
    /// The variable or file that it stands in, where the setting does not say so.
    pub place: Option<String>,
    /// How large it may become.
    pub size: Size,
    /// What that bounds.
    pub bound: Bound,
    /// The field of the container that says so: `args/1`, `command/2`, `env/0/value`.
    pub field: String,
}

/// A value for which a program does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSetting {
    /// The program, or its runtime.
    pub program: &'static str,
    /// The setting as written, with its value: `GOMEMLIMIT=1Gi`.
    pub setting: String,
    /// The variable or file that it stands in, where the setting does not say so.
    pub place: Option<String>,
    /// The field of the container that says so.
    pub field: String,
}

impl Heap {
    /// Whether it leaves too little below a memory limit of so many bytes.
    pub fn crowds(&self, limit: u128) -> bool {
        self.bound.leaves_too_little(self.size, limit)
    }

    /// Whether it leaves nothing below a memory limit of so many bytes.
    pub fn fills(&self, limit: u128) -> bool {
        self.bound.leaves_nothing(self.size, limit)
    }

    /// What it is, and how it is written.
    pub fn named(&self) -> String {
        let what = match self.bound {
            Bound::Heap | Bound::OldSpace | Bound::Runtime => "heap ",
            Bound::Data | Bound::Process => "",
        };
        format!("{what}{}", self.setting)
    }

    /// The same, and where it stands: of long settings that is plain.
    pub fn described(&self) -> String {
        /// With more, nothing else fits a warning.
        const LONG: usize = 44;
        let place = self.place.as_ref().filter(|place| {
            self.bound == Bound::Process
                || self.setting.len().saturating_add(place.len()) <= LONG
                || place.contains(' ')
        });
        described(&self.named(), place.map(String::as_str))
    }
}

impl RefusedSetting {
    /// The setting, and where it stands.
    pub fn described(&self) -> String {
        described(&self.setting, self.place.as_deref())
    }
}

fn described(setting: &str, place: Option<&str>) -> String {
    place.map_or(setting.to_owned(), |place| format!("{setting} in {place}"))
}

/// The variable that Go reads.
const GO: &str = "GOMEMLIMIT";

/// The variable that images of Flink read.
const FLINK: &str = "FLINK_PROPERTIES";

/// The heaps that `container` fixes at start, at most one for each runtime. Without a word of any
/// it costs nothing.
pub fn heaps(container: &Container<'_>) -> Vec<Heap> {
    heaps_by(&UnsharedReader, container)
}

/// The same, within what `reader` allows for.
pub(crate) fn heaps_by(reader: &dyn ScriptReader, container: &Container<'_>) -> Vec<Heap> {
    memory_settings_by(reader, container).heaps
}

/// What a container tells its programs of memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemorySettings {
    /// The heaps that are fixed at start.
    pub heaps: Vec<Heap>,
    /// The values for which a program does not start.
    pub refused: Vec<RefusedSetting>,
}

/// What `container` tells its programs of memory, within what `reader` allows for.
pub(crate) fn memory_settings_by(
    reader: &dyn ScriptReader,
    container: &Container<'_>,
) -> MemorySettings {
    if may_be_set(container) || !reader.files().is_empty() {
        found(reader, container)
    } else {
        MemorySettings::default()
    }
}

/// A cheap look, at everything that [`heaps`] and [`removed_flags`] go by: without it they find
/// nothing.
pub(crate) fn may_be_set(container: &Container<'_>) -> bool {
    let flag = |text: &Text<'_>| may_hold_flag(text);
    let named = |variable: &EnvVar<'_>| is_memory_variable(&variable.name);
    // the words first: they are fewer than the variables
    let words = container.command.iter().chain(&container.args);
    words.clone().any(flag)
        || container.env.iter().any(|variable| named(variable) || flag(&variable.value))
        || words.clone().any(|word| sets_variable(word))
}

/// How flags begin that say something of memory, or may.
pub(crate) const FLAGS: [&str; 4] = ["-X", "--max", "--innodb", "--wired"];

/// Whether a flag of memory may stand in `text`.
pub(crate) fn may_hold_flag(text: &str) -> bool {
    begins_flag(text) && FLAGS.iter().any(|flag| text.contains(flag))
}

/// Whether a variable says something of memory by its name alone.
pub(crate) fn is_memory_variable(name: &str) -> bool {
    matches!(name, GO | FLINK) || variable::known(name).is_some()
}

/// Whether a variable holds options of a runtime by its name alone.
pub(crate) fn is_options_variable(name: &str) -> bool {
    name == node::VARIABLE || java::holds_options(name)
}

/// Whether a text may set one of the variables that are known by their names.
fn sets_variable(text: &str) -> bool {
    let parts = ["HEAP", "MEM", "XMX", "Heap", "heap", "RAM_"];
    text.contains('=') && parts.iter().any(|part| text.contains(part))
}

/// Whether `-X` or `--` stands in it. Of hundreds of variables hardly one has either, and this is a
/// look without a branch.
fn begins_flag(text: &str) -> bool {
    let (bytes, next) = (text.as_bytes(), text.as_bytes().get(1..).unwrap_or_default());
    let begins = |byte: u8, next: u8| (byte == b'-') & ((next == b'X') | (next == b'-'));
    bytes.iter().zip(next).fold(false, |found, (byte, next)| found | begins(*byte, *next))
}

fn found(reader: &dyn ScriptReader, container: &Container<'_>) -> MemorySettings {
    let launch = Launch::of(container, reader);
    let Some(variables) = Variables::of(container, &launch, reader) else { return <_>::default() };
    let mut refused = Vec::new();
    let old_space = node::old_space(&variables, &launch, &mut refused);
    let data = server::data(&launch, &mut refused);
    let go = go(container, &variables, &mut refused);
    let java = Java::started(&variables, &launch);
    refused.extend(java.refused());
    let heap = java.heap();
    let file = file::settings(reader, container, &heap, &data);
    let settings = [(heap, Bound::Heap), (old_space, Bound::OldSpace), (go, Bound::Runtime)];
    let data = match data {
        Setting::Known(bytes, written) => Setting::Known(Size::Bytes(bytes), written),
        _ => Setting::Absent,
    };
    let settings = settings.into_iter().chain([(data, Bound::Data)]).chain(file);
    let settings = settings.chain(by_name(container, &variables, &launch));
    let heaps = settings.filter_map(|(setting, bound)| {
        let (size, written) = setting.known()?;
        let (place, field) = (place(&written), field(container, &written));
        Some(Heap { setting: written.text, place, size, bound, field })
    });
    let refused = refused.into_iter().map(|Refused { program, written }| RefusedSetting {
        program,
        place: place(&written),
        field: field(container, &written),
        setting: written.text,
    });
    MemorySettings { heaps: heaps.collect(), refused: refused.collect() }
}

/// What Go is told. `off` and an empty value are no limit; what Go cannot read ends the program.
fn go(
    container: &Container<'_>,
    variables: &Variables<'_>,
    refused: &mut Vec<Refused>,
) -> Setting<Size> {
    match variables.value(GO) {
        Setting::Known("" | "off", _) => Setting::Absent,
        Setting::Known(value, _) => {
            let (size, written) = (size::go(value), Written::variable(GO, value));
            if size.is_none() && is_plain(&value.replace(' ', "")) {
                refused.push(Refused { program: "Go", written: written.clone() });
            }
            Setting::read(size.map(Size::Bytes), || written)
        }
        // of repeated names the last one counts
        Setting::Unknown => {
            let last = container.env.iter().rev().find(|variable| &*variable.name == GO);
            let whole = last.is_some_and(|variable| is_memory_limit(container, variable));
            let written = || Written::variable(GO, "limits.memory");
            Setting::read(whole.then_some(Size::Share(100.0)), written)
        }
        Setting::Absent => Setting::Absent,
    }
}

/// Whether a variable is the container's own memory limit in bytes.
fn is_memory_limit(container: &Container<'_>, variable: &EnvVar<'_>) -> bool {
    let from = variable.value_from.as_ref();
    let Some(field) = from.and_then(|from| from.resource_field_ref.as_ref()) else { return false };
    let own = field.container_name.is_empty() || field.container_name == container.name;
    own && &*field.resource == "limits.memory" && field.is_undivided()
}

/// What variables say that are for one program each.
fn by_name(
    container: &Container<'_>,
    variables: &Variables<'_>,
    launch: &Launch<'_>,
) -> Vec<(Setting<Size>, Bound)> {
    let mut settings = Vec::new();
    let known = variables.of_interest(|name, _| name == FLINK || variable::known(name).is_some());
    for (name, value) in known {
        let Setting::Known(value, _) = value else { continue };
        if let Some(row) = variable::known(name) {
            let meant = container.image.contains(row.image) || container.name.contains(row.image);
            let size = meant.then(|| (row.read)(value)).flatten();
            settings.push((Setting::read(size, || Written::variable(name, value)), row.bound));
        } else if let Some((line, size)) = server::flink(value, launch) {
            let written = Written::within(&line, Source::Variable(FLINK));
            settings.push((Setting::Known(size, written), Bound::Process));
        }
    }
    settings
}

/// Where the setting stands, in the words of whoever reads about it.
fn place(written: &Written) -> Option<String> {
    match &written.place {
        Some(Place::Variable(name)) => {
            let says_so = written.text.strip_prefix(name.as_str());
            (!says_so.is_some_and(|rest| rest.starts_with('='))).then(|| name.clone())
        }
        Some(Place::File(name)) => Some(name.clone()),
        None => None,
    }
}

/// The field of the container that says so; a variable may have come together from several.
fn field(container: &Container<'_>, written: &Written) -> String {
    let text = written.text.split_once(" above ").map_or(&*written.text, |(text, _)| text);
    let word = match &written.place {
        Some(Place::Variable(_)) => text.split_once('=').map_or(text, |(_, value)| value),
        _ => text.rsplit(' ').next().unwrap_or(text),
    };
    let within = |words: &[Text<'_>]| words.iter().position(|known| known.contains(word));
    let variable = |name: &str| {
        let mut all = container.env.iter().enumerate().rev();
        all.find(|(_, variable)| &*variable.name == name).map(|(index, _)| index)
    };
    match &written.place {
        Some(Place::File(_)) => return "volumeMounts".to_owned(),
        Some(Place::Variable(name)) if let Some(index) = variable(name) => {
            return format!("env/{index}");
        }
        _ => {}
    }
    match (within(&container.args), within(&container.command)) {
        (Some(index), _) => format!("args/{index}"),
        (None, Some(index)) => format!("command/{index}"),
        (None, None) => {
            let holds = |variable: &EnvVar<'_>| variable.value.contains(word);
            let variable = container.env.iter().position(holds);
            variable.map_or("env".to_owned(), |index| format!("env/{index}"))
        }
    }
}
