//! The imports of runs in the history: one for each file that a run or preview of a task has looked at.

use super::ImportSummary;
use super::import_history::{self, Import, ImportResult};
use super::order::ImportOrder;
use super::watched_folder::WatchedFile;
use db::Clock;
use db::RecordsError;
use db::entity::{imports, runs};
use policy::import::ImportState;
use policy::import_options::ImportOptions;
use policy::import_profile::ImportProfile;
use policy::{ImportId, RunId, RunKind, TaskId};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use trail::Actor;
use trail::Store;

/// Adds the import of a watched file to the history.
pub(super) async fn add(
    (tx, store): (&DatabaseTransaction, &Store),
    actor: Actor,
    order: &ImportOrder<'_>,
    (run, file): (RunId, &WatchedFile),
) -> Result<ImportId, RecordsError> {
    let row = imports::ActiveModel {
        state: Set(ImportState::Importing),
        heartbeat_at: Set(Some(Clock::system_now())),
        run_id: Set(Some(run.0)),
        file_name: Set(Some(file.name.clone())),
        file_changed_at: Set(Some(file.changed_at)),
        bytes: Set(i64::try_from(file.bytes).unwrap_or(i64::MAX)),
        ..import_history::new_row(store, actor, order.origin, (order.profile.clone(), order.options))
    };
    Ok(ImportId(row.insert(tx).await?.id))
}

/// Returns the imports of a run or preview, oldest first.
pub async fn of_run(store: &Store, run: RunId) -> Result<Vec<Import>, RecordsError> {
    let rows = imports::Entity::find()
        .filter(imports::Column::RunId.eq(run.0))
        .order_by_asc(imports::Column::Id)
        .all(&store.db)
        .await?;
    import_history::with_people(store, rows).await
}

/// Returns the state of the last import of exactly this file by a task, or `None` if the file is new or was changed.
pub async fn last_state(
    store: &Store,
    task: TaskId,
    file: &WatchedFile,
) -> Result<Option<ImportState>, RecordsError> {
    let states = imports::Entity::find()
        .select_only()
        .column(imports::Column::State)
        .filter(imports::Column::RunId.in_subquery(runs_of(task)))
        .filter(imports::Column::FileName.eq(file.name.as_str()))
        .filter(imports::Column::Bytes.eq(i64::try_from(file.bytes).unwrap_or(i64::MAX)))
        .filter(imports::Column::FileChangedAt.eq(file.changed_at))
        .order_by_desc(imports::Column::Id)
        .into_tuple();
    Ok(states.one(&store.db).await?)
}

/// A file that a task has imported.
#[derive(Debug)]
pub(super) struct LastImport {
    pub(super) sha256: Option<String>,
    pub(super) profile: ImportProfile,
    pub(super) options: ImportOptions,
    pub(super) counts: Option<ImportSummary>,
}

/// Returns the file that a task imported last.
pub(super) async fn last_imported(store: &Store, task: TaskId) -> Result<Option<LastImport>, RecordsError> {
    let last = imports::Entity::find()
        .filter(imports::Column::RunId.in_subquery(runs_of(task)))
        .filter(imports::Column::State.eq(ImportState::Imported))
        .order_by_desc(imports::Column::Id)
        .one(&store.db)
        .await?;
    Ok(last.map(|last| LastImport {
        counts: last.counts.as_deref().and_then(|counts| serde_json::from_str(counts).ok()),
        sha256: last.sha256,
        profile: last.profile,
        options: last.options,
    }))
}

/// Returns the query for the runs of a task, excluding previews.
fn runs_of(task: TaskId) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(runs::Column::Id)
        .from(runs::Entity)
        .and_where(runs::Column::TaskId.eq(task.0))
        .and_where(runs::Column::Kind.is_in([RunKind::Manual, RunKind::Scheduled]))
        .take()
}

/// Ends the imports of a run whose process stopped while they were under way.
pub async fn end_interrupted(store: &Store, run: RunId) -> Result<(), RecordsError> {
    let under_way: Vec<i64> = imports::Entity::find()
        .select_only()
        .column(imports::Column::Id)
        .filter(imports::Column::RunId.eq(run.0))
        .filter(imports::Column::State.eq(ImportState::Importing))
        .into_tuple()
        .all(&store.db)
        .await?;
    for id in under_way {
        let why = "The server stopped during the import. Nothing was changed";
        import_history::end(store, ImportId(id), ImportState::Interrupted, why).await?;
    }
    Ok(())
}

/// The numbers of lines of the files that a run has imported.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RunLines {
    /// Number of lines.
    pub lines: i64,
    /// Number of lines imported, including those without a change.
    pub imported: i64,
    /// Number of lines held or skipped.
    pub skipped: i64,
    /// Number of lines rejected.
    pub rejected: i64,
}

/// Adds up the lines of the files that a run has imported, and returns the states of its imports.
pub async fn result_of(
    db: &impl ConnectionTrait,
    run: RunId,
) -> Result<(RunLines, Vec<ImportState>), RecordsError> {
    let rows: Vec<(ImportState, Option<String>)> = rows_of(db, run).await?;
    let mut sum = RunLines::default();
    for (_, counts) in rows.iter().filter(|(state, _)| *state == ImportState::Imported) {
        let counts = counts.as_deref().map(serde_json::from_str::<super::ImportSummary>).transpose();
        let counts = counts.map_err(|_| RecordsError::Corrupt("counts of the import"))?.unwrap_or_default();
        sum += RunLines::new(&counts);
    }
    Ok((sum, rows.into_iter().map(|(state, _)| state).collect()))
}

async fn rows_of(db: &impl ConnectionTrait, run: RunId) -> Result<Vec<(ImportState, Option<String>)>, DbErr> {
    imports::Entity::find()
        .select_only()
        .columns([imports::Column::State, imports::Column::Counts])
        .filter(imports::Column::RunId.eq(run.0))
        .order_by_asc(imports::Column::Id)
        .into_tuple()
        .all(db)
        .await
}

impl RunLines {
    /// Returns the numbers of one file. Imported, skipped and rejected lines add up to all lines.
    pub fn new(counts: &super::ImportSummary) -> Self {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            lines: number(counts.lines),
            imported: number(counts.created + counts.changed + counts.unchanged),
            skipped: number(
                counts.skipped + counts.staff + counts.held + counts.suppressed + counts.suppressed_ignored,
            ),
            rejected: number(counts.rejected),
        }
    }
}

impl std::ops::AddAssign for RunLines {
    fn add_assign(&mut self, more: Self) {
        self.lines += more.lines;
        self.imported += more.imported;
        self.skipped += more.skipped;
        self.rejected += more.rejected;
    }
}

/// Stores the result of a file in a separate transaction.
pub(super) async fn store_result(
    store: &Store,
    id: ImportId,
    result: ImportResult,
) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    import_history::set_result((&tx, store), id, result).await?;
    store.commit(tx).await
}
