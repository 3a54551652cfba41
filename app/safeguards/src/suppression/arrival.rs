//! Lines of import files, and requests of identity systems, that the suppression list holds. No value of a line is
//! stored: a line is recognised by the keyed digests of its suppressed key and of its content.

use super::check::{Checker, Suppressed};
use super::key::KeyedDigest;
use chrono::NaiveDate;
use db::entity::held_lines;
use db::{RecordsError, bulk_insert};
use policy::notification::Event;
use policy::suppression::{HeldDecision, HeldSource, KeyKind};
use policy::{HeldLineId, ImportId};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, Iterable, QueryFilter};
use std::collections::{HashMap, HashSet};
use trail::Store;
use trail::outbox::{self, About};

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
    pub fn new(checker: &Checker, found: &Suppressed, line: u64, content: &str) -> Option<Self> {
        let (kind, key) = found.held_by.clone()?;
        Some(Self { line, kind, key, content: checker.line_digest(content) })
    }
}

/// The treatment of a line that the suppression list holds, by an import.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LineFate {
    /// It waits for a decision.
    Held,
    /// It is skipped because of an earlier decision.
    Ignored,
    /// It creates a user because of this decision about this held line. [`spend`] ends the decision.
    Creates(HeldDecision, HeldLineId),
}

/// An import, or a request of an identity system, whose lines are compared with the held lines.
#[derive(Debug)]
pub struct Arrival {
    source: HeldSource,
    import: Option<ImportId>,
    /// The held lines so far, by the digests of key and content.
    seen: HashSet<(String, String)>,
}

impl Arrival {
    /// Returns an arrival without lines. An import that is not in the history yet has no id.
    pub fn new(source: HeldSource, import: Option<ImportId>) -> Self {
        Self { source, import, seen: HashSet::new() }
    }

    /// Records lines, and returns what happens to each, in the same order.
    pub async fn record_lines(
        &mut self,
        tx: &DatabaseTransaction,
        store: &Store,
        lines: &[SeenLine],
    ) -> Result<Vec<LineFate>, RecordsError> {
        let today = store.clock.today();
        let mut known = Self::known(tx, lines).await?;
        let mut fates = Vec::with_capacity(lines.len());
        let (mut fresh, mut unchanged) = (Vec::new(), Vec::new());
        self.seen.extend(lines.iter().map(|line| (line.key.0.clone(), line.content.clone())));
        for line in lines {
            let rows = known.entry(line.key.0.clone()).or_default();
            let is_always_ignored = rows.iter().any(|row| row.decision == Some(HeldDecision::AlwaysIgnore));
            let found = self.row_of(rows, line).and_then(|place| rows.get_mut(place));
            let Some(row) = found else {
                if is_always_ignored {
                    fates.push(LineFate::Ignored);
                    continue;
                }
                let row = self.first_seen(line, today);
                rows.push(row.clone());
                fresh.push(held_lines::ActiveModel { id: sea_orm::NotSet, ..row.into() });
                fates.push(LineFate::Held);
                continue;
            };
            let fate = if is_always_ignored { LineFate::Ignored } else { fate_of(row, line) };
            fates.push(fate);
            // A row with id 0 belongs to an equal line before this one.
            if row.id == 0 {
                continue;
            }
            if let LineFate::Creates(_, used) = fate {
                rows.retain(|row| row.id != used.0);
            } else if row.line == number(line) && row.line_digest == line.content {
                unchanged.push(row.id);
            } else {
                self.seen_again(tx, row, line, today).await?;
            }
        }
        add(tx, fresh).await?;
        if fates.contains(&LineFate::Held) {
            // Files come every night: one notification a day is enough.
            let once = Some(format!("held_lines/{today}"));
            outbox::post(tx, &store.clock, Event::HeldLinesWaiting, About::default(), once).await?;
        }
        if !unchanged.is_empty() {
            held_lines::Entity::update_many()
                .col_expr(held_lines::Column::ImportId, Expr::value(self.import_id()))
                .col_expr(held_lines::Column::LastSeenOn, Expr::value(today))
                .col_expr(held_lines::Column::TimesSeen, held_lines::Column::TimesSeen.into_expr().add(1))
                .filter(held_lines::Column::Id.is_in(unchanged))
                .exec(tx)
                .await?;
        }
        Ok(fates)
    }

    /// Returns the held lines with the keys of these lines.
    async fn known(
        tx: &DatabaseTransaction,
        lines: &[SeenLine],
    ) -> Result<HashMap<String, Vec<held_lines::Model>>, DbErr> {
        let digests = lines.iter().map(|line| line.key.0.as_str());
        let rows =
            held_lines::Entity::find().filter(held_lines::Column::Digest.is_in(digests)).all(tx).await?;
        let mut known = HashMap::<String, Vec<held_lines::Model>>::new();
        for row in rows {
            known.entry(row.digest.clone()).or_default().push(row);
        }
        Ok(known)
    }

