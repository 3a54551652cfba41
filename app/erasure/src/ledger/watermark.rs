//! The watermark: the one row that says how far the database has followed the ledger.

use super::entry::{Chain, LedgerPosition};
use db::entity::ledger_mark;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect, Set,
};

/// Primary key of the row.
const ID: i16 = 1;

/// Which ledger the database follows, and how far.
#[derive(Clone, Debug)]
pub struct Mark {
    pub(crate) library: String,
    /// The last entry that the database follows.
    pub position: LedgerPosition,
}

/// Reads the watermark. Returns `None` if the database has no ledger yet.
pub async fn read(db: &impl ConnectionTrait) -> Result<Option<Mark>, DbErr> {
    Ok(ledger_mark::Entity::find_by_id(ID).one(db).await?.map(Mark::from))
}

/// Like [`read`], but waits until no open transaction can still move the watermark.
///
/// The caller must hold the ledger lock. Taking the ledger lock while holding this row lock would deadlock.
pub async fn read_settled(db: &impl ConnectionTrait) -> Result<Option<Mark>, DbErr> {
    Ok(ledger_mark::Entity::find_by_id(ID).lock_exclusive().one(db).await?.map(Mark::from))
}

impl From<ledger_mark::Model> for Mark {
    fn from(row: ledger_mark::Model) -> Self {
        let position = LedgerPosition { sequence: row.sequence, chain: Chain(row.chain) };
        Self { library: row.library, position }
    }
}

/// Inserts the first watermark, unless another process already has.
pub(crate) async fn begin(
    db: &impl ConnectionTrait,
    library: &str,
    at: &LedgerPosition,
) -> Result<(), DbErr> {
    let mark = ledger_mark::ActiveModel {
        id: Set(ID),
        library: Set(library.to_owned()),
        sequence: Set(at.sequence),
        chain: Set(at.chain.0.clone()),
    };
    let unless = OnConflict::new().do_nothing().to_owned();
    ledger_mark::Entity::insert(mark).on_conflict(unless).exec_without_returning(db).await?;
    Ok(())
}

/// Moves the watermark from `from` to `to`. Returns false if it isn't at `from`.
pub async fn advance(
    tx: &DatabaseTransaction,
    from: &LedgerPosition,
    to: &LedgerPosition,
) -> Result<bool, DbErr> {
    let moved = ledger_mark::Entity::update_many()
        .col_expr(ledger_mark::Column::Sequence, Expr::value(to.sequence))
        .col_expr(ledger_mark::Column::Chain, Expr::value(to.chain.0.as_str()))
        .filter(ledger_mark::Column::Id.eq(ID))
        .filter(ledger_mark::Column::Sequence.eq(from.sequence))
        .filter(ledger_mark::Column::Chain.eq(from.chain.0.as_str()))
        .exec(tx)
        .await?;
    Ok(moved.rows_affected == 1)
}
