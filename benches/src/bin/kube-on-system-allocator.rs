//! kube's types on the allocator that a program has unless it chooses another. A program has one
//! allocator, so this is a program of its own, which the benchmarks start.

use std::path::PathBuf;

use anyhow::Context;

#[path = "../certificate.rs"]
#[expect(dead_code, reason = "this one only reads it")]
mod certificate;
#[path = "../serve.rs"]
mod serve;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(
        std::env::args_os().nth(1).context("no folder with a certificate was named")?,
    );
    serve::run(serve::Rival::Kube, &certificate::Certificate::of(&folder))
}
