//! How fast Lethe is, measured against SQL that somebody wrote by hand, on the same data in one run.
//!
//! `make bench` measures what the promises are made about, on SQLite and PostgreSQL, and takes some minutes;
//! `BENCH_SMALL=1 make bench` takes some seconds. Each target is printed with what was measured, and the program
//! fails when one is missed. Everything measured stands in `target/bench.json` afterwards.
#![allow(clippy::print_stdout, missing_docs, reason = "a benchmark prints its results")]

mod bare;
mod engine;
mod library;
mod place;
mod sizes;

use library::Library;
use place::Place;
use sizes::Sizes;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sizes = Sizes::from_environment()?;
    for place in Place::all()? {
        let store = place.open("base").await?;
        let t = std::time::Instant::now();
        Library::of(sizes.users).make(&store).await?;
        store.database().clone().close().await?;
        println!("{} made in {:?}", place.name(), t.elapsed());
        for round in 0..sizes.rounds {
            place.copy("base", "bare").await?;
            let store = place.open("bare").await?;
            let took = bare::anonymise(store.database()).await?;
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
            let took = engine::anonymise(&store).await?;
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
            println!("{left:?}");
        }
    }
    Ok(())
}
