//! The engine and the bare SQL side by side, alternating on copies of one library.

use crate::databases::Databases;
use crate::library::Library;
use crate::phases::Phases;
use crate::report::{Report, Target, median, milliseconds};
use crate::sizes::Sizes;
use crate::{bare, engine};
use std::collections::BTreeMap;
use std::time::Duration;

/// Measures both sides on one database system.
pub async fn measure(
    databases: &Databases,
    sizes: &Sizes,
    phases: &Phases,
    report: &mut Report,
) -> anyhow::Result<()> {
    let library = Library::new(sizes.users);
    report.begin(databases.name(), "Anonymising", &library.label());
    databases.make("base", &library).await?;
    let mut bare_sides = Vec::new();
    let mut engine_sides = Vec::new();
    for _ in 0..sizes.rounds {
        databases.copy("base", "bare").await?;
        let store = databases.open("bare").await?;
        bare_sides.push(bare::anonymise(&store.db).await?);
        let left_by_bare = engine::left(&store).await?;
        databases.drop("bare", store).await?;

        databases.copy("base", "engine").await?;
        let store = databases.open("engine").await?;
        engine_sides.push(engine::anonymise(&store, phases).await?);
        let left_by_engine = engine::left(&store).await?;
        databases.drop("engine", store).await?;
        anyhow::ensure!(
            bare_sides.last().map(|side| side.people) == engine_sides.last().map(|side| side.people)
                && left_by_bare == left_by_engine,
            "the two sides do not change the same rows: {left_by_bare:?}, {left_by_engine:?}"
        );
    }
    databases.delete("base").await?;
    report_comparison(&bare_sides, &engine_sides, report);
    measure_few(databases, sizes, phases, report).await
}

/// Measures a smaller run, whose scan reads the whole database for few users.
async fn measure_few(
    databases: &Databases,
    sizes: &Sizes,
    phases: &Phases,
    report: &mut Report,
) -> anyhow::Result<()> {
    let library = Library::new(sizes.few);
    report.begin(databases.name(), "Anonymising few", &library.label());
    databases.make("few", &library).await?;
    let mut rounds = Vec::new();
    for _ in 0..sizes.rounds {
        databases.copy("few", "engine").await?;
        let store = databases.open("engine").await?;
        rounds.push(engine::anonymise(&store, phases).await?);
        databases.drop("engine", store).await?;
    }
    databases.delete("few").await?;
    report.line("people", rounds[0].people as f64, "");
    report_scan(&rounds, report);
    Ok(())
}

/// Reports the scan, and its share of the run.
fn report_scan(engine: &[engine::Took], report: &mut Report) {
    let scanning = median(engine.iter().map(|side| side.scanning));
    let running = median(engine.iter().map(|side| side.selecting + side.changing));
    report.line("engine: residue scan, apart", milliseconds(scanning), "ms");
    report.line("engine: the run, with its preview", milliseconds(running), "ms");
    let ratio = scanning.as_secs_f64() / running.as_secs_f64().max(f64::MIN_POSITIVE);
    report.target("residue scan, relative to the run", ratio, "", Target::AtMost(1.0));
}

fn report_comparison(bare: &[bare::Took], engine: &[engine::Took], report: &mut Report) {
    let people = engine[0].people;
    let of_bare = |part: fn(&bare::Took) -> Duration| median(bare.iter().map(part));
    let of_engine = |part: fn(&engine::Took) -> Duration| median(engine.iter().map(part));
    let (bare_changes, engine_changes) = (of_bare(|side| side.changing), of_engine(|side| side.changing));
    let a_second = |took: Duration| people as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE);

    report.line("people", people as f64, "");
    report.line("bare SQL: selecting", milliseconds(of_bare(|side| side.selecting)), "ms");
    report.line("bare SQL: changing", milliseconds(bare_changes), "ms");
    report.line("bare SQL: users per second", a_second(bare_changes), "/s");
    report.line("engine: preview and start", milliseconds(of_engine(|side| side.selecting)), "ms");
    report.line("engine: changing, audit, ledger", milliseconds(engine_changes), "ms");
    let mut phases: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for (name, took) in engine.iter().flat_map(|side| &side.phases) {
        phases.entry(name).or_default().push(*took);
    }
    for (name, took) in phases {
        report.line(&format!("engine:   {name}"), milliseconds(median(took)), "ms");
    }
    report.line("engine: users per second", a_second(engine_changes), "/s");
    report_scan(engine, report);
    report.line("engine: maintenance, certificate", milliseconds(of_engine(|side| side.ending)), "ms");
    let whole = of_engine(|side| side.selecting + side.changing + side.scanning + side.ending);
    report.line("engine: users per second, all of it", a_second(whole), "/s");
    let ratio = a_second(engine_changes) / a_second(bare_changes);
    report.target("engine, relative to bare SQL", ratio, "", Target::AtLeast(0.5));
}
