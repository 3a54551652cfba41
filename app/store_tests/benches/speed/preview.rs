//! The preview of a large library: the counts of verdicts against bare SQL, the whole preview, its memory, and a
//! page of its list.

use crate::databases::Databases;
use crate::library::{self, Library};
use crate::peak::peak;
use crate::report::{Report, Target, median, milliseconds};
use crate::sizes::Sizes;
use crate::{bare, child};
use anyhow::Context as _;
use db::pagination::Paging;
use policy::{Reason, VerdictKind};
use sea_orm::{ConnectionTrait, Statement};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use task_centre::run;
use task_centre::run::MemberQuery;
use trail::{Actor, Store};

const COUNTS: &str = "engine: counts by verdict and reason";
const BARE_COUNTS: &str = "bare SQL: the same counts";
const PREVIEW: &str = "engine: the whole preview with its fingerprint";
const PAGE: &str = "engine: the slowest page of its list";
const PEAK: &str = "engine: peak memory";

/// Number of measurements of a step that takes at most a second.
const TIMES: usize = 5;

/// Creates the library and measures its preview in a child process.
pub async fn measure(databases: &Databases, sizes: &Sizes, report: &mut Report) -> anyhow::Result<()> {
    let library = Library::of_many(sizes.preview);
    report.begin(databases.name(), "Preview", &library.label());
    databases.make("preview", &library).await?;
    let figures: BTreeMap<String, f64> = child::run(databases, "preview").await?.into_iter().collect();
    databases.delete("preview").await?;
    let figure = |name: &str| figures.get(name).copied().with_context(|| format!("no figure “{name}”"));
    let (bare, engine) = (figure(BARE_COUNTS)?, figure(COUNTS)?);
    report.line(BARE_COUNTS, bare, "ms");
    report.line(COUNTS, engine, "ms");
    report.target("counts, times the bare SQL", engine / bare, "", Target::AtMost(3.0));
    report.line(PREVIEW, figure(PREVIEW)?, "ms");
    report.target(PAGE, figure(PAGE)?, "ms", Target::AtMost(100.0));
    report.target(PEAK, figure(PEAK)?, "MB", Target::AtMost(300.0));
    Ok(())
}

/// Measures in the child process.
pub async fn measured(store: &Store) -> anyhow::Result<Vec<(String, f64)>> {
    let (mut bare_took, mut engine_took) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let started = Instant::now();
        let by_hand = counts_by_hand(store).await?;
        bare_took.push(started.elapsed());
        let started = Instant::now();
        let counts = run::counts(store, &library::policy()).await?;
        engine_took.push(started.elapsed());
        anyhow::ensure!(counts == by_hand, "the two sides count differently: {counts:?}, {by_hand:?}");
    }
    let task = library::add_task(store).await?;
    let started = Instant::now();
    let id = run::preview(store, Actor::COMMAND_LINE, task).await?;
    let previewing = started.elapsed();
    let page = slowest_page(store, id).await?;
    Ok(vec![
        (BARE_COUNTS.to_owned(), milliseconds(median(bare_took))),
        (COUNTS.to_owned(), milliseconds(median(engine_took))),
        (PREVIEW.to_owned(), milliseconds(previewing)),
        (PAGE.to_owned(), milliseconds(page)),
        (PEAK.to_owned(), peak()?),
    ])
}

async fn counts_by_hand(store: &Store) -> anyhow::Result<Vec<(Reason, i64)>> {
    let db = &store.db;
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), bare::COUNTS)).await?;
    rows.iter()
        .map(|row| {
            let number = i16::try_from(row.try_get::<i32>("", "reason")?)?;
            Ok((Reason::from_number(number).context("no such reason")?, row.try_get("", "n")?))
        })
        .collect()
}

/// Reads pages from the beginning, middle and end of the list, for all users and for single verdicts. Returns the
/// median time of the slowest page.
async fn slowest_page(store: &Store, id: policy::RunId) -> anyhow::Result<Duration> {
    let preview = run::read(store, id).await?;
    let mut slowest = Duration::ZERO;
    let queries = [
        MemberQuery::default(),
        MemberQuery { verdict: Some(VerdictKind::Eligible), ..MemberQuery::default() },
        MemberQuery { verdict: Some(VerdictKind::Blocked), ..MemberQuery::default() },
        MemberQuery { reason: Some(Reason::LegalHold), ..MemberQuery::default() },
    ];
    for query in queries {
        for part in [0, 2, 4] {
            let paging = Paging {
                after: Some((preview.users * part / 5).to_string()),
                rows: Some(50),
                ..Paging::default()
            };
            let mut took = Vec::new();
            for _ in 0..TIMES {
                let started = Instant::now();
                let page = run::members(store, &preview, &query, &paging).await?;
                took.push(started.elapsed());
                anyhow::ensure!(!page.rows.is_empty(), "an empty page proves nothing");
            }
            slowest = slowest.max(median(took));
        }
    }
    Ok(slowest)
}
