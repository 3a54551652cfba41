//! The history of imports: each file that was checked or imported, its counts, and the lines that were rejected, held
//! or skipped. The history holds no value of a file.

use super::problem::{LineProblem, MAX_PROBLEMS};
use super::upload::{self, Uploaded};
use super::{ImportSummary, TransferError};
use chrono::{DateTime, TimeDelta, Utc};
use db::bulk_insert::insert;
use db::entity::{import_lines, imports, runs, users};
use db::pagination::{Page, Paging};
use db::{Clock, RecordsError, csv_text};
use policy::import::{ImportOrigin, ImportState, LineOutcome};
use policy::import_options::ImportOptions;
use policy::import_profile::{FileKind, ImportProfile};
use policy::{Action, ImportId, RunId, RunKind, UserNumber};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use trail::person::{self, Person};
use trail::{Actor, Store};

/// Maximum number of hours for which an uploaded file waits for its import. Then it is erased.
const MAX_UPLOAD_HOURS: i64 = 24;
/// Maximum duration of silence from the process of an import. Then the import counts as interrupted.
const MAX_SILENCE: TimeDelta = TimeDelta::seconds(60);
/// Maximum number of lines in the report of one import. Further ones are only counted.
pub const MAX_REPORTED: usize = MAX_PROBLEMS;
/// Why an import can't be started or changed.
pub(super) const STARTED: &str = "This import has already started or ended";
/// The outcomes of lines that only a summary of differences shows.
const DIFFERENCES: [LineOutcome; 2] = [LineOutcome::New, LineOutcome::Changed];

/// An import.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    /// Number of the import.
    pub id: ImportId,
    /// Kind of file.
    pub kind: FileKind,
    /// Entry point.
    pub origin: ImportOrigin,
    /// Member of staff who started it.
    pub started_by: Option<Person>,
    /// Progress or result.
    pub state: ImportState,
    /// The profile of the file.
    pub profile: ImportProfile,
    /// The effects of wrong lines, empty cells and absence.
    pub options: ImportOptions,
    /// The run or preview that looked at the file.
    pub run: Option<RunId>,
    /// Name of the watched file.
    pub file_name: Option<String>,
    /// Random name of the private copy, until it is erased.
    #[serde(skip)]
    pub upload: Option<String>,
    /// Size of the file in bytes.
    pub bytes: i64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: Option<String>,
    /// Numbers of lines, after a check or an import.
    pub counts: Option<ImportSummary>,
    /// Why nothing was imported.
    pub reason: Option<String>,
    /// When the file arrived.
    pub created_at: DateTime<Utc>,
    /// When the import ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A line of the report of an import.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ReportLine {
    /// Number of the line in the file.
    pub line: u64,
    /// The outcome of the line.
    pub outcome: LineOutcome,
    /// The column of the problem.
    pub column: Option<String>,
    /// The problem, without the value.
    pub message: String,
}

impl From<&LineProblem> for ReportLine {
    fn from(problem: &LineProblem) -> Self {
        Self {
            line: problem.line,
            outcome: LineOutcome::Rejected,
            column: problem.column.clone(),
            message: problem.problem.clone(),
        }
    }
}

/// Adds an uploaded file to the history.
pub async fn add_upload(
    store: &Store,
    actor: Actor,
    profile: ImportProfile,
    uploaded: &Uploaded,
) -> Result<ImportId, RecordsError> {
    actor.require(Action::Import)?;
    let row = imports::ActiveModel {
        upload: Set(Some(uploaded.name.clone())),
        bytes: Set(i64::try_from(uploaded.bytes).unwrap_or(i64::MAX)),
        state: Set(ImportState::Uploaded),
        ..new_row(store, actor, ImportOrigin::Page, (profile.clone(), profile.default_options()))
    };
    let tx = store.begin().await?;
    let row = row.insert(&tx).await?;
    store.commit(tx).await?;
    Ok(ImportId(row.id))
}

/// Adds an import without an uploaded file to the history.
pub(super) async fn add(
    (tx, store): (&DatabaseTransaction, &Store),
    actor: Actor,
    origin: ImportOrigin,
    how: (ImportProfile, ImportOptions),
) -> Result<ImportId, RecordsError> {
    Ok(ImportId(new_row(store, actor, origin, how).insert(tx).await?.id))
}

