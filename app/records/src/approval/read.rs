//! Reading what waits for a second person, and what was decided.

use super::matter::{Decision, Kind};
use crate::clock::Clock;
use crate::dialect;
use crate::error::RecordsError;
use crate::page::{Page, Paging};
use crate::store::Store;
use crate::task::TaskName;
use crate::user::{Name, Person};
use chrono::{DateTime, Utc};
use policy::{Action, ApprovalId, HoldId, RunId, TaskId, UserNumber};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use serde::Serialize;

/// A request for approval, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What is to be approved.
    pub about: About,
    /// Who asked; None for the command line.
    pub asked_by: Option<Person>,
    /// Who made the preview, where somebody did.
    pub maker: Option<UserNumber>,
    /// When it was asked for.
    pub asked_at: DateTime<Utc>,
    /// Until when it can be decided and used.
    pub expires_at: DateTime<Utc>,
    /// What was decided, by whom and when.
    pub decision: Option<(Decision, Option<Person>, Option<DateTime<Utc>>)>,
    /// When the approval was used.
    pub used_at: Option<DateTime<Utc>>,
    /// How it stands now.
    pub standing: Standing,
}

/// What is to be approved.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The run of a preview.
    Run {
        /// The preview.
        preview: RunId,
        /// Its task.
        task: Option<(TaskId, TaskName)>,
        /// How many people would be anonymised.
        people: i64,
    },
    /// Bringing people under the present rules.
    Reapply,
    /// The release of a legal hold.
    HoldRelease {
        /// The hold.
        hold: HoldId,
    },
    /// More manual changes than the safety limits allow, by whoever asked.
    MoreChanges,
    /// Anonymising a member of staff.
    StaffAnonymising {
        /// The member of staff.
        user: UserNumber,
    },
    /// An import that goes over the safety limits.
    Import {
        /// How many users count.
        users: i64,
        /// The SHA-256 of the file, in hexadecimal digits.
        sha256: String,
    },
}

/// How a request stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has decided yet.
    Waiting,
    /// Approved, and not used yet.
    Approved,
    /// Approved and used.
    Used,
    /// Not approved.
    Declined,
    /// Withdrawn by the member of staff who asked.
    Withdrawn,
    /// Closed, because what was asked for was done without a second person.
    NotNeeded,
    /// Nobody decided in time, or nobody used the approval in time.
    Expired,
}

impl Approval {
    /// Whether this member of staff is no second person: they asked, or made what is to be approved.
    pub fn is_of(&self, staff: Option<UserNumber>) -> bool {
        let asked = self.asked_by.as_ref().map(|person| person.number);
        staff.is_some() && (asked == staff || self.maker == staff)
    }

    /// What is needed to approve it.
    pub const fn needs(&self) -> Action {
        match self.about {
            About::HoldRelease { .. } => Action::ReleaseHolds,
            About::Run { .. }
            | About::Reapply
            | About::MoreChanges
            | About::StaffAnonymising { .. }
            | About::Import { .. } => Action::Approve,
        }
    }
}

impl Standing {
    /// What the member of staff did who ended the waiting, to precede “by”.
    pub const fn ended(self) -> &'static str {
        match self {
            Self::Withdrawn => "Withdrawn",
            Self::NotNeeded => "Closed",
            _ => "Decided",
        }
    }

    /// The standing in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Approved => "Approved",
            Self::Used => "Approved and used",
            Self::Declined => "Declined",
            Self::Withdrawn => "Withdrawn",
            Self::NotNeeded => "No longer needed",
            Self::Expired => "Expired",
        }
    }
}

/// Which requests are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApprovalQuery {
    /// Those that wait for a decision, or the others; all where it is None.
    pub waiting: Option<bool>,
    /// Of this preview only.
    pub preview: Option<RunId>,
    /// About this user only.
    pub user: Option<UserNumber>,
}

/// Lists requests, the newest first.
pub async fn list(
    store: &Store,
    query: &ApprovalQuery,
    paging: &Paging,
) -> Result<Page<Approval>, RecordsError> {
    let mut conditions = vec!["x.id < ?".to_owned()];
    let before = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let mut values: Vec<Value> = vec![before.into()];
    if let Some(waiting) = query.waiting {
        let not = if waiting { "" } else { "NOT " };
        conditions.push(format!("{not}(x.decision IS NULL AND x.expires_at > ?)"));
        values.push(Clock::real().into());
    }
    if let Some(preview) = query.preview {
        conditions.push("x.preview_id = ?".to_owned());
        values.push(preview.0.into());
    }
    if let Some(user) = query.user {
        conditions.push("x.kind = 'staff_anonymising' AND x.user_number = ?".to_owned());
        values.push(user.0.into());
    }
    let names = [Name::columns("a"), Name::columns("d")].join(", ");
    let sql = format!(
        "SELECT x.*, p.task_id, p.previewed, p.actor_number AS maker, t.description, t.visibility, t.owner_number, {names} FROM approvals x \
         LEFT JOIN runs p ON p.id = x.preview_id LEFT JOIN tasks t ON t.id = p.task_id \
         LEFT JOIN users a ON a.number = x.asked_by LEFT JOIN users d ON d.number = x.decided_by \
         WHERE {} ORDER BY x.id DESC LIMIT {}",
        conditions.join(" AND "),
        paging.limit()
    );
    let rows =
        store.db.query_all_raw(dialect::statement(store.db.get_database_backend(), &sql, values)).await?;
    let rows = rows.iter().map(approval).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of(rows, paging, |approval| approval.id.to_string()))
}

