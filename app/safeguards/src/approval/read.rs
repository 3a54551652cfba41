//! Reading requests and approvals.

use super::subject::ApprovalSubject;
use chrono::{DateTime, Utc};
use db::entity::{approvals, runs, tasks};
use db::pagination::{Page, Paging};
use db::{Clock, RecordsError};
use policy::approval::{ApprovalDecision, ApprovalKind};
use policy::import_limits::CountedBy;
use policy::task_form::Visibility;
use policy::{Action, ApprovalId, LegalHoldId, RunId, TaskId, TaskType, UserNumber};
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, QueryTrait,
};
use serde::Serialize;
use trail::person::{Name, Person};
use trail::task_name::TaskName;
use trail::{Actor, Store};

/// A request for approval, with its decision.
#[derive(Clone, Debug, Serialize)]
pub struct Approval {
    /// The id.
    pub id: ApprovalId,
    /// The subject.
    pub about: About,
    /// The requester. None for the command line.
    pub asked_by: Option<Person>,
    /// The maker of the preview, or the user that the request is about. None if there is neither.
    pub maker: Option<UserNumber>,
    /// The instant of the request.
    pub asked_at: DateTime<Utc>,
    /// The instant from which it can be neither decided nor used.
    pub expires_at: DateTime<Utc>,
    /// The decision, its maker and its instant. None while waiting.
    pub decision: Option<(ApprovalDecision, Option<Person>, Option<DateTime<Utc>>)>,
    /// The instant at which the approval was used.
    pub used_at: Option<DateTime<Utc>>,
    /// The current status.
    pub status: ApprovalStatus,
}

/// The subject of a request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The run of a preview.
    Run {
        /// The preview.
        preview: RunId,
        /// The task. None if it is deleted.
        task: Option<(TaskId, TaskName)>,
        /// The type of the task.
        task_type: TaskType,
        /// The number of users that would be anonymised, or of lines that would be imported.
        people: i64,
    },
    /// Applying the current rules to users anonymised under older ones.
    Reapply,
    /// The release of a legal hold.
    LegalHoldRelease {
        /// The legal hold.
        hold: LegalHoldId,
    },
    /// More manual changes by the requester than the safety limits allow.
    MoreChanges,
    /// More changes by identity systems than the safety limits allow. Lethe requests this approval when it rejects a
    /// change.
    ApiChanges,
    /// Anonymising a member of staff.
    StaffAnonymising {
        /// The member of staff.
        user: UserNumber,
    },
    /// An import that exceeds the safety limits.
    Import {
        /// The number of users or lines with which the file exceeds a limit.
        users: i64,
        /// The safety limit that counts this number.
        counted_by: CountedBy,
        /// The SHA-256 of the file, in hexadecimal.
        sha256: String,
    },
    /// Destroying the key of the suppression list.
    SuppressionKey,
}

/// The status of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    /// Waiting for a decision.
    Waiting,
    /// Approved, and not used yet.
    Approved,
    /// Approved and used.
    Used,
    /// Declined.
    Declined,
    /// Withdrawn by the member of staff who asked.
    Withdrawn,
    /// Closed, because the subject was executed without a second person.
    NotNeeded,
    /// Expired before a decision, or approved but not used in time.
    Expired,
    /// The users of the preview have changed since the request, so that it can be neither decided nor used.
    Outdated,
}

impl Approval {
    /// Returns whether this member of staff cannot be the second person, as the requester or the maker of the
    /// subject.
    pub fn is_of(&self, staff: Option<UserNumber>) -> bool {
        let asked = self.asked_by.as_ref().map(|person| person.number);
        staff.is_some() && (asked == staff || self.maker == staff)
    }

    /// Returns the permission needed to approve it.
    pub const fn needs(&self) -> Action {
        match self.about {
            About::LegalHoldRelease { .. } => Action::ReleaseLegalHolds,
            About::SuppressionKey => Action::DestroySuppressionKey,
            About::Run { .. }
            | About::Reapply
            | About::MoreChanges
            | About::ApiChanges
            | About::StaffAnonymising { .. }
            | About::Import { .. } => Action::Approve,
        }
    }
}

impl ApprovalStatus {
    /// Returns the participle for the decision, to precede “by”.
    pub const fn ended(self) -> &'static str {
        match self {
            Self::Withdrawn => "Withdrawn",
            Self::NotNeeded => "Closed",
            _ => "Decided",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Approved => "Approved",
            Self::Used => "Approved and used",
            Self::Declined => "Declined",
            Self::Withdrawn => "Withdrawn",
            Self::NotNeeded => "No longer needed",
            Self::Expired => "Expired",
            Self::Outdated => "Outdated: the preview has changed",
        }
    }
}

/// Filters for requests.
#[derive(Clone, Debug, Default)]
pub struct ApprovalQuery {
    /// Only waiting requests if true, only the others if false, all if None.
    pub waiting: Option<bool>,
    /// Only requests about this preview.
    pub preview: Option<RunId>,
    /// Only requests about this user.
    pub user: Option<UserNumber>,
    /// Only requests about the file with this SHA-256.
    pub file: Option<String>,
}

