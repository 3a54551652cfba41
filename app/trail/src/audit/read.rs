//! Reading the audit: a list with filters, CSV output and the status.

use super::{Anchor, AuditAction, Subject, last_anchor};
use crate::actor::Actor;
use crate::chain;
use crate::person::Name;
use crate::store::Store;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use db::entity::{audit_events, users};
use db::pagination::{MAX_ROWS, Page, Paging};
use db::{RecordsError, csv_text};
use policy::dates::optional_date;
use policy::form::{FieldErrors, Problem};
use policy::{Action, RunId, UserNumber, timezone};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, QueryTrait,
};
use serde::{Deserialize, Serialize};

/// The filters as typed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct AuditForm {
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The code of the action.
    pub action: String,
    /// The number of the member of staff.
    pub staff: String,
    /// The code of the kind of subject.
    pub kind: String,
    /// The id of the subject.
    pub id: String,
    /// The id of the run.
    pub run: String,
}

/// Filters for events. None means any.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuditQuery {
    /// The first day, in the library's time zone.
    pub from: Option<NaiveDate>,
    /// The last day, in the library's time zone.
    pub to: Option<NaiveDate>,
    /// The action.
    pub action: Option<AuditAction>,
    /// The member of staff.
    pub staff: Option<UserNumber>,
    /// The kind of subject, as a code.
    pub kind: Option<&'static str>,
    /// The id of the subject.
    pub id: Option<i64>,
    /// The run.
    pub run: Option<RunId>,
}

impl AuditForm {
    /// Validates the filters.
    pub fn validate(&self) -> Result<AuditQuery, FieldErrors> {
        let mut errors = FieldErrors::default();
        let from = errors.take("from", optional_date(&self.from)).flatten();
        let to = errors.take("to", optional_date(&self.to)).flatten();
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            errors.add("to", Problem::EndsBeforeStart);
        }
        let kinds = |code: &str| Subject::KINDS.iter().map(|(kind, _)| *kind).find(|kind| *kind == code);
        let query = AuditQuery {
            from,
            to,
            action: errors.take("action", chosen(&self.action, AuditAction::from_code)).flatten(),
            staff: errors
                .take("staff", number(&self.staff, Problem::NotAUserNumber))
                .flatten()
                .map(UserNumber),
            kind: errors.take("kind", chosen(&self.kind, kinds)).flatten(),
            id: errors.take("id", number(&self.id, Problem::NotANumber)).flatten(),
            run: errors.take("run", number(&self.run, Problem::NotANumber)).flatten().map(RunId),
        };
        if errors.is_empty() { Ok(query) } else { Err(errors) }
    }
}

fn chosen<T>(code: &str, find: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    if code.trim().is_empty() { Ok(None) } else { find(code.trim()).map(Some).ok_or(Problem::UnknownChoice) }
}

fn number(text: &str, problem: Problem) -> Result<Option<i64>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().ok().filter(|number| *number > 0).map(Some).ok_or(problem)
}

/// One event.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AuditRow {
    /// The id.
    pub id: i64,
    /// The position in the chain. None means that the event was not written by Lethe.
    pub sequence: Option<i64>,
    /// The instant.
    pub at: DateTime<Utc>,
    /// The member of staff. None for a process.
    pub staff: Option<UserNumber>,
    /// The current name of the member of staff.
    pub name: Option<String>,
    /// The channel, as a code.
    pub channel: String,
    /// The action, as a code.
    pub action: String,
    /// The kind of subject, as a code.
    pub kind: String,
    /// The id of the subject.
    pub subject: Option<i64>,
    /// The run.
    pub run: Option<RunId>,
    /// Field names and codes.
    pub detail: String,
}

impl AuditRow {
    fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        let staff: Option<i64> = row.try_get("", "actor_number")?;
        let known: Option<i64> = row.try_get("", "staff")?;
        Ok(Self {
            id: row.try_get("", "id")?,
            sequence: row.try_get("", "sequence")?,
            at: row.try_get("", "at")?,
            staff: staff.map(UserNumber),
            name: known.map(|_| Ok::<_, DbErr>(Name::from_row(row, "u")?.shown())).transpose()?,
            channel: row.try_get("", "channel")?,
            action: row.try_get("", "action")?,
            kind: row.try_get("", "subject_kind")?,
            subject: row.try_get("", "subject_id")?,
            run: row.try_get::<Option<i64>>("", "run_id")?.map(RunId),
            detail: row.try_get("", "detail")?,
        })
    }

    /// Returns the event as CSV cells: numbers and codes, without the name.
    fn cells(self) -> [String; 9] {
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        [
            number(self.sequence),
            self.at.to_rfc3339(),
            number(self.staff.map(|staff| staff.0)),
            self.channel,
            self.action,
            self.kind,
            number(self.subject),
            number(self.run.map(|run| run.0)),
            self.detail,
        ]
    }

    /// Returns the label of the action, or the code if another version of Lethe wrote it.
    pub fn action_label(&self) -> String {
        AuditAction::from_code(&self.action)
            .map_or_else(|| self.action.clone(), |action| action.label().to_owned())
    }

    /// Returns the label of the channel.
    pub fn channel_label(&self) -> &str {
        match self.channel.as_str() {
            "web" => "Web",
            "command_line" => "Command line",
            "schedule" => "Schedule",
            "replay" => "Replay",
            code => code,
        }
    }

    /// Returns the label of the subject, such as `User 5`.
    pub fn subject_label(&self) -> String {
        let kind = Subject::KINDS.iter().find(|(code, _)| *code == self.kind);
        let words = kind.map_or(self.kind.as_str(), |(_, words)| words);
        self.subject.map_or_else(|| words.to_owned(), |id| format!("{words} {id}"))
    }

    /// Returns the details for pages, such as `last name, e-mail`.
    pub fn detail_words(&self) -> String {
        let words = |part: &str| part.replace(['_', '='], " ");
        self.detail.split(',').map(words).collect::<Vec<_>>().join(", ")
    }
}

