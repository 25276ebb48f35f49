//! The limits that the documentation names are those of the code.

use clap::CommandFactory;

use restraint::approval::{CLOCK_SKEW, FRESH, Grant, LONGEST_LIFETIME, parse_lifetime};
use restraint::cli::Cli;
use restraint::json::{ENTRY_LIMIT, LIST_LIMIT};
use restraint::judge::policies::Policies;
use restraint::serve::{BODY_LIMIT, Limits, SealKeys};
use restraint::shell::{Invocation, inline};

const APPROVALS: &str = include_str!("../../docs/approvals.md");
const OPERATIONS: &str = include_str!("../../docs/operations.md");
const POLICIES: &str = include_str!("../../docs/policies.md");
const SECURITY: &str = include_str!("../../SECURITY.md");

/// Holds `page` to a sentence, whatever its line breaks.
fn says(page: &str, sentence: &str) {
    let words: Vec<_> = page.split_whitespace().collect();
    assert!(words.join(" ").contains(sentence), "not in the documentation: {sentence}");
}

/// A number as the documentation writes it: `32,768`.
fn grouped(number: usize) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}

#[test]
fn of_reviews() {
    says(SECURITY, &format!("| body of a review | {} MiB, else 413 |", BODY_LIMIT >> 20));
    let entries = format!("{} and {} entries, else 400", grouped(LIST_LIMIT), grouped(ENTRY_LIMIT));
    says(SECURITY, &entries);
    says(
        SECURITY,
        &format!(
            "A list may have {} entries, and all lists of a review together {}",
            grouped(LIST_LIMIT),
            grouped(ENTRY_LIMIT)
        ),
    );
}

#[test]
fn of_connections() {
    let limits = Limits::default();
    let seconds = |duration: std::time::Duration| duration.as_secs();
    says(SECURITY, &format!("| connections, for each port | {};", grouped(limits.connections)));
    says(SECURITY, &format!("| unfinished TLS handshakes | {};", limits.handshakes));
    says(SECURITY, &format!("A handshake may take {} s |", seconds(limits.handshake)));
    says(SECURITY, &format!("| headers of a request | {} KiB,", limits.header_bytes >> 10));
    says(SECURITY, &format!("its headers included | {} s;", seconds(limits.idle)));
    says(SECURITY, &format!("reads nothing of its answer | {} s |", seconds(limits.write_timeout)));
    says(SECURITY, &format!("requests at once on a connection | {} |", limits.streams));
}

#[test]
fn of_approvals() {
    says(APPROVALS, &format!("more than {} s after the grant", FRESH.as_secs()));
    says(SECURITY, &format!("within {} s, and asks again", FRESH.as_secs()));
    says(APPROVALS, &format!("Clocks of replicas may differ by {} s:", CLOCK_SKEW.as_secs()));
    says(APPROVALS, &format!("from `1s` to `{}h`", LONGEST_LIFETIME.as_hours()));
    assert!(parse_lifetime("1s").is_ok() && parse_lifetime("999ms").is_err());

    says(APPROVALS, "A grant names at most 64 parts");
    let parts = |count: usize| (0..count).map(|index| format!("c{index}=1Mi")).collect::<Vec<_>>();
    assert!(Grant::parse(&parts(64).join(",")).is_ok());
    assert!(Grant::parse(&parts(65).join(",")).is_err());

    says(APPROVALS, "1 to 256 characters, no control characters");
    let because = |length: usize| format!("true; reason={}", "é".repeat(length));
    assert!(Grant::parse(&because(256)).is_ok());
    assert!([0, 257].iter().all(|length| Grant::parse(&because(*length)).is_err()));
}

#[test]
fn of_seal_keys() {
    says(APPROVALS, "base64 of at least 32 bytes, one key on a line, at most 16");
    // 43 characters are 32 bytes
    let key = |index: usize, length: usize| format!("{index:02}{}A=\n", "a".repeat(length - 3));
    let keys = |count: usize| (0..count).map(|index| key(index, 43)).collect::<String>();
    assert!(SealKeys::parse(&keys(16)).is_ok());
    assert!(SealKeys::parse(&keys(17)).is_err());
    assert!(SealKeys::parse(&format!("{}A==\n", "a".repeat(41))).is_err(), "31 bytes");
}

#[test]
fn of_policy_files() {
    says(POLICIES, "at most 256 KiB");
    says(SECURITY, "| policy file | 256 KiB |");
    let policy = "{name: p, rule: file-watch, mode: warn}\n#";
    let file = |length: usize| format!("{policy}{}", "a".repeat(length - policy.len()));
    assert!(Policies::read([("p.yaml", file(256 << 10))]).is_ok());
    assert!(Policies::read([("p.yaml", file((256 << 10) + 1))]).is_err());
}

#[test]
fn of_scripts() {
    says(SECURITY, "Scripts of 32 KiB or more are not read");
    says(SECURITY, "| a script that is read | less than 32 KiB, 32 levels of grammar,");
    let reads = |text: &str| {
        let command = ["sh", "-c", text];
        let invocation = Invocation { command: &command, ..Invocation::default() };
        inline(&invocation).is_some_and(|script| {
            script.commands.iter().any(|command| command.program() == Some("inotifywait"))
        })
    };
    let long = |length: usize| format!("inotifywait{}", " ".repeat(length - "inotifywait".len()));
    assert!(reads(&long((32 << 10) - 1)));
    assert!(!reads(&long(32 << 10)));

    let deep = |depth: usize| format!("{}inotifywait{}", "{ ".repeat(depth), "; }".repeat(depth));
    assert!(reads(&deep(31)));
    assert!(!reads(&deep(33)));
}

/// The table of flags in `docs/operations.md` has flags that exist, and their defaults.
#[test]
fn of_server_flags() {
    let mut cli = Cli::command();
    let serve = cli.find_subcommand_mut("serve").unwrap();
    let (_, section) = OPERATIONS.split_once("\n## Server flags\n").unwrap();
    let rows: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("| `--")).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let (flags, rest) = row.split_once(" | ").unwrap();
        let (default, _) = rest.split_once('|').unwrap();
        for flag in flags.split("`, `--") {
            let name = flag.trim_end_matches('`').split(' ').next().unwrap();
            let argument = serve
                .get_arguments()
                .find(|argument| argument.get_long() == Some(name))
                .unwrap_or_else(|| panic!("--{name} is no flag"));
            let values = argument.get_default_values();
            let has = |value: &clap::builder::OsStr| default.contains(value.to_str().unwrap());
            let is_switch = !argument.get_action().takes_values();
            assert!(is_switch || values.iter().all(has), "--{name}: {values:?}, not {default}");
        }
    }
}
