//! The review list: findings, their current text and the decisions that staff make.
//!
//! Lethe no longer knows the value. Staff see the current text of the field and the kind of value that was found.

use super::searched_tables::{SearchedTable, searched_tables};
use crate::certificate;
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::dialect::{self, ColumnKind, TableFacts, quoted};
use db::entity::{findings, runs, users};
use db::pagination::{Page, Paging};
use policy::personal_data::{self, DataClass, ErasureAction};
use policy::residue::{FindingDecision, ValueKind};
use policy::{NoteTreatment, RunId, UserNumber};
use safeguards::legal_hold;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
};
use serde::Serialize;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use trail::audit::{self, AuditAction, Subject};
use trail::person::display_name;
use trail::undoable::Change;
use trail::{Actor, Store, Undo};

/// Filter for a list of findings.
#[derive(Clone, Copy, Debug, Default)]
pub struct FindingQuery {
    /// Only findings of this run.
    pub run: Option<RunId>,
    /// Only findings of this anonymised user.
    pub user: Option<UserNumber>,
    /// Only decided findings (`true`) or only open ones (`false`).
    pub decided: Option<bool>,
}

/// A place where a value of an anonymised user is, or was, stored.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Number of the finding.
    pub id: i64,
    /// The run whose search found it.
    pub run: Option<RunId>,
    /// The anonymised user who had the value.
    pub user: UserNumber,
    /// The replacement name of that user.
    pub name: String,
    /// Number of other anonymised users who had the same value.
    pub others: i64,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Label of the table; its name if the register doesn't contain it.
    pub table_label: String,
    /// Label of the column; its name if the register doesn't contain it.
    pub column_label: String,
    /// Key of the row.
    pub row: String,
    /// Kind of the value.
    pub kind: ValueKind,
    /// When it was found.
    pub found_at: DateTime<Utc>,
    /// The decision, the member of staff who made it, and the time.
    pub decision: Option<(FindingDecision, Option<UserNumber>, Option<DateTime<Utc>>)>,
    /// The current text.
    #[serde(skip)]
    pub now: CurrentText,
}

/// The current text at a finding.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum CurrentText {
    /// The field is empty, or the row doesn't exist.
    #[default]
    Nothing,
    /// The text can't be shown: the key was redacted because it contains the value, or it matches several rows.
    Unreadable,
    /// This text.
    Text {
        /// The text of the field.
        text: String,
        /// Hash of the text. A decision must send it back, so that it applies only to the text that was shown.
        seen: String,
        /// Whether it can be removed here. A field that identifies another user must be changed on that user's
        /// record.
        removable: bool,
        /// The owner of the row.
        owner: Option<UserNumber>,
    },
}

/// Returns findings, oldest first. Findings of several users at one place are returned as one.
pub async fn findings(
    store: &Store,
    query: &FindingQuery,
    paging: &Paging,
) -> Result<Page<Finding>, RecordsError> {
    let groups = groups(store, query, paging).await?;
    let ids = groups.rows.iter().map(|(id, _)| *id);
    let findings = findings::Entity::find()
        .filter(findings::Column::Id.is_in(ids))
        .order_by_asc(findings::Column::Id)
        .all(&store.db)
        .await?;
    let numbers = findings.iter().map(|finding| finding.user_number);
    let people = users::Entity::find().filter(users::Column::Number.is_in(numbers)).all(&store.db).await?;
    let tables = dialect::tables(&store.db).await?;
    let mut rows = Vec::with_capacity(findings.len());
    for finding in findings {
        let person = people.iter().find(|user| user.number == finding.user_number);
        let group = groups.rows.iter().find(|(id, _)| *id == finding.id);
        let now = now_at(&store.db, &tables, &finding).await?;
        rows.push(describe(finding, person, group.map_or(0, |(_, people)| people - 1), now));
    }
    Ok(Page { rows, next: groups.next, previous: None })
}

