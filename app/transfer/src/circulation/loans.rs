//! Loans. A loan of the same user, item and day is the same loan.

use super::activity::Activity;
use super::borrower::Borrower;
use super::cells::Cells;
use super::codes::{Codes, set_cells};
use super::items::{self, NewItem};
use super::rows::Rows;
use super::seen::{Filter, Ids};
use super::{About, Circulation, Tally};
use crate::problem::in_cell;
use crate::reader::{Header, Line};
use chrono::NaiveDate;
use db::entity::loans;
use policy::TermKind;
use policy::form::{FieldErrors, Problem};
use safeguards::key_periods::LoanUser;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{HashMap, HashSet};
use std::iter;
use std::sync::Arc;

/// Maximum number of renewals.
const MAX_RENEWALS: i32 = 10_000;

/// The validated content of a line. `None` means an empty cell or a missing column.
#[derive(Debug)]
pub(crate) struct LoanLine {
    number: u64,
    borrower: Borrower,
    item: String,
    title: Option<String>,
    branch: String,
    codes: Codes,
    issued_on: NaiveDate,
    due_on: NaiveDate,
    returned_on: Option<NaiveDate>,
    renewals: Option<i32>,
    note: Option<String>,
    return_note: Option<String>,
}

/// Below the id of every loan.
const NO_LOAN: i64 = 0;

/// Identifies a loan: user, item and issue date.
type LoanKey = (i64, i64, NaiveDate);

/// Imports loans.
pub(crate) struct Loans {
    header: Arc<Header>,
    today: NaiveDate,
    /// The last loan before the import. No other transaction imports loans meanwhile.
    last: i64,
    /// Loans before the import that are in lines so far.
    matched: Ids,
    /// Loans of the lines so far. Without loans before the import, it says of which lines the database need not be asked.
    seen: Filter,
    activity: Activity,
}

impl Circulation for Loans {
    type Line = LoanLine;

    async fn begin(
        tx: &DatabaseTransaction,
        (header, bytes): (&Arc<Header>, u64),
        today: NaiveDate,
    ) -> Result<Self, DbErr> {
        let ids = loans::Entity::find().select_only().column(loans::Column::Id);
        let last: Option<i64> = ids.order_by_desc(loans::Column::Id).into_tuple().one(tx).await?;
        Ok(Self {
            header: Arc::clone(header),
            today,
            last: last.unwrap_or(NO_LOAN),
            matched: Ids::default(),
            seen: Filter::of(bytes),
            activity: Activity::default(),
        })
    }

    fn parse(line: &Line, today: NaiveDate) -> Result<LoanLine, FieldErrors> {
        let mut cells = Cells::of(line, today);
        let borrower = Borrower::of(line, &mut cells.errors);
        let [item, title, branch] = ["item_barcode", "title", "branch"].map(|column| cells.short(column));
        let codes = Codes::of(&mut cells);
        cells.require("item_barcode", item.as_ref(), Problem::required("the barcode of the item"));
        cells.require("branch", branch.as_ref(), Problem::required("the branch of the loan"));
        let [note, return_note] = ["note", "return_note"].map(|column| cells.long(column));
        let due_on = cells.date("due_on");
        let [issued_on, returned_on] = ["issued_on", "returned_on"].map(|column| cells.past_date(column));
        cells.require("issued_on", issued_on.as_ref(), Problem::NotADate);
        cells.require("due_on", due_on.as_ref(), Problem::NotADate);
        let renewals = cells.errors.take("renewals", renewals(line.cell("renewals"))).flatten();
        match (borrower, item, branch, issued_on, due_on) {
            (Some(borrower), Some(item), Some(branch), Some(issued_on), Some(due_on))
                if cells.errors.is_empty() =>
            {
                Ok(LoanLine {
                    number: line.number,
                    borrower,
                    item,
                    title,
                    branch,
                    codes,
                    issued_on,
                    due_on,
                    returned_on,
                    renewals,
                    note,
                    return_note,
                })
            }
            _ => Err(cells.errors),
        }
    }

