//! Setting up database connections, and returning them to the pool.

use sea_orm::sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    RuntimeErr, SqlxError, TransactionTrait, sqlx,
};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The time that a writer waits for another one, in milliseconds.
const BUSY_TIMEOUT: &str = "10000";
/// The time that the probe waits for a writer, in milliseconds.
const PROBE_BUSY_TIMEOUT: &str = "1000";

/// The time that a request waits for a connection. `vitals` notices an unreachable database earlier.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// The time that the probe waits for its connection.
const PROBE_ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The maximum number of connections of one process, besides the one of the probe.
const MAX_CONNECTIONS: u32 = 8;

/// The page cache of each SQLite connection: 8 MiB, in negative KiB. The operating system caches the file anyway.
const CACHE: &str = "-8192";

/// The soft limit on the memory of SQLite as a whole, in bytes. Above it SQLite frees cached pages first,
/// including those of idle connections.
const MEMORY: &str = "8388608";

/// The page cache of a connection that changes very many rows in one transaction: 64 MiB. With a small cache, SQLite
/// writes the pages of the indexes to the file and reads them again, row after row.
const LARGE_CACHE: &str = "-65536";

/// The soft limit meanwhile: the large cache, and 16 MiB for the prepared statements. SQLite would otherwise free
/// cached pages for them.
const LARGE_MEMORY: &str = "83886080";

/// The number of SQLite connections with a large page cache.
static LARGE_CACHES: AtomicUsize = AtomicUsize::new(0);

/// Returns the options of the pool. SQLite overwrites deleted data, uses a write-ahead log and checks foreign
/// keys.
pub fn connect_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .max_connections(if url.contains(":memory:") { 1 } else { MAX_CONNECTIONS })
        .acquire_timeout(ACQUIRE_TIMEOUT);
    set_up(&mut options, BUSY_TIMEOUT, Durability::WriteAheadLog);
    options
}

/// Returns the options of the single connection to a private copy of an SQLite file. The copy is never kept, so SQLite
/// writes no journal beside it.
pub fn copy_options(file: &Path) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rw", file.display()));
    options.sqlx_logging(false).max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
    set_up(&mut options, BUSY_TIMEOUT, Durability::None);
    options
}

/// Returns the options of the single connection that probes whether the database can be written. It is separate,
/// so that many requests do not look like an unreachable database.
pub fn probe_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .max_connections(1)
        .min_connections(0)
        .acquire_timeout(PROBE_ACQUIRE_TIMEOUT)
        .connect_lazy(true);
    set_up(&mut options, PROBE_BUSY_TIMEOUT, Durability::WriteAheadLog);
    options
}

/// How SQLite keeps committed changes.
#[derive(Clone, Copy, Debug)]
enum Durability {
    WriteAheadLog,
    /// Not at all: nothing can be rolled back either.
    None,
}

fn set_up(options: &mut ConnectOptions, busy_timeout: &'static str, durability: Durability) {
    let (journal, synchronous) = match durability {
        Durability::WriteAheadLog => ("WAL", "NORMAL"),
        Durability::None => ("OFF", "OFF"),
    };
    options.map_sqlx_sqlite_opts(move |options| {
        options
            .pragma("journal_mode", journal)
            .pragma("synchronous", synchronous)
            .pragma("busy_timeout", busy_timeout)
            .pragma("foreign_keys", "ON")
            .pragma("secure_delete", "ON")
            .pragma("cache_size", CACHE)
            .pragma("soft_heap_limit", MEMORY)
    });
    // Poolers reject this setting. Since version 12, PostgreSQL prints exact numbers without it.
    options.map_sqlx_postgres_opts(|options| options.extra_float_digits(None));
    options.map_sqlx_sqlite_pool_opts(|options| {
        options.after_release(|connection, _| {
            Box::pin(async move {
                let is_kept = has_no_transaction(connection).await?;
                reduce_cache(connection).await?;
                Ok(is_kept)
            })
        })
    });
    options.map_sqlx_postgres_pool_opts(|options| {
        options.after_release(|connection, _| Box::pin(has_no_transaction(connection)))
    });
}

/// Gives the connection of a transaction a large page cache on SQLite, until the connection returns to the pool.
pub async fn enlarge_cache(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::Sqlite {
        LARGE_CACHES.fetch_add(1, Ordering::Relaxed);
        tx.execute_unprepared(&cache_pragmas(LARGE_CACHE, LARGE_MEMORY)).await?;
    }
    Ok(())
}

/// Takes a large page cache away from a connection.
async fn reduce_cache(connection: &mut SqliteConnection) -> Result<(), SqlxError> {
    if LARGE_CACHES.load(Ordering::Relaxed) == 0 {
        return Ok(());
    }
    let size: i64 = sqlx::query_scalar("PRAGMA cache_size").fetch_one(&mut *connection).await?;
    if size.to_string() == LARGE_CACHE {
        LARGE_CACHES.fetch_sub(1, Ordering::Relaxed);
        sqlx::raw_sql(AssertSqlSafe(cache_pragmas(CACHE, MEMORY))).execute(connection).await?;
    }
    Ok(())
}

fn cache_pragmas(cache: &str, memory: &str) -> String {
    format!("PRAGMA cache_size = {cache}; PRAGMA soft_heap_limit = {memory}")
}

/// Returns whether a released connection can return to the pool: not with an open transaction. If a commit or rollback
/// fails, driver and database can disagree about the transaction. The next request would then write inside it, and on
/// SQLite it would hold the write lock.
async fn has_no_transaction<C: Connection>(connection: &mut C) -> Result<bool, SqlxError> {
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    // A rollback that began when the transaction was dropped has ended by the time of the response.
    connection.ping().await?;
    let is_open = connection.is_in_transaction();
    if is_open {
        tracing::warn!("closing a connection with an open transaction");
    }
    Ok(!is_open)
}

/// Runs a query on two connections. A pooler that shares a server connection without separating prepared
/// statements fails here, at the start, instead of later.
pub async fn answers(db: &DatabaseConnection) -> Result<(), DbErr> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    // Both are held at once, so they are two. The first statement has ended before the second one runs.
    let pool = db.get_postgres_connection_pool();
    let mut connections = [
        pool.acquire().await.map_err(|error| failed(error.into()))?,
        pool.acquire().await.map_err(|error| failed(error.into()))?,
    ];
    for connection in &mut connections {
        let asked = sqlx::query("SELECT CAST($1 AS BIGINT)").bind(1_i64);
        asked.execute(&mut **connection).await.map_err(|error| failed(error.into()))?;
    }
    drop(connections);
    // A pooler in statement mode rejects transactions.
    db.begin().await?.rollback().await
}

const fn failed(error: std::sync::Arc<SqlxError>) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error))
}
