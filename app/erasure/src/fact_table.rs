//! The facts of all users in memory, twelve bytes each, so that a rule can be tried on all of them in milliseconds.
//!
//! The facts don't identify a user. They are read when a task is edited, renewed while the editing goes on, and
//! dropped afterwards.

use super::eligibility::{KEPT_SINCE, STAFF, obstacle_queries};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use db::{Clock, dialect};
use futures::TryStreamExt;
use policy::{Blockers, UserFacts};
use sea_orm::{DatabaseConnection, DbErr, QueryResult, StreamTrait};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use trail::Store;

/// Day 1 of packed dates. Every day before it is older than any number of days that a rule can have.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).expect("a date");

/// Duration for which a result is used, as a multiple of the duration of its reading.
const READINGS_PER_USE: i32 = 20;
/// Maximum duration of a reading that a caller waits for, in milliseconds. If the last reading took longer, the caller
/// gets its facts.
const MAX_WAIT_MS: i64 = 100;
/// Maximum age of facts for which a caller does not wait.
const MAX_AGE_SECONDS: i64 = 60;
/// Duration for which facts are kept after their last use.
const KEEP_AFTER_USE: std::time::Duration = std::time::Duration::from_mins(2);

/// The facts of all users at one time.
#[derive(Debug)]
pub struct FactTable {
    users: Vec<Packed>,
    read_at: DateTime<Utc>,
    /// Duration of the reading.
    took: Duration,
}

/// The facts of one user. Dates are numbers of days since [`FIRST_DAY`], 0 for no date.
#[derive(Clone, Copy, Debug)]
struct Packed {
    leaving: u16,
    activity: u16,
    created: u16,
    marked: u16,
    kept: u16,
    flags: u16,
}

const ANONYMISED: u16 = 1 << 8;
const FICTITIOUS: u16 = 1 << 9;
const IMPORTED: u16 = 1 << 10;

impl Packed {
    fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        let bits = row.try_get_by_index::<Option<i32>>(0)?.unwrap_or_default();
        let flags: i32 = row.try_get_by_index(1)?;
        let flags = u16::try_from(bits | flags).map_err(|_| DbErr::Custom("unknown obstacles".to_owned()))?;
        Ok(Self {
            leaving: packed(row.try_get_by_index(2)?),
            marked: packed(row.try_get_by_index(3)?),
            activity: packed(row.try_get_by_index(4)?),
            created: packed(row.try_get_by_index(5)?),
            kept: packed(row.try_get_by_index(6)?),
            flags,
        })
    }

    fn facts(self) -> UserFacts {
        let has = |flag: u16| self.flags & flag != 0;
        let [obstacles, _] = self.flags.to_le_bytes();
        UserFacts {
            anonymised: has(ANONYMISED),
            staff: obstacles & STAFF != 0,
            fictitious: has(FICTITIOUS),
            imported: has(IMPORTED),
            created_on: unpacked(self.created),
            leaving_on: unpacked(self.leaving),
            last_activity_on: unpacked(self.activity),
            marked_on: unpacked(self.marked),
            kept_since: unpacked(self.kept),
            blockers: Blockers::from_bits(obstacles),
        }
    }
}

/// Packs a date. Days outside 1900 to 2079 become the nearest one, which no rule distinguishes today.
fn packed(date: Option<NaiveDate>) -> u16 {
    let Some(date) = date else { return 0 };
    let days = (date - FIRST_DAY).num_days().max(0) + 1;
    u16::try_from(days).unwrap_or(u16::MAX)
}

fn unpacked(days: u16) -> Option<NaiveDate> {
    let days = days.checked_sub(1)?;
    FIRST_DAY.checked_add_signed(Duration::days(i64::from(days)))
}

impl FactTable {
    /// Reads the facts of all users.
    pub async fn read(db: &DatabaseConnection) -> Result<Self, DbErr> {
        let read_at = Clock::system_now();
        // Raw SQL: the obstacles are the fragments of `eligibility`, aggregated once for all users.
        let sql = format!(
            "SELECT o.bits, CASE WHEN u.anonymised_on IS NULL THEN 0 ELSE {ANONYMISED} END \
             + CASE WHEN u.fictitious THEN {FICTITIOUS} ELSE 0 END + CASE WHEN u.imported THEN {IMPORTED} ELSE 0 END, \
             u.leaving_on, u.marked_on, u.last_activity_on, u.created_on, {KEPT_SINCE} FROM users u LEFT JOIN (\
             SELECT number, CAST(SUM(bit) AS INTEGER) AS bits FROM ({obstacles}) bits GROUP BY number) o \
             ON o.number = u.number",
            obstacles = obstacle_queries(|_| String::new()).join(" UNION "),
        );
        let statement = dialect::bind(db.get_database_backend(), &sql, Vec::new());
        let mut rows = pin!(db.stream_raw(statement).await?);
        let mut users = Vec::new();
        while let Some(row) = rows.try_next().await? {
            users.push(Packed::from_row(&row)?);
        }
        users.shrink_to_fit();
        Ok(Self { users, read_at, took: Clock::system_now() - read_at })
    }

