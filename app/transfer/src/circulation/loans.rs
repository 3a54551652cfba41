//! Loans. A loan of the same user, item and day is the same loan.
//!
//! A user can borrow an item again on the day of its return. Of several loans on one day, all but one were therefore
//! returned on that day.

use super::activity::Activity;
use super::borrower::Borrower;
use super::cells::CellReader;
use super::codes::{Codes, set_cells};
use super::items::{self, NewItem};
use super::pairing::Pairing;
use super::rows::{Row, Rows};
use super::seen::Filter;
use super::{About, Circulation, Tally};
use crate::problem::in_cell;
use crate::reader::{Header, Line};
use chrono::NaiveDate;
use db::dialect::DroppedIndexes;
use db::entity::loans;
use policy::TermKind;
use policy::form::{FieldErrors, Problem};
use safeguards::key_periods::LoanUser;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityName as _, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use std::collections::{HashMap, HashSet};
use std::iter;
use std::sync::Arc;

/// Maximum number of renewals.
const MAX_RENEWALS: i32 = 10_000;

/// Maximum number of lines that wait for the indexes. A file with more of them has many repeated loans.
const MAX_HELD_BACK: usize = 10_000;

/// Maximum number of lines for which the database is asked at a time.
const LINES_PER_LOOKUP: usize = 2_000;

/// Why a line is rejected.
const SAME: &str = "Same user, item and day as an earlier line, and neither loan was returned on that day";

/// The note about a due date before the loan.
const DUE_BEFORE_ISSUE: &str = "The due date is before the day of issue";

/// The validated content of a line. `None` means an empty cell or a missing column.
#[derive(Clone, Debug)]
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

/// Identifies a loan: user, item and issue date.
type LoanKey = (i64, i64, NaiveDate);
type KeyedLine = (LoanKey, LoanLine);

/// Imports loans.
pub(crate) struct Loans {
    header: Arc<Header>,
    today: NaiveDate,
    pairing: Pairing,
    /// Loans of the lines so far. Without loans before the import, it says of which lines the database need not be asked.
    seen: Filter,
    /// Indexes to create after the first lines of an empty table. The database can't be asked before.
    dropped: DroppedIndexes,
    /// Lines that may repeat an earlier one, until the database can be asked.
    held_back: Vec<(LoanUser, KeyedLine)>,
    activity: Activity,
}

impl Circulation for Loans {
    type Line = LoanLine;

    async fn begin(
        tx: &DatabaseTransaction,
        (header, bytes): (&Arc<Header>, u64),
        today: NaiveDate,
    ) -> Result<Self, DbErr> {
        let pairing = Pairing::begin::<loans::Entity>(tx, loans::Column::Id).await?;
        let dropped = if pairing.is_first() {
            DroppedIndexes::of_table(tx, loans::Entity.table_name()).await?
        } else {
            DroppedIndexes::default()
        };
        Ok(Self {
            header: Arc::clone(header),
            today,
            pairing,
            seen: Filter::new(bytes),
            dropped,
            held_back: Vec::new(),
            activity: Activity::default(),
        })
    }

    fn parse(line: &Line, today: NaiveDate) -> Result<LoanLine, FieldErrors> {
        let mut cells = CellReader::new(line, today);
        let borrower = Borrower::read(line, &mut cells.errors);
        let [item, title, branch] = ["item_barcode", "title", "branch"].map(|column| cells.short(column));
        let codes = Codes::read(&mut cells);
        cells.require("item_barcode", item.as_ref(), Problem::required("the barcode of the item"));
        cells.require("branch", branch.as_ref(), Problem::required("the branch of the loan"));
        let [note, return_note] = ["note", "return_note"].map(|column| cells.long(column));
        let due_on = cells.date("due_on");
        let [issued_on, returned_on] = ["issued_on", "returned_on"].map(|column| cells.past_date(column));
        cells.require("issued_on", issued_on.as_ref(), Problem::NotADate);
        cells.require("due_on", due_on.as_ref(), Problem::NotADate);
        cells.require_order(issued_on, ("returned_on", returned_on), "the day of issue");
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
        let lines = lines.into_iter().filter_map(|(line, user)| {
            let key = (user.number, *items.get(&line.item)?, line.issued_on);
            Some((user, (key, line)))
        });
        if self.dropped.is_empty() {
            return self.write_loans(tx, lines.collect(), tally).await;
        }
        let (new, held_back): (Vec<_>, Vec<_>) = lines.partition(|(_, (key, _))| self.seen.insert(key));
        self.held_back.extend(held_back);
        self.write_among(tx, new, HashMap::new(), tally).await?;
        if self.held_back.len() > MAX_HELD_BACK {
            self.write_held_back(tx, tally).await?;
        }
        Ok(())
    }

    async fn count_open(tx: &DatabaseTransaction) -> Result<u64, DbErr> {
        loans::Entity::find().filter(loans::Column::ReturnedOn.is_null()).count(tx).await
    }

    async fn finish(mut self, tx: &DatabaseTransaction, tally: &mut Tally) -> Result<(), DbErr> {
        self.write_held_back(tx, tally).await?;
        self.activity.write(tx).await
    }
}

