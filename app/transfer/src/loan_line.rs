//! A parsed line of a loan file.

use super::borrower::Borrower;
use super::reader::Line;
use super::term_codes::TermCodes;
use chrono::NaiveDate;
use policy::dates::{optional_date, optional_past_date};
use policy::form::{FieldErrors, Problem};
use policy::{TermKind, text};

/// Maximum number of renewals.
const MAX_RENEWALS: i32 = 10_000;

/// The validated content of a line. `None` means an empty cell or a missing column.
#[derive(Clone, Debug)]
pub(super) struct LoanLine {
    pub(super) number: u64,
    pub(super) borrower: Borrower,
    pub(super) item: String,
    pub(super) title: Option<String>,
    pub(super) branch: String,
    pub(super) category: Option<String>,
    pub(super) department: Option<String>,
    pub(super) issued_on: NaiveDate,
    pub(super) due_on: NaiveDate,
    pub(super) returned_on: Option<NaiveDate>,
    pub(super) renewals: Option<i32>,
    pub(super) note: Option<String>,
    pub(super) return_note: Option<String>,
}

impl LoanLine {
    /// Changes the codes of category, department and branch to the spelling of the library.
    pub(super) fn spell(&mut self, codes: &mut TermCodes) {
        codes.spell(TermKind::Branch, &mut self.branch);
        for (kind, code) in
            [(TermKind::Category, &mut self.category), (TermKind::Department, &mut self.department)]
        {
            if let Some(code) = code {
                codes.spell(kind, code);
            }
        }
    }

    /// Validates a line. Dates of past events can't lie after `today`.
    pub(super) fn of(line: &Line, today: NaiveDate) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let borrower = Borrower::of(line, &mut errors);
        let mut short = |column: &str| {
            errors.take(column, text::line(line.cell(column), text::SHORT)).filter(|text| !text.is_empty())
        };
        let (item, title, branch) = (short("item_barcode"), short("title"), short("branch"));
        let (category, department) = (short("category"), short("department"));
        for (column, value, what) in [
            ("item_barcode", &item, "the barcode of the item"),
            ("branch", &branch, "the branch of the loan"),
        ] {
            if value.is_none() && errors.of(column).is_none() {
                errors.add(column, Problem::required(what));
            }
        }
        let mut long = |column: &str| {
            errors.take(column, text::lines(line.cell(column), text::LONG)).filter(|text| !text.is_empty())
        };
        let (note, return_note) = (long("note"), long("return_note"));
        let due_on = errors.take("due_on", optional_date(line.cell("due_on"))).flatten();
        let mut date =
            |column: &str| errors.take(column, optional_past_date(line.cell(column), today)).flatten();
        let [issued_on, returned_on] = [date("issued_on"), date("returned_on")];
        for (column, value) in [("issued_on", issued_on), ("due_on", due_on)] {
            if value.is_none() && errors.of(column).is_none() {
                errors.add(column, Problem::NotADate);
            }
        }
        let renewals = errors.take("renewals", renewals(line.cell("renewals"))).flatten();
        match (borrower, item, branch, issued_on, due_on) {
            (Some(borrower), Some(item), Some(branch), Some(issued_on), Some(due_on))
                if errors.is_empty() =>
            {
                Ok(Self {
                    number: line.number,
                    borrower,
                    item,
                    title,
                    branch,
                    category,
                    department,
                    issued_on,
                    due_on,
                    returned_on,
                    renewals,
                    note,
                    return_note,
                })
            }
            _ => Err(errors),
        }
    }

    /// Returns the codes of category, department and branch, with their kinds.
    pub(super) fn terms(&self) -> impl Iterator<Item = (TermKind, &str)> {
        let category = self.category.as_deref().map(|code| (TermKind::Category, code));
        let department = self.department.as_deref().map(|code| (TermKind::Department, code));
        [category, department, Some((TermKind::Branch, self.branch.as_str()))].into_iter().flatten()
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
