//! How fast Lethe is, measured against SQL that somebody wrote by hand, on the same data in one run.
//!
//! `make bench` measures what the promises are made about, on SQLite and PostgreSQL, and takes some minutes;
//! `BENCH_SMALL=1 make bench` takes some seconds. Each target is printed with what was measured, and the program
//! fails when one is missed. Everything measured stands in `target/bench.json` afterwards.
#![allow(clippy::print_stdout, missing_docs, reason = "a benchmark prints its results")]

mod bare;
mod engine;
mod library;
mod phases;
mod place;
mod sizes;

use library::Library;
use place::Place;
use sizes::Sizes;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sizes = Sizes::from_environment()?;
    let phases = phases::Phases::measure();
    for place in Place::all()? {
        let store = place.open("base").await?;
        let t = std::time::Instant::now();
        Library::of(sizes.users).make(&store).await?;
        store.database().clone().close().await?;
        if let Ok(to) = std::env::var("BENCH_KEEP") {
            if place.name() == "SQLite" {
                std::fs::copy(
                    place.address("base")[0].trim_start_matches("sqlite://").trim_end_matches("?mode=rwc"),
                    to,
                )?;
            }
            continue;
        }
        println!("{} made in {:?}", place.name(), t.elapsed());
        for round in 0..sizes.rounds {
            place.copy("base", "bare").await?;
            let store = place.open("bare").await?;
            let c = cpu();
            let took = bare::anonymise(store.database()).await?;
            println!("cpu {}", cpu() - c);
            let left = engine::left(&store).await?;
            store.database().clone().close().await?;
            place.delete("bare").await?;
            println!(
                "{round} bare {} people selecting {:?} changing {:?} = {:.0}/s",
                took.people,
                took.selecting,
                took.changing,
                took.people as f64 / took.changing.as_secs_f64()
            );
            place.copy("base", "engine").await?;
            let store = place.open("engine").await?;
            phases.take();
            let c = cpu();
            let took = engine::anonymise(&store).await?;
            println!("cpu {}", cpu() - c);
            for (k, v) in phases.take() {
                println!("    {k:24} {v:?}");
            }
            let left2 = engine::left(&store).await?;
            store.database().clone().close().await?;
            place.delete("engine").await?;
            println!(
                "{round} engine {} people preview {:?} start {:?} anonymising {:?} = {:.0}/s",
                took.people,
                took.preview,
                took.start,
                took.anonymising,
                took.people as f64 / took.anonymising.as_secs_f64()
            );
            anyhow::ensure!(left == left2, "differ: {left:?} {left2:?}");
        }
    }
    Ok(())
}

fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