/// Lists events, the newest first.
pub async fn list(
    store: &Store,
    actor: Actor,
    query: &AuditQuery,
    paging: &Paging,
) -> Result<Page<AuditRow>, RecordsError> {
    actor.require(Action::SeeAudit)?;
    let after = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let select = audit_events::Entity::find()
        .column_as(Expr::col(("u", users::Column::Number)), "staff")
        .filter(conditions(store, query))
        .filter(audit_events::Column::Id.lt(after))
        .order_by_desc(audit_events::Column::Id)
        .limit(paging.limit());
    let select = Name::join(select, audit_events::Column::ActorNumber, "u");
    let rows = store.db.query_all(&select.into_query()).await?;
    let rows = rows.iter().map(AuditRow::from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(rows, paging, |row| row.id.to_string()))
}

/// Returns time and detail of the newest event of an action. An index covers every action but the anonymising of users.
pub async fn newest(
    store: &Store,
    action: AuditAction,
) -> Result<Option<(DateTime<Utc>, String)>, RecordsError> {
    let query = AuditQuery { action: Some(action), ..AuditQuery::default() };
    let event = audit_events::Entity::find()
        .select_only()
        .columns([audit_events::Column::At, audit_events::Column::Detail])
        .filter(conditions(store, &query))
        .order_by_desc(audit_events::Column::Id)
        .limit(1);
    Ok(event.into_tuple().one(&store.db).await?)
}

/// Returns the conditions of a query.
fn conditions(store: &Store, query: &AuditQuery) -> Condition {
    use audit_events::Column;
    let begins = |day: NaiveDate| timezone::at_wall_time(store.clock.zone(), day.and_time(NaiveTime::MIN)).at;
    // A constant, not a bound value, lets the database use the partial index of rare actions.
    let frequent = AuditAction::UserAnonymised;
    let rare = query.action.filter(|action| *action != frequent);
    let is_rare = rare.map(|_| Column::Action.into_expr().ne(Expr::Constant(frequent.code().into())));
    Condition::all()
        .add_option(query.from.map(|day| Column::At.gte(begins(day))))
        .add_option(query.to.and_then(|day| day.succ_opt()).map(|day| Column::At.lt(begins(day))))
        .add_option(is_rare)
        .add_option(query.action.map(|action| Column::Action.eq(action.code())))
        .add_option(query.staff.map(|staff| Column::ActorNumber.eq(staff.0)))
        .add_option(query.kind.map(|kind| Column::SubjectKind.eq(kind)))
        .add_option(query.id.map(|id| Column::SubjectId.eq(id)))
        .add_option(query.run.map(|run| Column::RunId.eq(run.0)))
}

/// The maximum number of events in one file.
const MAX_LINES: u64 = 100_000;

/// Returns events as CSV, the newest first, up to `MAX_LINES`. Records the export in the audit.
pub async fn csv(store: &Store, actor: Actor, query: &AuditQuery) -> Result<String, RecordsError> {
    actor.require(Action::SeeAudit)?;
    super::record_event_in_own_tx(store, actor, AuditAction::Exported, Subject::Library, "audit").await?;
    let mut lines = Vec::new();
    let mut paging = Paging { rows: Some(MAX_ROWS), ..Paging::default() };
    for _ in 0..MAX_LINES / MAX_ROWS {
        let page = list(store, actor, query, &paging).await?;
        lines.extend(page.rows.into_iter().map(AuditRow::cells));
        paging.after = page.next;
        if paging.after.is_none() {
            break;
        }
    }
    csv_text::file(&["sequence", "at", "staff", "channel", "action", "kind", "id", "run", "detail"], lines)
}

/// The status of the audit, without reading the chain. Only [`verify`](fn@super::verify) can tell whether it is
/// intact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChainStatus {
    /// The position of the last event. None if the row of the chain's end is missing.
    pub last: Option<i64>,
    /// The last anchor.
    pub anchor: Option<Anchor>,
}

impl ChainStatus {
    /// Returns whether the chain ends before an anchored position, that is, whether it was truncated.
    pub fn is_behind(&self) -> bool {
        let anchored = self.anchor.as_ref().map_or(0, |anchor| anchor.sequence);
        self.last.is_none_or(|last| last < anchored)
    }
}

/// Reads the status of the audit.
pub async fn status(store: &Store, actor: Actor) -> Result<ChainStatus, RecordsError> {
    actor.require(Action::SeeAudit)?;
    let anchor = last_anchor(store).await?;
    let last = chain::head(&store.db).await?.map(|head| head.sequence);
    Ok(ChainStatus { last, anchor })
}
