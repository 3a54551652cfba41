//! The way to the database.

use crate::audit::{self, AuditKey};
use crate::clock::Clock;
use crate::dialect;
use crate::error::RecordsError;
use crate::ledger::{self, Known};
use crate::protection;
use crate::sealed::Sealer;
use crate::settings::Settings;
use migrations::{Migrator, MigratorTrait};
use sea_orm::{Database, DatabaseConnection, DatabaseTransaction};
use std::sync::Arc;
use tokio::sync::{OnceCell, watch};

/// The database, the clock and the settings: what every read and write of this crate needs.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
    pub(crate) clock: Clock,
    pub(crate) settings: Arc<Settings>,
    pub(crate) ledger: Known,
    pub(crate) audit_key: Arc<OnceCell<AuditKey>>,
    pub(crate) sealer_of_searches: Arc<OnceCell<Sealer>>,
    stop: Arc<watch::Sender<bool>>,
}

impl Store {
    /// Connects to the database of this URL (`sqlite://…` or `postgres://…`) and brings its schema up to date.
    /// A database that has no ledger yet gets one.
    pub async fn open(url: &str, clock: Clock, settings: Settings) -> Result<Self, RecordsError> {
        let db = Database::connect(dialect::connect_options(url)).await?;
        Migrator::up(&db, None).await?;
        let settings = protection::strictest(&db, settings).await?;
        let store = Self {
            db,
            clock,
            settings: Arc::new(settings),
            ledger: Known::default(),
            audit_key: Arc::default(),
            sealer_of_searches: Arc::default(),
            stop: Arc::new(watch::Sender::new(false)),
        };
        audit::begin(&store).await?;
        ledger::create_if_new(&store).await?;
        Ok(store)
    }

    /// The same database as another process sees it, with a clock of its own. For tests.
    #[must_use]
    pub fn as_another_process(&self, clock: Clock) -> Self {
        let stop = Arc::new(watch::Sender::new(false));
        Self { clock, ledger: Known::default(), audit_key: Arc::default(), stop, ..self.clone() }
    }

    /// The same database under other settings. For tests.
    #[must_use]
    pub fn with_settings(&self, settings: Settings) -> Self {
        Self { settings: Arc::new(settings), ..self.clone() }
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The connection, for tests and tools that look at the database itself.
    pub const fn database(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Asks the runs of this process to stop before their next batch. Another process, or the next start, takes
    /// them up.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until somebody asks this process to stop.
    pub async fn stopped(&self) {
        // The sender lives in the store itself: it cannot be gone.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, RecordsError> {
        let tx = dialect::begin(&self.db).await?;
        audit::set_apart(&tx).await?;
        Ok(tx)
    }

    /// Commits a transaction, with its events in the chain of the audit. When that fails, nothing of it was done.
    #[allow(clippy::disallowed_methods, reason = "this is the way to commit")]
    pub(crate) async fn commit(&self, tx: DatabaseTransaction) -> Result<(), RecordsError> {
        audit::chain(self, &tx).await?;
        Ok(tx.commit().await?)
    }
}
