//! Single users are searched for in the background, one after another: nobody at the desk waits for it.

use super::memory::Memory;
use super::{result, scan};
use crate::dialect;
use crate::entity::runs;
use crate::error::RecordsError;
use crate::maintenance;
use crate::store::Store;
use policy::{Outcome, RunId, RunKind};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

/// Scans that are under way or wait in this process.
static SCANS: LazyLock<TaskTracker> = LazyLock::new(|| {
    let scans = TaskTracker::new();
    scans.close();
    scans
});
/// One scan at a time: each of them reads the whole database.
static TURN: Mutex<()> = Mutex::const_new(());

/// For how long at most a single user's scan can be under way. After that the process that held the old values is
/// taken to be gone, and so are they.
pub(super) const LONGEST: Duration = Duration::from_mins(15);

/// Makes the values of a single user vanish from the files and searches for them, in the background, and writes both
/// into the run.
pub(crate) fn scan_single_in_background(store: &Store, run: RunId, mut memory: Memory) {
    let store = store.clone();
    SCANS.spawn(async move {
        let _turn = TURN.lock().await;
        if let Err(error) = maintain(&store, run).await {
            tracing::warn!(run = run.0, code = error.code(), "the maintenance could not be noted");
        }
        if let Err(error) = scan(&store, run, &mut memory).await {
            tracing::warn!(
                run = run.0,
                code = error.code(),
                "the database could not be searched for residue"
            );
            if let Err(error) = result::give_up(&store, run).await {
                tracing::warn!(run = run.0, code = error.code(), "that could not be noted");
            }
        }
    });
}

async fn maintain(store: &Store, run: RunId) -> Result<(), RecordsError> {
    let done = maintenance::after_run(store).await;
    let tx = store.begin().await?;
    runs::Entity::update_many()
        .col_expr(runs::Column::Maintenance, done.code().into())
        .filter(runs::Column::Id.eq(run.0))
        .exec(&tx)
        .await?;
    store.commit(tx).await
}

/// Waits until the scans of single users that this process has begun are through. A process that ends before loses
/// the old values, and with them the result.
pub async fn background_scans() {
    SCANS.wait().await;
}

/// Notes that the scans of single users whose process is gone have no result: the old values are gone too. Gives their
/// runs.
pub async fn give_up_on_lost_scans(store: &Store) -> Result<Vec<RunId>, RecordsError> {
    let before = store.clock.now() - LONGEST;
    let sql = "SELECT r.id FROM runs r JOIN run_members m ON m.run_id = r.id WHERE r.kind = ? AND r.created_at < ? \
               AND m.outcome = ? AND m.residue IS NULL ORDER BY r.id";
    let values = vec![RunKind::Single.code().into(), before.into(), Outcome::Done.code().into()];
    let rows =
        store.db.query_all_raw(dialect::statement(store.db.get_database_backend(), sql, values)).await?;
    let lost: Vec<RunId> =
        rows.iter().map(|row| row.try_get_by_index(0).map(RunId)).collect::<Result<_, DbErr>>()?;
    for run in &lost {
        result::give_up(store, *run).await?;
    }
    Ok(lost)
}
