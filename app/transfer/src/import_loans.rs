//! Imports loans.

use super::activity::move_activity;
use super::borrower::{self, Without};
use super::import_limits;
use super::import_users::ANONYMISED;
use super::loan_line::LoanLine;
use super::order::{ImportOrder, Imported, complete};
use super::problem::{FileProblems, LineProblem, TransferError, in_cell};
use super::reader::{Header, Line, Source};
use super::report::Report;
use super::term_codes::TermCodes;
use super::write::update_rows;
use super::{ImportSummary, ROWS_PER_CHUNK};
use chrono::NaiveDate;
use db::RecordsError;
use db::bulk_insert::insert;
use db::entity::{catalogue_records, items, loans, users};
use policy::import_options::ImportMode;
use safeguards::suppression::check::Checker;
use sea_orm::ActiveValue::NotSet;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, Insert, IntoActiveModel, QueryFilter, Set,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use trail::{Actor, Store};

/// Imports loans. A check rolls everything back.
pub(super) async fn import(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<Imported, TransferError> {
    let source = Source::open(order, &[])?;
    let mode = order.options.mode;
    if mode == ImportMode::AllOrNothing {
        check(&source, store.clock.today())?;
    }
    let tx = store.begin().await?;
    let mut lines = source.lines()?;
    let mut import = Import {
        checker: Checker::open(&tx, store).await?,
        today: store.clock.today(),
        header: Arc::clone(lines.header()),
        summary: ImportSummary::default(),
        problems: FileProblems::default(),
        report: Report::default(),
        codes: TermCodes::load(&tx).await?,
        seen: HashSet::new(),
    };
    let mut chunk = Vec::with_capacity(ROWS_PER_CHUNK);
    loop {
        let line = lines.next()?;
        let ended = line.is_none();
        if let Some(line) = import.read(line) {
            chunk.push(line);
        }
        if chunk.len() == ROWS_PER_CHUNK || ended {
            import.write(&tx, std::mem::take(&mut chunk)).await?;
            order.watch.advance(import.summary.lines)?;
        }
        if ended {
            break;
        }
    }
    if mode == ImportMode::AllOrNothing {
        import.problems.refuse()?;
    }
    let Import { mut summary, problems, report, .. } = import;
    summary.rejected = problems.lines();
    let sha256 = lines.sha256();
    let counts = (summary.lines, problems.damaged_keys());
    let (stop, confirmed) = import_limits::of_lines(&tx, store, actor, (order, &sha256), counts).await?;
    let detail = format!("created={},changed={}{confirmed}", summary.created, summary.changed);
    let imported = Imported { summary, sha256, report: report.with_rejected(&problems), stop };
    complete(store, tx, actor, order, (imported, &detail)).await
}

/// First pass: validates each line separately, without the database.
fn check(source: &Source, today: NaiveDate) -> Result<(), TransferError> {
    let mut problems = FileProblems::default();
    let mut lines = source.lines()?;
    while let Some(line) = lines.next()? {
        match line.map(|line| (line.number, LoanLine::of(&line, today))) {
            Ok((_, Ok(_))) => {}
            Ok((number, Err(errors))) => problems.add_fields(number, errors),
            Err(problem) => problems.add(problem),
        }
    }
    problems.refuse()
}

/// Identifies a loan: user, item and issue date.
type LoanKey = (i64, i64, NaiveDate);

struct Import {
    checker: Checker,
    today: NaiveDate,
    header: Arc<Header>,
    summary: ImportSummary,
    problems: FileProblems,
    report: Report,
    codes: TermCodes,
    /// Loans of the lines so far, for a few bytes each.
    seen: HashSet<LoanKey>,
}

impl Import {
    fn read(&mut self, line: Option<Result<Line, LineProblem>>) -> Option<LoanLine> {
        let line = line?;
        self.summary.lines += 1;
        let line = line.map_err(|problem| self.problems.add(problem)).ok()?;
        line.notes.iter().for_each(|note| self.report.note(note));
        LoanLine::of(&line, self.today).map_err(|errors| self.problems.add_fields(line.number, errors)).ok()
    }

    async fn write(&mut self, tx: &DatabaseTransaction, lines: Vec<LoanLine>) -> Result<(), RecordsError> {
        let mut lines = self.with_borrowers(tx, lines).await?;
        if lines.is_empty() {
            return Ok(());
        }
        for (line, _) in &mut lines {
            line.spell(&mut self.codes);
        }
        self.summary.new_terms += self.codes.add(tx, lines.iter().flat_map(|(line, _)| line.terms())).await?;
        let items = self.items(tx, &lines).await?;
        let known = known_loans(tx, &lines).await?;
        let (mut created, mut changed) = (Vec::new(), Vec::new());
        let mut active: BTreeMap<i64, NaiveDate> = BTreeMap::new();
        for (line, user) in lines {
            let Some(item) = items.get(&line.item).copied() else { continue };
            let key = (user.number, item, line.issued_on);
            if !self.seen.insert(key) {
                let problem = "Same user, item and day as an earlier line".to_owned();
                self.problems.add(in_cell(line.number, "item_barcode", problem));
                continue;
            }
            let issued_on = line.issued_on;
            match known.get(&key) {
                None => created.push(self.new_loan(line, &user, item)),
                Some(before) => {
                    let after = self.changed_loan(before.clone(), line);
                    if after == *before {
                        self.summary.unchanged += 1;
                        continue;
                    }
                    changed.push(after);
                }
            }
            let day = active.entry(user.number).or_insert(issued_on);
            *day = issued_on.max(*day);
        }
        self.summary.created += created.len() as u64;
        self.summary.changed += changed.len() as u64;
        let rows =
            created.into_iter().map(|loan| loans::ActiveModel { id: NotSet, ..loan.into_active_model() });
        insert(tx, rows).await?;
        update_rows::<loans::Entity>(tx, loans::Column::Id, changed).await?;
        move_activity(tx, active).await?;
        Ok(())
    }

    /// Finds the borrowers and leaves out loans of anonymised users.
    async fn with_borrowers(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<LoanLine>,
    ) -> Result<Vec<(LoanLine, users::Model)>, RecordsError> {
        let asked: Vec<_> = lines.iter().map(|line| (&line.borrower, line.issued_on)).collect();
        let found = borrower::find(tx, &self.checker, &asked).await?;
        let mut with = Vec::with_capacity(lines.len());
        for (line, found) in lines.into_iter().zip(found) {
            match borrower::user_or_why(found) {
                Ok(user) => with.push((line, user)),
                Err(Without::Anonymised) => {
                    self.summary.skipped += 1;
                    self.report.skip(line.number, ANONYMISED);
                }
                Err(Without::Problem(problem)) => {
                    self.problems.add(in_cell(line.number, line.borrower.column(), problem.to_owned()));
                }
            }
        }
        Ok(with)
    }

    /// Returns the items of these lines by barcode. Creates the missing ones.
    async fn items(
        &mut self,
        tx: &DatabaseTransaction,
        lines: &[(LoanLine, users::Model)],
    ) -> Result<HashMap<String, i64>, DbErr> {
        let wanted: HashSet<&str> = lines.iter().map(|(line, _)| line.item.as_str()).collect();
        let found = items::Entity::find().filter(items::Column::Barcode.is_in(wanted)).all(tx).await?;
        let mut known: HashMap<String, i64> = found.into_iter().map(|item| (item.barcode, item.id)).collect();
        let mut new: BTreeMap<&str, &LoanLine> = BTreeMap::new();
        for (line, _) in lines.iter().filter(|(line, _)| !known.contains_key(&line.item)) {
            new.entry(&line.item).or_insert(line);
        }
        if new.is_empty() {
            return Ok(known);
        }
        self.summary.new_items += new.len() as u64;
        let title =
            |line: &LoanLine| line.title.clone().unwrap_or_else(|| format!("(no title, item {})", line.item));
        let records = new.values().map(|line| catalogue_records::ActiveModel {
            title: Set(title(line)),
            created_on: Set(self.today),
            ..Default::default()
        });
        let made = Insert::<catalogue_records::ActiveModel>::many(records).exec_with_returning(tx).await?;
        // Records with the same title are interchangeable, so any of them fits an item with that title.
        let mut ids: HashMap<String, Vec<i64>> = HashMap::new();
        for record in made {
            ids.entry(record.title).or_default().push(record.id);
        }
        let mut rows = Vec::with_capacity(new.len());
        for line in new.values() {
            let id = ids.get_mut(&title(line)).and_then(Vec::pop).ok_or(DbErr::RecordNotInserted)?;
            rows.push(items::ActiveModel {
                record_id: Set(id),
                barcode: Set(line.item.clone()),
                branch: Set(line.branch.clone()),
                ..Default::default()
            });
        }
        let made = Insert::<items::ActiveModel>::many(rows).exec_with_returning(tx).await?;
        known.extend(made.into_iter().map(|item| (item.barcode, item.id)));
        Ok(known)
    }

    fn new_loan(&self, line: LoanLine, user: &users::Model, item: i64) -> loans::Model {
        let category = if self.header.has("category") { line.category } else { user.category.clone() };
        let department =
            if self.header.has("department") { line.department } else { user.department.clone() };
        loans::Model {
            id: 0,
            user_number: user.number,
            item_id: Some(item),
            branch: line.branch,
            category,
            department,
            issued_on: line.issued_on,
            due_on: line.due_on,
            returned_on: line.returned_on,
            renewals: line.renewals.unwrap_or_default(),
            note: line.note,
            return_note: line.return_note,
        }
    }

    fn changed_loan(&self, mut loan: loans::Model, line: LoanLine) -> loans::Model {
        for (column, value, place) in [
            ("category", line.category, &mut loan.category),
            ("department", line.department, &mut loan.department),
            ("note", line.note, &mut loan.note),
            ("return_note", line.return_note, &mut loan.return_note),
        ] {
            if self.header.has(column) && (value.is_some() || self.header.clears_empty()) {
                *place = value;
            }
        }
        loan.branch = line.branch;
        loan.due_on = line.due_on;
        loan.returned_on = line.returned_on.or(loan.returned_on);
        loan.renewals = line.renewals.unwrap_or(loan.renewals);
        loan
    }
}

/// Returns the loans of these users on these days.
async fn known_loans(
    tx: &DatabaseTransaction,
    lines: &[(LoanLine, users::Model)],
) -> Result<HashMap<LoanKey, loans::Model>, DbErr> {
    let numbers: HashSet<i64> = lines.iter().map(|(_, user)| user.number).collect();
    let days: HashSet<NaiveDate> = lines.iter().map(|(line, _)| line.issued_on).collect();
    let found = loans::Entity::find()
        .filter(loans::Column::UserNumber.is_in(numbers))
        .filter(loans::Column::IssuedOn.is_in(days))
        .all(tx)
        .await?;
    Ok(found
        .into_iter()
        .filter_map(|loan| Some(((loan.user_number, loan.item_id?, loan.issued_on), loan)))
        .collect())
}