/// Returns the first finding at each place, and the number of users who had the value.
async fn groups(store: &Store, query: &FindingQuery, paging: &Paging) -> Result<Page<(i64, i64)>, DbErr> {
    let decision = findings::Column::Decision;
    let after = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or_default();
    let rows: Vec<(i64, i64)> = findings::Entity::find()
        .select_only()
        .column_as(findings::Column::Id.min(), "first")
        .column_as(findings::Column::Id.count(), "people")
        .apply_if(query.run, |findings, run| findings.filter(findings::Column::RunId.eq(run.0)))
        .apply_if(query.user, |findings, user| findings.filter(findings::Column::UserNumber.eq(user.0)))
        .apply_if(query.decided, |findings, decided| {
            findings.filter(if decided { decision.is_not_null() } else { decision.is_null() })
        })
        .group_by(findings::Column::RunId)
        .group_by(findings::Column::TableName)
        .group_by(findings::Column::ColumnName)
        .group_by(findings::Column::RowKey)
        .group_by(findings::Column::What)
        .group_by(decision)
        .having(findings::Column::Id.min().gt(after))
        .order_by_asc(findings::Column::Id.min())
        .limit(paging.limit())
        .into_tuple()
        .all(&store.db)
        .await?;
    Ok(Page::from_rows(rows, paging, |(id, _)| id.to_string()))
}

fn describe(
    finding: findings::Model,
    person: Option<&users::Model>,
    others: i64,
    now: CurrentText,
) -> Finding {
    let table = personal_data::table(&finding.table_name);
    let column = personal_data::column(&finding.table_name, &finding.column_name);
    Finding {
        id: finding.id,
        run: finding.run_id.map(RunId),
        user: UserNumber(finding.user_number),
        name: person.map(display_name).unwrap_or_default(),
        others,
        table_label: table.map_or_else(|| finding.table_name.clone(), |table| table.label.to_owned()),
        column_label: column.map_or_else(|| finding.column_name.clone(), |column| column.label.to_owned()),
        table: finding.table_name,
        column: finding.column_name,
        row: finding.row_key,
        kind: finding.what,
        found_at: finding.found_at,
        decision: finding
            .decision
            .map(|decision| (decision, finding.decided_by.map(UserNumber), finding.decided_at)),
        now,
    }
}

/// Decides on a finding, for all users whose values were found at this place. Each finding gets its own audit
/// event.
///
/// A text is removed or kept only if it is still the one that was shown (`seen`). Returns how to undo the
/// decision, or `None` after a removal, which can't be undone.
pub async fn decide(
    store: &Store,
    actor: Actor,
    id: i64,
    decision: FindingDecision,
    seen: &str,
) -> Result<Option<Undo>, RecordsError> {
    actor.require(policy::Action::DecideResidue)?;
    let tx = store.begin().await?;
    let finding = findings::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&tx)
        .await?
        .ok_or(RecordsError::NotFound("finding"))?;
    if finding.decision.is_some() {
        return Err(RecordsError::Stale);
    }
    let tables = dialect::tables(&tx).await?;
    let cell = CellRef::find(&tables, &finding);
    let now = match &cell {
        Some(cell) => cell.now(&tx).await?,
        None => CurrentText::Nothing,
    };
    let removed = decision == FindingDecision::Removed;
    let is_one_place = now != CurrentText::Unreadable;
    match (decision, now, &cell) {
        (FindingDecision::Removed, CurrentText::Text { seen: current, removable, owner, .. }, Some(cell)) => {
            if current != seen {
                return Err(RecordsError::Stale);
            }
            if !removable {
                return Err(RecordsError::Refused(
                    "This field identifies another user. Change it on that user's record. Nothing was removed"
                        .to_owned(),
                ));
            }
            if let Some(owner) = owner
                && legal_hold::in_force(&tx, owner).await?
            {
                return Err(RecordsError::Refused(format!(
                    "User {owner} is under a legal hold. Release it before you remove anything from this user's \
                     record. Nothing was removed"
                )));
            }
            let mark = leaves_mark(&tx, &finding).await?;
            cell.empty(&tx, mark).await?;
        }
        (FindingDecision::Kept, CurrentText::Text { seen: present, .. }, _) if present != seen => {
            return Err(RecordsError::Stale);
        }
        (FindingDecision::Removed, ..) | (FindingDecision::Gone, CurrentText::Text { .. }, _) => {
            return Err(RecordsError::Stale);
        }
        _ => {}
    }
    let closed = at_same_place(&tx, &finding, decision, is_one_place).await?;
    close(&tx, store, actor, &closed, decision).await?;
    certificate::follow_place(&tx, store, &finding).await?;
    store.commit(tx).await?;
    if removed && dialect::checkpoint(&store.db, &[&quoted(&finding.table_name)]).await.is_err() {
        tracing::warn!("the database files could not be cleaned after a text was removed");
    }
    Ok((!removed).then(|| Undo::new(actor, Change::FindingDecided { finding: id }, 0)))
}