    /// Returns the position of the row about a line from this source. It is the row with its content, or else the only
    /// row with its key, whose content has changed.
    ///
    /// Several people can share a key, such as an e-mail address. The decision about one of them is none about the
    /// others. A line with the same key as another one of this arrival is therefore a separate held line.
    fn row_of(&self, rows: &[held_lines::Model], line: &SeenLine) -> Option<usize> {
        let mut ours = rows.iter().enumerate().filter(|(_, row)| row.source == self.source);
        let same = ours.clone().find(|(_, row)| row.line_digest == line.content);
        if let Some((place, _)) = same {
            return Some(place);
        }
        let (place, only) = ours.next()?;
        let is_seen = only.id == 0 || self.seen.contains(&(only.digest.clone(), only.line_digest.clone()));
        (ours.next().is_none() && !is_seen).then_some(place)
    }

    fn import_id(&self) -> Option<i64> {
        self.import.map(|import| import.0)
    }

    fn first_seen(&self, line: &SeenLine, today: NaiveDate) -> held_lines::Model {
        held_lines::Model {
            id: 0,
            digest: line.key.0.clone(),
            kind: line.kind,
            source: self.source,
            import_id: self.import_id(),
            line: number(line),
            line_digest: line.content.clone(),
            first_seen_on: today,
            last_seen_on: today,
            times_seen: 1,
            decision: None,
            decided_by: None,
            decided_on: None,
        }
    }

    /// Updates a line that has moved or changed. A decision about this line alone ends with a change.
    async fn seen_again(
        &self,
        tx: &DatabaseTransaction,
        row: &mut held_lines::Model,
        line: &SeenLine,
        today: NaiveDate,
    ) -> Result<(), DbErr> {
        let is_changed = row.line_digest != line.content;
        let mut update = held_lines::Entity::update_many()
            .col_expr(held_lines::Column::ImportId, Expr::value(self.import_id()))
            .col_expr(held_lines::Column::Line, Expr::value(number(line)))
            .col_expr(held_lines::Column::LineDigest, Expr::value(line.content.clone()))
            .col_expr(held_lines::Column::LastSeenOn, Expr::value(today))
            .col_expr(held_lines::Column::TimesSeen, held_lines::Column::TimesSeen.into_expr().add(1))
            .filter(held_lines::Column::Id.eq(row.id));
        if let Some(decision) = row.decision.filter(|decision| is_changed && is_about_line(*decision, line)) {
            (row.decision, row.decided_by, row.decided_on) = (None, None, None);
            update = update
                .col_expr(held_lines::Column::Decision, Expr::value(Option::<String>::None))
                .col_expr(held_lines::Column::DecidedBy, Expr::value(Option::<i64>::None))
                .col_expr(held_lines::Column::DecidedOn, Expr::value(Option::<NaiveDate>::None))
                // Staff can have decided since the row was read.
                .filter(held_lines::Column::Decision.eq(decision));
        }
        row.line_digest.clone_from(&line.content);
        update.exec(tx).await?;
        Ok(())
    }
}

fn number(line: &SeenLine) -> i64 {
    i64::try_from(line.line).unwrap_or(i64::MAX)
}

fn fate_of(row: &held_lines::Model, line: &SeenLine) -> LineFate {
    let Some(decision) = row.decision else { return LineFate::Held };
    if row.line_digest != line.content && is_about_line(decision, line) {
        return LineFate::Held;
    }
    if decision.creates_user() { LineFate::Creates(decision, HeldLineId(row.id)) } else { LineFate::Ignored }
}

/// Returns whether a decision is about the line as it was. An external identifier belongs to one person, who is created
/// even if the line has changed. Several people can share another key.
fn is_about_line(decision: HeldDecision, line: &SeenLine) -> bool {
    match decision {
        HeldDecision::Ignore => true,
        HeldDecision::AlwaysIgnore => false,
        HeldDecision::NewMembership | HeldDecision::DifferentPerson => line.kind != KeyKind::ExternalId,
    }
}

/// Removes held lines whose decisions have created or changed users.
pub async fn spend(tx: &DatabaseTransaction, lines: &[HeldLineId]) -> Result<(), DbErr> {
    for some in lines.chunks(bulk_insert::MAX_PARAMETERS) {
        let ids = some.iter().map(|line| line.0);
        held_lines::Entity::delete_many().filter(held_lines::Column::Id.is_in(ids)).exec(tx).await?;
    }
    Ok(())
}

/// Inserts new rows. Another import may have inserted the same line in the meantime.
async fn add(tx: &DatabaseTransaction, rows: Vec<held_lines::ActiveModel>) -> Result<(), DbErr> {
    let key = [held_lines::Column::Digest, held_lines::Column::Source, held_lines::Column::LineDigest];
    let unless = OnConflict::columns(key).do_nothing().to_owned();
    for some in rows.chunks(bulk_insert::MAX_PARAMETERS / held_lines::Column::iter().count()) {
        let many = held_lines::Entity::insert_many(some.to_vec()).on_conflict(unless.clone());
        many.exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Names the import of the held lines that have none: those of an import that is in the history only at its end.
pub async fn set_import(tx: &DatabaseTransaction, import: ImportId) -> Result<(), DbErr> {
    held_lines::Entity::update_many()
        .col_expr(held_lines::Column::ImportId, Expr::value(import.0))
        .filter(held_lines::Column::ImportId.is_null())
        .filter(held_lines::Column::Source.eq(HeldSource::Users))
        .exec(tx)
        .await?;
    Ok(())
}
