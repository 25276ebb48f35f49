//! The command line: help, checks, mistakes and the environment.

mod certificates;

use std::fs;
use std::net::TcpListener;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use restraint::cli::Cli;
use restraint::rules::RULES;

use crate::approving::call;
use crate::following::policy;
use crate::printed::{filled, printed};
use crate::server::{Authority, IN_POD};

#[test]
fn help_names_the_commands() {
    let (code, text, _) = run(&["--help"], &[]);
    assert_eq!(code, 0);
    assert!(text.starts_with("Admission control for restarts and resizes in Kubernetes"), "{text}");
    for command in [
        "approvals",
        "approve",
        "audit",
        "certs",
        "doctor",
        "explain",
        "lint",
        "replay",
        "resize",
        "restart",
        "revoke",
        "serve",
        "test",
    ] {
        assert!(text.contains(&format!("\n  {command} ")), "{text}");
    }
    assert!(text.contains("--version"), "{text}");
    let (code, _, error) = run(&[], &[]);
    assert_eq!(code, 2);
    assert!(error.contains("Usage: restraint"), "{error}");
}

#[test]
fn every_command_of_its_own_that_is_printed_can_be_given() {
    let commands = printed("restraint");
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let line = filled(&command, str::to_lowercase);
        let words = shlex::split(&line).unwrap();
        // a command may be named without all it needs
        let parsed = Cli::try_parse_from([&words[..], &["--help".to_owned()]].concat());
        assert_eq!(parsed.unwrap_err().kind(), ErrorKind::DisplayHelp, "{command}");
    }
}

#[test]
fn shells_complete_and_manuals_tell_every_command() {
    let names: Vec<String> =
        Cli::command().get_subcommands().map(|one| one.get_name().to_owned()).collect();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, text, _) = run(&["completions", shell], &[]);
        assert_eq!(code, 0, "{shell}");
        assert!(names.iter().all(|name| text.contains(name.as_str())), "{shell}");
    }
    let (code, _, error) = run(&["completions", "tcsh"], &[]);
    assert_eq!(code, 2);
    assert!(error.contains("possible values: bash"), "{error}");
    let (code, text, _) = run(&["man"], &[]);
    assert!(code == 0 && text.contains(".TH restraint 1"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man");
    let (code, text, _) = run(&["man", "--output", pages.to_str().unwrap()], &[]);
    assert_eq!((code, &*text), (0, ""));
    for name in names {
        assert!(pages.join(format!("restraint-{name}.1")).is_file(), "{name}");
    }
}

#[test]
fn help_of_serve_names_every_flag_and_its_variable() {
    let (code, text, _) = run(&["serve", "--help"], &[]);
    assert_eq!(code, 0);
    let flags = [
        "listen",
        "admin",
        "policies",
        "policies-config-map",
        "cap",
        "tls",
        "tls-cert",
        "tls-key",
        "tls-secret",
        "tls-service",
        "webhook-configuration",
        "leaf-lifetime",
        "ca-lifetime",
        "client-ca",
        "client-name",
        "configuration",
        "configuration-events",
        "kubeconfig",
        "seal-key",
        "seal-secret",
        "authority-deadline",
        "evidence-deadline",
        "log-format",
        "request-deadline",
        "body-memory",
        "record",
        "record-limit",
        "drain-delay",
        "check",
    ];
    for flag in flags {
        let variable = format!("RESTRAINT_{}", flag.replace('-', "_").to_uppercase());
        assert!(text.contains(&format!("--{flag}")) && text.contains(&variable), "{flag}: {text}");
    }
    let options = text.lines().filter(|line| line.trim_start().starts_with("--")).count();
    assert_eq!(options, flags.len(), "a flag that is not listed here: {text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(
        run(&["--version"], &[]),
        (0, concat!("restraint ", env!("CARGO_PKG_VERSION"), "\n").to_owned(), String::new())
    );
}

#[test]
fn a_check_says_what_would_serve() {
    let (code, text, _) = run(&["serve", "--check"], &[]);
    assert_eq!(code, 0);
    let expected = format!("ok: {} policies built in, cap enforce, digest ", RULES.len());
    assert!(text.starts_with(&expected) && text.lines().count() == 1, "{text}");

    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = Authority::new().issue_for(&["restraint.shop.svc"]);
    let write = |(name, text): (String, String)| {
        fs::write(folder.path().join(&name), text).unwrap();
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    write(policy("memory-limit-decrease", "warn"));
    let (certificate, key) =
        (write(("tls.crt".to_owned(), certificate)), write(("tls.key".to_owned(), key)));
    let path = folder.path().to_str().unwrap();
    let flags = [
        "serve",
        "--check",
        "--policies",
        path,
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
        "--cap",
        "audit",
    ];
    let (code, text, _) = run(&flags, &[]);
    let expected = "ok: 1 policies from the folder, cap audit, digest e8e7c0e704ba, certificate for restraint.shop.svc\n";
    assert_eq!((code, &*text), (0, expected));
}

#[test]
fn a_check_fails_with_every_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("good.yaml", "name: good\nrule: file-watch\nmode: warn\n");
    write("one.yaml", "name: one\nrule: file-wacth\nmode: loud\n");
    write("two.yaml", "name: two\nrule: file-watch\nmode: fix\nscop: {}\n");
    let (code, text, error) =
        run(&["serve", "--check", "--policies", folder.path().to_str().unwrap()], &[]);
    assert_eq!((code, &*text), (2, ""));
    let expected = [
        r#"one.yaml:2:7: unknown rule "file-wacth", did you mean "file-watch"?"#,
        r#"one.yaml:3:7: unknown mode "loud""#,
        r#"two.yaml:3:7: rule "file-watch" has no fix"#,
        r#"two.yaml:4:1: unknown field "scop", did you mean "scope"?"#,
    ];
    for line in expected {
        assert!(error.contains(line), "{line} is not in {error}");
    }
    assert!(error.starts_with("restraint: "), "{error}");
}

#[test]
fn folders_and_files_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let (code, _, error) = run(&["serve", "--check", "--policies", path], &[]);
    assert_eq!(code, 2);
    assert!(
        error.contains(&format!(
            "policies folder \"{path}\" has no files that end in .yaml or .yml"
        )),
        "{error}"
    );

    let nowhere = format!("{path}/nowhere");
    let (code, _, error) = run(&["serve", "--check", "--policies", &nowhere], &[]);
    assert_eq!(code, 2);
    assert!(error.contains(&format!("policies folder \"{nowhere}\" cannot be read: ")), "{error}");

    let (code, _, error) =
        run(&["serve", "--check", "--tls-cert", &nowhere, "--tls-key", &nowhere], &[]);
    assert_eq!(code, 2);
    assert!(error.contains(&format!("cannot read certificate \"{nowhere}\": ")), "{error}");

    let (code, _, error) = run(&["serve", "--check", "--client-ca", &nowhere], &[]);
    assert_eq!(code, 2);
    assert!(error.contains(&format!("cannot read client authority \"{nowhere}\": ")), "{error}");
}

