//! Measures the speed of Lethe against hand-written SQL on the same data.
//!
//! `make bench` measures the libraries of the published targets on SQLite and PostgreSQL, both with durable writes. It
//! takes half an hour; `BENCH_SMALL=1 make bench` takes a minute. `BENCH_ONLY` selects one of the four parts:
//! `anonymising`, `memory`, `preview`, `affected`.
//!
//! Each figure is printed with its target. The program fails if a target is missed, and writes all figures to
//! `target/bench.json`. `cargo test` runs the small form, which checks that both sides change the same rows.
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark prints figures"
)]

mod affected;
mod bare;
mod child;
mod comparison;
mod databases;
mod engine;
mod library;
mod memory;
mod peak;
mod phases;
mod preview;
mod report;
mod sizes;

use databases::Databases;
use phases::Phases;
use report::Report;
use sizes::Sizes;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Returns whether a part is measured: every part, or the one that `BENCH_ONLY` names.
fn wanted(part: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |only| only == part)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((child::ARGUMENT, rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest))
    {
        return child::measure_as_child(rest).await;
    }
    // `cargo bench` passes `--bench`; `cargo test` may pass test names.
    let test = !arguments.iter().any(|argument| argument == "--bench");
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"speed".contains(argument.as_str())) {
        return Ok(());
    }
    let sizes = Sizes::from_environment(test)?;
    let phases = Phases::measure();
    let mut report = Report::default();
    for databases in Databases::all()? {
        if wanted("anonymising") {
            comparison::measure(&databases, &sizes, &phases, &mut report).await?;
        }
        if wanted("memory") {
            memory::measure(&databases, &sizes, &mut report).await?;
        }
        if wanted("preview") {
            preview::measure(&databases, &sizes, &mut report).await?;
        }
        if wanted("affected") {
            affected::measure(&databases, &sizes, &mut report).await?;
        }
    }
    report.end("bench.json", sizes.judged)
}