impl Loans {
    /// Creates the indexes, then writes the lines that waited for them.
    async fn write_held_back(&mut self, tx: &DatabaseTransaction, tally: &mut Tally) -> Result<(), DbErr> {
        self.dropped.create(tx).await?;
        let mut held_back = std::mem::take(&mut self.held_back).into_iter().peekable();
        while held_back.peek().is_some() {
            let some = held_back.by_ref().take(LINES_PER_LOOKUP).collect();
            self.write_loans(tx, some, tally).await?;
        }
        Ok(())
    }

    /// Writes loans. Asks the database which of them it has.
    async fn write_loans(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(LoanUser, KeyedLine)>,
        tally: &mut Tally,
    ) -> Result<(), DbErr> {
        let known = self.known(tx, lines.iter().map(|(_, (key, _))| key)).await?;
        self.write_among(tx, lines, known, tally).await
    }

    /// Writes loans, each as a change of one of these loans in the database or as a new one.
    async fn write_among(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(LoanUser, KeyedLine)>,
        known: HashMap<LoanKey, Vec<loans::Model>>,
        tally: &mut Tally,
    ) -> Result<(), DbErr> {
        let (users, lines) = self.without_second_loans(&known, lines.into_iter().unzip(), tally);
        let header = &self.header;
        let pairs = self.pairing.pair(&lines, known, |line: &LoanLine, row: &loans::Model| {
            (line.returned_on, changed_loan(header, row.clone(), line.clone()))
        });
        let mut rows = Rows::<loans::Entity>::begin(tx, &pairs).await?;
        for ((((_, item, issued_on), line), user), before) in lines.into_iter().zip(users).zip(pairs) {
            let (number, due_on) = (line.number, line.due_on);
            let after = match before.clone() {
                None => self.new_loan(line, &user, item),
                Some(before) => changed_loan(&self.header, before, line),
            };
            if rows.add(number, (before, after), tally) {
                self.activity.note(user.number, issued_on);
                if due_on < issued_on {
                    let column = self.header.columns().get("due_on").map_or("due_on", String::as_str);
                    tally.report.note(&in_cell(number, column, DUE_BEFORE_ISSUE.to_owned()));
                }
            }
        }
        rows.write(tx, loans::Column::Id).await
    }

    /// Rejects each line with a second loan of an item that was not returned on its day.
    fn without_second_loans(
        &self,
        known: &HashMap<LoanKey, Vec<loans::Model>>,
        (users, lines): (Vec<LoanUser>, Vec<KeyedLine>),
        tally: &mut Tally,
    ) -> (Vec<LoanUser>, Vec<KeyedLine>) {
        let of_earlier_lines = known.iter().filter(|(_, loans)| {
            let lasts = |loan: &&loans::Model| loan.returned_on != Some(loan.issued_on);
            loans.iter().filter(lasts).any(|loan| self.pairing.is_of_earlier_line(loan))
        });
        let mut lasting: HashSet<LoanKey> = of_earlier_lines.map(|(key, _)| *key).collect();
        let mut is_possible = |(key, line): &KeyedLine| {
            let is_possible = line.returned_on == Some(line.issued_on) || lasting.insert(*key);
            if !is_possible {
                tally.problems.add(in_cell(line.number, "item_barcode", SAME.to_owned()));
            }
            is_possible
        };
        users.into_iter().zip(lines).filter(|(_, line)| is_possible(line)).unzip()
    }

    /// Returns the loans in the database with these keys: those before the import, and those of earlier lines.
    async fn known(
        &mut self,
        tx: &DatabaseTransaction,
        keys: impl Iterator<Item = &LoanKey>,
    ) -> Result<HashMap<LoanKey, Vec<loans::Model>>, DbErr> {
        if !self.pairing.is_first() {
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
}

/// Returns the loan as the line has it. A returned loan is never opened again.
fn changed_loan(header: &Header, mut loan: loans::Model, line: LoanLine) -> loans::Model {
    line.codes.set(header, &mut loan.category, &mut loan.department);
    set_cells(
        header,
        [("note", line.note, &mut loan.note), ("return_note", line.return_note, &mut loan.return_note)],
    );
    loan.branch = line.branch;
    loan.due_on = line.due_on;
    loan.returned_on = line.returned_on.or(loan.returned_on);
    loan.renewals = line.renewals.unwrap_or(loan.renewals);
    loan
}

/// Returns the loans of these users on these days, oldest first.
async fn known_loans(
    tx: &DatabaseTransaction,
    keys: impl Iterator<Item = &LoanKey>,
) -> Result<HashMap<LoanKey, Vec<loans::Model>>, DbErr> {
    let (numbers, days): (HashSet<i64>, HashSet<NaiveDate>) =
        keys.map(|(user, _, issued_on)| (*user, *issued_on)).unzip();
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let found = loans::Entity::find()
        .filter(loans::Column::UserNumber.is_in(numbers))
        .filter(loans::Column::IssuedOn.is_in(days))
        .order_by_asc(loans::Column::Id)
        .all(tx)
        .await?;
    let mut known: HashMap<LoanKey, Vec<loans::Model>> = HashMap::new();
    for loan in found {
        if let Some(item) = loan.item_id {
            known.entry((loan.user_number, item, loan.issued_on)).or_default().push(loan);
        }
    }
    Ok(known)
}

impl Row for loans::Model {
    fn id(&self) -> i64 {
        self.id
    }

    fn user(&self) -> i64 {
        self.user_number
    }

    fn ended_on(&self) -> Option<NaiveDate> {
        self.returned_on
    }
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
