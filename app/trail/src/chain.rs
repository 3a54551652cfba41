//! Chaining: on commit the events of a transaction get their positions and MACs.
//!
//! The row of the chain's end is locked until the commit, so the events of all transactions have one order without
//! gaps. Locks are always taken in this order: user rows, the end of the audit, the ledger file, the ledger
//! watermark.
//!
//! `audit::bulk_events` writes events that already have a position.
//!
//! An event that was committed without a position was inserted outside Lethe. It must never be chained, or the
//! next commit would make the forgery genuine. PostgreSQL can tell which rows belong to a transaction. SQLite
//! cannot, but has one writer at a time: events without a position at the beginning of a transaction are
//! quarantined.

mod event;

pub(crate) use event::{AuditKey, Event, NOTHING};

use crate::key::{self, InstallationKey};
use db::entity::{audit_events, audit_head};
use db::{Fault, RecordsError, dialect};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait, QueryFilter, QuerySelect,
};
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The primary key of the only row.
pub(crate) const HEAD: i16 = 1;
/// The number of events chained by one statement.
const EVENTS_PER_READ: u64 = 1_000;

/// The position and MAC of an event, as passed to the statement.
#[derive(Serialize)]
pub(crate) struct Chained {
    /// The id of the event.
    number: i64,
    place: String,
    code: String,
}

/// The key of the chain, derived from the key of the installation when it is first needed.
#[derive(Clone, Debug)]
pub struct ChainKey {
    installation: InstallationKey,
    derived: Arc<OnceCell<AuditKey>>,
}

impl ChainKey {
    /// Derives the key from this one when needed.
    pub(crate) fn new(installation: InstallationKey) -> Self {
        Self { installation, derived: Arc::default() }
    }

    /// Returns the key. A process derives it once.
    pub(crate) async fn load(&self) -> Result<&AuditKey, RecordsError> {
        self.derived.get_or_try_init(async || AuditKey::derive(self.installation.load().await?)).await
    }
}

/// Chains the events of this transaction. If that fails, the transaction must not be committed.
pub async fn chain(key: &ChainKey, tx: &DatabaseTransaction) -> Result<(), RecordsError> {
    let own = dialect::is_of_this_transaction(tx.get_database_backend());
    chain_those(key, tx, &format!("sequence IS NULL AND mac IS NULL AND {own}")).await
}

/// Starts the chain if the database has none. Existing events become its first ones.
#[allow(clippy::disallowed_methods, reason = "every event was chained here")]
pub async fn begin(db: &DatabaseConnection, key: &ChainKey) -> Result<(), RecordsError> {
    if head(db).await?.is_some() {
        return Ok(());
    }
    let tx = dialect::begin(db).await?;
    let backend = tx.get_database_backend();
    // Raw SQL: one statement checks and inserts. If events are chained already, the row was removed: nothing is
    // inserted, and `verify` reports it.
    let sql = "INSERT INTO audit_head (id, sequence, mac) SELECT CAST(? AS SMALLINT), 0, CAST(? AS TEXT) \
               WHERE NOT EXISTS (SELECT 1 FROM audit_events WHERE sequence IS NOT NULL) ON CONFLICT DO NOTHING";
    let begun = tx.execute_raw(dialect::bind(backend, sql, vec![HEAD.into(), NOTHING.into()])).await?;
    // Another process may have inserted it in the meantime.
    if begun.rows_affected() == 1 {
        chain_those(key, &tx, "sequence IS NULL AND mac IS NULL").await?;
    }
    Ok(tx.commit().await?)
}

/// Prevents other transactions from chaining events until the commit.
pub async fn lock_head(tx: &DatabaseTransaction) -> Result<(), RecordsError> {
    locked_head(tx).await?;
    Ok(())
}

