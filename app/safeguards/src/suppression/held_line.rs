//! Lines of import files that the suppression list holds, and the decisions about them. No value of a line is stored:
//! a line is recognised by the keyed digest of its suppressed key.

use super::check::{Checker, Suppressed};
use super::key::KeyedDigest;
use chrono::NaiveDate;
use db::entity::held_lines;
use db::pagination::{Page, Paging};
use db::{RecordsError, bulk_insert};
use policy::notification::Event;
use policy::suppression::{HeldDecision, HeldSource, KeyKind};
use policy::{Action, HeldLineId, UserNumber};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, Iterable,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::Serialize;
use std::collections::HashMap;
use trail::audit::{self, AuditAction, Subject};
use trail::outbox::{self, About};
use trail::person::{Name, Person};
use trail::{Actor, Store};

/// A line that the suppression list holds.
#[derive(Clone, Debug)]
pub struct SeenLine {
    /// The number of the line in the file.
    pub line: u64,
    /// The kind of its suppressed key.
    pub kind: KeyKind,
    /// The digest of its suppressed key.
    pub key: KeyedDigest,
    /// The digest of its content.
    pub content: String,
}

impl SeenLine {
    /// Returns the line if a suppressed key holds it. `content` is its whole content as text.
    pub fn of(checker: &Checker, found: &Suppressed, line: u64, content: &str) -> Option<Self> {
        let (kind, key) = found.held_by.clone()?;
        Some(Self { line, kind, key, content: checker.line_digest(content) })
    }
}

/// What an import does with a line that the suppression list holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LineFate {
    /// It waits for a decision.
    Held,
    /// It is skipped because of an earlier decision.
    Ignored,
    /// It creates a user because of this earlier decision.
    Creates(HeldDecision),
}

/// Records that a file has these lines, and returns what happens to each, in the same order.
///
/// A line that creates a user leaves the list of held lines: its decision is used.
pub async fn see(
    tx: &DatabaseTransaction,
    store: &Store,
    source: HeldSource,
    lines: &[SeenLine],
) -> Result<Vec<LineFate>, RecordsError> {
    let today = store.clock.today();
    let digests: Vec<&str> = lines.iter().map(|line| line.key.0.as_str()).collect();
    let known = held_lines::Entity::find().filter(held_lines::Column::Digest.is_in(digests)).all(tx).await?;
    let mut known: HashMap<String, held_lines::Model> =
        known.into_iter().map(|row| (row.digest.clone(), row)).collect();
    let mut fates = Vec::with_capacity(lines.len());
    let mut fresh: Vec<held_lines::ActiveModel> = Vec::new();
    let (mut used, mut unchanged) = (Vec::new(), Vec::new());
    for line in lines {
        let number = i64::try_from(line.line).unwrap_or(i64::MAX);
        let Some(row) = known.get(&line.key.0) else {
            let row = first_seen(line, source, number, today);
            known.insert(line.key.0.clone(), row.clone());
            fresh.push(held_lines::ActiveModel { id: sea_orm::NotSet, ..row.into() });
            fates.push(LineFate::Held);
            continue;
        };
        let is_changed = row.line_digest != line.content;
        fates.push(match row.decision {
            Some(decision) if decision.creates_user() => {
                used.push(row.id);
                LineFate::Creates(decision)
            }
            Some(HeldDecision::AlwaysIgnore) => LineFate::Ignored,
            Some(_) if !is_changed => LineFate::Ignored,
            _ => LineFate::Held,
        });
        // A row with id 0 belongs to an earlier line of this file.
        if row.id == 0 || used.last() == Some(&row.id) {
            continue;
        }
        if row.line == number && !is_changed {
            unchanged.push(row.id);
        } else {
            seen_again(tx, row, line, (source, number), today).await?;
        }
    }
    add(tx, fresh).await?;
    if fates.contains(&LineFate::Held) {
        // Files come every night: one notification a day is enough.
        let once = Some(format!("held_lines/{today}"));
        outbox::post(tx, &store.clock, Event::HeldLinesWaiting, About::default(), once).await?;
    }
    if !used.is_empty() {
        held_lines::Entity::delete_many().filter(held_lines::Column::Id.is_in(used)).exec(tx).await?;
    }
    if !unchanged.is_empty() {
        held_lines::Entity::update_many()
            .col_expr(held_lines::Column::LastSeenOn, Expr::value(today))
            .col_expr(held_lines::Column::TimesSeen, held_lines::Column::TimesSeen.into_expr().add(1))
            .filter(held_lines::Column::Id.is_in(unchanged))
            .exec(tx)
            .await?;
    }
    Ok(fates)
}

