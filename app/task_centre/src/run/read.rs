//! Reads runs: lists, one run, its users.

use super::cancel::has_users_left;
use super::importing::FILES;
use super::lease::is_abandoned;
use chrono::{DateTime, NaiveDate, Utc};
use db::entity::{certificates, run_counts, runs};
use db::pagination::{Page, Paging};
use db::search_index::matching;
use db::{Clock, RecordsError, dialect};
use erasure::residue;
use policy::assess::first_eligible_day;
use policy::maintenance::Maintenance;
use policy::user_search::UserSearch;
use policy::{
    Blockers, Grounds, Outcome, Phase, Policy, Reason, Residue, RunId, RunKind, RunState, SafetyLimit,
    TaskId, TaskSettings, UserNumber, VerdictKind,
};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder,
    QueryResult, QuerySelect,
};
use serde::Serialize;
use trail::Store;
use trail::person::Name;
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
    /// How often it was interrupted and taken up again.
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
        TaskSettings::AnonymiseUserData(_) => Vec::new(),
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
        verdicts: by_reason("verdict"),
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
        grounds: row
            .erasure_reason
            .map(|reason| Grounds { case_reference: row.case_reference.clone(), ..Grounds::of(reason) }),
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

/// The columns of a run in a list. The settings are left out: a list parses none, and shows a run whose settings can't be
/// read.
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
    Ok(Page::of(rows.collect(), paging, |row| row.id.to_string()))
}

/// Filter for the users of a run.
#[derive(Clone, Debug, Default)]
pub struct MemberQuery {
    /// Only users with this verdict.
    pub verdict: Option<VerdictKind>,
    /// Only users with this reason.
    pub reason: Option<Reason>,
    /// Only users with this outcome.
    pub outcome: Option<Outcome>,
    /// Only users with these words in their record, or with this user number.
    pub text: String,
}

/// A user in a run or preview.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// The user.
    pub number: UserNumber,
    /// The user's current name.
    pub name: String,
    /// The reason of the verdict.
    pub reason: Reason,
    /// All blockers.
    pub blockers: Blockers,
    /// The first day on which the conditions are met, or `None` if the dates don't determine it.
    pub first_day: Option<NaiveDate>,
    /// The current leaving date.
    pub leaving_on: Option<NaiveDate>,
    /// The current date of last activity.
    pub last_activity_on: Option<NaiveDate>,
    /// The current date marked for deletion.
    pub marked_on: Option<NaiveDate>,
    /// Whether the dates were generalised to the month, so that the day isn't exact.
    pub dates_by_month: bool,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// The reason for skipping.
    pub outcome_reason: Option<Reason>,
    /// The error code.
    pub failure: Option<String>,
}

/// Returns the users of a run or preview, by user number.
pub async fn members(
    store: &Store,
    run: &Run,
    query: &MemberQuery,
    paging: &Paging,
) -> Result<Page<Member>, RecordsError> {
    let Some(policy) = run.settings.policy() else { return Ok(Page::default()) };
    let (sql, values) = members_sql(run.id, query, paging);
    let rows = store.db.query_all_raw(dialect::bind(store.db.get_database_backend(), &sql, values)).await?;
    let members: Vec<Member> = rows.iter().map(|row| member(row, policy)).collect::<Result<_, DbErr>>()?;
    Ok(Page::of(members, paging, |member| member.number.to_string()))
}

/// Counts the users of a run or preview that match the filter, on all pages.
pub async fn count_members(store: &Store, run: RunId, query: &MemberQuery) -> Result<i64, RecordsError> {
    let (mut wheres, values) = members_filter(run, query, &Paging::default());
    let reasons: Vec<String> = reasons_of(query).iter().map(|reason| reason.number().to_string()).collect();
    if reasons.is_empty() {
        return Ok(0);
    }
    if reasons.len() < Reason::ALL.len() {
        wheres = format!("{wheres} AND m.reason IN ({})", reasons.join(", "));
    }
    // Raw SQL: the conditions are a fragment shared with the list of the users.
    let sql = format!("SELECT COUNT(*) AS n FROM run_members m WHERE {wheres}");
    let query = dialect::bind(store.db.get_database_backend(), &sql, values);
    Ok(store.db.query_one_raw(query).await?.map_or(Ok(0), |row| row.try_get("", "n"))?)
}

