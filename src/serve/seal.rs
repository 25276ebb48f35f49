//! The keys that stamps are sealed with: HMAC-SHA256. The first seals, all are accepted, so that
//! keys rotate with an overlap.

pub(super) mod collector;
pub(super) mod file;
mod rotation;
pub(super) mod secret;

use std::path::Path;

use aws_lc_rs::{digest, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The least length of a key, in bytes: that of the digest.
const LEAST_KEY: usize = 32;

/// The most keys of a set: one that seals, and those before it.
const MOST_KEYS: usize = 16;

/// A set of keys.
#[derive(Debug, Default)]
pub struct SealKeys {
    keys: Vec<SealKey>,
}

/// A key and its name, which is made from it and gives nothing away.
struct SealKey {
    name: String,
    key: hmac::Key,
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SealKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a set of keys cannot be used. Says where, never what stands there.
#[derive(Debug, thiserror::Error)]
pub enum SealKeyError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// A line is no key.
    #[error(
        "line {0} is no key: base64 of at least 32 bytes, as `openssl rand -base64 32` prints it"
    )]
    NoKey(usize),
    /// A key stands there twice.
    #[error("line {0} repeats a key")]
    Repeated(usize),
    /// No key at all.
    #[error("there is no key; make one with `openssl rand -base64 32`")]
    Empty,
    /// More keys than a rotation needs.
    #[error("there are more than 16 keys")]
    TooMany,
    /// The system has no randomness.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl SealKeys {
    /// A set of one key that nobody else has.
    ///
    /// # Errors
    ///
    /// Where the system has no randomness.
    pub(super) fn made() -> Result<Self, SealKeyError> {
        let mut bytes = [0; LEAST_KEY];
        rand::fill(&mut bytes).map_err(|_| SealKeyError::NoRandomness)?;
        Ok(Self { keys: vec![SealKey::new(&bytes)] })
    }

    /// A set of these keys, the one that seals first. Repeated ones count once.
    fn of<'b>(bytes: impl IntoIterator<Item = &'b [u8]>) -> Self {
        let mut keys: Vec<SealKey> = Vec::new();
        for key in bytes.into_iter().map(SealKey::new) {
            if keys.iter().all(|known| known.name != key.name) {
                keys.push(key);
            }
        }
        Self { keys }
    }

    /// Reads keys: base64, one on a line, the one that seals first. Blank lines and lines that
    /// begin with `#` do not count.
    ///
    /// # Errors
    ///
    /// Where a line is no key, or there is none.
    pub fn parse(text: &str) -> Result<Self, SealKeyError> {
        let mut keys: Vec<SealKey> = Vec::new();
        for (index, line) in text.lines().zip(1_usize..).map(|(line, index)| (index, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bytes = STANDARD
                .decode(line)
                .ok()
                .filter(|bytes| bytes.len() >= LEAST_KEY)
                .ok_or(SealKeyError::NoKey(index))?;
            let key = SealKey::new(&bytes);
            if keys.iter().any(|known| known.name == key.name) {
                return Err(SealKeyError::Repeated(index));
            }
            keys.push(key);
        }
        match keys.len() {
            0 => Err(SealKeyError::Empty),
            count if count > MOST_KEYS => Err(SealKeyError::TooMany),
            _ => Ok(Self { keys }),
        }
    }

    /// Reads keys from a file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or holds no keys.
    pub(super) fn read(path: &Path) -> Result<Self, SealKeyError> {
        Self::parse(&std::fs::read_to_string(path).map_err(SealKeyError::Unreadable)?)
    }

    /// The name of the key that seals, and the seal it makes of a message; `None` while there is no
    /// key.
    pub(super) fn sealing(&self) -> Option<(&str, impl FnOnce(&[u8]) -> String + use<'_>)> {
        let SealKey { name, key } = self.keys.first()?;
        Some((name, |message: &[u8]| URL_SAFE_NO_PAD.encode(hmac::sign(key, message))))
    }

    /// Whether `seal` is the seal of `message` under the key called `name`.
    pub(super) fn verify(&self, name: &str, message: &[u8], seal: &str) -> bool {
        let (Some(key), Ok(seal)) =
            (self.keys.iter().find(|key| key.name == name), URL_SAFE_NO_PAD.decode(seal))
        else {
            return false;
        };
        hmac::verify(&key.key, message, &seal).is_ok()
    }

    /// The names of the keys, the one that seals first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &*key.name)
    }
}

impl SealKey {
    fn new(bytes: &[u8]) -> Self {
        let named = [b"restraint.dev/seal-key-name ".as_slice(), bytes].concat();
        let hash = digest::digest(&digest::SHA256, &named);
        let name = hash.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { name, key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    #[test]
    fn the_first_key_seals_and_all_are_accepted() {
        let old = SealKeys::parse(&key(1)).unwrap();
        let (name, seal) =
            old.sealing().map(|(name, seal)| (name.to_owned(), seal(b"message"))).unwrap();
        let rotated =
            SealKeys::parse(&format!("# new\n{}\n\n# old\n{}\n", key(2), key(1))).unwrap();
        assert_ne!(rotated.sealing().unwrap().0, name);
        assert!(rotated.verify(&name, b"message", &seal));
        assert!(!rotated.verify(&name, b"another", &seal));
        assert!(!rotated.verify("another", b"message", &seal));
        assert!(!rotated.verify(&name, b"message", ""));
        assert!(
            !SealKeys::parse(&key(2)).unwrap().verify(&name, b"message", &seal),
            "after the overlap"
        );
        assert!(!SealKeys::made().unwrap().verify(&name, b"message", &seal));
    }

    #[test]
    fn what_is_no_key_is_refused_without_its_content() {
        let error = |text: &str| SealKeys::parse(text).unwrap_err().to_string();
        assert!(error("").starts_with("there is no key"));
        assert!(error(&format!("{}\nsecret", key(1))).starts_with("line 2 is no key"));
        assert!(error(&STANDARD.encode([1; 31])).starts_with("line 1 is no key"));
        assert!(error(&format!("{}\n{}", key(1), key(1))).starts_with("line 2 repeats"));
        assert!(error(&(0..17).map(key).collect::<Vec<_>>().join("\n")).contains("more than 16"));
        assert!(!format!("{:?}", SealKeys::parse(&key(1)).unwrap()).contains(&key(1)));
    }
}
