//! Reports: what the library learned from its loans and requests.
//!
//! Anonymising borrowers doesn't change a report (rule 10). Reports read no column that anonymising changes.
//! Category and department are those of the day of the loan.

mod count;
mod query;

use chrono::NaiveDate;
pub use count::count;
use db::{RecordsError, csv_text};
pub use query::{ReportForm, ReportQuery};
use serde::Serialize;

/// Label of a row whose loans or requests have no value.
pub const NONE: &str = "(none)";

/// The available reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// Loans by the month in which they were issued.
    LoansPerMonth,
    /// Loans by user category and department.
    LoansByCategory,
    /// Requests by pick-up branch.
    RequestsByBranch,
    /// Distinct borrowers by year.
    ActiveBorrowers,
}

/// A dimension by which the rows of a report are split.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// The month of the loan.
    Month,
    /// The year of the loan.
    Year,
    /// The branch of the loan or request.
    Branch,
    /// The user category on that day.
    Category,
    /// The department on that day.
    Department,
}

impl Key {
    /// All keys.
    pub const ALL: [Self; 5] = [Self::Month, Self::Year, Self::Branch, Self::Category, Self::Department];

    /// Returns the stable code used in URLs and on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
            Self::Branch => "branch",
            Self::Category => "category",
            Self::Department => "department",
        }
    }

    /// Returns the column heading.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Month => "Month",
            Self::Year => "Year",
            Self::Branch => "Branch",
            Self::Category => "User category",
            Self::Department => "Department",
        }
    }

    /// Returns whether the values are periods of time.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Month | Self::Year)
    }
}

impl Report {
    /// All reports, in the order of the list.
    pub const ALL: [Self; 4] =
        [Self::LoansPerMonth, Self::LoansByCategory, Self::RequestsByBranch, Self::ActiveBorrowers];

    /// Returns the stable code used in URLs and on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::LoansPerMonth => "loans-per-month",
            Self::LoansByCategory => "loans-by-category",
            Self::RequestsByBranch => "requests-by-branch",
            Self::ActiveBorrowers => "active-borrowers",
        }
    }

    /// Returns the report with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|report| report.code() == code)
    }

    /// Returns the title.
    pub const fn label(self) -> &'static str {
        match self {
            Self::LoansPerMonth => "Loans per month",
            Self::LoansByCategory => "Loans by category and department",
            Self::RequestsByBranch => "Requests by branch",
            Self::ActiveBorrowers => "Active borrowers per year",
        }
    }

    /// Returns one sentence about what the report counts.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::LoansPerMonth => "Loans by the month in which they were issued.",
            Self::LoansByCategory => {
                "Loans by the user category and department that the borrower had on the day of the loan."
            }
            Self::RequestsByBranch => "Requests by the branch at which they were to be picked up.",
            Self::ActiveBorrowers => "Users with at least one loan issued in the year, each counted once.",
        }
    }

    /// Returns the default keys of the rows.
    pub const fn keys(self) -> &'static [Key] {
        match self {
            Self::LoansPerMonth => &[Key::Month],
            Self::LoansByCategory => &[Key::Category, Key::Department],
            Self::RequestsByBranch => &[Key::Branch],
            Self::ActiveBorrowers => &[Key::Year],
        }
    }

    /// Returns the keys that can be chosen instead of or in addition to [`Report::keys`].
    pub const fn choices(self) -> &'static [Key] {
        match self {
            Self::LoansPerMonth | Self::ActiveBorrowers => &[Key::Branch, Key::Category, Key::Department],
            Self::LoansByCategory | Self::RequestsByBranch => &[Key::Category, Key::Department],
        }
    }

    /// Returns the keys of the rows for a choice.
    pub fn keys_by(self, by: Option<Key>) -> Vec<Key> {
        match (self, by) {
            (_, None) => self.keys().to_vec(),
            (Self::LoansByCategory, Some(key)) => vec![key],
            (_, Some(key)) => self.keys().iter().copied().chain([key]).collect(),
        }
    }

    /// Returns the label for making no choice.
    pub const fn no_choice(self) -> &'static str {
        match self {
            Self::LoansPerMonth => "Month only",
            Self::LoansByCategory => "User category and department",
            Self::RequestsByBranch => "Branch only",
            Self::ActiveBorrowers => "Year only",
        }
    }

    /// Returns the table of the counted events and the column of their date.
    const fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::LoansPerMonth | Self::LoansByCategory | Self::ActiveBorrowers => ("loans", "issued_on"),
            Self::RequestsByBranch => ("requests", "placed_on"),
        }
    }

    /// Returns whether the first number counts users instead of events.
    const fn is_about_users(self) -> bool {
        matches!(self, Self::ActiveBorrowers)
    }

    /// Returns what an empty report has none of.
    pub const fn events(self) -> &'static str {
        match self {
            Self::LoansPerMonth | Self::LoansByCategory | Self::ActiveBorrowers => "loans",
            Self::RequestsByBranch => "requests",
        }
    }

    /// Returns the headings of the two numbers. The first one is the subject of the report.
    pub const fn numbers(self) -> [&'static str; 2] {
        match self {
            Self::LoansPerMonth | Self::LoansByCategory => ["Loans", "Borrowers"],
            Self::RequestsByBranch => ["Requests", "Requesters"],
            Self::ActiveBorrowers => ["Borrowers", "Loans"],
        }
    }

    /// Returns a note on how to read the numbers.
    pub const fn note(self) -> &'static str {
        match self {
            Self::RequestsByBranch => {
                "A requester is counted once in each row and once in the total, so the rows can add up to more."
            }
            _ => {
                "A borrower is counted once in each row and once in the total, so the rows can add up to more."
            }
        }
    }
}

/// One row of a report.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Row {
    /// The labels of the row, one for each key.
    pub labels: Vec<String>,
    /// The numbers of the row.
    pub numbers: [i64; 2],
}

/// A report with its numbers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Counted {
    /// The report.
    pub report: Report,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
    /// The keys of the rows.
    pub keys: Vec<Key>,
    /// The headings of the numbers.
    pub headings: [&'static str; 2],
    /// The rows.
    pub rows: Vec<Row>,
    /// The numbers over all rows, with each user counted once.
    pub total: [i64; 2],
}

impl Counted {
    /// Returns the headings of all columns.
    pub fn columns(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.label()).chain(self.headings).collect()
    }

    /// Returns the rows as a CSV file, without the total.
    pub fn csv(&self) -> Result<String, RecordsError> {
        let rows =
            self.rows.iter().map(|row| row.labels.iter().cloned().chain(row.numbers.map(|n| n.to_string())));
        csv_text::file(&self.columns(), rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back_and_are_those_of_json() {
        for report in Report::ALL {
            assert_eq!(Report::from_code(report.code()), Some(report));
            assert_eq!(serde_json::to_value(report).expect("a code"), report.code());
        }
        for key in Key::ALL {
            assert_eq!(serde_json::to_value(key).expect("a code"), key.code());
        }
    }
}