#[test]
fn a_pair_that_does_not_match_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    fs::write(&certificate, authority.issue().0).unwrap();
    fs::write(&key, authority.issue().1).unwrap();
    let flags = [
        "serve",
        "--check",
        "--tls-cert",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let (code, _, error) = run(&flags, &[]);
    assert_eq!(code, 2);
    assert!(error.contains("does not belong to the first certificate in"), "{error}");
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let cases: [(&[&str], &str); 14] = [
        (&["--tls-cert", "tls.crt"], "--tls-key <FILE>"),
        (&["--tls-key", "tls.key"], "--tls-cert <FILE>"),
        (&["--client-name", "kube-apiserver"], "--client-ca <FILE>"),
        (&["--cap", "off"], "a cap is \"enforce\", \"warn\" or \"audit\""),
        (&["--cap", "Audit"], "a cap is \"enforce\", \"warn\" or \"audit\""),
        (&["--listen", "everywhere"], "invalid value 'everywhere' for '--listen <ADDRESS>'"),
        (&["--log-format", "xml"], "[possible values: text, json]"),
        (
            &["--request-deadline", "soon"],
            "invalid value 'soon' for '--request-deadline <MILLISECONDS>'",
        ),
        (&["--seal-secret", "keys"], "expected NAMESPACE/NAME"),
        (
            &["--seal-secret", "restraint/keys", "--seal-key", "keys"],
            "'--seal-secret <NAMESPACE/NAME>' cannot be used with '--seal-key <FILE>'",
        ),
        (
            &["--seal-secret", "restraint/keys"],
            "seal secret \"restraint/keys\" needs an API server",
        ),
        (&["--policies-config-map", "restraint/policies"], "--policies <DIR>"),
        (
            &["--policies", "policies", "--policies-config-map", "restraint/policies"],
            "policies config map \"restraint/policies\" needs an API server",
        ),
        (&["--dry-run"], "unexpected argument '--dry-run'"),
    ];
    for (flags, expected) in cases {
        let (code, text, error) = run(&[&["serve", "--check"], flags].concat(), &[]);
        assert_eq!((code, &*text), (2, ""), "{flags:?}");
        assert!(error.contains(expected), "{flags:?}: {error}");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flags in [
        ["--listen", &address, "--admin", "127.0.0.1:0"],
        ["--listen", "127.0.0.1:0", "--admin", &address],
    ] {
        let (code, _, error) = run(&[&["serve"], &flags[..]].concat(), &[]);
        assert_eq!(code, 2);
        assert!(error.contains(&format!("restraint: cannot listen on {address}: ")), "{error}");
    }
}

#[test]
fn variables_stand_for_flags_and_flags_come_first() {
    let (code, text, _) =
        run(&["serve"], &[("RESTRAINT_CHECK", "true"), ("RESTRAINT_CAP", "audit")]);
    assert_eq!(code, 0);
    assert!(text.contains("cap audit"), "{text}");
    let (_, text, _) = run(&["serve", "--check", "--cap", "warn"], &[("RESTRAINT_CAP", "audit")]);
    assert!(text.contains("cap warn"), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let (name, policy) = policy("file-watch", "warn");
    fs::write(folder.path().join(name), policy).unwrap();
    let (_, text, _) =
        run(&["serve", "--check"], &[("RESTRAINT_POLICIES", folder.path().to_str().unwrap())]);
    assert!(text.starts_with("ok: 1 policies from the folder"), "{text}");

    let (code, _, error) = run(&["serve", "--check"], &[("RESTRAINT_CAP", "none")]);
    assert_eq!(code, 2);
    assert!(error.contains("a cap is \"enforce\", \"warn\" or \"audit\""), "{error}");
    let (code, _, error) = run(&["serve", "--check"], &[("RESTRAINT_TLS_CERT", "tls.crt")]);
    assert_eq!(code, 2, "{error}");
}

#[test]
fn logs_go_to_standard_error_in_the_format_asked_for() {
    let (_, _, error) = run(&["serve", "--check", "--log-format", "json"], &[]);
    let lines: Vec<serde_json::Value> =
        error.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "certificate in force"), "{error}");
    let (_, _, error) = run(&["serve", "--check"], &[]);
    assert!(error.contains("certificate in force") && !error.contains('\u{1b}'), "{error}");
    let (_, _, error) = run(&["serve", "--check"], &[("RUST_LOG", "off")]);
    assert_eq!(error, "");
}