/// Returns the row of an import that begins now.
pub(super) fn new_row(
    store: &Store,
    actor: Actor,
    origin: ImportOrigin,
    (profile, options): (ImportProfile, ImportOptions),
) -> imports::ActiveModel {
    imports::ActiveModel {
        id: NotSet,
        kind: Set(profile.kind),
        origin: Set(origin),
        started_by: Set(actor.staff.map(|staff| staff.0)),
        state: Set(ImportState::Uploaded),
        profile: Set(profile),
        options: Set(options),
        run_id: Set(None),
        file_name: Set(None),
        file_changed_at: Set(None),
        upload: Set(None),
        bytes: Set(0),
        sha256: Set(None),
        counts: Set(None),
        reason: Set(None),
        created_at: Set(store.clock.now()),
        heartbeat_at: Set(None),
        ended_at: Set(None),
    }
}

/// Changes the state of an import, if it is in one of the expected states. Returns whether it was: of two requests
/// that start the same import, one wins.
pub(super) async fn advance(
    store: &Store,
    id: ImportId,
    from: &[ImportState],
    to: ImportState,
) -> Result<bool, RecordsError> {
    let tx = store.begin().await?;
    let updated = imports::Entity::update_many()
        .col_expr(imports::Column::State, Expr::value(to.code()))
        .col_expr(imports::Column::HeartbeatAt, Expr::value(Clock::system_now()))
        .filter(imports::Column::Id.eq(id.0))
        .filter(imports::Column::State.is_in(from.iter().map(|state| state.code())))
        .exec(&tx)
        .await?;
    store.commit(tx).await?;
    Ok(updated.rows_affected == 1)
}

/// Changes how a waiting file is read. What a check has found is no longer true, so it must be checked again. Rejects an
/// import that has been started.
pub(super) async fn change_reading(
    tx: &DatabaseTransaction,
    id: ImportId,
    profile: ImportProfile,
    options: ImportOptions,
) -> Result<(), RecordsError> {
    let updated = imports::Entity::update_many()
        .col_expr(imports::Column::Profile, Expr::value(profile))
        .col_expr(imports::Column::Options, Expr::value(options))
        .col_expr(imports::Column::State, Expr::value(ImportState::Uploaded))
        .col_expr(imports::Column::Counts, Expr::value(None::<String>))
        .col_expr(imports::Column::Reason, Expr::value(None::<String>))
        .filter(imports::Column::Id.eq(id.0))
        .filter(imports::Column::State.is_in(ImportState::WAITING))
        .exec(tx)
        .await?;
    if updated.rows_affected != 1 {
        return Err(RecordsError::Refused(STARTED.to_owned()));
    }
    import_lines::Entity::delete_many().filter(import_lines::Column::ImportId.eq(id.0)).exec(tx).await?;
    Ok(())
}

/// The result of a check or an import.
#[derive(Debug)]
pub(super) struct ImportResult {
    pub(super) state: ImportState,
    pub(super) sha256: Option<String>,
    pub(super) counts: Option<ImportSummary>,
    pub(super) reason: Option<String>,
    pub(super) report: Vec<ReportLine>,
}

/// Stores the result of an import and replaces its report. Only an import that is over forgets its upload.
pub(super) async fn set_result(
    (tx, store): (&DatabaseTransaction, &Store),
    id: ImportId,
    result: ImportResult,
) -> Result<(), RecordsError> {
    let counts = match &result.counts {
        Some(counts) => Some(serde_json::to_string(counts).map_err(|_| RecordsError::Corrupt("counts"))?),
        None => None,
    };
    let mut row = imports::ActiveModel {
        id: Unchanged(id.0),
        state: Set(result.state),
        sha256: Set(result.sha256),
        counts: Set(counts),
        reason: Set(result.reason),
        ..Default::default()
    };
    if result.state.is_final() {
        row.upload = Set(None);
        row.ended_at = Set(Some(store.clock.now()));
    }
    row.update(tx).await?;
    import_lines::Entity::delete_many().filter(import_lines::Column::ImportId.eq(id.0)).exec(tx).await?;
    let lines =
        result.report.into_iter().take(MAX_REPORTED).zip(1..).map(|(line, position)| import_lines::Model {
            import_id: id.0,
            position,
            line: i64::try_from(line.line).unwrap_or(i64::MAX),
            outcome: line.outcome,
            column_name: line.column,
            message: line.message,
        });
    insert(tx, lines).await?;
    Ok(())
}

