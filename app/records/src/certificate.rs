//! The certificate of a run: what was done and what is left, signed, without personal data of users.
//!
//! Its content is JSON in one canonical form: compact, with the fields in the order of [`Certificate`]. It is made in
//! the transaction that ends the run. When the search for residue ends later, or staff decide about a finding, a new
//! version supersedes it: what was signed stays as it was, and each version names the other.

mod content;
mod file;
mod people;
mod residue;
mod verify;

pub use content::{Certificate, Superseded};
pub use file::file;
pub use people::{Counted, users};
pub use residue::Found;
pub use verify::{Checked, Doubt, verify_file, verify_run, verify_signature, verify_version};

use crate::checksum::sha256;
use crate::dialect;
use crate::entity::{certificates, residue_hits, superseded_certificates};
use crate::error::RecordsError;
use crate::key::{Key, is_signed};
use crate::ledger;
use crate::store::Store;
use chrono::{DateTime, Utc};
use policy::{RunId, RunKind};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::Serialize;

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
    /// The version that superseded it; None for the one that counts now.
    pub superseded_by: Option<Version>,
}

/// One version of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Version {
    /// Counted from 1.
    pub version: i32,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

/// A version as it is stored.
#[derive(Clone, Debug)]
struct Row {
    version: i32,
    made_at: DateTime<Utc>,
    content: String,
    signature: String,
    public_key: String,
}

/// Makes and signs the certificate of a run that ends in this transaction, once all that it says stands in there.
pub(crate) async fn make(tx: &DatabaseTransaction, store: &Store, run: RunId) -> Result<(), RecordsError> {
    let certificate = Certificate::of(tx, store, run).await?;
    // A single user is committed after this; the people of other runs were, and their ledger is on the disk first.
    if certificate.kind != RunKind::Single {
        ledger::make_durable(store).await?;
    }
    sign(tx, store, certificate).await
}

/// Makes a new version of the certificate of a run, from what the records say now.
pub async fn reissue(store: &Store, run: RunId) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    lock(&tx, run).await?;
    let certificate = Certificate::of(&tx, store, run).await?;
    sign(&tx, store, certificate).await?;
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
        let certificate = Certificate::of(tx, store, run).await?;
        sign(tx, store, certificate).await?;
    }
    Ok(())
}

/// Makes a new version where the findings of a run are no longer those that its certificate states.
pub(crate) async fn follow(tx: &DatabaseTransaction, store: &Store, run: RunId) -> Result<(), RecordsError> {
    if !lock(tx, run).await? {
        return Ok(());
    }
    let Some(stated) = stated(&current(tx, run).await?) else {
        return sign(tx, store, Certificate::of(tx, store, run).await?).await;
    };
    let residue = stated.residue.clone().with_places(tx, run).await?;
    if residue == stated.residue {
        return Ok(());
    }
    // Users are not counted again for every decision: a run can have a million of them.
    let (library, made_at) = (store.settings.library_name.clone(), store.clock.now());
    let (_, ledger_sequence) = ledger::mark_of(tx).await?;
    let program = Certificate::PROGRAM.to_owned();
    sign(tx, store, Certificate { library, program, residue, ledger_sequence, made_at, ..stated }).await
}

/// What a stored certificate states; None where that was changed after it was signed, so that it is never signed again.
fn stated(row: &Row) -> Option<Certificate> {
    is_signed(&row.content, &row.signature, &row.public_key).then(|| parsed(&row.content).ok()).flatten()
}

/// [`follow`] for every run with a finding at a place, after decisions about it: one decision can close findings of
/// several runs.
pub(crate) async fn follow_place(
    tx: &DatabaseTransaction,
    store: &Store,
    place: &residue_hits::Model,
) -> Result<(), RecordsError> {
    use residue_hits::Column;
    let runs: Vec<Option<i64>> = residue_hits::Entity::find()
        .select_only()
        .column(Column::RunId)
        .distinct()
        .filter(Column::TableName.eq(place.table_name.as_str()))
        .filter(Column::ColumnName.eq(place.column_name.as_str()))
        .filter(Column::RowKey.eq(place.row_key.as_str()))
        .filter(Column::RunId.is_not_null())
        // In one order, so that two decisions never wait for each other.
        .order_by_asc(Column::RunId)
        .into_tuple()
        .all(tx)
        .await?;
    for run in runs.into_iter().flatten() {
        follow(tx, store, RunId(run)).await?;
    }
    Ok(())
}

