//! The certificate of a run: what was done and what is left, signed, without personal data.
//!
//! Its content is JSON in one canonical form: compact, with the fields in the order of [`Certificate`]. It is made in
//! the transaction that ends the run, and made again when a scan for residue ends later.

mod content;
mod verify;

pub use content::{Certificate, Found};
pub use verify::{Checked, Doubt, verify_file, verify_run};

use crate::dialect;
use crate::entity::certificates::{self, Column};
use crate::error::RecordsError;
use crate::key::Key;
use crate::ledger;
use crate::store::Store;
use chrono::{DateTime, Utc};
use policy::{RunId, RunKind};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, Set};

/// A certificate with its signature.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What it says.
    pub certificate: Certificate,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The signature over the canonical form, in hexadecimal digits.
    pub signature: String,
    /// The key that checks the signature, in hexadecimal digits.
    pub public_key: String,
}

/// Makes and signs the certificate of a run that ends in this transaction, once all that it says stands in there.
pub(crate) async fn make(tx: &DatabaseTransaction, store: &Store, run: RunId) -> Result<(), RecordsError> {
    let certificate = Certificate::of(tx, store, run).await?;
    // A single user is committed after this; the people of other runs were, and their ledger is on the disk first.
    if certificate.kind != RunKind::Single {
        ledger::make_durable(store).await?;
    }
    sign(tx, store, &certificate).await
}

/// Makes the certificate of a run again, from what the records say now.
pub async fn reissue(store: &Store, run: RunId) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    lock(&tx, run).await?;
    let certificate = Certificate::of(&tx, store, run).await?;
    sign(&tx, store, &certificate).await?;
    store.commit(tx).await
}

/// [`reissue`] where there is one, when a scan for residue comes to its end after the run. It is done in the
/// transaction that notes the result: a failure in between would leave a certificate that says something else than the
/// records for ever.
pub(crate) async fn make_again(
    tx: &DatabaseTransaction,
    store: &Store,
    run: RunId,
) -> Result<(), RecordsError> {
    if lock(tx, run).await? {
        sign(tx, store, &Certificate::of(tx, store, run).await?).await?;
    }
    Ok(())
}

/// Of two who make the same certificate again, the later one counts later. False where there is none.
async fn lock(tx: &DatabaseTransaction, run: RunId) -> Result<bool, RecordsError> {
    let backend = tx.get_database_backend();
    let sql = format!("SELECT run_id FROM certificates WHERE run_id = ?{}", dialect::for_update(backend));
    Ok(tx.query_one_raw(dialect::statement(backend, &sql, vec![run.0.into()])).await?.is_some())
}

async fn sign(
    tx: &DatabaseTransaction,
    store: &Store,
    certificate: &Certificate,
) -> Result<(), RecordsError> {
    let key = Key::load(store).await?;
    let content = certificate.canonical()?;
    let row = certificates::ActiveModel {
        run_id: Set(certificate.run.0),
        made_at: Set(certificate.made_at),
        signature: Set(key.sign(&content)),
        public_key: Set(key.public()),
        content: Set(content),
    };
    let replaced = [Column::MadeAt, Column::Content, Column::Signature, Column::PublicKey];
    let again = OnConflict::column(Column::RunId).update_columns(replaced).to_owned();
    certificates::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

async fn row(store: &Store, run: RunId) -> Result<certificates::Model, RecordsError> {
    let row = certificates::Entity::find_by_id(run.0).one(&store.db).await?;
    row.ok_or(RecordsError::NotFound("certificate"))
}

/// Reads the certificate of a run. Whether it holds is another question: see [`verify_run`].
pub async fn read(store: &Store, run: RunId) -> Result<Signed, RecordsError> {
    let row = row(store, run).await?;
    let certificate = serde_json::from_str(&row.content).map_err(|_| RecordsError::Corrupt("certificate"))?;
    Ok(Signed { certificate, made_at: row.made_at, signature: row.signature, public_key: row.public_key })
}

/// The certificate of a run as a file for others: JSON, with the content as it was signed.
pub async fn file(store: &Store, run: RunId) -> Result<String, RecordsError> {
    let row = row(store, run).await?;
    Ok(format!(
        "{{\"certificate\":{},\"signature\":\"{}\",\"public_key\":\"{}\"}}\n",
        row.content, row.signature, row.public_key
    ))
}