/// Returns an import.
pub async fn read(store: &Store, actor: Actor, id: ImportId) -> Result<Import, RecordsError> {
    actor.require_permission_to_see(Action::Import)?;
    let row = imports::Entity::find_by_id(id.0).one(&store.db).await?;
    let row = row.ok_or(RecordsError::NotFound("import"))?;
    with_people(store, vec![row]).await?.pop().ok_or(RecordsError::NotFound("import"))
}

/// Returns imports, newest first.
pub async fn list(store: &Store, actor: Actor, paging: &Paging) -> Result<Page<Import>, RecordsError> {
    actor.require_permission_to_see(Action::Import)?;
    // The check of a watched file belongs to its preview.
    let mut find = imports::Entity::find()
        .filter(imports::Column::Id.not_in_subquery(checks_of_previews()))
        .order_by_desc(imports::Column::Id)
        .limit(paging.limit());
    if let Some(after) = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()) {
        find = find.filter(imports::Column::Id.lt(after));
    }
    let rows = with_people(store, find.all(&store.db).await?).await?;
    Ok(Page::from_rows(rows, paging, |import| import.id.to_string()))
}

fn checks_of_previews() -> sea_orm::sea_query::SelectStatement {
    let previews = Query::select()
        .column(runs::Column::Id)
        .from(runs::Entity)
        .and_where(runs::Column::Kind.eq(RunKind::Preview))
        .take();
    Query::select()
        .column(imports::Column::Id)
        .from(imports::Entity)
        .and_where(imports::Column::RunId.in_subquery(previews))
        .take()
}

/// Adds the names of the members of staff.
pub(super) async fn with_people(
    store: &Store,
    rows: Vec<imports::Model>,
) -> Result<Vec<Import>, RecordsError> {
    let numbers = rows.iter().filter_map(|row| row.started_by);
    let people = users::Entity::find().filter(users::Column::Number.is_in(numbers)).all(&store.db).await?;
    let names: HashMap<i64, String> =
        people.iter().map(|user| (user.number, person::display_name(user))).collect();
    let person = |number: i64| Some(Person { number: UserNumber(number), name: names.get(&number)?.clone() });
    rows.into_iter()
        .map(|row| {
            let counts = row.counts.as_deref().map(serde_json::from_str).transpose();
            Ok(Import {
                id: ImportId(row.id),
                kind: row.kind,
                origin: row.origin,
                started_by: row.started_by.and_then(person),
                state: state_now(&row, store.db.get_database_backend()),
                profile: row.profile,
                options: row.options,
                run: row.run_id.map(RunId),
                file_name: row.file_name,
                upload: row.upload,
                bytes: row.bytes,
                sha256: row.sha256,
                counts: counts.map_err(|_| RecordsError::Corrupt("counts of the import"))?,
                reason: row.reason,
                created_at: row.created_at,
                ended_at: row.ended_at,
            })
        })
        .collect()
}

/// Returns the current state. An import without a recent heartbeat was interrupted.
fn state_now(row: &imports::Model, backend: DatabaseBackend) -> ImportState {
    if row.state.is_under_way() && is_abandoned(row, backend) { ImportState::Interrupted } else { row.state }
}

/// Returns whether the process of an import that is under way has stopped.
///
/// On SQLite an import locks the database, so it cannot write heartbeats. There is only one server, which ends the
/// imports of its predecessor when it starts.
fn is_abandoned(row: &imports::Model, backend: DatabaseBackend) -> bool {
    let silent = row.heartbeat_at.is_none_or(|at| Clock::system_now() - at > MAX_SILENCE);
    backend == DatabaseBackend::Postgres && silent
}

/// Returns the report of an import in file order.
pub async fn report(
    store: &Store,
    actor: Actor,
    id: ImportId,
    paging: &Paging,
) -> Result<Page<ReportLine>, RecordsError> {
    actor.require_permission_to_see(Action::Import)?;
    report_of(store, id, paging).await
}

/// Returns the report of an import, for the page of its run.
pub async fn report_of(
    store: &Store,
    id: ImportId,
    paging: &Paging,
) -> Result<Page<ReportLine>, RecordsError> {
    let after = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or_default();
    let rows = lines_to_look_at(id)
        .filter(import_lines::Column::Position.gt(after))
        .order_by_asc(import_lines::Column::Position)
        .limit(paging.limit())
        .all(&store.db)
        .await?;
    let page = Page::from_rows(rows, paging, |row| row.position.to_string());
    Ok(page.map(report_line))
}

