//! The receipt of a replay.
//!
//! The transactions of the replay update it, so an interrupted replay continues. A receipt is valid once every
//! user has been verified.

use super::entry::LedgerPosition;
use chrono::{DateTime, NaiveDate, Utc};
use db::RecordsError;
use db::entity::replays;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, Set,
};
use serde::Serialize;
use trail::Store;

/// The result of a replay.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Receipt {
    /// Number of the receipt.
    pub id: i64,
    /// When the replay ended.
    pub at: DateTime<Utc>,
    /// Date in the library's time zone.
    pub today: NaiveDate,
    /// First ledger entry that the restored database didn't contain.
    pub from_sequence: i64,
    /// Last ledger entry of the replay.
    pub to_sequence: i64,
    /// Chain checksum after that entry.
    pub chain: String,
    /// Number of users in these entries.
    pub people: i64,
    /// Number of users who were anonymised again.
    pub anonymised: i64,
    /// Number of users who were already anonymised in this copy of the database.
    pub already: i64,
    /// Number of users who don't exist in this copy of the database.
    pub absent: i64,
    /// Whether all users were checked afterwards and found to be anonymised.
    pub verified: bool,
}

/// Returns the receipts of all replays, newest first.
pub async fn receipts(store: &Store) -> Result<Vec<Receipt>, RecordsError> {
    let rows = replays::Entity::find().order_by_desc(replays::Column::Id).all(&store.db).await?;
    Ok(rows.into_iter().map(Receipt::from_row).collect())
}

/// Numbers of users by result.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Users who were anonymised again.
    pub anonymised: i64,
    /// Users who were anonymised already.
    pub already: i64,
    /// Users without a record.
    pub absent: i64,
}

/// Returns the receipt of an unfinished replay.
pub async fn open(db: &impl ConnectionTrait) -> Result<Option<Receipt>, DbErr> {
    let row = replays::Entity::find()
        .filter(replays::Column::Verified.eq(false))
        .order_by_asc(replays::Column::Id)
        .one(db)
        .await?;
    Ok(row.map(Receipt::from_row))
}

/// Creates a receipt for the entries after `from` up to `to`.
pub async fn begin(
    tx: &DatabaseTransaction,
    store: &Store,
    from: i64,
    to: &LedgerPosition,
) -> Result<Receipt, DbErr> {
    let row = replays::ActiveModel {
        at: Set(store.clock.now()),
        today: Set(store.clock.today()),
        from_sequence: Set(from + 1),
        to_sequence: Set(to.sequence),
        chain: Set(to.chain.0.clone()),
        people: Set(0),
        anonymised: Set(0),
        already: Set(0),
        absent: Set(0),
        verified: Set(false),
        ..Default::default()
    };
    Ok(Receipt::from_row(row.insert(tx).await?))
}

/// Adds `counts` to a receipt.
pub async fn add(tx: &DatabaseTransaction, id: i64, counts: Counts) -> Result<(), DbErr> {
    let sum = |column: replays::Column, more: i64| Expr::col(column).add(more);
    let people = counts.anonymised + counts.already + counts.absent;
    replays::Entity::update_many()
        .col_expr(replays::Column::People, sum(replays::Column::People, people))
        .col_expr(replays::Column::Anonymised, sum(replays::Column::Anonymised, counts.anonymised))
        .col_expr(replays::Column::Already, sum(replays::Column::Already, counts.already))
        .col_expr(replays::Column::Absent, sum(replays::Column::Absent, counts.absent))
        .filter(replays::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Marks a receipt as verified. Returns false if another process has already done so.
pub async fn end(tx: &DatabaseTransaction, store: &Store, id: i64) -> Result<bool, DbErr> {
    let ended = replays::Entity::update_many()
        .col_expr(replays::Column::Verified, Expr::value(true))
        .col_expr(replays::Column::At, Expr::value(store.clock.now()))
        .filter(replays::Column::Id.eq(id))
        .filter(replays::Column::Verified.eq(false))
        .exec(tx)
        .await?;
    Ok(ended.rows_affected == 1)
}

/// Reads a receipt.
pub async fn read(db: &impl ConnectionTrait, id: i64) -> Result<Receipt, RecordsError> {
    let row = replays::Entity::find_by_id(id).one(db).await?;
    row.map(Receipt::from_row).ok_or(RecordsError::NotFound("receipt"))
}

impl Receipt {
    fn from_row(row: replays::Model) -> Self {
        Self {
            id: row.id,
            at: row.at,
            today: row.today,
            from_sequence: row.from_sequence,
            to_sequence: row.to_sequence,
            chain: row.chain,
            people: row.people,
            anonymised: row.anonymised,
            already: row.already,
            absent: row.absent,
            verified: row.verified,
        }
    }
}