/// Returns whether the policy of the finding's run replaces notes by a mark.
async fn leaves_mark(tx: &DatabaseTransaction, finding: &findings::Model) -> Result<bool, RecordsError> {
    let Some(run) = finding.run_id else { return Ok(false) };
    let run = runs::Entity::find_by_id(run).one(tx).await?.ok_or(RecordsError::NotFound("run"))?;
    Ok(run.settings.policy().is_some_and(|policy| policy.circulation_notes == NoteTreatment::Mark))
}

/// Returns the open findings that a decision closes: this one and the others at the same place.
///
/// If the key doesn't identify exactly one row, only this finding is closed, because the others may be in other
/// rows.
async fn at_same_place(
    tx: &DatabaseTransaction,
    finding: &findings::Model,
    decision: FindingDecision,
    is_one_place: bool,
) -> Result<Vec<findings::Model>, DbErr> {
    let mut same_place = findings::Entity::find()
        .filter(findings::Column::TableName.eq(finding.table_name.as_str()))
        .filter(findings::Column::ColumnName.eq(finding.column_name.as_str()))
        .filter(findings::Column::RowKey.eq(finding.row_key.as_str()))
        .filter(findings::Column::Decision.is_null())
        .order_by_asc(findings::Column::Id)
        .lock_exclusive();
    if !is_one_place {
        same_place = same_place.filter(findings::Column::Id.eq(finding.id));
    }
    if decision == FindingDecision::Kept {
        // Another kind of value in the same text needs its own decision.
        same_place = same_place.filter(findings::Column::What.eq(finding.what));
    }
    same_place.all(tx).await
}

/// Closes these findings, which the transaction has locked, and records one audit event for each.
pub(super) async fn close(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    findings: &[findings::Model],
    decision: FindingDecision,
) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    // Raw SQL: `dialect::in_list` takes any number of findings as one value.
    let sql = format!(
        "UPDATE findings SET decision = ?, decided_at = ?, decided_by = ? WHERE {}",
        dialect::in_list(backend, "id")
    );
    let list = dialect::id_list(backend, findings.iter().map(|finding| finding.id));
    let decided_by = actor.staff.map(|staff| staff.0);
    let values = vec![decision.into(), store.clock.now().into(), decided_by.into(), list];
    tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
    let action = match decision {
        FindingDecision::Removed => AuditAction::ResidueRemoved,
        FindingDecision::Kept => AuditAction::ResidueKept,
        FindingDecision::Gone => AuditAction::ResidueGone,
    };
    let mut events = Vec::with_capacity(findings.len());
    for finding in findings {
        let detail = format!("finding={},{}.{}", finding.id, finding.table_name, finding.column_name);
        events.push((Subject::User(finding.user_number), finding.run_id.map(RunId), detail));
    }
    audit::note_each(tx, &store.clock, actor, action, &events).await
}

/// Returns the current text at a finding.
pub(super) async fn now_at(
    db: &impl ConnectionTrait,
    tables: &[TableFacts],
    finding: &findings::Model,
) -> Result<CurrentText, DbErr> {
    match CellRef::find(tables, finding) {
        Some(cell) => cell.now(db).await,
        None => Ok(CurrentText::Nothing),
    }
}

/// A field of a row.
pub(super) struct CellRef<'a> {
    pub(super) searched: SearchedTable,
    pub(super) facts: &'a TableFacts,
    pub(super) column: &'a dialect::ColumnFacts,
    row: &'a str,
}

