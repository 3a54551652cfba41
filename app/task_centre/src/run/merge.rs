//! Merges two records of one person: what belongs to one record moves to the other, and the empty one is anonymised.
//!
//! All of it is one transaction. The register names the rows that move (`personal_data::USER_LINKS`). The record that
//! doesn't stay goes through the one anonymiser, with the limits, the ledger and the certificate of a single user.

mod keys;
mod plan;

pub use keys::{KeyFate, MergedKey};
pub use plan::{MergePlan, MovedRows, plan_merge};

use super::single::{SingleOrder, execute_one, grounds_of, task_as_shown};
use chrono::NaiveDate;
use db::entity::users;
use db::{RecordsError, dialect, search_index};
use policy::assess::kept_since;
use policy::form::Problem;
use policy::four_eyes::COOLING_OFF_HOURS;
use policy::personal_data::{LinkMerge, USER_LINKS, UserLink};
use policy::{Action, Counted, RunId, UserNumber};
use safeguards::{legal_hold, limits, protection};
use sea_orm::sea_query::Value;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityName as _, EntityTrait, Set};
use std::collections::{BTreeMap, HashSet};
use trail::audit::{self, AuditAction, Subject};
use trail::person;
use trail::{Actor, Store};

/// The two records of a merge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pair {
    /// The record that stays.
    pub staying: UserNumber,
    /// The record that is anonymised.
    pub losing: UserNumber,
}

/// Merges two records. `order.typed` must be the number of the record that is anonymised. Returns the run.
///
/// Everything is done or nothing. Rejects a legal hold on either record, staff, fictitious and anonymised users.
pub async fn merge(
    store: &Store,
    actor: Actor,
    pair: Pair,
    order: &SingleOrder<'_>,
) -> Result<RunId, RecordsError> {
    let merged = merge_within_limits(store, actor, pair, order).await;
    limits::record_limit(store, actor, merged).await
}

async fn merge_within_limits(
    store: &Store,
    actor: Actor,
    pair: Pair,
    order: &SingleOrder<'_>,
) -> Result<RunId, RecordsError> {
    actor.require(Action::EditUsers)?;
    actor.require(Action::AnonymiseOne)?;
    let tx = store.begin().await?;
    let (staying, losing) = locked(&tx, pair).await?;
    let people = [pair.staying, pair.losing];
    let mut grounds = grounds_of(&tx, pair.losing, &people, order).await?;
    if let Some(why) = why_not(&tx, &staying, &losing).await? {
        return Err(RecordsError::Refused(format!("{why}. Nothing was changed")));
    }
    let task = task_as_shown(&tx, order.shown).await?;
    let approval = limits::claim(&tx, store, actor, Counted::Anonymised, pair.losing).await?;
    let merged = keys::take_over(&tx, store, &staying, &losing).await?;
    let moved = move_rows(&tx, pair).await?;
    write_staying(&tx, &merged, &losing).await?;
    let counts = moved.iter().map(|(link, rows)| format!(",{}.{}={rows}", link.table, link.column));
    let detail = format!("merged={}{}", pair.losing, counts.collect::<String>());
    let subject = Subject::from(pair.staying);
    audit::record_event(&tx, &store.clock, actor, AuditAction::UsersMerged, subject, None, &detail).await?;
    grounds.merged_into = Some(pair.staying);
    execute_one(tx, store, actor, &losing, (&task, approval), &grounds).await
}

/// Locks both records, the smaller number first, so that two merges can't deadlock.
async fn locked(
    tx: &DatabaseTransaction,
    Pair { staying, losing }: Pair,
) -> Result<(users::Model, users::Model), RecordsError> {
    require_two(Pair { staying, losing })?;
    let first = person::lock(tx, staying.min(losing)).await?;
    let second = person::lock(tx, staying.max(losing)).await?;
    Ok(if staying < losing { (first, second) } else { (second, first) })
}

fn require_two(pair: Pair) -> Result<(), RecordsError> {
    if pair.staying == pair.losing {
        return Err(RecordsError::field("with", Problem::SameRecord));
    }
    Ok(())
}

