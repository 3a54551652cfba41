//! The review list: what the scans found, with the text as it stands now, and what staff decide about it.
//!
//! The value itself is not known any more. Staff see the text of the field, and know what kind of value stands in it.

use super::kind::ValueKind;
use super::places::{Place, places};
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::certificate;
use crate::dialect::{self, ColumnKind, TableFacts, quoted};
use crate::entity::{residue_hits, runs, users};
use crate::error::RecordsError;
use crate::hold;
use crate::page::{Page, Paging};
use crate::run::stored_policy;
use crate::store::Store;
use crate::undo::{Change, Undo};
use crate::user::display_name;
use chrono::{DateTime, Utc};
use policy::register::{self, Action, Class};
use policy::{LoanText, RunId, UserNumber};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Value,
};
use serde::Serialize;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// What was decided about a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The text was removed.
    Removed,
    /// The text stays: it is about somebody else.
    Kept,
    /// Nothing stood there any more.
    Gone,
}

impl Decision {
    /// All decisions.
    pub const ALL: [Self; 3] = [Self::Removed, Self::Kept, Self::Gone];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Kept => "kept",
            Self::Gone => "gone",
        }
    }

    /// The decision in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Removed => "Removed",
            Self::Kept => "Kept: about somebody else",
            Self::Gone => "No longer there",
        }
    }

    /// The decision with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.code() == code)
    }
}

/// Which places a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct FindingQuery {
    /// Of this run only.
    pub run: Option<RunId>,
    /// Of this anonymised user only.
    pub user: Option<UserNumber>,
    /// Decided ones, or open ones; both where it is None.
    pub decided: Option<bool>,
}

/// A place where a value of an anonymised user stands, or stood.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its id.
    pub id: i64,
    /// The run that searched.
    pub run: Option<RunId>,
    /// The anonymised user whose value it was.
    pub user: UserNumber,
    /// The random name of that user.
    pub name: String,
    /// How many other anonymised users had the same value.
    pub others: i64,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The table in words, as far as it is known.
    pub table_words: String,
    /// The column in words, as far as it is known.
    pub column_words: String,
    /// The key of the row.
    pub row: String,
    /// What kind of value it was.
    pub kind: Option<ValueKind>,
    /// When it was found.
    pub found_at: DateTime<Utc>,
    /// What was decided, by whom and when.
    pub decision: Option<(Decision, Option<UserNumber>, Option<DateTime<Utc>>)>,
    /// What stands there now.
    #[serde(skip)]
    pub now: Now,
}

/// What stands at a place now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Now {
    /// Nothing: the field is empty, or its row is gone.
    #[default]
    Nothing,
    /// It cannot be shown: the key of the row is itself the value, and so it was not noted, or nothing but whose row it
    /// is, and there are several.
    Untold,
    /// This text.
    Text {
        /// The text.
        text: String,
        /// Stands for the text, so that only what was seen is removed.
        seen: String,
        /// Whether it can be removed from here. What identifies another user is changed on that record.
        removable: bool,
        /// The user to whom the row belongs.
        owner: Option<UserNumber>,
    },
}

/// Lists places, the oldest first. Where several people had the same value it is one line.
pub async fn findings(
    store: &Store,
    query: &FindingQuery,
    paging: &Paging,
) -> Result<Page<Finding>, RecordsError> {
    let groups = groups(store, query, paging).await?;
    let ids = groups.rows.iter().map(|(id, _)| *id);
    let hits = residue_hits::Entity::find()
        .filter(residue_hits::Column::Id.is_in(ids))
        .order_by_asc(residue_hits::Column::Id)
        .all(&store.db)
        .await?;
    let numbers = hits.iter().map(|hit| hit.user_number);
    let people = users::Entity::find().filter(users::Column::Number.is_in(numbers)).all(&store.db).await?;
    let tables = dialect::tables(&store.db).await?;
    let mut rows = Vec::with_capacity(hits.len());
    for hit in hits {
        let person = people.iter().find(|user| user.number == hit.user_number);
        let group = groups.rows.iter().find(|(id, _)| *id == hit.id);
        let now = now_at(&store.db, &tables, &hit).await?;
        rows.push(finding(hit, person, group.map_or(0, |(_, people)| people - 1), now));
    }
    Ok(Page { rows, next: groups.next })
}

