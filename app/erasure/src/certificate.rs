//! Certificates. A *certificate* is the signed statement of what a run did and what residue is left, without
//! personal data of users.
//!
//! Its content is canonical JSON: compact, with the fields in the order of [`Certificate`]. It is made in the
//! transaction that ends the run. If a residue search ends later, or staff decide about a finding, a new version
//! supersedes it. Earlier versions stay unchanged, and each version names the other.

mod content;
mod file;
mod people;
mod residue;
mod verify;

pub use content::{Certificate, Superseded};
pub use file::file;
pub use people::{Counted, users};
pub use residue::ResidueCounts;
pub use verify::{Checked, Doubt, verify_file, verify_run, verify_signature, verify_version};

use crate::ledger;
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::checksum::sha256;
use db::entity::{certificates, findings, superseded_certificates};
use policy::{RunId, RunKind};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::Serialize;
use trail::Store;
use trail::key::is_signed;
use trail::library;

/// A certificate with its signature.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The content.
    pub certificate: Certificate,
    /// The instant of signing.
    pub made_at: DateTime<Utc>,
    /// The signature over the canonical form, in hexadecimal.
    pub signature: String,
    /// The public key for the signature, in hexadecimal.
    pub public_key: String,
    /// The version that superseded this one. None for the current version.
    pub superseded_by: Option<Version>,
}

/// One version of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Version {
    /// The number, from 1.
    pub version: i32,
    /// The instant of signing.
    pub made_at: DateTime<Utc>,
}

/// A version as stored.
#[derive(Clone, Debug)]
struct Row {
    version: i32,
    made_at: DateTime<Utc>,
    content: String,
    signature: String,
    public_key: String,
}

/// Makes and signs the certificate of a run that ends in this transaction. All its facts must be stored by then.
pub async fn make(tx: &DatabaseTransaction, store: &Store, run: RunId) -> Result<(), RecordsError> {
    let certificate = Certificate::compute(tx, store, run).await?;
    // A single user is committed together with the certificate. Users of other runs are committed already, so
    // their ledger entries must be durable first.
    if certificate.kind != RunKind::Single {
        ledger::make_durable(store).await?;
    }
    sign(tx, store, certificate).await
}

/// Makes a new version of the certificate of a run from the current records.
pub async fn reissue(store: &Store, run: RunId) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    lock(&tx, run).await?;
    let certificate = Certificate::compute(&tx, store, run).await?;
    sign(&tx, store, certificate).await?;
    store.commit(tx).await
}

/// Makes a new version if the run has a certificate, when its residue search ends later. It runs in the
/// transaction that stores the result, so certificate and records cannot differ after a failure.
pub(crate) async fn make_again(
    tx: &DatabaseTransaction,
    store: &Store,
    run: RunId,
) -> Result<(), RecordsError> {
    if lock(tx, run).await? {
        let certificate = Certificate::compute(tx, store, run).await?;
        sign(tx, store, certificate).await?;
    }
    Ok(())
}

/// Makes a new version if the findings of a run differ from those in its certificate.
pub(crate) async fn follow(tx: &DatabaseTransaction, store: &Store, run: RunId) -> Result<(), RecordsError> {
    if !lock(tx, run).await? {
        return Ok(());
    }
    let Some(stated) = stated(&current(tx, run).await?) else {
        return sign(tx, store, Certificate::compute(tx, store, run).await?).await;
    };
    let residue = stated.residue.clone().with_finding_counts(tx, run).await?;
    if residue == stated.residue {
        return Ok(());
    }
    // Users are not counted again for every decision, because a run can have a million of them.
    let (library, made_at) = (library::read(tx).await?.name, store.clock.now());
    let (_, ledger_sequence) = ledger::mark_of(tx).await?;
    let program = Certificate::PROGRAM.to_owned();
    sign(tx, store, Certificate { library, program, residue, ledger_sequence, made_at, ..stated }).await
}

/// Returns the content of a stored certificate. None if it was changed after signing, so that it is never signed
/// again.
fn stated(row: &Row) -> Option<Certificate> {
    is_signed(&row.content, &row.signature, &row.public_key).then(|| parsed(&row.content).ok()).flatten()
}

/// Calls [`follow`] for every run with a finding in this field, because one decision can close findings of several
/// runs.
pub(crate) async fn follow_place(
    tx: &DatabaseTransaction,
    store: &Store,
    place: &findings::Model,
) -> Result<(), RecordsError> {
    use findings::Column;
    let runs: Vec<Option<i64>> = findings::Entity::find()
        .select_only()
        .column(Column::RunId)
        .distinct()
        .filter(Column::TableName.eq(place.table_name.as_str()))
        .filter(Column::ColumnName.eq(place.column_name.as_str()))
        .filter(Column::RowKey.eq(place.row_key.as_str()))
        .filter(Column::RunId.is_not_null())
        // A fixed order prevents deadlocks between two decisions.
        .order_by_asc(Column::RunId)
        .into_tuple()
        .all(tx)
        .await?;
    for run in runs.into_iter().flatten() {
        follow(tx, store, RunId(run)).await?;
    }
    Ok(())
}

/// Locks the certificate of a run, so that new versions are made one after another. Returns false if there is
/// none.
async fn lock(tx: &DatabaseTransaction, run: RunId) -> Result<bool, RecordsError> {
    Ok(certificates::Entity::find_by_id(run.0).lock_exclusive().one(tx).await?.is_some())
}

/// Signs and stores a certificate. Keeps an existing one as an earlier version.
async fn sign(
    tx: &DatabaseTransaction,
    store: &Store,
    mut certificate: Certificate,
) -> Result<(), RecordsError> {
    use certificates::Column;
    let key = store.key.load().await?;
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

/// Returns the current version.
async fn current(db: &impl ConnectionTrait, run: RunId) -> Result<Row, RecordsError> {
    let row = certificates::Entity::find_by_id(run.0).one(db).await?;
    row.map(Row::from).ok_or(RecordsError::NotFound("certificate"))
}

/// Returns all versions, the earliest first. The last one is the current one.
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

/// Returns a version with the version that superseded it. `None` selects the current version.
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

/// Reads the certificate of a run without verifying it: see [`verify_run`].
pub async fn read(store: &Store, run: RunId) -> Result<Signed, RecordsError> {
    read_version(store, run, None).await
}

/// Reads one version of the certificate of a run, or the current one for None.
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