/// Quarantines events inserted outside Lethe before this transaction, if the database cannot tell later.
pub(crate) async fn quarantine_unchained(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() != DatabaseBackend::Postgres {
        audit_events::Entity::update_many()
            .col_expr(audit_events::Column::Mac, Expr::value("foreign"))
            .filter(audit_events::Column::Sequence.is_null())
            .filter(audit_events::Column::Mac.is_null())
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Returns the stored end of the chain. None if its row is missing.
pub(crate) async fn head(db: &impl ConnectionTrait) -> Result<Option<audit_head::Model>, RecordsError> {
    Ok(audit_head::Entity::find_by_id(HEAD).one(db).await?)
}

/// Returns the stored end of the chain and locks it until the commit.
async fn locked_head(tx: &DatabaseTransaction) -> Result<Option<audit_head::Model>, RecordsError> {
    Ok(audit_head::Entity::find_by_id(HEAD).lock_exclusive().one(tx).await?)
}

async fn chain_those(key: &ChainKey, tx: &DatabaseTransaction, which: &str) -> Result<(), RecordsError> {
    let condition = format!("WHERE {which} ORDER BY id LIMIT {EVENTS_PER_READ}");
    let mut events = Event::read(tx, &condition, Vec::new()).await?;
    if events.is_empty() {
        return Ok(());
    }
    let mut end = ChainHead::lock(key, tx).await?;
    while !events.is_empty() {
        let chained: Vec<_> = events.iter().map(|event| end.add(event)).collect();
        write(tx, &chained).await?;
        let more = events.len() as u64 == EVENTS_PER_READ;
        events = if more { Event::read(tx, &condition, Vec::new()).await? } else { Vec::new() };
    }
    end.unlock(tx).await
}

/// The end of the chain, locked until the commit.
pub(crate) struct ChainHead<'a> {
    key: &'a AuditKey,
    sequence: i64,
    code: String,
}

impl<'a> ChainHead<'a> {
    /// Reads the end and locks it until the commit. Rejects a key that was replaced.
    pub(crate) async fn lock(key: &'a ChainKey, tx: &DatabaseTransaction) -> Result<Self, RecordsError> {
        let mac_key = key.load().await?;
        let from = locked_head(tx).await?.ok_or_else(broken)?;
        // Replacing the key takes the same lock: no event is chained with a replaced key.
        if !key::is_current(tx, key.installation.fingerprint()).await? {
            return Err(RecordsError::Fault(Fault::KeyReplaced));
        }
        Ok(Self { key: mac_key, sequence: from.sequence, code: from.mac })
    }

    /// Returns the position and MAC of the next event.
    pub(crate) fn add(&mut self, event: &Event) -> Chained {
        self.sequence += 1;
        self.code = self.key.code(&self.code, self.sequence, event);
        Chained { number: event.id, place: self.sequence.to_string(), code: self.code.clone() }
    }

    /// Stores the new end.
    pub(crate) async fn unlock(self, tx: &DatabaseTransaction) -> Result<(), RecordsError> {
        let moved = audit_head::Entity::update_many()
            .col_expr(audit_head::Column::Sequence, Expr::value(self.sequence))
            .col_expr(audit_head::Column::Mac, Expr::value(self.code))
            .filter(audit_head::Column::Id.eq(HEAD))
            .exec(tx)
            .await?;
        if moved.rows_affected == 1 { Ok(()) } else { Err(broken()) }
    }
}

async fn write(tx: &DatabaseTransaction, chained: &[Chained]) -> Result<(), RecordsError> {
    let backend = tx.get_database_backend();
    // Raw SQL: one statement for many events, whose rows `dialect::json_rows` provides.
    let sql = format!(
        "UPDATE audit_events SET sequence = CAST(chained.place AS BIGINT), mac = chained.code FROM {} \
         WHERE audit_events.id = chained.number",
        dialect::json_rows(backend, "chained", &["place", "code"])
    );
    let json = serde_json::to_string(chained).map_err(|_| RecordsError::Corrupt("audit"))?;
    let written = tx.execute_raw(dialect::bind(backend, &sql, vec![json.into()])).await?;
    if written.rows_affected() == chained.len() as u64 { Ok(()) } else { Err(broken()) }
}

pub(crate) fn broken() -> RecordsError {
    RecordsError::Audit(
        "Lethe cannot extend the audit and changes nothing without it: the end of its chain is missing or was \
         changed. Run lethe audit verify for details"
            .to_owned(),
    )
}