/// One request.
pub async fn read(store: &Store, id: ApprovalId) -> Result<Approval, RecordsError> {
    // The keys of a page go down: the first row below the next key is this one, if it is there at all.
    let paging = Paging { after: Some(id.0.saturating_add(1).to_string()), rows: Some(1) };
    let found = list(store, &ApprovalQuery::default(), &paging).await?.rows.into_iter().next();
    found.filter(|found| found.id == id).ok_or(RecordsError::NotFound("request for approval"))
}

/// The newest request for the run of a preview.
pub async fn of_preview(store: &Store, preview: RunId) -> Result<Option<Approval>, RecordsError> {
    let query = ApprovalQuery { preview: Some(preview), ..ApprovalQuery::default() };
    let newest = list(store, &query, &Paging { after: None, rows: Some(1) }).await?;
    Ok(newest.rows.into_iter().next())
}

/// The newest request to anonymise a member of staff.
pub async fn of_user(store: &Store, user: UserNumber) -> Result<Option<Approval>, RecordsError> {
    let query = ApprovalQuery { user: Some(user), ..ApprovalQuery::default() };
    let newest = list(store, &query, &Paging { after: None, rows: Some(1) }).await?;
    Ok(newest.rows.into_iter().next())
}

fn approval(row: &QueryResult) -> Result<Approval, RecordsError> {
    let person = |column: &str, table: &str| -> Result<Option<Person>, DbErr> {
        let number: Option<i64> = row.try_get("", column)?;
        let name = Name::of(row, table)?.shown();
        Ok(number.map(|number| Person { number: UserNumber(number), name }))
    };
    let decision: Option<String> = row.try_get("", "decision")?;
    let decision = decision
        .map(|code| Decision::from_code(&code).ok_or(RecordsError::Corrupt("decision")))
        .transpose()?;
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
        standing: standing(decision, used_at.is_some(), expires_at <= Clock::real()),
    })
}

const fn standing(decision: Option<Decision>, used: bool, expired: bool) -> Standing {
    match decision {
        Some(Decision::Declined) => Standing::Declined,
        Some(Decision::Withdrawn) => Standing::Withdrawn,
        Some(Decision::NotNeeded) => Standing::NotNeeded,
        Some(Decision::Approved) if used => Standing::Used,
        _ if expired => Standing::Expired,
        Some(Decision::Approved) => Standing::Approved,
        None => Standing::Waiting,
    }
}

fn about(row: &QueryResult) -> Result<About, RecordsError> {
    let kind: String = row.try_get("", "kind")?;
    let preview: Option<i64> = row.try_get("", "preview_id")?;
    let hold: Option<i64> = row.try_get("", "hold_id")?;
    match (Kind::from_code(&kind), preview, hold) {
        (Some(Kind::Run), Some(preview), _) => {
            let task: Option<i64> = row.try_get("", "task_id")?;
            let people: Option<i64> = row.try_get("", "previewed")?;
            Ok(About::Run {
                preview: RunId(preview),
                task: task.map(TaskId).zip(task_name(row)?),
                people: people.unwrap_or_default(),
            })
        }
        (Some(Kind::Reapply), ..) => Ok(About::Reapply),
        (Some(Kind::HoldRelease), _, Some(hold)) => Ok(About::HoldRelease { hold: HoldId(hold) }),
        (Some(Kind::MoreChanges), ..) => Ok(About::MoreChanges),
        (Some(Kind::StaffAnonymising), ..) => {
            let user: Option<i64> = row.try_get("", "user_number")?;
            Ok(About::StaffAnonymising { user: UserNumber(user.unwrap_or_default()) })
        }
        (Some(Kind::Import), ..) => {
            let users: Option<i64> = row.try_get("", "users")?;
            let sha256 = row.try_get("", "fingerprint")?;
            Ok(About::Import { users: users.unwrap_or_default(), sha256 })
        }
        _ => Err(RecordsError::Corrupt("kind of the approval")),
    }
}

/// The task of a run; None where it is gone.
fn task_name(row: &QueryResult) -> Result<Option<TaskName>, DbErr> {
    let words: Option<String> = row.try_get("", "description")?;
    let visibility: Option<String> = row.try_get("", "visibility")?;
    let owner = row.try_get("", "owner_number")?;
    Ok(words.zip(visibility).map(|(words, visibility)| TaskName::stored(words, &visibility, owner)))
}