/// The first id of each place, and how many people had the value.
async fn groups(store: &Store, query: &FindingQuery, paging: &Paging) -> Result<Page<(i64, i64)>, DbErr> {
    let mut wheres = vec!["1 = 1".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    for (column, number) in
        [("run_id", query.run.map(|run| run.0)), ("user_number", query.user.map(|user| user.0))]
    {
        if let Some(number) = number {
            wheres.push(format!("{column} = ?"));
            values.push(number.into());
        }
    }
    match query.decided {
        Some(true) => wheres.push("decision IS NOT NULL".to_owned()),
        Some(false) => wheres.push("decision IS NULL".to_owned()),
        None => {}
    }
    let after = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or_default();
    values.push(after.into());
    let sql = format!(
        "SELECT MIN(id) AS id, COUNT(*) AS people FROM residue_hits WHERE {} \
         GROUP BY run_id, table_name, column_name, row_key, what, decision HAVING MIN(id) > ? ORDER BY 1 LIMIT {}",
        wheres.join(" AND "),
        paging.limit()
    );
    let rows =
        store.db.query_all_raw(dialect::statement(store.db.get_database_backend(), &sql, values)).await?;
    let rows = rows.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "people")?)));
    Ok(Page::of(rows.collect::<Result<Vec<_>, DbErr>>()?, paging, |(id, _)| id.to_string()))
}

fn finding(hit: residue_hits::Model, person: Option<&users::Model>, others: i64, now: Now) -> Finding {
    let table = register::table(&hit.table_name);
    let column = register::column(&hit.table_name, &hit.column_name);
    let decision = hit.decision.as_deref().and_then(Decision::from_code);
    Finding {
        id: hit.id,
        run: hit.run_id.map(RunId),
        user: UserNumber(hit.user_number),
        name: person.map(display_name).unwrap_or_default(),
        others,
        table_words: table.map_or_else(|| hit.table_name.clone(), |table| table.words.to_owned()),
        column_words: column.map_or_else(|| hit.column_name.clone(), |column| column.words.to_owned()),
        table: hit.table_name,
        column: hit.column_name,
        row: hit.row_key,
        kind: ValueKind::from_code(&hit.what),
        found_at: hit.found_at,
        decision: decision.map(|decision| (decision, hit.decided_by.map(UserNumber), hit.decided_at)),
        now,
    }
}

/// Decides about a place. A text is removed or kept only if it is still the one that was seen; removing it cannot be
/// undone.
/// What is decided holds for all users whose values were found at this place; each of the findings gets its own event.
/// None if it cannot be undone.
pub async fn decide(
    store: &Store,
    actor: Actor,
    id: i64,
    decision: Decision,
    seen: &str,
) -> Result<Option<Undo>, RecordsError> {
    actor.must(policy::Action::DecideResidue)?;
    let tx = store.begin().await?;
    let hit = residue_hits::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&tx)
        .await?
        .ok_or(RecordsError::NotFound("place of residue"))?;
    if hit.decision.is_some() {
        return Err(RecordsError::Stale);
    }
    let tables = dialect::tables(&tx).await?;
    let spot = Spot::of(&tables, &hit);
    let now = match &spot {
        Some(spot) => spot.now(&tx).await?,
        None => Now::Nothing,
    };
    let removed = decision == Decision::Removed;
    let is_one_place = now != Now::Untold;
    match (decision, now, &spot) {
        (Decision::Removed, Now::Text { seen: stands, removable, owner, .. }, Some(spot)) => {
            if stands != seen {
                return Err(RecordsError::Stale);
            }
            if !removable {
                return Err(RecordsError::Refused(
                    "This column identifies somebody: change it on that record. Nothing was removed"
                        .to_owned(),
                ));
            }
            if let Some(owner) = owner
                && hold::in_force(&tx, owner).await?
            {
                return Err(RecordsError::Refused(format!(
                    "A legal hold is in force: this stands in the record of user {owner}, from which nothing is \
                     removed until it is released. Nothing was removed"
                )));
            }
            let mark = leaves_mark(&tx, &hit).await?;
            spot.empty(&tx, mark).await?;
        }
        (Decision::Kept, Now::Text { seen: present, .. }, _) if present != seen => {
            return Err(RecordsError::Stale);
        }
        (Decision::Removed, ..) | (Decision::Gone, Now::Text { .. }, _) => return Err(RecordsError::Stale),
        _ => {}
    }
    let closed = at_same_place(&tx, &hit, decision, is_one_place).await?;
    close(&tx, store, actor, &closed, decision).await?;
    certificate::follow_place(&tx, store, &hit).await?;
    store.commit(tx).await?;
    if removed && dialect::sweep(&store.db, &[&quoted(&hit.table_name)]).await.is_err() {
        tracing::warn!("the database files could not be swept after a text was removed");
    }
    Ok((!removed).then(|| Undo::of(actor, Change::FindingDecided { finding: id }, 0)))
}

