//! The engine and the bare SQL side by side: in turn, on copies of one library.

use crate::library::Library;
use crate::phases::Phases;
use crate::place::Place;
use crate::report::{Report, Target, median, milliseconds};
use crate::sizes::Sizes;
use crate::{bare, engine};
use std::collections::BTreeMap;
use std::time::Duration;

/// Measures both on one kind of database.
pub async fn measure(
    place: &Place,
    sizes: &Sizes,
    phases: &Phases,
    report: &mut Report,
) -> anyhow::Result<()> {
    let library = Library::of(sizes.users);
    report.begin(place.name(), "Anonymising", &library.label());
    place.make("base", &library).await?;
    let mut bare_sides = Vec::new();
    let mut engine_sides = Vec::new();
    for _ in 0..sizes.rounds {
        place.copy("base", "bare").await?;
        let store = place.open("bare").await?;
        bare_sides.push(bare::anonymise(store.database()).await?);
        let left_by_bare = engine::left(&store).await?;
        place.drop("bare", store).await?;

        place.copy("base", "engine").await?;
        let store = place.open("engine").await?;
        engine_sides.push(engine::anonymise(&store, phases).await?);
        let left_by_engine = engine::left(&store).await?;
        place.drop("engine", store).await?;
        anyhow::ensure!(
            bare_sides.last().map(|side| side.people) == engine_sides.last().map(|side| side.people)
                && left_by_bare == left_by_engine,
            "the two sides do not change the same rows: {left_by_bare:?}, {left_by_engine:?}"
        );
    }
    place.delete("base").await?;
    tell(&bare_sides, &engine_sides, report);
    few(place, sizes, phases, report).await
}

/// A smaller run: its scan reads everything for few people.
async fn few(place: &Place, sizes: &Sizes, phases: &Phases, report: &mut Report) -> anyhow::Result<()> {
    let library = Library::of(sizes.few);
    report.begin(place.name(), "Anonymising few", &library.label());
    place.make("few", &library).await?;
    let mut rounds = Vec::new();
    for _ in 0..sizes.rounds {
        place.copy("few", "engine").await?;
        let store = place.open("engine").await?;
        rounds.push(engine::anonymise(&store, phases).await?);
        place.drop("engine", store).await?;
    }
    place.delete("few").await?;
    report.line("people", rounds[0].people as f64, "");
    tell_scan(&rounds, report);
    Ok(())
}

/// The scan beside the run that it belongs to.
fn tell_scan(engine: &[engine::Took], report: &mut Report) {
    let scanning = median(engine.iter().map(|side| side.scanning));
    let running = median(engine.iter().map(|side| side.selecting + side.changing));
    report.line("engine: residue scan, apart", milliseconds(scanning), "ms");
    report.line("engine: the run, with preview and seal", milliseconds(running), "ms");
    let ratio = scanning.as_secs_f64() / running.as_secs_f64().max(f64::MIN_POSITIVE);
    report.target("residue scan, of the run", ratio, "", Target::AtMost(1.0));
}

fn tell(bare: &[bare::Took], engine: &[engine::Took], report: &mut Report) {
    let people = engine[0].people;
    let of_bare = |part: fn(&bare::Took) -> Duration| median(bare.iter().map(part));
    let of_engine = |part: fn(&engine::Took) -> Duration| median(engine.iter().map(part));
    let (bare_changes, engine_changes) = (of_bare(|side| side.changing), of_engine(|side| side.changing));
    let a_second = |took: Duration| people as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE);

    report.line("people", people as f64, "");
    report.line("bare SQL: deciding who", milliseconds(of_bare(|side| side.selecting)), "ms");
    report.line("bare SQL: changing", milliseconds(bare_changes), "ms");
    report.line("bare SQL: people a second", a_second(bare_changes), "/s");
    report.line("engine: preview, seal and start", milliseconds(of_engine(|side| side.selecting)), "ms");
    report.line("engine: changing, audit, ledger", milliseconds(engine_changes), "ms");
    let mut phases: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for (name, took) in engine.iter().flat_map(|side| &side.phases) {
        phases.entry(name).or_default().push(*took);
    }
    for (name, took) in phases {
        report.line(&format!("engine:   {name}"), milliseconds(median(took)), "ms");
    }
    report.line("engine: people a second", a_second(engine_changes), "/s");
    tell_scan(engine, report);
    report.line("engine: maintenance, certificate", milliseconds(of_engine(|side| side.ending)), "ms");
    let whole = of_engine(|side| side.selecting + side.changing + side.scanning + side.ending);
    report.line("engine: people a second, all of it", a_second(whole), "/s");
    let ratio = a_second(engine_changes) / a_second(bare_changes);
    report.target("engine of bare SQL", ratio, "", Target::AtLeast(0.5));
}
