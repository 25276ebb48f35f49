//! `restraint certs issue`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::run;

#[test]
fn certificates_are_issued_once_and_are_what_serves() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/certs");
    let issue = |flags: &[&str]| {
        run(&[&["certs", "issue", "--out", out.to_str().unwrap()], flags].concat(), &[])
    };
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    let (code, text, error) = issue(&["--name", "restraint.ops.svc,10.0.0.1", "--days", "7"]);
    assert_eq!((code, &*error), (0, ""));
    let flags: Vec<_> = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("flags: "))
        .unwrap()
        .split(' ')
        .collect();
    let (_, bundle) = text.split_once("\ncaBundle: ").unwrap();
    assert_eq!(decoded(bundle.trim_end()), read("ca.crt"));
    let (code, text, _) = run(&[&["serve", "--check"], &*flags].concat(), &[]);
    assert_eq!(code, 0);
    assert!(
        text.ends_with("certificate for 10.0.0.1, 127.0.0.1, ::1, localhost, restraint.ops.svc\n"),
        "{text}"
    );
    assert_eq!(fs::metadata(out.join("tls.key")).unwrap().permissions().mode() & 0o777, 0o600);

    let before = read("tls.crt");
    let (code, _, error) = issue(&[]);
    assert_eq!(code, 2);
    assert!(error.contains("tls.key\" exists already; --force replaces it"), "{error}");
    assert_eq!(read("tls.crt"), before);
    assert_eq!(issue(&["--force"]).0, 0);
    assert_ne!(read("tls.crt"), before);
    let names: BTreeSet<_> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(
        names,
        ["ca.crt", "tls.crt", "tls.key"].map(Into::into).into(),
        "nothing is left beside them"
    );
    let (code, _, error) = issue(&["--force", "--name", "näme"]);
    assert_eq!(code, 2);
    assert!(error.contains("\"näme\""), "{error}");
}

fn decoded(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}
