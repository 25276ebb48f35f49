//! Flags of servers that keep so much data in memory, and properties of others.

use crate::shell::Word;

use super::bound::Size;
use super::launch::Launch;
use super::refused::{Refused, is_plain};
use super::setting::{Setting, Written};
use super::size;

/// Servers that take Redis' flags.
const REDIS: [&str; 3] = ["redis-server", "valkey-server", "keydb-server"];

/// How Redis' flag begins.
const MAXMEMORY: &str = "--maxmemory";

/// The most data that the servers keep which the container starts.
pub(super) fn data(launch: &Launch<'_>, refused: &mut Vec<Refused>) -> Setting<u64> {
    if !launch.is_clear() {
        return Setting::Unknown;
    }
    let redis = launch.arguments(&REDIS).map(|words| maxmemory(words, refused));
    let redis = redis.reduce(Setting::beside).unwrap_or_default();
    // images of Redis run its server with whatever options they are given
    let loose = launch.loose_words();
    let by_image = loose.first().and_then(Word::known).is_some_and(|word| word.starts_with("--"));
    let redis = if by_image { redis.over(maxmemory(loose, refused)) } else { redis };
    let mysql = launch.arguments(&["mysqld", "mariadbd"]).map(buffer_pool);
    let mysql = mysql.reduce(Setting::beside).unwrap_or_default();
    let mysql = if by_image { mysql.over(buffer_pool(loose)) } else { mysql };
    redis
        .over(mysql)
        .over(launch.arguments(&["mongod"]).map(cache).reduce(Setting::beside).unwrap_or_default())
}

/// `--maxmemory 1gb`: of repeated ones the last counts. 0 is none.
fn maxmemory(words: &[Word], refused: &mut Vec<Refused>) -> Setting<u64> {
    let mut words = words.iter();
    let mut setting = Setting::Absent;
    while let Some(word) = words.next() {
        let Some(rest) = word.prefix().strip_prefix(MAXMEMORY) else { continue };
        let value = match rest {
            "" => words.next().and_then(Word::known),
            // both in one word
            rest if rest.starts_with(' ') => word.known().map(|_| rest.trim()),
            _ => continue,
        };
        let Some(value) = value else {
            setting = Setting::Unknown;
            continue;
        };
        let written = Written::argument(&format!("{MAXMEMORY} {value}"));
        setting = match size::redis(value) {
            Some(0) => Setting::Absent,
            Some(size) => Setting::Known(size, written),
            None => {
                if is_plain(value) {
                    refused.push(Refused { program: "Redis", written });
                }
                Setting::Unknown
            }
        };
    }
    setting
}

/// `maxmemory 1gb` in a file of Redis'.
pub(super) fn maxmemory_in(text: &str) -> Option<(&str, u64)> {
    let lines = text.lines().rev().map(str::trim);
    let mut settings = lines.filter_map(|line| {
        let (name, value) = line.split_once(char::is_whitespace)?;
        name.eq_ignore_ascii_case("maxmemory").then_some((line, value.trim()))
    });
    let (line, value) = settings.next()?;
    let value = value.trim_matches(['"', '\'']);
    size::redis(value).filter(|size| *size > 0).map(|size| (line, size))
}

/// `--innodb-buffer-pool-size=1G`, with underscores or dashes.
fn buffer_pool(words: &[Word]) -> Setting<u64> {
    valued(words, "innodb-buffer-pool-size", size::hotspot)
}

/// `--wiredTigerCacheSizeGB=1.5`.
fn cache(words: &[Word]) -> Setting<u64> {
    valued(words, "wiredTigerCacheSizeGB", size::gibibytes)
}

/// `--name=value`, `--name value`.
fn valued(words: &[Word], option: &str, read: fn(&str) -> Option<u64>) -> Setting<u64> {
    let mut words = words.iter().peekable();
    let mut setting = Setting::Absent;
    while let Some(word) = words.next() {
        let Some(text) = word.prefix().strip_prefix("--") else { continue };
        let (name, value) =
            text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if name.replace('_', "-") != option {
            continue;
        }
        let value = match value {
            Some(value) => word.known().map(|_| value),
            None => words.peek().and_then(|word| word.known()),
        };
        setting = match value {
            Some(value) => {
                Setting::read(read(value), || Written::argument(&format!("--{name}={value}")))
            }
            None => Setting::Unknown,
        };
    }
    setting
}

/// What `FLINK_PROPERTIES` says of the memory of the process that the container is.
pub(super) fn flink(text: &str, launch: &Launch<'_>) -> Option<(String, Size)> {
    const ROLES: [&str; 2] = ["jobmanager", "taskmanager"];
    let own = |role: &&str| launch.mentions(role);
    let asked: Vec<&str> = ROLES.into_iter().filter(own).collect();
    let found = text.lines().filter_map(|line| {
        let (key, value) = line.trim().split_once(':')?;
        let role = key.strip_suffix(".memory.process.size")?;
        let is_own = ROLES.contains(&role) && (asked.is_empty() || asked.contains(&role));
        let size = is_own.then(|| size::flink(value.trim())).flatten()?;
        Some((line.trim().to_owned(), size))
    });
    found.min_by_key(|(_, size)| *size).map(|(line, size)| (line, Size::Bytes(size)))
}
