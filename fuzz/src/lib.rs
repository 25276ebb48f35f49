//! What is fuzzed: one entry for each language that Restraint reads. An entry takes any bytes, and
//! panics where a promise is broken. The fuzz targets call them, and so does the test suite for a
//! few seconds.

mod config_file;
mod explain;
mod grant;
mod heap;
mod image;
mod lint;
mod policy;
mod quantity;
mod replay;
mod review;
mod shell;

/// An entry.
pub type Entry = fn(&[u8]);

/// Every entry under the name of its target.
pub const ENTRIES: [(&str, Entry); 11] = [
    ("config_file", |data| text(data, config_file::run)),
    ("explain", |data| text(data, explain::run)),
    ("grant", |data| text(data, grant::run)),
    ("heap", |data| text(data, heap::run)),
    ("image", |data| text(data, image::run)),
    ("lint", |data| text(data, lint::run)),
    ("policy", |data| text(data, policy::run)),
    ("quantity", |data| text(data, quantity::run)),
    ("replay", replay::run),
    ("review", review::run),
    ("shell", |data| text(data, shell::run)),
];

/// Runs the entry of this name.
///
/// # Panics
///
/// Where a promise is broken, or there is no such entry.
pub fn run(name: &str, data: &[u8]) {
    let entry = ENTRIES.iter().find(|(known, _)| *known == name);
    entry.expect("a known entry").1(data);
}

fn text(data: &[u8], run: fn(&str)) {
    if let Ok(text) = std::str::from_utf8(data) {
        run(text);
    }
}