/// Returns why two records can't be merged.
async fn why_not(
    db: &impl ConnectionTrait,
    staying: &users::Model,
    losing: &users::Model,
) -> Result<Option<String>, RecordsError> {
    for user in [staying, losing] {
        let number = UserNumber(user.number);
        let why = if user.anonymised_on.is_some() {
            "has been anonymised".to_owned()
        } else if user.fictitious {
            "is fictitious, not a person".to_owned()
        } else if protection::is_staff(db, number).await? {
            format!(
                "has a role, or had one less than {COOLING_OFF_HOURS} hours ago. Remove the roles first, then wait"
            )
        } else if legal_hold::in_force(db, number).await? {
            "is under legal hold. It must be released first".to_owned()
        } else {
            continue;
        };
        return Ok(Some(format!("User {number} {why}")));
    }
    let is_guaranteed = is_guaranteed_by(db, staying, losing).await?;
    Ok(is_guaranteed.then(|| {
        format!(
            "User {} is a guarantor for user {}, directly or through others. Change the guarantor first",
            losing.number, staying.number
        )
    }))
}

/// Returns whether a record is, at any distance, the guarantor of another one. Merging them would make a ring.
async fn is_guaranteed_by(
    db: &impl ConnectionTrait,
    user: &users::Model,
    guarantor: &users::Model,
) -> Result<bool, RecordsError> {
    let mut passed = HashSet::from([user.number]);
    let mut next = user.guarantor_number;
    while let Some(number) = next.filter(|number| passed.insert(*number)) {
        if number == guarantor.number {
            return Ok(true);
        }
        next = users::Entity::find_by_id(number).one(db).await?.and_then(|user| user.guarantor_number);
    }
    Ok(false)
}

/// Moves the rows of all links that move. Returns the number of rows for each link that has some.
async fn move_rows(
    tx: &DatabaseTransaction,
    Pair { staying, losing }: Pair,
) -> Result<Vec<(&'static UserLink, u64)>, RecordsError> {
    let backend = tx.get_database_backend();
    let mut moved = Vec::new();
    for link in USER_LINKS {
        let UserLink { table, column, .. } = *link;
        let mut values: Vec<Value> = vec![staying.0.into(), losing.0.into()];
        let only = match link.merge {
            LinkMerge::Stays => continue,
            LinkMerge::Moves => String::new(),
            LinkMerge::MovesUnlessPresent(other) => {
                values.push(staying.0.into());
                format!(" AND {other} NOT IN (SELECT {other} FROM {table} WHERE {column} = ?)")
            }
        };
        // A form of another user that was opened before must not restore the old guarantor.
        let version = if table == users::Entity.table_name() { ", version = version + 1" } else { "" };
        // Raw SQL: the register names table and columns.
        let sql = format!("UPDATE {table} SET {column} = ?{version} WHERE {column} = ?{only}");
        let rows = tx.execute_raw(dialect::bind(backend, &sql, values)).await?.rows_affected();
        if rows > 0 {
            moved.push((link, rows));
        }
    }
    Ok(moved)
}

/// Writes the record that stays: the keys that it takes over, and the later activity and answer of both.
async fn write_staying(
    tx: &DatabaseTransaction,
    merged: &users::Model,
    losing: &users::Model,
) -> Result<(), RecordsError> {
    let activity: Option<NaiveDate> = merged.last_activity_on.max(losing.last_activity_on);
    let kept = |user: &users::Model| kept_since(user.kept_on, user.announced_on, user.last_activity_on);
    users::ActiveModel {
        number: Set(merged.number),
        user_id: Set(merged.user_id.clone()),
        barcode: Set(merged.barcode.clone()),
        external_id: Set(merged.external_id.clone()),
        email: Set(merged.email.clone()),
        imported: Set(merged.imported || losing.imported),
        last_activity_on: Set(activity),
        kept_on: Set(kept(merged).max(kept(losing))),
        version: Set(merged.version + 1),
        ..Default::default()
    }
    .update(tx)
    .await?;
    search_index::replace(tx, merged.number, person::search_words(merged)).await?;
    Ok(())
}

/// Counts the rows of all links that would move, by the label of their table.
async fn moving(
    db: &impl ConnectionTrait,
    losing: UserNumber,
) -> Result<BTreeMap<&'static str, i64>, RecordsError> {
    let mut counts: BTreeMap<&'static str, i64> = BTreeMap::new();
    for link in USER_LINKS.iter().filter(|link| link.merge != LinkMerge::Stays) {
        // Raw SQL: the register names table and column.
        let sql = format!("SELECT COUNT(*) AS n FROM {} WHERE {} = ?", link.table, link.column);
        let values = vec![losing.0.into()];
        let row = db.query_one_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
        let rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
        if rows > 0 {
            *counts.entry(link.table).or_default() += rows;
        }
    }
    Ok(counts)
}