    /// Returns the facts of all users, in no order.
    pub fn users(&self) -> impl Iterator<Item = UserFacts> {
        self.users.iter().map(|user| user.facts())
    }

    /// Returns how long ago the facts were read.
    pub fn age(&self) -> Duration {
        Clock::system_now() - self.read_at
    }

    /// Returns whether the facts needn't be renewed yet.
    fn is_fresh(&self) -> bool {
        self.age() < (self.took * READINGS_PER_USE).min(Duration::seconds(MAX_AGE_SECONDS))
    }

    /// Returns whether a caller uses the facts while they are renewed.
    fn is_usable(&self) -> bool {
        self.took > Duration::milliseconds(MAX_WAIT_MS) && self.age() < Duration::seconds(MAX_AGE_SECONDS)
    }
}

/// The facts that this process keeps.
#[derive(Default)]
struct Kept {
    table: Mutex<Option<Arc<FactTable>>>,
    /// Held while the facts are read, so that they are read once for all callers.
    reading: tokio::sync::Mutex<()>,
    used_at: Mutex<Option<std::time::Instant>>,
}

impl Kept {
    fn table(&self) -> Option<Arc<FactTable>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, table: Option<Arc<FactTable>>) {
        *self.table.lock().unwrap_or_else(PoisonError::into_inner) = table;
    }

    fn mark_used(&self) {
        *self.used_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::time::Instant::now());
    }

    fn is_idle(&self) -> bool {
        let used_at = *self.used_at.lock().unwrap_or_else(PoisonError::into_inner);
        used_at.is_none_or(|at| at.elapsed() >= KEEP_AFTER_USE)
    }
}

/// Returns the facts of all users, at most a minute old. Facts of a small library are always read again; those of a
/// large one are renewed in the background while it is used.
pub async fn current(store: &Store) -> Result<Arc<FactTable>, DbErr> {
    let kept = store.process_state::<Kept>();
    kept.mark_used();
    match kept.table() {
        Some(table) if table.is_fresh() => Ok(table),
        Some(table) if table.is_usable() => {
            renew_in_background(store);
            Ok(table)
        }
        _ => renew(store, &kept).await,
    }
}

/// Begins to read the facts, so that a caller of [`current`] soon finds them.
pub fn renew_in_background(store: &Store) {
    let store = store.clone();
    tokio::spawn(async move {
        let kept = store.process_state::<Kept>();
        kept.mark_used();
        if let Err(error) = renew(&store, &kept).await {
            tracing::warn!(%error, "the facts of users could not be read");
        }
    });
}

/// Reads the facts, unless another caller has just done so.
async fn renew(store: &Store, kept: &Arc<Kept>) -> Result<Arc<FactTable>, DbErr> {
    let asked_at = Clock::system_now();
    let _reading = kept.reading.lock().await;
    let before = kept.table();
    if let Some(table) = before.as_ref().filter(|table| table.read_at >= asked_at || table.is_fresh()) {
        return Ok(table.clone());
    }
    let table = Arc::new(FactTable::read(&store.db).await?);
    kept.set(Some(table.clone()));
    if before.is_none() {
        tokio::spawn(drop_when_idle(kept.clone()));
    }
    Ok(table)
}

async fn drop_when_idle(kept: Arc<Kept>) {
    loop {
        tokio::time::sleep(KEEP_AFTER_USE).await;
        // The lock keeps a reading from ending between the check and the removal.
        let _reading = kept.reading.lock().await;
        if kept.is_idle() {
            kept.set(None);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_packed_in_two_bytes() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        for (date, back) in [
            ("1900-01-01", "1900-01-01"),
            ("1850-06-01", "1900-01-01"),
            ("2026-11-28", "2026-11-28"),
            ("2079-06-05", "2079-06-05"),
            ("9999-12-31", "2079-06-05"),
        ] {
            assert_eq!(unpacked(packed(Some(day(date)))), Some(day(back)), "{date}");
        }
        assert_eq!(unpacked(packed(None)), None);
    }

    #[test]
    fn no_rule_distinguishes_older_days() {
        let longest = Duration::days(i64::from(policy::Days::MAX));
        assert!(FIRST_DAY + longest < "2026-01-01".parse::<NaiveDate>().expect("a date"));
    }
}