/// Whether the run of the place leaves a mark where it removes notes.
async fn leaves_mark(tx: &DatabaseTransaction, hit: &residue_hits::Model) -> Result<bool, RecordsError> {
    let Some(run) = hit.run_id else { return Ok(false) };
    let run = runs::Entity::find_by_id(run).one(tx).await?.ok_or(RecordsError::NotFound("run"))?;
    Ok(stored_policy(&run.policy)?.loan_text == LoanText::Mark)
}

/// The open findings that a decision closes: the one that was decided about, and the others at its place. Where only
/// the owner of the row is known, or not even that, another finding can be in another row.
async fn at_same_place(
    tx: &DatabaseTransaction,
    hit: &residue_hits::Model,
    decision: Decision,
    is_one_place: bool,
) -> Result<Vec<residue_hits::Model>, DbErr> {
    let mut same_place = residue_hits::Entity::find()
        .filter(residue_hits::Column::TableName.eq(hit.table_name.as_str()))
        .filter(residue_hits::Column::ColumnName.eq(hit.column_name.as_str()))
        .filter(residue_hits::Column::RowKey.eq(hit.row_key.as_str()))
        .filter(residue_hits::Column::Decision.is_null())
        .order_by_asc(residue_hits::Column::Id)
        .lock_exclusive();
    if !is_one_place {
        same_place = same_place.filter(residue_hits::Column::Id.eq(hit.id));
    }
    if decision == Decision::Kept {
        // Another kind of value in the same text is another question.
        same_place = same_place.filter(residue_hits::Column::What.eq(hit.what.as_str()));
    }
    same_place.all(tx).await
}

/// Closes these findings, which the transaction has locked, and writes one event for each.
pub(super) async fn close(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    hits: &[residue_hits::Model],
    decision: Decision,
) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let sql = format!(
        "UPDATE residue_hits SET decision = ?, decided_at = ?, decided_by = ? WHERE {}",
        dialect::among(backend, "id")
    );
    let list = dialect::list(backend, hits.iter().map(|hit| hit.id));
    let decided_by = actor.staff.map(|staff| staff.0);
    let values = vec![decision.code().into(), store.clock.now().into(), decided_by.into(), list];
    tx.execute_raw(dialect::statement(backend, &sql, values)).await?;
    let deed = match decision {
        Decision::Removed => Deed::ResidueRemoved,
        Decision::Kept => Deed::ResidueKept,
        Decision::Gone => Deed::ResidueGone,
    };
    let mut events = Vec::with_capacity(hits.len());
    for hit in hits {
        let detail = format!("finding={},{}.{}", hit.id, hit.table_name, hit.column_name);
        events.push((Subject::User(hit.user_number), hit.run_id.map(RunId), detail));
    }
    audit::note_each(tx, &store.clock, actor, deed, &events).await
}