impl<'a> CellRef<'a> {
    /// Returns the field of a finding, or `None` if its table or column doesn't exist.
    pub(super) fn find(tables: &'a [TableFacts], finding: &'a findings::Model) -> Option<Self> {
        let facts = tables.iter().find(|table| table.name == finding.table_name)?;
        let column = facts.columns.iter().find(|column| column.name == finding.column_name)?;
        let searched = searched_tables(std::slice::from_ref(facts)).0.pop()?;
        Some(Self { searched, facts, column, row: &finding.row_key })
    }

    async fn now(&self, db: &impl ConnectionTrait) -> Result<CurrentText, DbErr> {
        let backend = db.get_database_backend();
        let Some((row, values)) = self.searched.key.is(backend, self.row) else {
            return Ok(CurrentText::Unreadable);
        };
        // Raw SQL: the finding names the table and the column, and no entity covers all of them.
        let sql = format!(
            "SELECT CAST(t.{} AS TEXT) AS text, CAST({} AS BIGINT) AS owner FROM {} AS t WHERE {row} LIMIT 2",
            quoted(&self.column.name),
            self.searched.owner_sql().unwrap_or("NULL"),
            quoted(&self.facts.name)
        );
        let rows = db.query_all_raw(dialect::bind(backend, &sql, values)).await?;
        let row = match &rows[..] {
            [] => return Ok(CurrentText::Nothing),
            [row] => row,
            // The key is only the owner's number and matches several rows. Showing the wrong row would disclose
            // other data.
            _ => return Ok(CurrentText::Unreadable),
        };
        let text: Option<String> = row.try_get("", "text")?;
        let text = text.filter(|text| !text.is_empty() && text != NoteTreatment::MARK);
        let Some(text) = text else { return Ok(CurrentText::Nothing) };
        let owner: Option<i64> = row.try_get("", "owner")?;
        Ok(CurrentText::Text {
            seen: seen(&text),
            text,
            removable: self.is_removable(),
            owner: owner.map(UserNumber),
        })
    }

    /// Returns whether the field can be emptied: free text, or a field that anonymising clears outside `users`.
    ///
    /// Codes and fields that identify an existing user can't be emptied here.
    fn is_removable(&self) -> bool {
        let fits = self.column.nullable || self.column.kind == ColumnKind::Text;
        match personal_data::column(&self.facts.name, &self.column.name) {
            None => fits,
            Some(entry) => {
                let is_cleared = matches!(entry.action, ErasureAction::Clear | ErasureAction::ClearText);
                entry.class == DataClass::FreeText || is_cleared && self.facts.name != "users"
            }
        }
    }

    /// Empties the field. Writes the mark instead if the field is not nullable, or if `mark` is set and it is a
    /// note.
    async fn empty(&self, tx: &DatabaseTransaction, mark: bool) -> Result<(), RecordsError> {
        let backend = tx.get_database_backend();
        let entry = personal_data::column(&self.facts.name, &self.column.name);
        let is_note = entry.is_some_and(|entry| entry.action == ErasureAction::ClearText);
        let set = if self.column.nullable && !(mark && is_note) {
            "NULL".to_owned()
        } else {
            format!("'{}'", NoteTreatment::MARK)
        };
        // A form opened earlier must not write the text back.
        let counts_changes = personal_data::column(&self.facts.name, "version").is_some();
        let version = if counts_changes { ", version = version + 1" } else { "" };
        let Some((row, values)) = self.searched.key.is(backend, self.row) else {
            return Err(RecordsError::Stale);
        };
        // Raw SQL: the finding names the table and the column.
        let sql = format!(
            "UPDATE {} AS t SET {} = {set}{version} WHERE {row}",
            quoted(&self.facts.name),
            quoted(&self.column.name)
        );
        let changed = tx.execute_raw(dialect::bind(backend, &sql, values)).await?.rows_affected();
        if changed == 1 { Ok(()) } else { Err(RecordsError::Stale) }
    }
}

/// Returns a hash that identifies a text on a page. It is not stored.
fn seen(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
