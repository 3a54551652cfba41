//! The one row of the database that says how far it follows the ledger.

use super::entry::{Chain, Place};
use crate::dialect;
use crate::entity::ledger_mark;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, Set};

/// The key of the one row.
const ID: i16 = 1;

/// How far the database follows which ledger.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) library: String,
    pub(super) place: Place,
}

/// Reads the mark. None before the first ledger.
pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Option<Mark>, DbErr> {
    read_with(db, "").await
}

/// [`read`], when no transaction that may move the mark is open any more. The ledger must be open: whoever waited for
/// the ledger while holding the mark would wait for ever.
pub(super) async fn read_settled(db: &impl ConnectionTrait) -> Result<Option<Mark>, DbErr> {
    read_with(db, dialect::for_update(db.get_database_backend())).await
}

async fn read_with(db: &impl ConnectionTrait, lock: &str) -> Result<Option<Mark>, DbErr> {
    let sql = format!("SELECT library, sequence, chain FROM ledger_mark WHERE id = ?{lock}");
    let row = db.query_one_raw(dialect::statement(db.get_database_backend(), &sql, vec![ID.into()])).await?;
    row.map(|row| {
        let place = Place { sequence: row.try_get("", "sequence")?, chain: Chain(row.try_get("", "chain")?) };
        Ok(Mark { library: row.try_get("", "library")?, place })
    })
    .transpose()
}

/// Writes the first mark, unless another process was quicker.
pub(super) async fn begin(db: &impl ConnectionTrait, library: &str, at: &Place) -> Result<(), DbErr> {
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

/// Moves the mark from one place to a later one; false where it does not stand at the first.
pub(super) async fn advance(tx: &DatabaseTransaction, from: &Place, to: &Place) -> Result<bool, DbErr> {
    let sql = "UPDATE ledger_mark SET sequence = ?, chain = ? WHERE id = ? AND sequence = ? AND chain = ?";
    let values = vec![
        to.sequence.into(),
        to.chain.0.clone().into(),
        ID.into(),
        from.sequence.into(),
        from.chain.0.clone().into(),
    ];
    let result = tx.execute_raw(dialect::statement(tx.get_database_backend(), sql, values)).await?;
    Ok(result.rows_affected() == 1)
}
