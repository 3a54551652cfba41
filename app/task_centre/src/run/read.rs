//! Reads runs: lists, one run. `members` reads the users of a run.

use super::cancel::has_users_left;
use super::importing::FILES;
use super::lease::is_abandoned;
use super::verdict_counts::VERDICTS;
use chrono::{DateTime, NaiveDate, Utc};
use db::entity::{certificates, run_counts, runs};
use db::pagination::{Page, Paging};
use db::{Clock, RecordsError};
use erasure::residue;
use policy::maintenance::Maintenance;
use policy::{
    Grounds, Phase, Reason, Residue, RunId, RunKind, RunState, SafetyLimit, TaskId, TaskSettings, UserNumber,
};
use sea_orm::{ColumnTrait, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use trail::Store;
use trail::task_name::{TaskName, names};
use transfer::import_history::Import;
use transfer::{run_history, run_import};

/// One run or preview.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Number of the run.
    pub id: RunId,
    /// The task, with its current description.
    pub task: Option<(TaskId, TaskName)>,
    /// Kind of the run.
    pub kind: RunKind,
    /// Progress or result.
    pub state: RunState,
    /// The day of the assessment.
    pub today: NaiveDate,
    /// The settings with which it was started.
    pub settings: TaskSettings,
    /// Version of the rules.
    pub rules_version: i32,
    /// The preview from which the run started.
    pub preview: Option<RunId>,
    /// The run that executed this preview.
    pub executed_by: Option<RunId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Number of users assessed.
    pub users: i64,
    /// Number of eligible users in the preview.
    pub previewed: i64,
    /// Number of users anonymised.
    pub done: i64,
    /// Number of users skipped.
    pub skipped: i64,
    /// Number of users failed.
    pub failed: i64,
    /// Number of listed users, if the preview is for listed users. They are the assessed ones.
    pub listed: Option<i64>,
    /// Number of eligible users that staff excluded.
    pub excluded: i64,
    /// Numbers of users by the reason of their verdict. They add up to all users.
    pub verdicts: Vec<(Reason, i64)>,
    /// Numbers of skipped users by reason.
    pub skipped_by: Vec<(Reason, i64)>,
    /// Numbers of rows changed or deleted, by table.
    pub tables: Vec<(String, i64)>,
    /// Numbers of failed users by error code.
    pub failed_by: Vec<(String, i64)>,
    /// Error codes of the run as a whole.
    pub errors: Vec<String>,
    /// Numbers of anonymised users by residue result.
    pub residue: Vec<(Residue, i64)>,
    /// When a scheduled run was due.
    pub due_at: Option<DateTime<Utc>>,
    /// When a process took it up. This and the next two are system times, not times of the injected clock.
    pub started_at: Option<DateTime<Utc>>,
    /// Last heartbeat of the process that executes it.
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// When the last batch was completed.
    pub progress_at: Option<DateTime<Utc>>,
    /// Number of times that it was interrupted and taken up again.
    pub interruptions: i32,
    /// The current step.
    pub phase: Option<Phase>,
    /// The preview fingerprint: a digest of policy, rules, day and users.
    pub fingerprint: Option<String>,
    /// The safety limit that stopped it.
    pub safety_limit: Option<SafetyLimit>,
    /// Whether there is a certificate.
    pub has_certificate: bool,
    /// Number of open findings.
    pub open_findings: i64,
    /// Number of findings.
    pub findings: i64,
    /// Whether it can be cancelled: it is queued, or has users without an outcome.
    pub can_cancel: bool,
    /// Whether it was cancelled after all its users had been processed.
    pub cancelled_too_late: bool,
    /// Result of removing old values from the database files.
    pub maintenance: Option<Maintenance>,
    /// Why a single user was anonymised.
    pub grounds: Option<Grounds>,
    /// The files that a run or preview of an import has looked at.
    pub imports: Vec<Import>,
    /// Numbers of files that it has left, by code.
    pub files_left: Vec<(String, i64)>,
    /// Number of lines read so far, while this process imports a file.
    pub lines_read: Option<u64>,
}

impl Run {
    /// Returns the number of users not processed, because the run was cancelled or hasn't ended.
    pub const fn not_reached(&self) -> i64 {
        self.previewed - self.done - self.skipped - self.failed
    }
}