    fn about(line: &LoanLine) -> About<'_> {
        About { line: line.number, borrower: &line.borrower, day: line.issued_on }
    }

    fn codes(line: &mut LoanLine) -> impl Iterator<Item = (TermKind, &mut String)> {
        iter::once((TermKind::Branch, &mut line.branch)).chain(line.codes.each())
    }

    async fn write(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(LoanLine, LoanUser)>,
        tally: &mut Tally,
    ) -> Result<(), DbErr> {
        // Reversed, so that the first line with an item describes it.
        let wanted = lines.iter().rev().map(|(line, _)| {
            let item = NewItem { title: line.title.as_deref(), branch: &line.branch };
            (line.item.as_str(), item)
        });
        let (items, new_items) = items::by_barcode(tx, self.today, wanted.collect()).await?;
        tally.summary.new_items += new_items;
        let keys: Vec<Option<LoanKey>> = lines
            .iter()
            .map(|(line, user)| Some((user.number, *items.get(&line.item)?, line.issued_on)))
            .collect();
        let known = self.known(tx, keys.iter().flatten()).await?;
        let mut of_chunk = HashSet::with_capacity(lines.len());
        let mut rows = Rows::<loans::Entity>::new();
        for ((line, user), key) in lines.into_iter().zip(keys) {
            let Some(key @ (_, item, issued_on)) = key else { continue };
            let number = line.number;
            let before = known.get(&key);
            if !of_chunk.insert(key) || before.is_some_and(|loan| self.is_of_earlier_line(loan)) {
                let problem = "Same user, item and day as an earlier line".to_owned();
                tally.problems.add(in_cell(line.number, "item_barcode", problem));
                continue;
            }
            let after = match before {
                None => self.new_loan(line, &user, item),
                Some(before) => self.changed_loan(before.clone(), line),
            };
            if rows.add(number, (before, after), tally) {
                self.activity.note(user.number, issued_on);
            }
        }
        rows.write(tx, loans::Column::Id).await
    }

    async fn finish(self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        self.activity.write(tx).await
    }
}

impl Loans {
    /// Returns whether an earlier line created or named the loan.
    fn is_of_earlier_line(&mut self, loan: &loans::Model) -> bool {
        loan.id > self.last || !self.matched.insert(loan.id)
    }

    /// Returns the loans in the database with these keys: those before the import, and those of earlier lines.
    async fn known(
        &mut self,
        tx: &DatabaseTransaction,
        keys: impl Iterator<Item = &LoanKey>,
    ) -> Result<HashMap<LoanKey, loans::Model>, DbErr> {
        if self.last != NO_LOAN {
            return known_loans(tx, keys).await;
        }
        let maybe_known: Vec<LoanKey> = keys.filter(|key| !self.seen.insert(key)).copied().collect();
        known_loans(tx, maybe_known.iter()).await
    }

    fn new_loan(&self, line: LoanLine, user: &LoanUser, item: i64) -> loans::Model {
        let (category, department) = line.codes.or_of(&self.header, user);
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

    /// Returns the loan as the line has it. A returned loan is never opened again.
    fn changed_loan(&self, mut loan: loans::Model, line: LoanLine) -> loans::Model {
        line.codes.set(&self.header, &mut loan.category, &mut loan.department);
        set_cells(
            &self.header,
            [("note", line.note, &mut loan.note), ("return_note", line.return_note, &mut loan.return_note)],
        );
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
    keys: impl Iterator<Item = &LoanKey>,
) -> Result<HashMap<LoanKey, loans::Model>, DbErr> {
    let (numbers, days): (HashSet<i64>, HashSet<NaiveDate>) =
        keys.map(|(user, _, issued_on)| (*user, *issued_on)).unzip();
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
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

/// Parses a number of renewals. Returns `None` for an empty cell.
fn renewals(text: &str) -> Result<Option<i32>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| (0..=MAX_RENEWALS).contains(number));
    number.map(Some).ok_or(Problem::UnknownChoice)
}