/// Returns the reasons that the filter allows.
fn reasons_of(query: &MemberQuery) -> Vec<Reason> {
    Reason::ALL
        .into_iter()
        .filter(|reason| query.verdict.is_none_or(|verdict| reason.verdict() == verdict))
        .filter(|reason| query.reason.is_none_or(|wanted| *reason == wanted))
        .collect()
}

/// Returns the query. It takes one page for each reason from the index before it joins the users.
fn members_sql(run: RunId, query: &MemberQuery, paging: &Paging) -> (String, Vec<Value>) {
    let reasons = reasons_of(query);
    let of_reasons: Vec<String> = if reasons.len() == Reason::ALL.len() {
        vec![String::new()]
    } else if reasons.is_empty() {
        vec![" AND FALSE".to_owned()]
    } else {
        reasons.iter().map(|reason| format!(" AND m.reason = {}", reason.number())).collect()
    };
    let mut values: Vec<Value> = Vec::new();
    let pieces: Vec<String> = of_reasons
        .iter()
        .map(|of_reason| {
            let (wheres, more) = members_filter(run, query, paging);
            values.extend(more);
            format!(
                "SELECT * FROM (SELECT m.* FROM run_members m WHERE {wheres}{of_reason} ORDER BY m.user_number LIMIT {}) AS piece",
                paging.limit()
            )
        })
        .collect();
    // Raw SQL: a keyset page of a union, so that each reason reads one page in the order of the index.
    let sql = format!(
        "SELECT m.user_number, m.reason, m.blockers, m.outcome, m.outcome_reason, m.failure, {}, \
         u.created_on, u.leaving_on, u.last_activity_on, u.marked_on, u.dates_by_month \
         FROM (SELECT * FROM ({}) AS pieces ORDER BY user_number LIMIT {limit}) AS m \
         JOIN users u ON u.number = m.user_number ORDER BY m.user_number LIMIT {limit}",
        Name::select_list("u"),
        pieces.join(" UNION ALL "),
        limit = paging.limit(),
    );
    (sql, values)
}

/// Returns the conditions of the filter except the reason.
fn members_filter(run: RunId, query: &MemberQuery, paging: &Paging) -> (String, Vec<Value>) {
    let mut wheres = vec!["m.run_id = ?".to_owned()];
    let mut values: Vec<Value> = vec![run.0.into()];
    if let Some(outcome) = query.outcome {
        wheres.push("m.outcome = ?".to_owned());
        values.push(outcome.into());
    }
    if !query.text.trim().is_empty() {
        let (matches, more) = matching(&UserSearch::parse(&query.text), "m.user_number");
        wheres.push(matches);
        values.extend(more);
    }
    if let Some(after) = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()) {
        wheres.push("m.user_number > ?".to_owned());
        values.push(after.into());
    }
    (wheres.join(" AND "), values)
}

fn member(row: &QueryResult, policy: &Policy) -> Result<Member, DbErr> {
    let unknown = || DbErr::Custom("a verdict has no known reason".to_owned());
    let reason = Reason::from_number(row.try_get("", "reason")?).ok_or_else(unknown)?;
    let blockers: i16 = row.try_get("", "blockers")?;
    let outcome_reason: Option<i16> = row.try_get("", "outcome_reason")?;
    let leaving_on: Option<NaiveDate> = row.try_get("", "leaving_on")?;
    let last_activity_on: Option<NaiveDate> = row.try_get("", "last_activity_on")?;
    let created_on: Option<NaiveDate> = row.try_get("", "created_on")?;
    let marked_on: Option<NaiveDate> = row.try_get("", "marked_on")?;
    let activity_on = last_activity_on.or(created_on);
    let first_day = first_eligible_day(&policy.conditions, leaving_on, activity_on, marked_on);
    Ok(Member {
        number: UserNumber(row.try_get("", "user_number")?),
        name: Name::of(row, "u")?.shown(),
        reason,
        blockers: Blockers::from_bits(u8::try_from(blockers).unwrap_or(u8::MAX)),
        first_day: first_day.ok(),
        leaving_on,
        last_activity_on,
        marked_on,
        dates_by_month: row.try_get("", "dates_by_month")?,
        outcome: row.try_get("", "outcome")?,
        outcome_reason: outcome_reason.and_then(Reason::from_number),
        failure: row.try_get("", "failure")?,
    })
}
