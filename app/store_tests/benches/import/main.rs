//! Measures the speed of imports against the bulk load of the database itself, of the same rows into the same tables
//! with the same indexes.
//!
//! `make bench` imports a million users and five million loans on SQLite and PostgreSQL, both with durable writes.
//! `BENCH_IMPORT_USERS` and `BENCH_IMPORT_LOANS` set other sizes; `BENCH_SMALL` measures small ones.
//!
//! Lethe imports its own CSV. The rows that this creates are then loaded into an empty database: by `.import` of
//! `sqlite3` or by `COPY`. Each figure is printed with its target, and written to `target/bench-import.json`.
//! `cargo test` runs the small form.
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    reason = "a benchmark prints figures, and shares modules with another one"
)]

mod bulk;
mod child;
#[path = "../speed/databases.rs"]
mod databases;
mod files;
#[path = "../speed/library.rs"]
mod library;
#[path = "../speed/peak.rs"]
mod peak;
#[path = "../speed/report.rs"]
mod report;

use anyhow::Context as _;
use child::Part;
use databases::Databases;
use files::Files;
use report::{Report, Target};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The number of lines of both files.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub users: u64,
    pub loans: u64,
}

impl Sizes {
    fn from_environment(is_small: bool) -> anyhow::Result<Self> {
        let (users, loans) = if is_small { (2_000, 10_000) } else { (1_000_000, 5_000_000) };
        let number = |name: &str, default: u64| match std::env::var(name) {
            Ok(text) => text.replace('_', "").parse().with_context(|| format!("{name} is not a number")),
            Err(_) => Ok(default),
        };
        Ok(Self { users: number("BENCH_IMPORT_USERS", users)?, loans: number("BENCH_IMPORT_LOANS", loans)? })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((child::ARGUMENT, rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest))
    {
        return child::import_as_child(rest).await;
    }
    // `cargo bench` passes `--bench`; `cargo test` may pass test names.
    let is_test = !arguments.iter().any(|argument| argument == "--bench");
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"import".contains(argument.as_str())) {
        return Ok(());
    }
    if is_test && !bulk::is_possible() {
        println!("sqlite3 or psql is not installed: imports are not compared with bulk loads");
        return Ok(());
    }
    let is_small = is_test || std::env::var_os("BENCH_SMALL").is_some();
    let sizes = Sizes::from_environment(is_small)?;
    let mut report = Report::default();
    for databases in Databases::all()? {
        if std::env::var("BENCH_DATABASE").is_ok_and(|only| only != databases.name()) {
            continue;
        }
        measure(&databases, sizes, &mut report).await?;
    }
    report.end("bench-import.json", !is_small)
}

/// Compares imports and bulk loads on one database system.
async fn measure(databases: &Databases, sizes: Sizes, report: &mut Report) -> anyhow::Result<()> {
    let label = format!("{} users, {} loans", sizes.users, sizes.loans);
    report.begin(databases.name(), "Import", &label);
    databases.open("empty").await?.db.clone().close().await?;
    databases.copy("empty", "import").await?;
    databases.copy("empty", "bulk").await?;
    let files = Files::write(sizes)?;
    let mut peaks = Vec::new();
    for part in Part::ALL {
        let imported = child::run(databases, "import", part, &files).await?;
        bulk::dump(databases, part, &files)?;
        let bulk = bulk::load(databases, part, &files)?;
        let name = part.label();
        let rate = part.lines(sizes) as f64 / imported.seconds;
        report.line(&format!("bulk load: {name}"), bulk.as_secs_f64() * 1_000.0, "ms");
        report.line(&format!("import: {name}"), imported.seconds * 1_000.0, "ms");
        report.line(&format!("import: {name} per second"), rate, "/s");
        let ratio = bulk.as_secs_f64() / imported.seconds;
        report.target(&format!("import of {name}, relative"), ratio, "", Target::AtLeast(1.0 / 3.0));
        peaks.push(imported.peak);
    }
    for name in ["import", "bulk"] {
        databases.delete(name).await?;
    }
    drop(files);
    let quarter = Sizes { users: sizes.users / 4, loans: sizes.loans / 4 };
    let files = Files::write(quarter)?;
    databases.copy("empty", "import").await?;
    for (part, peak) in Part::ALL.into_iter().zip(peaks) {
        let small = child::run(databases, "import", part, &files).await?.peak;
        let name = part.label();
        report.line(&format!("peak memory: {name}"), peak, "MB");
        report.line(&format!("peak memory: a quarter of the {name}"), small, "MB");
        report.target(&format!("difference of {name}"), peak - small, "MB", Target::AtMost(50.0));
    }
    for name in ["import", "empty"] {
        databases.delete(name).await?;
    }
    Ok(())
}
