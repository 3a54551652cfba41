//! How fast Lethe is, measured against SQL that somebody wrote by hand, on the same data in one run.
//!
//! `make bench` measures what the promises are made about, on SQLite and on PostgreSQL, both of which write as they do
//! in a library, and takes half an hour; `BENCH_SMALL=1 make bench` takes a minute, and `BENCH_ONLY` names one part of
//! three: `anonymising`, `memory`, `preview`. Each target is printed
//! with what was measured, and the program fails when one is missed. Everything stands in `target/bench.json`
//! afterwards. `cargo test` runs the small form, which checks that both sides change the same rows.
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark prints figures"
)]

mod bare;
mod child;
mod engine;
mod library;
mod memory;
mod phases;
mod place;
mod preview;
mod report;
mod sides;
mod sizes;

use phases::Phases;
use place::Place;
use report::Report;
use sizes::Sizes;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Whether this part is to be measured: all of them, or the one that `BENCH_ONLY` names.
fn wanted(part: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |only| only == part)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((child::ARGUMENT, rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest))
    {
        return child::carry_out(rest).await;
    }
    // `cargo bench` says that it is one; `cargo test` may ask for tests by name.
    let test = !arguments.iter().any(|argument| argument == "--bench");
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"speed".contains(argument.as_str())) {
        return Ok(());
    }
    let sizes = Sizes::from_environment(test)?;
    let phases = Phases::measure();
    let mut report = Report::default();
    for place in Place::all()? {
        if wanted("anonymising") {
            sides::measure(&place, &sizes, &phases, &mut report).await?;
        }
        if wanted("memory") {
            memory::measure(&place, &sizes, &mut report).await?;
        }
        if wanted("preview") {
            preview::measure(&place, &sizes, &mut report).await?;
        }
    }
    report.end(sizes.judged)
}
