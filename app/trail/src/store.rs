//! Access to the database.

use crate::chain::{self, ChainKey};
use crate::key::{InstallationKey, Key};
use crate::vitals::Vitals;
use chrono::{DateTime, Utc};
use db::{Clock, RecordsError, Settings, dialect};
use sea_orm::{Database, DatabaseConnection, DatabaseTransaction, DbErr};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, watch};

/// The database, the clock and the settings, as needed by every read and write.
#[derive(Clone, Debug)]
pub struct Store {
    /// The connections to the database.
    pub db: DatabaseConnection,
    address: Address,
    probe: Arc<OnceCell<DatabaseConnection>>,
    /// The health of this process.
    pub vitals: Arc<Vitals>,
    /// The clock of the library.
    pub clock: Clock,
    /// The settings of the installation.
    pub settings: Arc<Settings>,
    /// The key that signs and encrypts.
    pub key: InstallationKey,
    /// The key that chains audit events.
    pub chain_key: ChainKey,
    /// When the database was opened (system time).
    pub began: DateTime<Utc>,
    process_state: Arc<ProcessState>,
    stop: Arc<watch::Sender<bool>>,
}

/// The URL of the database. It can contain a password, so it is never printed.
#[derive(Clone)]
struct Address(Arc<str>);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address")
    }
}

/// The state of this process that modules above the store keep, by type.
#[derive(Default)]
struct ProcessState(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl fmt::Debug for ProcessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProcessState")
    }
}

impl Store {
    /// Returns the store of an open database with the key that belongs to it.
    pub fn new(db: DatabaseConnection, url: &str, key: Key, clock: Clock, settings: Settings) -> Self {
        let key = InstallationKey::new(&settings.key, key);
        let chain_key = ChainKey::new(key.clone());
        Self {
            db,
            address: Address(url.into()),
            probe: Arc::default(),
            vitals: Arc::default(),
            clock,
            settings: Arc::new(settings),
            key,
            chain_key,
            began: Clock::system_now(),
            process_state: Arc::default(),
            stop: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Returns the same database as another process would open it, with another clock. For tests.
    #[must_use]
    pub fn as_another_process(&self, clock: Clock) -> Self {
        let stop = Arc::new(watch::Sender::new(false));
        let key = self.key.unread();
        let chain_key = ChainKey::new(key.clone());
        let (vitals, process_state) = (Arc::default(), Arc::default());
        Self { vitals, clock, key, chain_key, process_state, stop, ..self.clone() }
    }

    /// Returns the same database with other settings. For tests.
    #[must_use]
    pub fn with_settings(&self, settings: Settings) -> Self {
        let key = self.key.at(&settings.key);
        let chain_key = ChainKey::new(key.clone());
        Self { key, chain_key, settings: Arc::new(settings), ..self.clone() }
    }

    /// Returns a store of a copy of the database.
    #[must_use]
    pub fn with_database(&self, db: DatabaseConnection) -> Self {
        Self { db, ..self.clone() }
    }

    /// Returns the state of this process that another module keeps, such as a cache. Each type has one value,
    /// created by `Default`. The clones of a store share it; another process has its own.
    pub fn process_state<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut states = self.process_state.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        // Only a value of this type is stored under its id.
        state.downcast().unwrap_or_default()
    }

    /// Returns the separate connection of `vitals`, opened on first use.
    ///
    /// Without it, the last connection to an SQLite file checkpoints the write-ahead log when it closes.
    pub async fn probe(&self) -> Result<&DatabaseConnection, DbErr> {
        if self.address.0.contains(":memory:") {
            return Ok(&self.db);
        }
        self.probe.get_or_try_init(|| Database::connect(dialect::probe_options(&self.address.0))).await
    }

    /// Asks the runs of this process to stop before their next batch. Another process, or the next start, takes
    /// them up.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until [`Store::stop`] is called.
    pub async fn stopped(&self) {
        // The store owns the sender, so the channel is open.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// Returns whether [`Store::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Begins a transaction that will write.
    pub async fn begin(&self) -> Result<DatabaseTransaction, RecordsError> {
        let tx = dialect::begin(&self.db).await?;
        chain::quarantine_unchained(&tx).await?;
        Ok(tx)
    }

    /// Commits a transaction after adding its events to the audit chain. An error means that nothing was
    /// committed.
    #[allow(clippy::disallowed_methods, reason = "this is the way to commit")]
    pub async fn commit(&self, tx: DatabaseTransaction) -> Result<(), RecordsError> {
        chain::chain(&self.chain_key, &tx).await?;
        Ok(tx.commit().await?)
    }
}
