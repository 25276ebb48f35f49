//! Options of a Java virtual machine.
//!
//! HotSpot takes them in this order, and of repeated ones the last (`arguments.cpp`):
//! `JAVA_TOOL_OPTIONS`, the command line, `_JAVA_OPTIONS`. The launcher puts `JDK_JAVA_OPTIONS` in
//! front of the command line, start scripts put variables such as `JAVA_OPTS` into it.

use crate::shell::Word;
use crate::shell::options::in_front;

use super::bound::Size;
use super::environment::Variables;
use super::launch::Launch;
use super::refused::{Refused, is_plain};
use super::removed_flag::RemovedFlag;
use super::setting::{Setting, Source, Written};
use super::size;

/// What options say of the heap.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Java<'n> {
    /// `-Xmx` and `-XX:MaxHeapSize`, which are the same.
    heap: Setting<u64>,
    /// `-Xms`: no more than the heap may become.
    initial: Setting<u64>,
    /// `-XX:MaxRAMPercentage`, of the memory limit.
    share: Setting<f64>,
    /// `-XX:MaxRAMFraction`, in percent, which counts for want of a percentage.
    fraction: Setting<f64>,
    /// Where the options stand that are being read.
    source: Source<'n>,
    /// Options of which the virtual machine refuses the value.
    refused: Vec<Written>,
    /// Whether percentages are not of the memory limit.
    uncoupled: bool,
    /// Options that were removed, the last of each name.
    removed: Vec<RemovedFlag>,
    /// Whether options that the virtual machine does not know are skipped.
    ignores_unknown: bool,
}

/// The variables that the virtual machine and its launcher read themselves.
const OWN_VARIABLES: [&str; 3] = ["_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"];

/// Endings of the variables that start scripts put into the command line.
const SCRIPT_VARIABLES: [&str; 9] = [
    "OPTS",
    "JAVA_OPTS_APPEND",
    "JAVA_OPTIONS",
    "JVM_OPTIONS",
    "JVMFLAGS",
    "JVM_FLAGS",
    "JAVA_ARGS",
    "JVM_ARGS",
    "JAVA_MEM",
];

/// Parts of names of variables that are for other processes than the container's own.
const FOR_OTHERS: [&str; 3] = ["CLIENT", "EXECUTOR", "CHILD"];

/// The most variables of start scripts that are looked into. More are nobody's container.
const MOST: usize = 16;

/// How options begin that say something of the heap, or may.
const HEAP_OPTIONS: [&str; 5] =
    ["-Xmx", "-XX:MaxHeapSize", "-XX:MaxRAM", "-XX:-UseContainerSupport", "-XX:VMOptionsFile"];

/// Options whose value is a size. What the virtual machine cannot read ends it.
const SIZES: [&str; 10] = [
    "-Xmx",
    "-Xms",
    "-Xmn",
    "-Xss",
    "-XX:MaxHeapSize=",
    "-XX:InitialHeapSize=",
    "-XX:MaxMetaspaceSize=",
    "-XX:MaxDirectMemorySize=",
    "-XX:ReservedCodeCacheSize=",
    "-XX:MaxRAM=",
];

/// Options whose value is a percentage.
const PERCENTAGES: [&str; 3] =
    ["-XX:MaxRAMPercentage=", "-XX:InitialRAMPercentage=", "-XX:MinRAMPercentage="];