/// Returns the number of waiting requests that the actor may decide, at most one page of them.
pub async fn decidable(store: &Store, actor: Actor) -> Result<i64, RecordsError> {
    if ![Action::Approve, Action::ReleaseLegalHolds].into_iter().any(|action| actor.may(action)) {
        return Ok(0);
    }
    let query = ApprovalQuery { waiting: Some(true), ..ApprovalQuery::default() };
    let waiting = list(store, &query, &Paging::default()).await?;
    let theirs = waiting.rows.iter().filter(|one| actor.may(one.needs()) && !one.is_of(actor.staff)).count();
    Ok(i64::try_from(theirs).unwrap_or(i64::MAX))
}

/// Lists requests, the newest first.
pub async fn list(
    store: &Store,
    query: &ApprovalQuery,
    paging: &Paging,
) -> Result<Page<Approval>, RecordsError> {
    let before = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let mut conditions = Condition::all().add(approvals::Column::Id.lt(before));
    if let Some(waiting) = query.waiting {
        let open = Condition::all()
            .add(approvals::Column::Decision.is_null())
            .add(approvals::Column::ExpiresAt.gt(Clock::system_now()))
            .add(is_current());
        conditions = conditions.add(if waiting { open } else { open.not() });
    }
    if let Some(preview) = query.preview {
        conditions = conditions.add(approvals::Column::PreviewId.eq(preview.0));
    }
    if let Some(user) = query.user {
        conditions = conditions
            .add(approvals::Column::Kind.eq(ApprovalKind::StaffAnonymising))
            .add(approvals::Column::UserNumber.eq(user.0));
    }
    if let Some(file) = &query.file {
        conditions = conditions
            .add(approvals::Column::Kind.eq(ApprovalKind::Import))
            .add(approvals::Column::Fingerprint.eq(file));
    }
    let preview =
        approvals::Entity::belongs_to(runs::Entity).from(approvals::Column::PreviewId).to(runs::Column::Id);
    let task = runs::Entity::belongs_to(tasks::Entity).from(runs::Column::TaskId).to(tasks::Column::Id);
    let select = approvals::Entity::find()
        .column(runs::Column::TaskId)
        .column(runs::Column::Previewed)
        .column_as(runs::Column::Fingerprint, "present_fingerprint")
        .column_as(runs::Column::ActorNumber, "maker")
        .column(tasks::Column::TaskType)
        .columns([tasks::Column::Description, tasks::Column::Visibility, tasks::Column::OwnerNumber])
        .join(JoinType::LeftJoin, preview.into())
        .join(JoinType::LeftJoin, task.into())
        .filter(conditions)
        .order_by_desc(approvals::Column::Id)
        .limit(paging.limit());
    let select = Name::join(select, approvals::Column::AskedBy, "a");
    let select = Name::join(select, approvals::Column::DecidedBy, "d");
    let rows = store.db.query_all(&select.into_query()).await?;
    let rows = rows.iter().map(approval).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(rows, paging, |approval| approval.id.to_string()))
}

/// Returns one request.
pub async fn read(store: &Store, id: ApprovalId) -> Result<Approval, RecordsError> {
    // Keys descend: the first row below the next key is this request, if it exists.
    let paging =
        Paging { after: Some(id.0.saturating_add(1).to_string()), rows: Some(1), ..Paging::default() };
    let found = list(store, &ApprovalQuery::default(), &paging).await?.rows.into_iter().next();
    found.filter(|found| found.id == id).ok_or(RecordsError::NotFound("approval request"))
}

/// Returns the newest request for the run of a preview.
pub async fn of_preview(store: &Store, preview: RunId) -> Result<Option<Approval>, RecordsError> {
    let query = ApprovalQuery { preview: Some(preview), ..ApprovalQuery::default() };
    let newest = list(store, &query, &Paging { rows: Some(1), ..Paging::default() }).await?;
    Ok(newest.rows.into_iter().next())
}

/// Returns the newest request to anonymise a member of staff.
pub async fn of_user(store: &Store, user: UserNumber) -> Result<Option<Approval>, RecordsError> {
    let query = ApprovalQuery { user: Some(user), ..ApprovalQuery::default() };
    let newest = list(store, &query, &Paging { rows: Some(1), ..Paging::default() }).await?;
    Ok(newest.rows.into_iter().next())
}

/// Returns the newest request to import a file.
pub async fn of_import(store: &Store, file: &ApprovalSubject) -> Result<Option<Approval>, RecordsError> {
    let query = ApprovalQuery { file: Some(file.fingerprint.clone()), ..ApprovalQuery::default() };
    let newest = list(store, &query, &Paging { rows: Some(1), ..Paging::default() }).await?;
    Ok(newest.rows.into_iter().next())
}

