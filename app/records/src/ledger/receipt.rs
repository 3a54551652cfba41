//! The receipt of a replay: it grows in the transactions of the replay, so that one that was cut off goes on, and
//! counts only once everybody was verified.

use super::entry::Place;
use crate::entity::replays;
use crate::error::RecordsError;
use crate::store::Store;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, Set,
};
use serde::Serialize;

/// What a replay of the ledger did.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Receipt {
    /// Its number.
    pub id: i64,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// The day of the library.
    pub today: NaiveDate,
    /// The first entry of the ledger that the restored database did not know.
    pub from_sequence: i64,
    /// The last one.
    pub to_sequence: i64,
    /// The checksum of the ledger there.
    pub chain: String,
    /// People in these entries.
    pub people: i64,
    /// People who were anonymised again.
    pub anonymised: i64,
    /// People who were anonymised in this copy of the database already.
    pub already: i64,
    /// People who are not in this copy of the database.
    pub absent: i64,
    /// Whether all of them were looked up afterwards and found to be anonymised.
    pub verified: bool,
}

/// The receipts of all replays, the newest first.
pub async fn receipts(store: &Store) -> Result<Vec<Receipt>, RecordsError> {
    let rows = replays::Entity::find().order_by_desc(replays::Column::Id).all(&store.db).await?;
    Ok(rows.into_iter().map(Receipt::of).collect())
}

/// What became of the people of some entries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) anonymised: i64,
    pub(super) already: i64,
    pub(super) absent: i64,
}

/// The receipt of a replay that has not come to its end.
pub(super) async fn open(db: &impl ConnectionTrait) -> Result<Option<Receipt>, DbErr> {
    let row = replays::Entity::find()
        .filter(replays::Column::Verified.eq(false))
        .order_by_asc(replays::Column::Id)
        .one(db)
        .await?;
    Ok(row.map(Receipt::of))
}

/// Begins a receipt over the entries after `from` up to `to`.
pub(super) async fn begin(
    tx: &DatabaseTransaction,
    store: &Store,
    from: i64,
    to: &Place,
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
    Ok(Receipt::of(row.insert(tx).await?))
}

/// Adds people to a receipt.
pub(super) async fn add(tx: &DatabaseTransaction, id: i64, counts: Counts) -> Result<(), DbErr> {
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

/// Ends a receipt: everybody was verified. False where another process was quicker.
pub(super) async fn end(tx: &DatabaseTransaction, store: &Store, id: i64) -> Result<bool, DbErr> {
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
pub(super) async fn read(db: &impl ConnectionTrait, id: i64) -> Result<Receipt, RecordsError> {
    let row = replays::Entity::find_by_id(id).one(db).await?;
    row.map(Receipt::of).ok_or(RecordsError::NotFound("receipt"))
}

impl Receipt {
    fn of(row: replays::Model) -> Self {
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
