//! Programs that send signals: `kill` and its like, and servers that signal a running instance of
//! themselves.

use crate::shell::options::Arguments;
use crate::shell::{Command, Script, Word};

use super::process::{identified, names};
use super::recipient::Recipient;

/// Servers that signal a running instance of themselves, with the option and the values that do.
const SERVERS: [(&str, &str, &[&str]); 8] = [
    ("nginx", "s", &["reload", "quit", "stop", "reopen"]),
    ("openresty", "s", &["reload", "quit", "stop", "reopen"]),
    ("angie", "s", &["reload", "quit", "stop", "reopen"]),
    ("httpd", "k", &["graceful", "restart", "stop", "graceful-stop"]),
    ("apache2", "k", &["graceful", "restart", "stop", "graceful-stop"]),
    ("apachectl", "k", &["graceful", "restart", "stop", "graceful-stop"]),
    ("apache2ctl", "k", &["graceful", "restart", "stop", "graceful-stop"]),
    ("squid", "k", &["reconfigure", "rotate", "shutdown", "interrupt"]),
];

/// The signals one command sends by itself: the program that sends each, and who gets it.
pub(super) fn sent(script: &Script, command: &Command) -> Vec<(String, Recipient)> {
    let Some(program) = command.program() else {
        return Vec::new();
    };
    let arguments = command.arguments();
    let recipients = match program {
        "kill" => kill(script, arguments),
        "pkill" => pkill(arguments),
        "killall" => killall(arguments),
        "haproxy" => soft_stop(script, arguments),
        "service" | "rc-service" => service(arguments),
        _ => server(program, arguments),
    };
    recipients.into_iter().map(|recipient| (program.to_owned(), recipient)).collect()
}

fn kill(script: &Script, arguments: &[Word]) -> Vec<Recipient> {
    let processes = match arguments.split_first() {
        Some((first, _)) if first.known() == Some("-0") => return Vec::new(),
        // Only the first word can be `-HUP`; a later `-5` is a group of processes.
        Some((first, rest)) if may_be_signal(first) => {
            rest.iter().filter(|word| word.known() != Some("--")).collect()
        }
        _ => {
            let options = Arguments::of("kill", arguments);
            if options.has_any(&["list", "table"])
                || options.values("signal").chain(options.values("n")).any(|one| one == Some("0"))
            {
                return Vec::new();
            }
            options.operands
        }
    };
    if processes.is_empty() {
        return vec![Recipient::Unknown];
    }
    processes.into_iter().map(|word| identified(script, word)).collect()
}

fn named(words: &[&Word]) -> Vec<Recipient> {
    let recipients = |word: &&Word| match word.known().and_then(names) {
        Some(names) => names.into_iter().map(Recipient::Named).collect(),
        None => vec![Recipient::Unknown],
    };
    words.iter().flat_map(recipients).collect()
}

/// Whether a word is `-HUP` or `-9`, or may be.
fn may_be_signal(word: &Word) -> bool {
    word.known().map_or_else(|| word.prefix().starts_with('-'), is_signal)
}

fn is_signal(text: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.strip_prefix('-').is_some_and(|name| {
        name.bytes().all(|byte| byte.is_ascii_digit()) || name.len() > 1 && name.bytes().all(upper)
    })
}

/// Arguments without `-HUP` and `-9`; `None` where it is `-0`, which only asks.
fn without_signal(arguments: &[Word]) -> Option<Vec<Word>> {
    if arguments.iter().any(|word| word.known() == Some("-0")) {
        return None;
    }
    Some(arguments.iter().filter(|word| !word.known().is_some_and(is_signal)).cloned().collect())
}

fn pkill(arguments: &[Word]) -> Vec<Recipient> {
    let Some(arguments) = without_signal(arguments) else {
        return Vec::new();
    };
    let options = Arguments::of("pkill", &arguments);
    if options.values("signal").any(|signal| signal == Some("0")) {
        return Vec::new();
    }
    match options.operands.as_slice() {
        [] if options.has("parent") => vec![Recipient::Own],
        [] => vec![Recipient::Unknown],
        words => named(words),
    }
}

fn killall(arguments: &[Word]) -> Vec<Recipient> {
    let Some(arguments) = without_signal(arguments) else {
        return Vec::new();
    };
    let options = Arguments::of("killall", &arguments);
    if options.has_any(&["list", "version"]) || options.values("signal").any(|one| one == Some("0"))
    {
        return Vec::new();
    }
    named(&options.operands)
}

/// `haproxy -f .. -sf $(pidof haproxy)`: the new process signals the old one.
fn soft_stop(script: &Script, arguments: &[Word]) -> Vec<Recipient> {
    let options = Arguments::of("haproxy", arguments);
    let process = options.operands.first().filter(|_| options.has_any(&["sf", "st"]));
    let recipient = process.map(|word| match identified(script, word) {
        Recipient::Unknown => Recipient::Named("haproxy".to_owned()),
        known => known,
    });
    recipient.into_iter().collect()
}

/// `service nginx reload`.
fn service(arguments: &[Word]) -> Vec<Recipient> {
    match arguments {
        [name, Word::Known(verb)]
            if ["reload", "restart", "stop", "force-reload"].contains(&verb.as_str()) =>
        {
            named(&[name])
        }
        _ => Vec::new(),
    }
}

fn server(program: &str, arguments: &[Word]) -> Vec<Recipient> {
    let Some((_, option, verbs)) = SERVERS.iter().find(|(name, ..)| *name == program) else {
        return Vec::new();
    };
    let options = Arguments::of(program, arguments);
    let verb = options.values(option).flatten().any(|verb| verbs.contains(&verb));
    // `apachectl graceful`.
    let bare = program.ends_with("ctl")
        && options
            .operands
            .iter()
            .filter_map(|word| word.known())
            .any(|verb| verbs.contains(&verb));
    let name = match program {
        "apachectl" => "httpd",
        "apache2ctl" => "apache2",
        other => other,
    };
    match verb || bare {
        true => vec![Recipient::Named(name.to_owned())],
        false => Vec::new(),
    }
}