fn approval(row: &QueryResult) -> Result<Approval, RecordsError> {
    let person = |column: &str, table: &str| -> Result<Option<Person>, DbErr> {
        let number: Option<i64> = row.try_get("", column)?;
        let name = Name::from_row(row, table)?.shown();
        Ok(number.map(|number| Person { number: UserNumber(number), name }))
    };
    let decision: Option<ApprovalDecision> = row.try_get("", "decision")?;
    let expires_at: DateTime<Utc> = row.try_get("", "expires_at")?;
    let used_at: Option<DateTime<Utc>> = row.try_get("", "used_at")?;
    let decided_by = person("decided_by", "d")?;
    let decided_at = row.try_get("", "decided_at")?;
    let maker: Option<i64> = row.try_get("", "maker")?;
    let user: Option<i64> = row.try_get("", "user_number")?;
    Ok(Approval {
        id: ApprovalId(row.try_get("", "id")?),
        about: about(row)?,
        asked_by: person("asked_by", "a")?,
        maker: maker.or(user).map(UserNumber),
        asked_at: row.try_get("", "asked_at")?,
        expires_at,
        decision: decision.map(|decision| (decision, decided_by, decided_at)),
        used_at,
        status: match status(decision, used_at.is_some(), expires_at <= Clock::system_now()) {
            ApprovalStatus::Waiting | ApprovalStatus::Approved if is_outdated(row)? => {
                ApprovalStatus::Outdated
            }
            status => status,
        },
    })
}

/// Returns the condition that the preview of a request, if there is one, still has the fingerprint of the request.
fn is_current() -> Condition {
    let same = runs::Column::Fingerprint.into_expr().eq(approvals::Column::Fingerprint.into_expr());
    Condition::any().add(approvals::Column::PreviewId.is_null()).add(same)
}

/// Returns whether the preview of a request has got another fingerprint.
fn is_outdated(row: &QueryResult) -> Result<bool, DbErr> {
    let preview: Option<i64> = row.try_get("", "preview_id")?;
    let asked: String = row.try_get("", "fingerprint")?;
    let present: Option<String> = row.try_get("", "present_fingerprint")?;
    Ok(preview.is_some() && present.is_some_and(|present| present != asked))
}

const fn status(decision: Option<ApprovalDecision>, used: bool, expired: bool) -> ApprovalStatus {
    match decision {
        Some(ApprovalDecision::Declined) => ApprovalStatus::Declined,
        Some(ApprovalDecision::Withdrawn) => ApprovalStatus::Withdrawn,
        Some(ApprovalDecision::NotNeeded) => ApprovalStatus::NotNeeded,
        Some(ApprovalDecision::Approved) if used => ApprovalStatus::Used,
        _ if expired => ApprovalStatus::Expired,
        Some(ApprovalDecision::Approved) => ApprovalStatus::Approved,
        None => ApprovalStatus::Waiting,
    }
}

fn about(row: &QueryResult) -> Result<About, RecordsError> {
    let kind: ApprovalKind = row.try_get("", "kind")?;
    let preview: Option<i64> = row.try_get("", "preview_id")?;
    let hold: Option<i64> = row.try_get("", "legal_hold_id")?;
    match (kind, preview, hold) {
        (ApprovalKind::Run, Some(preview), _) => {
            let task: Option<i64> = row.try_get("", "task_id")?;
            let task_type: Option<TaskType> = row.try_get("", "task_type")?;
            let people: Option<i64> = row.try_get("", "previewed")?;
            Ok(About::Run {
                preview: RunId(preview),
                task: task.map(TaskId).zip(task_name(row)?),
                task_type: task_type.unwrap_or(TaskType::AnonymiseUserData),
                people: people.unwrap_or_default(),
            })
        }
        (ApprovalKind::Reapply, ..) => Ok(About::Reapply),
        (ApprovalKind::LegalHoldRelease, _, Some(hold)) => {
            Ok(About::LegalHoldRelease { hold: LegalHoldId(hold) })
        }
        (ApprovalKind::MoreChanges, ..) => Ok(About::MoreChanges),
        (ApprovalKind::ApiChanges, ..) => Ok(About::ApiChanges),
        (ApprovalKind::SuppressionKey, ..) => Ok(About::SuppressionKey),
        (ApprovalKind::StaffAnonymising, ..) => {
            let user: Option<i64> = row.try_get("", "user_number")?;
            Ok(About::StaffAnonymising { user: UserNumber(user.unwrap_or_default()) })
        }
        (ApprovalKind::Import, ..) => {
            let users: Option<i64> = row.try_get("", "users")?;
            let (sha256, counted_by) = (row.try_get("", "fingerprint")?, row.try_get("", "counted_by")?);
            Ok(About::Import { users: users.unwrap_or_default(), counted_by, sha256 })
        }
        (ApprovalKind::Run, None, _) | (ApprovalKind::LegalHoldRelease, _, None) => {
            Err(RecordsError::Corrupt("subject of the approval"))
        }
    }
}

/// Returns the task of a run. None if it is deleted.
fn task_name(row: &QueryResult) -> Result<Option<TaskName>, DbErr> {
    let words: Option<String> = row.try_get("", "description")?;
    let visibility: Option<Visibility> = row.try_get("", "visibility")?;
    let owner = row.try_get("", "owner_number")?;
    Ok(words.zip(visibility).map(|(words, visibility)| TaskName::stored(words, visibility, owner)))
}
