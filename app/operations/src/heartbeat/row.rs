//! The row of this server in the table of all servers of the database.
//!
//! Updating it proves that the database is writable, and serves as a heartbeat for the other servers. A server
//! counts as alive if its heartbeat count changes. Timestamps can't decide this, because the clocks are what is
//! compared.

use chrono::{DateTime, TimeDelta, Utc};
use db::{Fault, RecordsError, dialect};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, DeriveIden};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use trail::vitals::{Skew, outside};
use trail::{Store, key};

/// Time without a heartbeat after which a server counts as gone. Longer than a heartbeat of a live server takes.
const GONE_AFTER: Duration = Duration::from_secs(12);
/// Time without a heartbeat after which a row is deleted.
const REMOVED_AFTER: Duration = Duration::from_mins(15);

/// The table of all servers.
#[derive(DeriveIden)]
enum Servers {
    Table,
    Id,
    Beats,
    SeenAt,
}

/// The row of this server, and observations about the others.
#[derive(Debug, Default)]
pub(super) struct Row {
    id: Option<i64>,
    last: Option<DateTime<Utc>>,
    observations: HashMap<i64, Observation>,
}

#[derive(Clone, Copy, Debug)]
struct Observation {
    beats: i64,
    /// When its heartbeat count last changed.
    changed: Instant,
    /// Whether its count has changed since this server started observing.
    is_alive: bool,
    /// Time by which its clock is ahead.
    ahead: TimeDelta,
}

/// Writes the heartbeat and compares the clocks.
pub(super) async fn beat(store: &Store, row: &mut Row) -> Result<Skew, RecordsError> {
    let db = store.probe().await?;
    let began = store.clock.of_computer();
    let id = write(store, row.id, began).await?;
    row.id = Some(id);
    dialect::wait_for_writers(db).await?;
    if !key::is_current(db, store.key.fingerprint()).await? {
        return Err(RecordsError::Fault(Fault::KeyReplaced));
    }
    let mut skew = Skew::default();
    let before = store.clock.of_computer();
    if let Some(now) = dialect::clock(db).await? {
        // The database clock was read at some time between the two.
        skew.add_own(-outside(now, before, store.clock.of_computer()));
    }
    let is_embedded = dialect::is_embedded(db);
    let from = row.last.unwrap_or(began);
    for (other, beats, seen_at) in servers_except(store, id).await? {
        let now = store.clock.of_computer();
        let known = *row.observations.entry(other).or_insert(Observation {
            beats,
            changed: Instant::now(),
            is_alive: false,
            // A timestamp in the future means that one of the clocks is or was wrong.
            ahead: (seen_at - now).max(TimeDelta::zero()),
        });
        let known = if beats == known.beats {
            known
        } else {
            Observation { beats, changed: Instant::now(), is_alive: true, ahead: outside(seen_at, from, now) }
        };
        row.observations.insert(other, known);
        let silent = known.changed.elapsed();
        if silent > REMOVED_AFTER {
            delete(store, other).await?;
            row.observations.remove(&other);
            continue;
        }
        let is_gone = silent > GONE_AFTER;
        if known.is_alive && !is_gone {
            skew.add_other(known.ahead);
        }
        // Two computers on one file: neither knows which clock is right. A timestamp of a server that is gone
        // counts only if it lies in the future.
        if is_embedded && (known.is_alive && !is_gone || other < id && known.ahead > TimeDelta::zero()) {
            skew.add_own(-known.ahead);
        }
        skew.is_open |= is_embedded && !known.is_alive && !is_gone;
    }
    row.last = Some(began);
    Ok(skew)
}

async fn write(store: &Store, id: Option<i64>, at: DateTime<Utc>) -> Result<i64, DbErr> {
    let db = store.probe().await?;
    if let Some(id) = id {
        let beat = Query::update()
            .table(Servers::Table)
            .value(Servers::Beats, Expr::col(Servers::Beats).add(1))
            .value(Servers::SeenAt, at)
            .and_where(Expr::col(Servers::Id).eq(id))
            .take();
        if db.execute(&beat).await?.rows_affected() == 1 {
            return Ok(id);
        }
    }
    let insert = Query::insert()
        .into_table(Servers::Table)
        .columns([Servers::Beats, Servers::SeenAt])
        .values_panic([0.into(), at.into()])
        .returning_col(Servers::Id)
        .take();
    let row = db.query_one(&insert).await?;
    row.map_or_else(|| Err(DbErr::RecordNotInserted), |row| row.try_get("", "id"))
}

async fn servers_except(store: &Store, id: i64) -> Result<Vec<(i64, i64, DateTime<Utc>)>, DbErr> {
    let select = Query::select()
        .columns([Servers::Id, Servers::Beats, Servers::SeenAt])
        .from(Servers::Table)
        .and_where(Expr::col(Servers::Id).ne(id))
        .take();
    let rows = store.probe().await?.query_all(&select).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "beats")?, row.try_get("", "seen_at")?)))
        .collect()
}

async fn delete(store: &Store, id: i64) -> Result<(), DbErr> {
    let delete = Query::delete().from_table(Servers::Table).and_where(Expr::col(Servers::Id).eq(id)).take();
    store.probe().await?.execute(&delete).await?;
    Ok(())
}

/// Removes the row of a server that shuts down.
pub(super) async fn remove(store: &Store, row: &Row) -> Result<(), RecordsError> {
    if let Some(id) = row.id {
        delete(store, id).await?;
    }
    Ok(())
}
