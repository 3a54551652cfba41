//! The certificate of a run: what was done and what is left, signed, without personal data.

use crate::error::RecordsError;
use crate::store::Store;
use policy::RunId;
use sea_orm::DatabaseTransaction;

/// Makes and signs the certificate of a run that ends in this transaction.
pub(crate) async fn make(_tx: &DatabaseTransaction, _store: &Store, _run: RunId) -> Result<(), RecordsError> {
    Ok(())
}