/// Of two who make the same certificate again, the later one counts later. False where there is none.
async fn lock(tx: &DatabaseTransaction, run: RunId) -> Result<bool, RecordsError> {
    let backend = tx.get_database_backend();
    let sql = format!("SELECT run_id FROM certificates WHERE run_id = ?{}", dialect::for_update(backend));
    Ok(tx.query_one_raw(dialect::statement(backend, &sql, vec![run.0.into()])).await?.is_some())
}

/// Signs a certificate. One that the run has already is kept as an earlier version.
async fn sign(
    tx: &DatabaseTransaction,
    store: &Store,
    mut certificate: Certificate,
) -> Result<(), RecordsError> {
    use certificates::Column;
    let key = Key::load(store).await?;
    if let Some(earlier) = certificates::Entity::find_by_id(certificate.run.0).one(tx).await? {
        certificate.version = earlier.version + 1;
        certificate.supersedes =
            Some(Superseded { version: earlier.version, sha256: sha256(&[earlier.content.as_bytes()]) });
        superseded_certificates::ActiveModel {
            run_id: Set(earlier.run_id),
            version: Set(earlier.version),
            made_at: Set(earlier.made_at),
            content: Set(earlier.content),
            signature: Set(earlier.signature),
            public_key: Set(earlier.public_key),
        }
        .insert(tx)
        .await?;
    }
    let content = certificate.canonical()?;
    let row = certificates::ActiveModel {
        run_id: Set(certificate.run.0),
        version: Set(certificate.version),
        made_at: Set(certificate.made_at),
        signature: Set(key.sign(&content)),
        public_key: Set(key.public()),
        content: Set(content),
    };
    let replaced = [Column::Version, Column::MadeAt, Column::Content, Column::Signature, Column::PublicKey];
    let again = OnConflict::column(Column::RunId).update_columns(replaced).to_owned();
    certificates::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// The version that counts now.
async fn current(db: &impl ConnectionTrait, run: RunId) -> Result<Row, RecordsError> {
    let row = certificates::Entity::find_by_id(run.0).one(db).await?;
    row.map(Row::from).ok_or(RecordsError::NotFound("certificate"))
}

/// All versions, the earliest first; the last one counts.
async fn all(db: &impl ConnectionTrait, run: RunId) -> Result<Vec<Row>, RecordsError> {
    let earlier = superseded_certificates::Entity::find()
        .filter(superseded_certificates::Column::RunId.eq(run.0))
        .order_by_asc(superseded_certificates::Column::Version)
        .all(db)
        .await?;
    let mut rows: Vec<Row> = earlier.into_iter().map(Row::from).collect();
    rows.push(current(db, run).await?);
    Ok(rows)
}

/// One version, or the one that counts now; with the version that superseded it.
async fn row(store: &Store, run: RunId, version: Option<i32>) -> Result<(Row, Option<Row>), RecordsError> {
    let mut rows = all(&store.db, run).await?.into_iter();
    let found = match version {
        None => rows.next_back(),
        Some(version) => rows.by_ref().find(|row| row.version == version),
    };
    let found = found.ok_or(RecordsError::NotFound("certificate"))?;
    Ok((found, version.and_then(|_| rows.next())))
}

fn parsed(content: &str) -> Result<Certificate, RecordsError> {
    serde_json::from_str(content).map_err(|_| RecordsError::Corrupt("certificate"))
}

/// Reads the certificate of a run. Whether it holds is another question: see [`verify_run`].
pub async fn read(store: &Store, run: RunId) -> Result<Signed, RecordsError> {
    read_version(store, run, None).await
}

/// Reads one version of the certificate of a run; None for the one that counts now.
pub async fn read_version(store: &Store, run: RunId, version: Option<i32>) -> Result<Signed, RecordsError> {
    let (row, next) = row(store, run, version).await?;
    Ok(Signed {
        certificate: parsed(&row.content)?,
        made_at: row.made_at,
        signature: row.signature,
        public_key: row.public_key,
        superseded_by: next.map(|next| Version { version: next.version, made_at: next.made_at }),
    })
}

impl From<certificates::Model> for Row {
    fn from(row: certificates::Model) -> Self {
        let certificates::Model { version, made_at, content, signature, public_key, .. } = row;
        Self { version, made_at, content, signature, public_key }
    }
}

impl From<superseded_certificates::Model> for Row {
    fn from(row: superseded_certificates::Model) -> Self {
        let superseded_certificates::Model { version, made_at, content, signature, public_key, .. } = row;
        Self { version, made_at, content, signature, public_key }
    }
}
