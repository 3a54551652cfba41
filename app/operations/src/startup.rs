//! Opening a store at the start of a process: database, schema, keys, audit chain and ledger.

use db::{Clock, RecordsError, Settings, opening};
use erasure::ledger;
use safeguards::{protection, suppression};
use trail::key::{self, KeyStatus, KeyUse};
use trail::{Store, chain};

/// Options for opening a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Which key the key file may contain.
    pub key: KeyUse,
    /// Maximum size in bytes of an SQLite file that is checked for damage. 0 disables the check.
    pub check_up_to: u64,
}

/// Connects to the database at this URL (`sqlite://…` or `postgres://…`) and migrates its schema.
///
/// Creates the key and the ledger of an empty database. Returns an error if an existing database has another key.
pub async fn open_store(url: &str, clock: Clock, settings: Settings) -> Result<Store, RecordsError> {
    open_store_with(url, clock, settings, OpenOptions::default()).await
}

/// Like [`open_store`], with options.
pub async fn open_store_with(
    url: &str,
    clock: Clock,
    settings: Settings,
    options: OpenOptions,
) -> Result<Store, RecordsError> {
    let db = opening::connect(url).await?;
    opening::check_integrity(&db, options.check_up_to).await?;
    opening::bring_up_to_date(&db).await?;
    let settings = protection::strictest(&db, settings).await?;
    let key = key::establish(&db, &settings.key, options.key).await?;
    let store = Store::new(db, url, key, clock, settings);
    chain::begin(&store.db, &store.chain_key).await?;
    ledger::create_if_new(&store).await?;
    suppression::key::establish(&store).await?;
    Ok(store)
}

/// Returns how the key file compares with the database at this URL. Works without the correct key.
pub async fn key_status(url: &str, settings: &Settings) -> Result<KeyStatus, RecordsError> {
    let db = opening::open_database(url).await?;
    key::status_of(&db, &settings.key).await
}
