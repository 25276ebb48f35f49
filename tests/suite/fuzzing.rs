//! A short, repeatable run of what `fuzz/` runs for as long as one likes: its entries over the
//! texts of this folder, whole and mutated.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

#[path = "../../fuzz/src/lib.rs"]
#[allow(dead_code, unreachable_pub, reason = "a crate of its own, where it is fuzzed")]
mod entries;

/// How many inputs an entry is given, unless FUZZ_SECONDS says for how many seconds: the same on
/// every machine, and less than a second each on most.
fn inputs(name: &str) -> usize {
    match name {
        "lint" => 30,
        "heap" | "policy" | "replay" => 300,
        "explain" | "review" | "shell" => 700,
        _ => 4_000,
    }
}

#[test]
fn entries_keep_their_promises() {
    let seconds = std::env::var("FUZZ_SECONDS")
        .ok()
        .map(|seconds| Duration::from_secs(seconds.parse().expect("a number of seconds")));
    for (name, entry) in entries::ENTRIES {
        let seeds = seeds(name);
        assert!(seeds.len() > 10, "{name} has {} seeds", seeds.len());
        let (started, most) = (Instant::now(), inputs(name));
        let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        // a third as they are, spread over all of them
        let wholes = seeds.iter().step_by(seeds.len().div_ceil(most / 3)).map(|seed| seed.to_vec());
        let mutated = std::iter::repeat_with(|| mutation(&seeds, &mut random));
        let mut runs = 0;
        for input in wholes.chain(mutated) {
            if seconds.map_or(runs >= most, |seconds| started.elapsed() > seconds) {
                break;
            }
            let outcome = std::panic::catch_unwind(|| entry(&input));
            assert!(outcome.is_ok(), "{name}: {:?}", String::from_utf8_lossy(&input));
            runs += 1;
        }
        println!("{name}: {runs} inputs in {:?}", started.elapsed());
    }
}

/// The inputs of each kind: reviews, manifests, policies, or single texts out of them.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    match name {
        "review" => collect(&root.join("tests/reviews"), &mut files),
        "replay" => return logged(),
        "policy" => collect(&root.join("policies"), &mut files),
        "quantity" => {
            let table = fs::read_to_string(root.join("tests/data/quantities.tsv")).unwrap();
            return table
                .lines()
                .filter_map(|line| line.split('\t').next())
                .map(|text| text.as_bytes().to_vec())
                .collect();
        }
        _ => collect(&root.join("tests/rules"), &mut files),
    }
    match name {
        "shell" | "heap" | "image" | "grant" => {
            let mut texts = grants();
            for file in &files {
                let text = String::from_utf8_lossy(file);
                texts.extend(
                    text.lines()
                        .filter_map(|line| line.split_once(": "))
                        .map(|(_, value)| value.trim_matches(['"', '\'', ' ']).to_owned()),
                );
                texts.extend(text.split_once("|\n").map(|(_, script)| script.to_owned()));
            }
            texts.sort();
            texts.dedup();
            texts.into_iter().map(String::into_bytes).collect()
        }
        _ => files,
    }
}

/// A few events each, so that some are about one pod.
fn logged() -> Vec<Vec<u8>> {
    let packed = fs::read("tests/logs/scenario.log.gz").unwrap();
    let mut log = String::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_string(&mut log).unwrap();
    let lines: Vec<_> = log.lines().collect();
    lines.chunks(4).map(|lines| lines.join("\n").into_bytes()).collect()
}

fn grants() -> Vec<String> {
    ["true", "app=256Mi,@pod=1Gi; for=30m; force; reason=INC-4711", "app=1Gi; for=1h30m"]
        .map(str::to_owned)
        .to_vec()
}

fn collect(folder: &Path, files: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { collect(&path, files) } else { files.push(fs::read(&path).unwrap()) }
    }
}

/// A seed with pieces of others in it, without some of its own, or with other bytes.
fn mutation(seeds: &[Vec<u8>], random: &mut TestRng) -> Vec<u8> {
    let mut below = |bound: usize| {
        usize::try_from(random.next_u64() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    };
    let mut input = seeds[below(seeds.len())].clone();
    for _ in 0..=below(4) {
        let from = below(input.len() + 1);
        let to = (from + below(24)).min(input.len());
        match below(4) {
            0 => drop(input.drain(from..to)),
            1 => {
                let other = &seeds[below(seeds.len())];
                let start = below(other.len() + 1);
                let end = (start + below(64)).min(other.len());
                input.splice(from..from, other[start..end].iter().copied());
            }
            2 => {
                let piece = input[from..to].to_vec();
                input.splice(from..from, piece);
            }
            _ => input.splice(from..to, [b"\n\"'{}[]:,-$();|&<>=%0.9eE"[below(24)]]).for_each(drop),
        }
    }
    input
}