impl<'n> Java<'n> {
    /// What holds for the virtual machine that the container starts.
    pub(super) fn started(variables: &'n Variables<'_>, launch: &Launch<'_>) -> Self {
        let mut java = Self::default();
        for name in ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"] {
            java.variable(name, &variables.value(name));
        }
        let mut java = Self::on_command_line(variables, launch).over(java);
        java.variable("_JAVA_OPTIONS", &variables.value("_JAVA_OPTIONS"));
        java
    }

    /// What the options in a file say.
    pub(super) fn of_file(file: &'n str, text: &str) -> Self {
        let mut java = Self { source: Source::File(file), ..Self::default() };
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('-'));
        lines.for_each(|line| java.option(line));
        java
    }

    /// The heap, where it is known.
    pub(super) fn heap(&self) -> Setting<Size> {
        match (&self.heap, &self.share, &self.fraction) {
            (Setting::Known(bytes, written), _, _) => {
                Setting::Known(Size::Bytes(*bytes), written.clone())
            }
            (Setting::Absent, Setting::Absent, Setting::Absent) => Setting::Absent,
            (Setting::Absent, Setting::Known(share, written), _)
            | (Setting::Absent, Setting::Absent, Setting::Known(share, written))
                if !self.uncoupled =>
            {
                Setting::Known(Size::Share(*share), written.clone())
            }
            _ => Setting::Unknown,
        }
    }

    /// The options for which the virtual machine does not start.
    pub(super) fn refused(&self) -> Vec<Refused> {
        let refused = |written: &Written| Refused { program: "Java", written: written.clone() };
        let mut list: Vec<Refused> = self.refused.iter().map(refused).collect();
        if let (Setting::Known(initial, written), Setting::Known(most, heap)) =
            (&self.initial, &self.heap)
            && initial > most
        {
            let text = format!("{} above {}", written.text, heap.text);
            list.push(Refused { program: "Java", written: Written { text, ..written.clone() } });
        }
        list
    }

    /// The options that were removed, and whether the virtual machine passes over what it does not
    /// know.
    pub(super) fn into_removed_flags(self) -> (Vec<RemovedFlag>, bool) {
        (self.removed, self.ignores_unknown)
    }

    fn on_command_line(variables: &'n Variables<'_>, launch: &Launch<'_>) -> Self {
        if !launch.is_clear() {
            return Self::unknown();
        }
        let started = launch.arguments(&["java"]).map(|words| {
            let mut java = Self::default();
            java.arguments(words);
            java
        });
        // a virtual machine that is started without a script asks for no variable of scripts
        if let Some(java) = started.reduce(Self::beside) {
            return java;
        }
        let values = variables.of_interest(for_scripts).into_iter();
        // by what it holds only where that is what reaches the script
        let values = values
            .filter(|(name, value)| is_for_scripts(name) || matches!(value, Setting::Known(..)));
        let scripts = values.enumerate().map(|(position, (name, value))| match position {
            MOST.. => Self::unknown(),
            _ => {
                let mut java = Self::default();
                java.variable(name, &value);
                java
            }
        });
        let mut loose = Self::default();
        let program = |word: &&Word| word.known() != Some("-jar");
        launch.loose_words().iter().take_while(program).for_each(|word| loose.word(word));
        scripts.fold(loose, Self::beside)
    }

    fn unknown() -> Self {
        let mut java = Self::default();
        java.forget();
        java
    }

    /// Whatever was known of sizes may not hold any more.
    fn forget(&mut self) {
        (self.heap, self.share) = (Setting::Unknown, Setting::Unknown);
        (self.initial, self.fraction) = (Setting::Unknown, Setting::Unknown);
    }

    /// Takes the options of a variable.
    fn variable(&mut self, name: &'n str, value: &Setting<&str>) {
        self.source = Source::Variable(name);
        match value {
            Setting::Absent => {}
            Setting::Unknown => self.forget(),
            Setting::Known(text, _) => match words(text) {
                Some(words) => words.into_iter().for_each(|word| self.option(&word)),
                None => self.forget(),
            },
        }
        self.source = Source::Arguments;
    }

    /// Takes the options in front of the main class or `-jar`: what follows them is the program's.
    fn arguments(&mut self, words: &[Word]) {
        in_front("java", words, |given| {
            if given.name.is_none() {
                self.word(given.word);
            }
        });
    }

    fn word(&mut self, word: &Word) {
        match word {
            Word::Known(text) => self.option(text),
            Word::Unknown { prefix, .. } => self.unresolved(prefix),
        }
    }

    /// Takes an option of which only the beginning is known.
    fn unresolved(&mut self, prefix: &str) {
        let about_heap = HEAP_OPTIONS
            .iter()
            .any(|option| option.starts_with(prefix) || prefix.starts_with(option));
        if about_heap || !prefix.starts_with('-') {
            self.forget();
        }
    }

    /// Takes an option; whatever is none is skipped.
    fn option(&mut self, option: &str) {
        if let Some((prefix, _)) = option.split_once("$(") {
            return self.unresolved(prefix);
        }
        let written = || Written::within(option, self.source);
        if is_refused(option) {
            self.refused.push(written());
        }
        if let Some(heap) = option.strip_prefix("-Xmx") {
            self.heap = Setting::read(size::hotspot(heap), written);
        } else if let Some(heap) = option.strip_prefix("-XX:MaxHeapSize=") {
            self.heap = Setting::read(size::hotspot(heap), written);
        } else if let Some(share) = option.strip_prefix("-XX:MaxRAMPercentage=") {
            self.share = Setting::read(size::percentage(share), written);
        } else if let Some(initial) = option.strip_prefix("-Xms") {
            self.initial = Setting::read(size::hotspot(initial), written);
        } else if option.starts_with("-XX:MaxRAM=") || option == "-XX:-UseContainerSupport" {
            self.uncoupled = true;
        } else if let Some(removed) = RemovedFlag::of(option) {
            if let Some(fraction) = option.strip_prefix("-XX:MaxRAMFraction=") {
                self.fraction = Setting::read(size::fraction(fraction), written);
            }
            self.add_removed(removed);
        } else if option == "-XX:+IgnoreUnrecognizedVMOptions" {
            self.ignores_unknown = true;
        } else if option.starts_with('@') || option.starts_with("-XX:VMOptionsFile=") {
            self.forget();
        }
    }

    fn add_removed(&mut self, removed: RemovedFlag) {
        self.removed.retain(|known| known.name != removed.name);
        self.removed.push(removed);
    }

    fn over(mut self, mut earlier: Self) -> Self {
        self.removed.drain(..).for_each(|removed| earlier.add_removed(removed));
        earlier.refused.append(&mut self.refused);
        Self {
            heap: self.heap.over(earlier.heap),
            initial: self.initial.over(earlier.initial),
            share: self.share.over(earlier.share),
            fraction: self.fraction.over(earlier.fraction),
            source: Source::Arguments,
            refused: earlier.refused,
            uncoupled: self.uncoupled || earlier.uncoupled,
            removed: earlier.removed,
            ignores_unknown: self.ignores_unknown || earlier.ignores_unknown,
        }
    }

    fn beside(mut self, mut other: Self) -> Self {
        other.removed.drain(..).for_each(|removed| self.add_removed(removed));
        self.refused.append(&mut other.refused);
        Self {
            heap: self.heap.beside(other.heap),
            initial: self.initial.beside(other.initial),
            share: self.share.beside(other.share),
            fraction: self.fraction.beside(other.fraction),
            source: Source::Arguments,
            refused: self.refused,
            uncoupled: self.uncoupled || other.uncoupled,
            removed: self.removed,
            ignores_unknown: self.ignores_unknown || other.ignores_unknown,
        }
    }
}