/// Reads one run or preview.
pub async fn read(store: &Store, id: RunId) -> Result<Run, RecordsError> {
    let row = runs::Entity::find_by_id(id.0).one(&store.db).await?.ok_or(RecordsError::NotFound("run"))?;
    let task = names(&store.db, row.task_id).await?.into_iter().next();
    let executed_by = runs::Entity::find()
        .filter(runs::Column::PreviewId.eq(row.id))
        .filter(runs::Column::State.ne(RunState::StoppedByLimit))
        .one(&store.db)
        .await?;
    let counts = run_counts::Entity::find()
        .filter(run_counts::Column::RunId.eq(row.id))
        .order_by_asc(run_counts::Column::Code)
        .all(&store.db)
        .await?;
    let by_reason = |kind: &str| {
        let of_kind = counts.iter().filter(|count| count.kind == kind);
        let mut found: Vec<(Reason, i64)> =
            of_kind.filter_map(|count| Some((Reason::from_code(&count.code)?, count.count))).collect();
        found.sort();
        found
    };
    let by_code = |kind: &str| -> Vec<(String, i64)> {
        counts
            .iter()
            .filter(|count| count.kind == kind)
            .map(|count| (count.code.clone(), count.count))
            .collect()
    };
    let findings = residue::count_findings(store, id).await?;
    let state = state_now(row.state, (id, row.holder.as_deref()), row.heartbeat_at, store);
    let imports = match &row.settings {
        TaskSettings::ImportUsers(_) => run_history::of_run(store, id).await?,
        TaskSettings::AnonymiseUserData(_) | TaskSettings::AnnounceAnonymising(_) => Vec::new(),
    };
    let can_cancel = match state {
        RunState::Queued => true,
        RunState::Running | RunState::Interrupted => has_users_left(&row),
        _ => false,
    };
    Ok(Run {
        id,
        task,
        kind: row.kind,
        state,
        today: row.today,
        settings: row.settings,
        rules_version: row.rules_version,
        preview: row.preview_id.map(RunId),
        executed_by: executed_by.map(|run| RunId(run.id)),
        created_at: row.created_at,
        finished_at: row.finished_at,
        users: row.users,
        previewed: row.previewed,
        done: row.done,
        skipped: row.skipped,
        failed: row.failed,
        listed: row.listed,
        excluded: row.excluded,
        verdicts: by_reason(VERDICTS),
        skipped_by: by_reason("skipped"),
        tables: by_code("table"),
        failed_by: by_code("failed"),
        errors: by_code("error").into_iter().map(|(code, _)| code).collect(),
        residue: by_code("residue")
            .into_iter()
            .filter_map(|(code, count)| Some((Residue::from_code(&code)?, count)))
            .collect(),
        due_at: row.due_at,
        started_at: row.started_at,
        heartbeat_at: row.heartbeat_at,
        progress_at: row.progress_at,
        interruptions: row.interruptions,
        phase: row.phase,
        fingerprint: row.fingerprint,
        safety_limit: row.safety_limit,
        open_findings: findings.1,
        findings: findings.0,
        can_cancel,
        cancelled_too_late: !by_code("cancel").is_empty(),
        has_certificate: certificates::Entity::find_by_id(row.id).one(&store.db).await?.is_some(),
        maintenance: row.maintenance,
        grounds: row.erasure_reason.map(|reason| Grounds {
            reason,
            case_reference: row.case_reference.clone(),
            merged_into: row.merged_into.map(UserNumber),
        }),
        imports,
        files_left: by_code(FILES),
        lines_read: run_import::lines_read(store, id),
    })
}

/// Returns the current state. A running run without a recent heartbeat is reported as interrupted, even if no
/// process has recorded that.
fn state_now(
    state: RunState,
    (run, holder): (RunId, Option<&str>),
    heartbeat_at: Option<DateTime<Utc>>,
    store: &Store,
) -> RunState {
    let silent = state == RunState::Running
        && !run_import::is_under_way(store, run)
        && is_abandoned(holder, heartbeat_at, store.settings.lease, Clock::system_now());
    if silent { RunState::Interrupted } else { state }
}

/// Filter for a list of runs.
#[derive(Clone, Debug, Default)]
pub struct RunQuery {
    /// Only runs of this task.
    pub task: Option<TaskId>,
    /// Only runs of this kind.
    pub kind: Option<RunKind>,
    /// Only runs in this state.
    pub state: Option<RunState>,
}

/// A row in the list of runs.
#[derive(Clone, Debug, Serialize)]
pub struct RunRow {
    /// Number of the run.
    pub id: RunId,
    /// Description of the task.
    pub task: Option<TaskName>,
    /// Kind of the run.
    pub kind: RunKind,
    /// Progress or result.
    pub state: RunState,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Number of eligible users in the preview, or of lines read.
    pub previewed: i64,
    /// Number of users anonymised, or of lines imported.
    pub done: i64,
    /// Number of users or lines skipped.
    pub skipped: i64,
    /// Number of users failed, or of lines rejected.
    pub failed: i64,
    /// Number of open findings.
    pub open_findings: i64,
}

/// The columns of a run in a list. A list never parses settings, so it also shows runs with unreadable settings.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "runs::Entity")]
struct ListedRun {
    id: i64,
    task_id: Option<i64>,
    kind: RunKind,
    state: RunState,
    created_at: DateTime<Utc>,
    previewed: i64,
    done: i64,
    skipped: i64,
    failed: i64,
    holder: Option<String>,
    heartbeat_at: Option<DateTime<Utc>>,
}

/// Returns runs, newest first.
pub async fn list(store: &Store, query: &RunQuery, paging: &Paging) -> Result<Page<RunRow>, RecordsError> {
    let mut find = runs::Entity::find().order_by_desc(runs::Column::Id).limit(paging.limit());
    if let Some(task) = query.task {
        find = find.filter(runs::Column::TaskId.eq(task.0));
    }
    if let Some(kind) = query.kind {
        find = find.filter(runs::Column::Kind.eq(kind));
    }
    if let Some(state) = query.state {
        find = find.filter(runs::Column::State.eq(state));
    }
    if let Some(after) = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()) {
        find = find.filter(runs::Column::Id.lt(after));
    }
    let rows = find.into_partial_model::<ListedRun>().all(&store.db).await?;
    let tasks = names(&store.db, rows.iter().filter_map(|run| run.task_id)).await?;
    let open = residue::open_findings(&store.db, &rows.iter().map(|run| run.id).collect::<Vec<_>>()).await?;
    let rows = rows.into_iter().map(|row| RunRow {
        id: RunId(row.id),
        task: row.task_id.and_then(|task| tasks.get(&TaskId(task)).cloned()),
        kind: row.kind,
        state: state_now(row.state, (RunId(row.id), row.holder.as_deref()), row.heartbeat_at, store),
        created_at: row.created_at,
        previewed: row.previewed,
        done: row.done,
        skipped: row.skipped,
        failed: row.failed,
        open_findings: open.get(&row.id).copied().unwrap_or_default(),
    });
    Ok(Page::from_rows(rows.collect(), paging, |row| row.id.to_string()))
}