/// What stands now where something was found.
pub(super) async fn now_at(
    db: &impl ConnectionTrait,
    tables: &[TableFacts],
    hit: &residue_hits::Model,
) -> Result<Now, DbErr> {
    match Spot::of(tables, hit) {
        Some(spot) => spot.now(db).await,
        None => Ok(Now::Nothing),
    }
}

/// A field of a row.
pub(super) struct Spot<'a> {
    pub(super) place: Place,
    pub(super) facts: &'a TableFacts,
    pub(super) column: &'a dialect::ColumnFacts,
    row: &'a str,
}

impl<'a> Spot<'a> {
    /// None where table or column are gone.
    pub(super) fn of(tables: &'a [TableFacts], hit: &'a residue_hits::Model) -> Option<Self> {
        let facts = tables.iter().find(|table| table.name == hit.table_name)?;
        let column = facts.columns.iter().find(|column| column.name == hit.column_name)?;
        let place = places(std::slice::from_ref(facts)).0.pop()?;
        Some(Self { place, facts, column, row: &hit.row_key })
    }

    async fn now(&self, db: &impl ConnectionTrait) -> Result<Now, DbErr> {
        let backend = db.get_database_backend();
        let Some((row, values)) = self.place.key.is(backend, self.row) else { return Ok(Now::Untold) };
        let sql = format!(
            "SELECT CAST(t.{} AS TEXT) AS text, CAST({} AS BIGINT) AS owner FROM {} AS t WHERE {row} LIMIT 2",
            quoted(&self.column.name),
            self.place.owner_sql().unwrap_or("NULL"),
            quoted(&self.facts.name)
        );
        let rows = db.query_all_raw(dialect::statement(backend, &sql, values)).await?;
        let row = match &rows[..] {
            [] => return Ok(Now::Nothing),
            [row] => row,
            // Named by their owner only: which of them it was is not known, and another one must not be shown.
            _ => return Ok(Now::Untold),
        };
        let text: Option<String> = row.try_get("", "text")?;
        let text = text.filter(|text| !text.is_empty() && text != LoanText::MARK);
        let Some(text) = text else { return Ok(Now::Nothing) };
        let owner: Option<i64> = row.try_get("", "owner")?;
        Ok(Now::Text {
            seen: seen(&text),
            text,
            removable: self.is_removable(),
            owner: owner.map(UserNumber),
        })
    }

    /// Free text can be removed, and what anonymising empties too; not what identifies a user who is there, and no code.
    fn is_removable(&self) -> bool {
        let fits = self.column.nullable || self.column.kind == ColumnKind::Text;
        match register::column(&self.facts.name, &self.column.name) {
            None => fits,
            Some(entry) => {
                let is_cleared = matches!(entry.action, Action::Clear | Action::ClearText);
                entry.class == Class::FreeText || is_cleared && self.facts.name != "users"
            }
        }
    }

    /// Empties the field; the mark is left where the field cannot be empty, or where it says that there was a note.
    async fn empty(&self, tx: &DatabaseTransaction, mark: bool) -> Result<(), RecordsError> {
        let backend = tx.get_database_backend();
        let entry = register::column(&self.facts.name, &self.column.name);
        let is_note = entry.is_some_and(|entry| entry.action == Action::ClearText);
        let set = if self.column.nullable && !(mark && is_note) {
            "NULL".to_owned()
        } else {
            format!("'{}'", LoanText::MARK)
        };
        // Whoever has the form open must not write the text back.
        let counts_changes = register::column(&self.facts.name, "version").is_some();
        let version = if counts_changes { ", version = version + 1" } else { "" };
        let Some((row, values)) = self.place.key.is(backend, self.row) else {
            return Err(RecordsError::Stale);
        };
        let sql = format!(
            "UPDATE {} AS t SET {} = {set}{version} WHERE {row}",
            quoted(&self.facts.name),
            quoted(&self.column.name)
        );
        let changed = tx.execute_raw(dialect::statement(backend, &sql, values)).await?.rows_affected();
        if changed == 1 { Ok(()) } else { Err(RecordsError::Stale) }
    }
}

/// Stands for a text on a page. It is stored nowhere.
fn seen(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
