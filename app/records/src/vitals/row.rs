//! The row of this server among those of all servers of the database.
//!
//! Its change shows that the database can be written, and it is a sign of life for the other servers. Whether a server is
//! alive is seen by its count of beats and never by a clock: the clocks are what is compared.

use super::clock::{Skew, outside};
use crate::dialect;
use crate::error::{Fault, RecordsError};
use crate::key;
use crate::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A server without a beat for this long is taken to be gone. Longer than a server that is alive takes for a beat.
const GONE_AFTER: Duration = Duration::from_secs(12);
/// After this long without a beat its row is removed.
const REMOVED_AFTER: Duration = Duration::from_mins(15);

/// The row of this server, and what was seen of the others.
#[derive(Debug, Default)]
pub(crate) struct Row {
    id: Option<i64>,
    last: Option<DateTime<Utc>>,
    others: HashMap<i64, Other>,
}

#[derive(Clone, Copy, Debug)]
struct Other {
    beats: i64,
    /// When the count of its beats was last another one.
    changed: Instant,
    /// Whether it has beaten since this server looks.
    is_alive: bool,
    /// How far its clock is ahead.
    ahead: TimeDelta,
}

/// Writes the sign of life and compares the clocks.
pub(super) async fn beat(store: &Store, row: &mut Row) -> Result<Skew, RecordsError> {
    let db = store.probe().await?;
    let began = store.clock.of_computer();
    let id = write(store, row.id, began).await?;
    row.id = Some(id);
    dialect::wait_for_writers(db).await?;
    if !key::is_current(db, &store.key_fingerprint).await? {
        return Err(RecordsError::Fault(Fault::KeyReplaced));
    }
    let mut skew = Skew::default();
    let before = store.clock.of_computer();
    if let Some(now) = dialect::clock(db).await? {
        // The clock of the database was read at some moment in between.
        skew.add_own(-outside(now, before, store.clock.of_computer()));
    }
    let is_embedded = dialect::is_embedded(db);
    let from = row.last.unwrap_or(began);
    for (other, beats, seen_at) in others(store, id).await? {
        let now = store.clock.of_computer();
        let known = *row.others.entry(other).or_insert(Other {
            beats,
            changed: Instant::now(),
            is_alive: false,
            // Nothing is written in the future: then one of the clocks is wrong, or was.
            ahead: (seen_at - now).max(TimeDelta::zero()),
        });
        let known = if beats == known.beats {
            known
        } else {
            Other { beats, changed: Instant::now(), is_alive: true, ahead: outside(seen_at, from, now) }
        };
        row.others.insert(other, known);
        let silent = known.changed.elapsed();
        if silent > REMOVED_AFTER {
            delete(store, other).await?;
            row.others.remove(&other);
            continue;
        }
        let is_gone = silent > GONE_AFTER;
        if known.is_alive && !is_gone {
            skew.add_other(known.ahead);
        }
        // Two computers on one file: neither can tell whose clock is right. What is gone left an instant that has passed.
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
    let backend = db.get_database_backend();
    if let Some(id) = id {
        let sql = "UPDATE servers SET beats = beats + 1, seen_at = ? WHERE id = ?";
        let written = db.execute_raw(dialect::statement(backend, sql, vec![at.into(), id.into()])).await?;
        if written.rows_affected() == 1 {
            return Ok(id);
        }
    }
    let sql = "INSERT INTO servers (beats, seen_at) VALUES (0, ?) RETURNING id";
    let row = db.query_one_raw(dialect::statement(backend, sql, vec![at.into()])).await?;
    row.map_or_else(|| Err(DbErr::RecordNotInserted), |row| row.try_get("", "id"))
}

async fn others(store: &Store, id: i64) -> Result<Vec<(i64, i64, DateTime<Utc>)>, DbErr> {
    let sql = "SELECT id, beats, seen_at FROM servers WHERE id <> ?";
    let db = store.probe().await?;
    let rows = db.query_all_raw(dialect::statement(db.get_database_backend(), sql, vec![id.into()])).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "beats")?, row.try_get("", "seen_at")?)))
        .collect()
}

async fn delete(store: &Store, id: i64) -> Result<(), DbErr> {
    let db = store.probe().await?;
    let sql = "DELETE FROM servers WHERE id = ?";
    db.execute_raw(dialect::statement(db.get_database_backend(), sql, vec![id.into()])).await?;
    Ok(())
}

/// Removes the row of a server that ends.
pub(super) async fn remove(store: &Store, row: &Row) -> Result<(), RecordsError> {
    if let Some(id) = row.id {
        delete(store, id).await?;
    }
    Ok(())
}
