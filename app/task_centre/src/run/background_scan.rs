//! Searches for the values of single users in the background, one after another, so that staff don't wait.

use db::dialect;
use db::entity::runs;
use db::error::RecordsError;
use erasure::maintenance;
use erasure::residue::{self, ErasedValues, MAX_SCAN_AGE};
use policy::{Outcome, RunId, RunKind};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::sync::LazyLock;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;
use trail::store::Store;

/// The searches that this process is executing or has queued.
static SCANS: LazyLock<TaskTracker> = LazyLock::new(|| {
    let scans = TaskTracker::new();
    scans.close();
    scans
});
/// Allows one search at a time, because each reads the whole database.
static TURN: Mutex<()> = Mutex::const_new(());

/// Cleans the database files, then searches for the values of a single user, in the background.
///
/// Stores both results in the run.
pub(crate) fn scan_single_in_background(store: &Store, run: RunId, mut memory: ErasedValues) {
    let store = store.clone();
    SCANS.spawn(async move {
        let _turn = TURN.lock().await;
        if let Err(error) = maintain(&store, run).await {
            tracing::warn!(
                run = run.0,
                code = error.code(),
                "the result of the maintenance could not be stored"
            );
        }
        if let Err(error) = residue::scan(&store, run, &mut memory).await {
            tracing::warn!(
                run = run.0,
                code = error.code(),
                "the database could not be searched for residue"
            );
            if let Err(error) = residue::give_up(&store, run).await {
                tracing::warn!(run = run.0, code = error.code(), "the missing result could not be stored");
            }
        }
    });
}

async fn maintain(store: &Store, run: RunId) -> Result<(), RecordsError> {
    let done = maintenance::after_run(store).await;
    let tx = store.begin().await?;
    runs::Entity::update_many()
        .col_expr(runs::Column::Maintenance, Expr::value(done))
        .filter(runs::Column::Id.eq(run.0))
        .exec(&tx)
        .await?;
    store.commit(tx).await
}

/// Waits for the background searches of this process. A process that ends earlier loses the old values and the
/// results.
pub async fn background_scans() {
    SCANS.wait().await;
}

/// Marks lost searches of single users as undeterminable and returns their runs.
pub async fn give_up_on_lost_scans(store: &Store) -> Result<Vec<RunId>, RecordsError> {
    let before = store.clock.now() - MAX_SCAN_AGE;
    let sql = "SELECT r.id FROM runs r JOIN run_members m ON m.run_id = r.id WHERE r.kind = ? AND r.created_at < ? \
               AND m.outcome = ? AND m.residue IS NULL ORDER BY r.id";
    let values = vec![RunKind::Single.into(), before.into(), Outcome::Done.into()];
    let rows = store.db.query_all_raw(dialect::bind(store.db.get_database_backend(), sql, values)).await?;
    let lost: Vec<RunId> =
        rows.iter().map(|row| row.try_get_by_index(0).map(RunId)).collect::<Result<_, DbErr>>()?;
    for run in &lost {
        residue::give_up(store, *run).await?;
    }
    Ok(lost)
}
