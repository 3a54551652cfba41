//! The decisions about lines that the suppression list holds.

use super::key::KeyedDigest;
use chrono::NaiveDate;
use db::entity::held_lines;
use db::pagination::{Page, Paging};
use db::{RecordsError, bulk_insert};
use policy::numbers::counted;
use policy::suppression::{HeldDecision, HeldSource, KeyKind};
use policy::{Action, HeldLineId, ImportId, UserNumber};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::Serialize;
use trail::audit::{self, AuditAction, Subject};
use trail::person::{Name, Person};
use trail::{Actor, Store};

/// Selects held lines.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Show {
    /// Lines that wait for a decision.
    #[default]
    Undecided,
    /// Lines with a decision.
    Decided,
    /// All lines.
    All,
}

impl Show {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Undecided, Self::Decided, Self::All];

    /// Returns the code for URLs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Decided => "decided",
            Self::All => "all",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Undecided => "To decide",
            Self::Decided => "Decided",
            Self::All => "All",
        }
    }

    /// Returns the choice with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|show| show.code() == code)
    }
}

/// A held line, as pages and command line show it.
#[derive(Clone, Debug, Serialize)]
pub struct HeldLine {
    /// The id.
    pub id: HeldLineId,
    /// The kind of the suppressed key.
    pub kind: KeyKind,
    /// Where it arrives.
    pub source: HeldSource,
    /// The last import with this line. None for a request of an identity system.
    pub import: Option<ImportId>,
    /// The number of the line in the last file. 0 for a request of an identity system.
    pub line: i64,
    /// The day of the first import with this line.
    pub first_seen_on: NaiveDate,
    /// The day of the last import with this line.
    pub last_seen_on: NaiveDate,
    /// The number of imports with this line.
    pub times_seen: i64,
    /// The decision. None if the line waits for one.
    pub decision: Option<HeldDecision>,
    /// The member of staff who decided. None for the command line.
    pub decided_by: Option<Person>,
    /// The day of the decision.
    pub decided_on: Option<NaiveDate>,
}

/// Lists held lines, the newest first.
pub async fn list(
    store: &Store,
    actor: Actor,
    show: Show,
    paging: &Paging,
) -> Result<Page<HeldLine>, RecordsError> {
    actor.require_permission_to_see(Action::EditUsers)?;
    let before = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let mut select = held_lines::Entity::find().filter(held_lines::Column::Id.lt(before));
    match show {
        Show::Undecided => select = select.filter(held_lines::Column::Decision.is_null()),
        Show::Decided => select = select.filter(held_lines::Column::Decision.is_not_null()),
        Show::All => {}
    }
    let select = select.order_by_desc(held_lines::Column::Id).limit(paging.limit());
    let rows =
        Name::join(select, held_lines::Column::DecidedBy, "d").into_model::<Row>().all(&store.db).await?;
    Ok(Page::from_rows(rows, paging, |row| row.line.id.to_string()).map(Row::shown))
}

/// A row with the name of the member of staff.
struct Row {
    line: held_lines::Model,
    decider: Name,
}

impl sea_orm::FromQueryResult for Row {
    fn from_query_result(row: &sea_orm::QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let line = held_lines::Model::from_query_result(row, prefix)?;
        Ok(Self { line, decider: Name::from_row(row, "d")? })
    }
}

impl Row {
    fn shown(self) -> HeldLine {
        let Self { line, decider } = self;
        HeldLine {
            id: HeldLineId(line.id),
            kind: line.kind,
            source: line.source,
            import: line.import_id.map(ImportId),
            line: line.line,
            first_seen_on: line.first_seen_on,
            last_seen_on: line.last_seen_on,
            times_seen: line.times_seen,
            decision: line.decision,
            decided_by: line
                .decided_by
                .map(|number| Person { number: UserNumber(number), name: decider.shown() }),
            decided_on: line.decided_on,
        }
    }
}

/// Returns the number of lines that wait for a decision.
pub async fn undecided(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    held_lines::Entity::find().filter(held_lines::Column::Decision.is_null()).count(db).await
}

/// Returns the newest line that waits for a decision.
pub async fn newest_undecided(db: &impl ConnectionTrait) -> Result<Option<HeldLineId>, DbErr> {
    let newest = held_lines::Entity::find().filter(held_lines::Column::Decision.is_null());
    let newest = newest.order_by_desc(held_lines::Column::Id).one(db).await?;
    Ok(newest.map(|line| HeldLineId(line.id)))
}