#[test]
fn what_ends_it_is_a_line_of_the_log() {
    let (taken, folder) = (TcpListener::bind("127.0.0.1:0").unwrap(), tempfile::tempdir().unwrap());
    let (address, path) =
        (taken.local_addr().unwrap().to_string(), folder.path().to_str().unwrap());
    for rule in ["file-watch", "file-wacth"] {
        let (name, text) = policy(rule, "loud");
        fs::write(folder.path().join(name), text).unwrap();
    }
    let nowhere = "/nowhere/at-all";
    let cases: [(&[&str], &[&str]); 4] = [
        (&["--listen", &address], &["cannot listen on ", " (os error "]),
        (&["--policies", path], &["file-watch.yaml:3:7: ", "file-wacth.yaml:2:7: "]),
        (&["--check", "--policies", path], &["file-watch.yaml:3:7: ", "file-wacth.yaml:2:7: "]),
        (&["--tls-cert", nowhere, "--tls-key", nowhere], &["cannot read certificate "]),
    ];
    for (flags, expected) in cases {
        for level in ["off", "info"] {
            let variables = [("RESTRAINT_LOG_FORMAT", "json"), ("RUST_LOG", level)];
            let (code, text, error) = run(&[&["serve"], flags].concat(), &variables);
            assert_eq!((code, &*text), (2, ""), "{flags:?}");
            let line = last_line(&error);
            assert_eq!(
                (&line["level"], &line["message"]),
                (&"ERROR".into(), &"cannot serve".into())
            );
            assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
            let told = line["error"].as_str().unwrap();
            assert!(expected.iter().all(|part| told.contains(part)), "{told}");
            assert!(level == "info" || error.lines().count() == 1, "{error}");
        }
    }
}

#[test]
fn policies_that_are_waited_for_are_an_error_in_the_log() {
    let (taken, folder) = (TcpListener::bind("127.0.0.1:0").unwrap(), tempfile::tempdir().unwrap());
    let address = taken.local_addr().unwrap().to_string();
    let (name, text) = policy("file-watch", "loud");
    fs::write(folder.path().join(name), text).unwrap();
    let flags = ["--policies", folder.path().to_str().unwrap(), "--listen", &address];
    let flags = [&["serve", "--log-format", "json"], &flags[..]].concat();
    let (code, _, error) = run(&flags, &[IN_POD]);
    assert_eq!(code, 2, "the address is in use");
    let line: serde_json::Value = serde_json::from_str(error.lines().next().unwrap()).unwrap();
    assert_eq!(line["level"], "ERROR", "{error}");
    assert!(line["message"].as_str().unwrap().ends_with("not ready until sound ones come"));
    assert!(line["error"].as_str().unwrap().starts_with("file-watch.yaml:3:7: unknown mode"));
    assert!(last_line(&error)["error"].as_str().unwrap().starts_with("cannot listen on "));
}

/// The last of some lines, each of which is JSON.
fn last_line(lines: &str) -> serde_json::Value {
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect::<Vec<_>>().pop().unwrap()
}

/// Exit code, standard output and standard error of `restraint` with these flags and variables, and
/// no other ones.
fn run(flags: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    call(env!("CARGO_BIN_EXE_restraint"), variables, flags)
}
