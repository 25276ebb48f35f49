//! Names of what is secret.

use crate::rules::trigger::checksum::words;

/// Words for what is secret.
const SECRET: [&str; 24] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "credential",
    "credentials",
    "authorization",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "requirepass",
    "masterauth",
    "bearer",
    "dsn",
    "jwt",
    "otp",
    "sas",
];

/// Words that make a key a secret one.
const KEYS: [&str; 18] = [
    "api",
    "access",
    "secret",
    "private",
    "encryption",
    "encrypt",
    "signing",
    "sign",
    "master",
    "license",
    "account",
    "storage",
    "shared",
    "client",
    "auth",
    "session",
    "hmac",
    "aes",
];

/// Words for what is about a secret and none itself.
const ABOUT: [&str; 27] = [
    "file",
    "files",
    "path",
    "dir",
    "directory",
    "folder",
    "mount",
    "name",
    "names",
    "url",
    "uri",
    "host",
    "port",
    "ttl",
    "issuer",
    "endpoint",
    "type",
    "provider",
    "ref",
    "class",
    "expiry",
    "expiration",
    "duration",
    "enabled",
    "length",
    "interval",
    "timeout",
];

/// Names that have such a word and mean the working directory.
const DIRECTORIES: [&str; 3] = ["PWD", "OLDPWD", "pwd"];

/// Whether what has this name is a secret: `DB_PASSWORD`, `--api-key`, `X-Auth-Token`.
pub(super) fn is_secret(name: &str) -> bool {
    if DIRECTORIES.contains(&name) {
        return false;
    }
    let among = |known: &[&str], word: &str| known.iter().any(|one| one.eq_ignore_ascii_case(word));
    let (mut secret, mut before) = (false, "");
    for word in words(name) {
        if among(&ABOUT, word) {
            return false;
        }
        let key = word.eq_ignore_ascii_case("key") || word.eq_ignore_ascii_case("keys");
        secret |= among(&SECRET, word) || (key && among(&KEYS, before));
        before = word;
    }
    secret
}

/// Whether `value` is the path of a file, which tells where a secret is and not what it is.
pub(super) fn is_path(value: &str) -> bool {
    let Some(rest) = value.strip_prefix('/') else { return false };
    rest.split('/').all(|part| {
        part.len() <= LONGEST
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    })
}

/// The longest part of a path that is taken for one.
const LONGEST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_names() {
        for name in [
            "DB_PASSWORD",
            "--password",
            "-Dkey.storePassword",
            "api_key",
            "X-Api-Key",
            "awsSecretAccessKey",
            "Authorization",
            "GITHUB_TOKEN",
            "requirepass",
            "MYSQL_PWD",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "PASSWORD_FILE",
            "--token-path",
            "PWD",
            "key",
            "--ssl-key",
            "CONFIG",
            "compass",
            "secretName",
            "keyboard",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn paths_are_no_secrets() {
        assert!(is_path("/etc/tls/tls.key") && is_path("/run/secrets"));
        assert!(
            !is_path("etc") && !is_path("/abc+def==") && !is_path(&format!("/{}", "a".repeat(40)))
        );
    }
}
