//! Access to the database.

use crate::audit::{self, AuditKey, Repeats};
use crate::clock::Clock;
use crate::dialect;
use crate::error::RecordsError;
use crate::key::{self, Key, KeyStanding, KeyUse};
use crate::ledger::{self, Known};
use crate::opening;
use crate::protection;
use crate::sealed::SecretBox;
use crate::settings::Settings;
use crate::staff::password::HashQueue;
use crate::vitals::Vitals;
use chrono::{DateTime, Utc};
use sea_orm::{Database, DatabaseConnection, DatabaseTransaction, DbErr};
use std::fmt;
use std::sync::Arc;
use tokio::sync::{OnceCell, watch};

/// The database, the clock and the settings, as needed by every read and write in this crate.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
    address: Address,
    probe: Arc<OnceCell<DatabaseConnection>>,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) clock: Clock,
    pub(crate) settings: Arc<Settings>,
    pub(crate) ledger: Known,
    /// Fingerprint of the key with which this store was opened.
    pub(crate) key_fingerprint: Arc<str>,
    pub(crate) key: Arc<OnceCell<Key>>,
    pub(crate) audit_key: Arc<OnceCell<AuditKey>>,
    pub(crate) sealer_of_searches: Arc<OnceCell<SecretBox>>,
    /// When the database was opened (system time).
    pub(crate) began: DateTime<Utc>,
    pub(crate) hashing: Arc<HashQueue>,
    pub(crate) repeats: Arc<Repeats>,
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

/// Options for opening a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// Which key the key file may contain.
    pub key: KeyUse,
    /// Maximum size in bytes of an SQLite file that is checked for damage. 0 disables the check.
    pub check_up_to: u64,
}

impl Store {
    /// Connects to the database at this URL (`sqlite://…` or `postgres://…`) and migrates its schema.
    ///
    /// Creates the key and the ledger of an empty database. Returns an error if an existing database has another
    /// key.
    pub async fn open(url: &str, clock: Clock, settings: Settings) -> Result<Self, RecordsError> {
        Self::open_with(url, clock, settings, Opening::default()).await
    }

    /// Like [`Store::open`], with options.
    pub async fn open_with(
        url: &str,
        clock: Clock,
        settings: Settings,
        opening: Opening,
    ) -> Result<Self, RecordsError> {
        let db = opening::connect(url).await?;
        opening::check_integrity(&db, opening.check_up_to).await?;
        opening::bring_up_to_date(&db).await?;
        let settings = protection::strictest(&db, settings).await?;
        let key = key::establish(&db, &settings.key, opening.key).await?;
        let store = Self {
            key_fingerprint: key.fingerprint().into(),
            key: Arc::new(OnceCell::new_with(Some(key))),
            db,
            address: Address(url.into()),
            probe: Arc::default(),
            vitals: Arc::default(),
            clock,
            settings: Arc::new(settings),
            ledger: Known::default(),
            audit_key: Arc::default(),
            sealer_of_searches: Arc::default(),
            began: Clock::real(),
            hashing: Arc::default(),
            repeats: Arc::default(),
            stop: Arc::new(watch::Sender::new(false)),
        };
        audit::begin(&store).await?;
        ledger::create_if_new(&store).await?;
        Ok(store)
    }

    /// Connects to the database and migrates its schema.
    pub(crate) async fn connect(url: &str) -> Result<DatabaseConnection, RecordsError> {
        let db = opening::connect(url).await?;
        opening::bring_up_to_date(&db).await?;
        Ok(db)
    }

    /// Returns how the key file compares with the database at this URL. Works without the correct key.
    pub async fn key_standing(url: &str, settings: &Settings) -> Result<KeyStanding, RecordsError> {
        let db = Self::connect(url).await?;
        key::standing_of(&db, &settings.key).await
    }

    /// Returns the same database as another process would open it, with another clock. For tests.
    #[must_use]
    pub fn as_another_process(&self, clock: Clock) -> Self {
        let stop = Arc::new(watch::Sender::new(false));
        let (ledger, key, audit_key, vitals) =
            (Known::default(), Arc::default(), Arc::default(), Arc::default());
        Self { vitals, clock, ledger, key, audit_key, stop, ..self.clone() }
    }

    /// Returns the same database with other settings. For tests.
    #[must_use]
    pub fn with_settings(&self, settings: Settings) -> Self {
        Self { settings: Arc::new(settings), ..self.clone() }
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the separate connection of `vitals`, opened on first use.
    ///
    /// Without it, the last connection to an SQLite file checkpoints the write-ahead log when it closes.
    pub(crate) async fn probe(&self) -> Result<&DatabaseConnection, DbErr> {
        if self.address.0.contains(":memory:") {
            return Ok(&self.db);
        }
        self.probe.get_or_try_init(|| Database::connect(dialect::probe_options(&self.address.0))).await
    }

    /// Returns what this process knows about its own state.
    pub fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the connection, for tests and tools that access the database directly.
    pub const fn database(&self) -> &DatabaseConnection {
        &self.db
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

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, RecordsError> {
        let tx = dialect::begin(&self.db).await?;
        audit::quarantine_unchained(&tx).await?;
        Ok(tx)
    }

    /// Commits a transaction after adding its events to the audit chain. An error means that nothing was
    /// committed.
    #[allow(clippy::disallowed_methods, reason = "this is the way to commit")]
    pub(crate) async fn commit(&self, tx: DatabaseTransaction) -> Result<(), RecordsError> {
        audit::chain(self, &tx).await?;
        Ok(tx.commit().await?)
    }
}
