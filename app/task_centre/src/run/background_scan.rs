//! Searches for the values of single users in the background, one after another, so that staff don't wait.

use db::RecordsError;
use db::entity::{run_members, runs};
use erasure::maintenance;
use erasure::residue::{self, ErasedValues, MAX_SCAN_AGE};
use policy::{Outcome, RunId, RunKind};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};
use std::sync::LazyLock;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;
use trail::Store;

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
    let member =
        runs::Entity::belongs_to(run_members::Entity).from(runs::Column::Id).to(run_members::Column::RunId);
    let lost: Vec<i64> = runs::Entity::find()
        .select_only()
        .column(runs::Column::Id)
        .join(JoinType::InnerJoin, member.into())
        .filter(runs::Column::Kind.eq(RunKind::Single))
        .filter(runs::Column::CreatedAt.lt(before))
        .filter(run_members::Column::Outcome.eq(Outcome::Done))
        .filter(run_members::Column::Residue.is_null())
        .order_by_asc(runs::Column::Id)
        .into_tuple()
        .all(&store.db)
        .await?;
    let lost: Vec<RunId> = lost.into_iter().map(RunId).collect();
    for run in &lost {
        residue::give_up(store, *run).await?;
    }
    Ok(lost)
}
