//! Programs that send signals: `kill` and its like, and servers that signal a running instance of
//! themselves.

use crate::shell::{Command, Script, Word};

use super::options::{Grammar, parse};
use super::process::{PGREP, identified, pattern};
use super::signal::Recipient;

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
    let mut rest = arguments;
    // Only the first word can be `-HUP`; a later `-5` is a group of processes.
    if let Some((word, after)) = arguments.split_first() {
        match word.known() {
            Some("-l" | "-L" | "-0" | "-s0" | "--list") => return Vec::new(),
            Some("-s" | "-n" | "--signal") => match after.split_first() {
                Some((signal, after)) if signal.known() != Some("0") => rest = after,
                _ => return Vec::new(),
            },
            Some(text) if text.starts_with('-') && text != "--" => rest = after,
            _ if word.prefix().starts_with('-') => rest = after,
            _ => {}
        }
    }
    let processes = rest.iter().filter(|word| word.known() != Some("--"));
    let mut found: Vec<Recipient> = processes.map(|word| identified(script, word)).collect();
    if found.is_empty() {
        found.push(Recipient::Unknown);
    }
    found
}

fn named(words: &[&Word]) -> Vec<Recipient> {
    let recipient =
        |word: &&Word| word.known().and_then(pattern).map_or(Recipient::Unknown, Recipient::Named);
    words.iter().map(recipient).collect()
}

/// Arguments without `-HUP` and `-9`; `None` where it is `-0`, which only asks.
fn without_signal(arguments: &[Word]) -> Option<Vec<Word>> {
    let signal = |text: &str| {
        text.strip_prefix('-').is_some_and(|name| {
            name.bytes().all(|byte| byte.is_ascii_digit())
                || name.len() > 1
                    && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
    };
    if arguments.iter().any(|word| word.known() == Some("-0")) {
        return None;
    }
    Some(arguments.iter().filter(|word| !word.known().is_some_and(signal)).cloned().collect())
}

fn pkill(arguments: &[Word]) -> Vec<Recipient> {
    let Some(arguments) = without_signal(arguments) else {
        return Vec::new();
    };
    let options = parse(&arguments, &PGREP);
    if options.values(&["signal"]).any(|signal| signal == Some("0")) {
        return Vec::new();
    }
    match options.operands.as_slice() {
        [] if options.has(&["P", "parent"]) => vec![Recipient::Own],
        [] => vec![Recipient::Unknown],
        words => named(words),
    }
}

fn killall(arguments: &[Word]) -> Vec<Recipient> {
    const GRAMMAR: Grammar = Grammar {
        short: "sunoyZ",
        long: &["signal", "user", "ns", "older-than", "younger-than", "context"],
        strict: false,
    };
    let Some(arguments) = without_signal(arguments) else {
        return Vec::new();
    };
    let options = parse(&arguments, &GRAMMAR);
    if options.has(&["l", "list", "V", "version"])
        || options.values(&["s", "signal"]).any(|one| one == Some("0"))
    {
        return Vec::new();
    }
    named(&options.operands)
}

/// `haproxy -f .. -sf $(pidof haproxy)`: the new process signals the old one.
fn soft_stop(script: &Script, arguments: &[Word]) -> Vec<Recipient> {
    let flag = |word: &&Word| matches!(word.known(), Some("-sf" | "-st"));
    if !arguments.iter().any(|word| flag(&word)) {
        return Vec::new();
    }
    let processes = arguments.iter().skip_while(|word| !flag(word)).skip(1);
    let mut found: Vec<Recipient> = processes
        .take_while(|word| !word.prefix().starts_with('-'))
        .map(|word| match identified(script, word) {
            Recipient::Unknown => Recipient::Named("haproxy".to_owned()),
            known => known,
        })
        .collect();
    found.truncate(1);
    found
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
    // nginx takes `-c FILE`, `-p PATH`, `-g TEXT`; Apache `-f FILE`, `-d PATH`, `-D NAME`.
    const GRAMMAR: Grammar = Grammar { short: "scpgekfdDCE", long: &[], strict: false };
    let options = parse(arguments, &GRAMMAR);
    let verb = options.values(&[*option]).flatten().any(|verb| verbs.contains(&verb));
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
