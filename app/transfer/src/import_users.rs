//! Imports users.
//!
//! `lines` decides what each line does, `changes` writes it.

mod changes;
mod lines;

use super::absence;
use super::import_limits;
use super::order::{ImportOrder, Imported, complete};
use super::problem::{FileProblems, TransferError};
use super::reader::Source;
use super::user_line::UserLine;
use super::user_match::KeyedLine;
use super::watch::Watch;
use chrono::NaiveDate;
use db::dialect;
use db::entity::users;
use lines::{Import, Round};
use policy::import_limits::ImportFigures;
use policy::import_options::ImportMode;
use policy::{ManualChange, UserNumber};
use records::custom_field;
use safeguards::limits;
use sea_orm::{DatabaseTransaction, EntityTrait, PaginatorTrait};
use std::sync::Arc;
use trail::{Actor, Store};

/// Imports users. A check rolls everything back.
///
/// A file that exceeds the safety limits of imports needs an approval. If four eyes is off, the confirmed number must
/// be the number that the limit counts.
pub(super) async fn import(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<Imported, TransferError> {
    let Written { tx, mut imported, touched, replaced, figures } = write(store, actor, order).await?;
    let too_many = limits::too_many(&tx, store, &touched, figures.users).await?;
    let stop = import_limits::stop(order, too_many, figures);
    if order.dry_run {
        imported.summary.set_stop(stop.as_ref());
        imported.stop = stop;
        return complete(store, tx, actor, order, (imported, "")).await;
    }
    let summary = &imported.summary;
    let confirmed = match &stop {
        None => None,
        Some(stop) => {
            match import_limits::confirm(&tx, store, actor, (order, &imported.sha256), stop).await {
                Ok(how) => Some(how),
                Err(refused) => {
                    tx.rollback().await?;
                    let detail = format!("import,users={}", stop.number);
                    limits::record_limit_as(store, actor, ManualChange::ImportLimit, &detail).await?;
                    return Err(refused);
                }
            }
        }
    };
    limits::record_import(&tx, actor, confirmed.is_some(), touched, replaced).await?;
    let confirmed = confirmed.map(|how| format!(",{how}")).unwrap_or_default();
    let suppressed = match summary.suppressed {
        0 => String::new(),
        lines => format!(",suppressed={lines}"),
    };
    let left = match summary.left {
        0 => String::new(),
        users => format!(",left={users}"),
    };
    let detail = format!(
        "created={},changed={},touched={}{left}{suppressed}{confirmed}",
        summary.created, summary.changed, summary.touched
    );
    complete(store, tx, actor, order, (imported, &detail)).await
}

/// A file that is written but not committed.
struct Written {
    tx: DatabaseTransaction,
    imported: Imported,
    /// Users who count towards the limits of imports, with their number of identifying values.
    touched: Vec<(UserNumber, usize)>,
    /// Users with replaced identifying values, too few to count.
    replaced: Vec<(UserNumber, usize)>,
    /// The numbers that the limits of a file count.
    figures: ImportFigures,
}

/// Reads a file twice and writes it.
async fn write(store: &Store, actor: Actor, order: &ImportOrder<'_>) -> Result<Written, TransferError> {
    let custom = custom_field::keys(&store.db).await?;
    let source = Source::open(order, &custom)?;
    let mode = order.options.mode;
    if mode == ImportMode::AllOrNothing {
        check(&source, order.watch, store.clock.today())?;
    }
    let tx = store.begin().await?;
    dialect::lock_imports(&tx).await?;
    dialect::enlarge_cache(&tx).await?;
    let today = store.clock.today();
    let users_before = users::Entity::find().count(&tx).await?;
    let imported_before = absence::present(&tx, today).await?;
    let expected = absence::expected(&tx, order.task, today).await?;
    let header = Arc::clone(source.header());
    let mut lines = source.ahead(move |line| Ok(KeyedLine::new(UserLine::parse(line, &header, today)?)))?;
    let mut import = Import::begin(&tx, store, actor, (lines.header(), order.record)).await?;
    while let Some(read) = lines.next().await? {
        let chunk = read.into_iter().filter_map(|line| import.take(line)).collect();
        import.write(&tx, chunk, Round::First).await?;
        order.watch.advance(import.summary.lines)?;
    }
    import.write_postponed(&tx, order.watch).await?;
    import.finish_guarantors(&tx, mode).await?;
    if mode == ImportMode::AllOrNothing {
        import.problems.refuse()?;
    }
    let Import { mut summary, mut touched, replaced, problems, report, differences, seen, dates, .. } =
        import;
    (summary.rejected, summary.noted) = (problems.lines(), report.noted());
    let absent = absence::apply(&tx, order, (&seen, summary.rejected), today).await?;
    (summary.missing, summary.left) = (absent.missing, absent.left.len() as u64);
    touched.extend(absent.left.into_iter().map(|user| (user, 0)));
    summary.touched = touched.len() as u64;
    let figures = ImportFigures {
        lines: summary.lines,
        users: users_before,
        imported: imported_before,
        expected,
        missing: summary.missing,
        new: summary.created,
        changed: summary.changed,
        leaving: dates.leaving() + summary.left,
        uniform: dates.uniform(),
        damaged: problems.damaged_keys(),
        is_first: imported_before == 0,
        ..ImportFigures::default()
    };
    let (fields, first) = differences.finish();
    summary.fields = fields;
    let report = report.with(&problems, first);
    let imported = Imported { summary, sha256: lines.sha256().to_owned(), report, stop: None };
    Ok(Written { tx, imported, touched, replaced, figures })
}

/// First pass: validates each line separately, without the database.
fn check(source: &Source, watch: &Watch, today: NaiveDate) -> Result<(), TransferError> {
    let mut problems = FileProblems::new(source.header().columns());
    let mut lines = source.lines()?;
    let header = Arc::clone(lines.header());
    let mut read = 0;
    while let Some(line) = lines.next()? {
        read += 1;
        watch.advance(read)?;
        match line {
            Ok(line) => {
                if let Err(errors) = UserLine::parse(&line, &header, today) {
                    problems.add_fields(line.number, errors);
                }
            }
            Err(problem) => problems.add(problem),
        }
    }
    problems.refuse()
}