/// Inserts new rows. Another import may have inserted the same line in the meantime.
async fn add(tx: &DatabaseTransaction, rows: Vec<held_lines::ActiveModel>) -> Result<(), DbErr> {
    let unless = OnConflict::column(held_lines::Column::Digest).do_nothing().to_owned();
    for some in rows.chunks(bulk_insert::MAX_PARAMETERS / held_lines::Column::iter().count()) {
        let many = held_lines::Entity::insert_many(some.to_vec()).on_conflict(unless.clone());
        many.exec_without_returning(tx).await?;
    }
    Ok(())
}

fn first_seen(line: &SeenLine, source: HeldSource, number: i64, today: NaiveDate) -> held_lines::Model {
    held_lines::Model {
        id: 0,
        digest: line.key.0.clone(),
        kind: line.kind,
        source,
        line: number,
        line_digest: line.content.clone(),
        first_seen_on: today,
        last_seen_on: today,
        times_seen: 1,
        decision: None,
        decided_by: None,
        decided_on: None,
    }
}

/// Updates a line that has moved or changed. *Ignore* ends with a change.
async fn seen_again(
    tx: &DatabaseTransaction,
    row: &held_lines::Model,
    line: &SeenLine,
    (source, number): (HeldSource, i64),
    today: NaiveDate,
) -> Result<(), DbErr> {
    let asks_again = row.decision == Some(HeldDecision::Ignore) && row.line_digest != line.content;
    let mut update = held_lines::ActiveModel {
        id: Set(row.id),
        source: Set(source),
        line: Set(number),
        line_digest: Set(line.content.clone()),
        last_seen_on: Set(today),
        times_seen: Set(row.times_seen + 1),
        ..Default::default()
    };
    if asks_again {
        update.decision = Set(None);
        update.decided_by = Set(None);
        update.decided_on = Set(None);
    }
    update.update(tx).await?;
    Ok(())
}

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
    /// Where it arrived last.
    pub source: HeldSource,
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
    Ok(Page::of(rows, paging, |row| row.line.id.to_string()).map(Row::shown))
}

/// A row with the name of the member of staff.
struct Row {
    line: held_lines::Model,
    decider: Name,
}

impl sea_orm::FromQueryResult for Row {
    fn from_query_result(row: &sea_orm::QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let line = held_lines::Model::from_query_result(row, prefix)?;
        Ok(Self { line, decider: Name::of(row, "d")? })
    }
}

impl Row {
    fn shown(self) -> HeldLine {
        let Self { line, decider } = self;
        HeldLine {
            id: HeldLineId(line.id),
            kind: line.kind,
            source: line.source,
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

/// The lines to decide about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Chosen {
    /// These lines, whether decided or not.
    Lines(Vec<HeldLineId>),
    /// All lines that wait for a decision.
    Undecided,
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
    let mut select = held_lines::Entity::find().select_only().column(held_lines::Column::Id);
    select = match chosen {
        Chosen::Lines(lines) => select.filter(held_lines::Column::Id.is_in(lines.iter().map(|line| line.0))),
        Chosen::Undecided => select.filter(held_lines::Column::Decision.is_null()),
    };
    let ids: Vec<i64> =
        select.order_by_asc(held_lines::Column::Id).lock_exclusive().into_tuple().all(&tx).await?;
    if let Chosen::Lines(lines) = chosen
        && lines.iter().any(|line| !ids.contains(&line.0))
    {
        return Err(RecordsError::NotFound("held line"));
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

/// Removes the held lines of keys with which a user was created, so that no decision waits for nothing.
pub async fn settle(tx: &DatabaseTransaction, keys: &[KeyedDigest]) -> Result<(), DbErr> {
    if keys.is_empty() {
        return Ok(());
    }
    let digests = keys.iter().map(|key| key.0.as_str());
    held_lines::Entity::delete_many().filter(held_lines::Column::Digest.is_in(digests)).exec(tx).await?;
    Ok(())
}
