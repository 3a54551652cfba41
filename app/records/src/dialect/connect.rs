//! Connections: how they are set up, and which go back into the pool.

use sea_orm::ConnectOptions;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{Connection, Database};
use std::time::Duration;

/// How long a writer waits for another one, in milliseconds.
const BUSY_TIMEOUT: &str = "10000";
/// How long the probe of the database waits for a writer, in milliseconds.
const PROBE_BUSY_TIMEOUT: &str = "1000";

/// How long a request waits for a connection. A database that is down is noticed by `vitals` before that.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the probe waits for its connection.
const PROBE_ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The most connections of one process, besides the one of the probe.
const MAX_CONNECTIONS: u32 = 8;

/// The most memory for pages of the database, of each connection: 8 MiB, in negative KiB. The operating system keeps the
/// file in memory anyway.
const CACHE: &str = "-8192";

/// The most memory for SQLite as a whole, in bytes: above it, pages that are kept for later are given up first, those of
/// connections that nobody uses too.
const MEMORY: &str = "8388608";

/// Sets up connections: SQLite overwrites what it deletes, keeps a write-ahead log and checks foreign keys.
pub(crate) fn connect_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .max_connections(if url.contains(":memory:") { 1 } else { MAX_CONNECTIONS })
        .acquire_timeout(ACQUIRE_TIMEOUT);
    set_up(&mut options, BUSY_TIMEOUT);
    options
}

/// Sets up the one connection that finds out whether the database can be written. It is its own, so that many requests
/// do not look like a database that is down.
pub(crate) fn probe_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .max_connections(1)
        .min_connections(0)
        .acquire_timeout(PROBE_ACQUIRE_TIMEOUT)
        .connect_lazy(true);
    set_up(&mut options, PROBE_BUSY_TIMEOUT);
    options
}

fn set_up(options: &mut ConnectOptions, busy_timeout: &'static str) {
    options.map_sqlx_sqlite_opts(move |options| {
        options
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "NORMAL")
            .pragma("busy_timeout", busy_timeout)
            .pragma("foreign_keys", "ON")
            .pragma("secure_delete", "ON")
            .pragma("cache_size", CACHE)
            .pragma("soft_heap_limit", MEMORY)
    });
    // Poolers refuse this setting; PostgreSQL has written numbers exactly without it since version 12.
    options.map_sqlx_postgres_opts(|options| options.extra_float_digits(None));
    options.map_sqlx_sqlite_pool_opts(without_open_transactions);
    options.map_sqlx_postgres_pool_opts(without_open_transactions);
}

/// Closes a connection that comes back with a transaction that nothing ended. When a commit or a rollback fails, the
/// driver and the database can disagree about it: the next request would write inside that transaction, and on SQLite it
/// would keep the lock that every writer needs.
fn without_open_transactions<DB: Database>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options.after_release(|connection, _| {
        Box::pin(async move {
            if !connection.is_in_transaction() {
                return Ok(true);
            }
            // A rollback that was begun when the transaction was dropped ends before the answer.
            connection.ping().await?;
            let is_open = connection.is_in_transaction();
            if is_open {
                tracing::warn!("a connection with an open transaction is closed");
            }
            Ok(!is_open)
        })
    })
}