/// Whether a virtual machine does not start with the value of this option. Tried with OpenJDK 17.
fn is_refused(option: &str) -> bool {
    let among = |options: &[&str]| options.iter().find_map(|name| option.strip_prefix(name));
    match (among(&SIZES), among(&PERCENTAGES)) {
        (Some(value), _) => is_plain(value) && size::hotspot(value).is_none() && !is_zero(value),
        (None, Some(value)) => is_plain(value) && size::percentage(value).is_none(),
        (None, None) => false,
    }
}

/// Whether a size is nothing, which some options take for a choice of the virtual machine's own.
fn is_zero(value: &str) -> bool {
    let digits = value.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    !digits.is_empty() && digits.bytes().all(|digit| digit == b'0')
}

/// Whether start scripts put this variable into the command line, by its name or by what it holds.
fn for_scripts(name: &str, value: Option<&str>) -> bool {
    let read_elsewhere = OWN_VARIABLES.contains(&name);
    let others = FOR_OTHERS.iter().any(|part| name.contains(part));
    !read_elsewhere && !others && (is_for_scripts(name) || value.is_some_and(only_options))
}

/// Whether a variable holds options by its name alone.
pub(super) fn holds_options(name: &str) -> bool {
    OWN_VARIABLES.contains(&name) || is_for_scripts(name)
}

/// Whether it is one of those that start scripts are known to ask for.
fn is_for_scripts(name: &str) -> bool {
    SCRIPT_VARIABLES.iter().any(|ending| name.ends_with(ending))
}

/// Whether a variable of any name, such as `INSTALL4J_ADD_VM_PARAMS` or `PULSAR_MEM`, holds options
/// of a Java virtual machine and nothing else: no prose, and no command.
fn only_options(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.clone().all(|word| word.starts_with('-'))
        && words.any(|word| word.starts_with("-Xm") || word.starts_with("-XX:"))
}

/// The words of a variable as HotSpot and the launcher split them (`parse_options_buffer`,
/// `args.c`): at blanks; a quote of either kind, anywhere in a word, holds up to the next of its
/// kind; a backslash is nothing special. `None` where a quote stays open, for then the virtual
/// machine does not start.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            None if matches!(character, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if matches!(character, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r') => {
                words.extend(word.take())
            }
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}