/// The lines to decide about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Chosen {
    /// These lines, whether decided or not.
    Lines(Vec<HeldLineId>),
    /// These lines, if their decisions are still those that the member of staff has seen.
    Seen(Vec<(HeldLineId, Option<HeldDecision>)>),
    /// All lines that wait for a decision, if there are still as many as the member of staff has seen.
    Undecided {
        /// The number of lines.
        seen: u64,
        /// The newest of these lines, if it is known.
        newest: Option<HeldLineId>,
    },
}

/// Decides about held lines. Returns the number of lines. An earlier decision that no import has used is replaced.
///
/// Rejects all if one of them is no longer held.
pub async fn decide(
    store: &Store,
    actor: Actor,
    chosen: &Chosen,
    decision: HeldDecision,
) -> Result<u64, RecordsError> {
    actor.require(Action::EditUsers)?;
    let tx = store.begin().await?;
    let lines: Option<Vec<HeldLineId>> = match chosen {
        Chosen::Lines(lines) => Some(lines.clone()),
        Chosen::Seen(lines) => Some(lines.iter().map(|(line, _)| *line).collect()),
        Chosen::Undecided { .. } => None,
    };
    let select = held_lines::Entity::find();
    let select = match &lines {
        Some(lines) => select.filter(held_lines::Column::Id.is_in(lines.iter().map(|line| line.0))),
        None => select.filter(held_lines::Column::Decision.is_null()),
    };
    let rows = select.order_by_asc(held_lines::Column::Id).lock_exclusive().all(&tx).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    if lines.is_some_and(|lines| lines.iter().any(|line| !ids.contains(&line.0))) {
        return Err(RecordsError::NotFound("held line"));
    }
    if let Chosen::Seen(lines) = chosen {
        reject_unseen(&rows, lines)?;
    }
    if let Chosen::Undecided { seen, newest } = chosen
        && (*seen != ids.len() as u64 || newest.is_some_and(|newest| ids.last() != Some(&newest.0)))
    {
        let now = counted(i64::try_from(ids.len()).unwrap_or(i64::MAX), "line is", "lines are");
        let why = format!("{now} now waiting for a decision. Review them, then decide. Nothing was changed");
        return Err(RecordsError::Refused(why));
    }
    if ids.is_empty() {
        return Err(RecordsError::Refused("No line was chosen. Nothing was changed".to_owned()));
    }
    for some in ids.chunks(bulk_insert::MAX_PARAMETERS) {
        held_lines::Entity::update_many()
            .col_expr(held_lines::Column::Decision, Expr::value(decision))
            .col_expr(held_lines::Column::DecidedBy, Expr::value(actor.staff.map(|staff| staff.0)))
            .col_expr(held_lines::Column::DecidedOn, Expr::value(store.clock.today()))
            .filter(held_lines::Column::Id.is_in(some.iter().copied()))
            .exec(&tx)
            .await?;
    }
    let detail = format!("decision={}", decision.code());
    let events: Vec<_> = ids.iter().map(|id| (Subject::HeldLine(*id), None, detail.clone())).collect();
    audit::note_each(&tx, &store.clock, actor, AuditAction::HeldLineDecided, &events).await?;
    store.commit(tx).await?;
    Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
}

/// Rejects a decision about a line about which another person has decided meanwhile.
fn reject_unseen(
    rows: &[held_lines::Model],
    seen: &[(HeldLineId, Option<HeldDecision>)],
) -> Result<(), RecordsError> {
    let changed = rows.iter().find(|row| !seen.contains(&(HeldLineId(row.id), row.decision)));
    let Some(row) = changed else { return Ok(()) };
    let now = row.decision.map_or("none", HeldDecision::label);
    let why = format!(
        "The decision about held line {} was changed meanwhile: {now}. Review it, then decide",
        row.id
    );
    Err(RecordsError::Refused(format!("{why}. Nothing was changed")))
}

/// Removes the held lines of keys with which a user was created, so that no decision waits for nothing.
pub async fn settle(tx: &DatabaseTransaction, keys: &[KeyedDigest]) -> Result<(), DbErr> {
    if keys.is_empty() {
        return Ok(());
    }
    let digests = keys.iter().map(|key| key.0.as_str());
    held_lines::Entity::delete_many().filter(held_lines::Column::Digest.is_in(digests)).exec(tx).await?;
    Ok(())
}