/// Returns the first lines that create or change a record.
pub async fn first_differences(
    store: &Store,
    actor: Actor,
    id: ImportId,
) -> Result<Vec<ReportLine>, RecordsError> {
    actor.require_permission_to_see(Action::Import)?;
    first_differences_of(store, id).await
}

/// Returns the first lines that create or change a record, for the page of their run.
pub async fn first_differences_of(store: &Store, id: ImportId) -> Result<Vec<ReportLine>, RecordsError> {
    let rows = import_lines::Entity::find()
        .filter(import_lines::Column::ImportId.eq(id.0))
        .filter(import_lines::Column::Outcome.is_in(DIFFERENCES))
        .order_by_asc(import_lines::Column::Position)
        .all(&store.db)
        .await?;
    Ok(rows.into_iter().map(report_line).collect())
}

/// Returns a query of the lines that were rejected, held or skipped, or have a note.
fn lines_to_look_at(id: ImportId) -> Select<import_lines::Entity> {
    import_lines::Entity::find()
        .filter(import_lines::Column::ImportId.eq(id.0))
        .filter(import_lines::Column::Outcome.is_not_in(DIFFERENCES))
}

fn report_line(row: import_lines::Model) -> ReportLine {
    ReportLine {
        line: row.line.unsigned_abs(),
        outcome: row.outcome,
        column: row.column_name,
        message: row.message,
    }
}

/// Returns the report of an import as CSV.
pub async fn report_csv(store: &Store, actor: Actor, id: ImportId) -> Result<String, RecordsError> {
    read(store, actor, id).await?;
    let rows = lines_to_look_at(id).order_by_asc(import_lines::Column::Position).all(&store.db).await?;
    let rows = rows.into_iter().map(|row| {
        [
            row.line.to_string(),
            row.outcome.code().to_owned(),
            row.column_name.unwrap_or_default(),
            row.message,
        ]
    });
    csv_text::file(&["line", "outcome", "column", "message"], rows)
}

/// Erases uploaded files that have waited too long, and files that no import names. Returns their number.
pub async fn erase_old_uploads(store: &Store) -> Result<u64, TransferError> {
    let oldest = store.clock.now() - TimeDelta::hours(MAX_UPLOAD_HOURS);
    let waiting =
        imports::Entity::find().filter(imports::Column::Upload.is_not_null()).all(&store.db).await?;
    let mut kept = HashSet::new();
    for row in waiting {
        if row.created_at > oldest || row.state.is_under_way() {
            kept.extend(row.upload);
        } else {
            end(store, ImportId(row.id), ImportState::Cancelled, "The file waited too long and was deleted")
                .await?;
        }
    }
    let mut erased = 0;
    let folder = &store.settings.uploads;
    for name in upload::names(folder)? {
        if !kept.contains(&name) && !upload::is_in_use(&folder.join(&name)) {
            upload::erase(&folder.join(&name))?;
            erased += 1;
        }
    }
    Ok(erased)
}

/// Ends the imports whose process stopped while they were under way. Called when a server starts.
pub async fn end_interrupted(store: &Store) -> Result<(), RecordsError> {
    let under_way = [ImportState::Checking, ImportState::Importing];
    let rows = imports::Entity::find().filter(imports::Column::State.is_in(under_way)).all(&store.db).await?;
    for row in rows {
        if store.db.get_database_backend() == DatabaseBackend::Sqlite
            || is_abandoned(&row, DatabaseBackend::Postgres)
        {
            let why = "The server stopped during the import. Nothing was changed";
            end(store, ImportId(row.id), ImportState::Interrupted, why).await?;
        }
    }
    Ok(())
}

/// Ends an import without changes.
pub(super) async fn end(
    store: &Store,
    id: ImportId,
    state: ImportState,
    reason: &str,
) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let result = ImportResult {
        state,
        sha256: None,
        counts: None,
        reason: Some(reason.to_owned()),
        report: Vec::new(),
    };
    set_result((&tx, store), id, result).await?;
    store.commit(tx).await
}

/// Records that the process of an import is alive.
pub(super) async fn heartbeat(store: &Store, id: ImportId) -> Result<(), RecordsError> {
    let row = imports::ActiveModel {
        id: Unchanged(id.0),
        heartbeat_at: Set(Some(Clock::system_now())),
        ..Default::default()
    };
    let tx = store.begin().await?;
    row.update(&tx).await?;
    store.commit(tx).await
}
