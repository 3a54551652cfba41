//! Users and loans as CSV files: into the library and out of it.
//!
//! **The form.** UTF-8, with or without byte order mark, lines that end in LF or CRLF, commas, double quotes. The
//! first line names the columns, in any order; a column that is not known is an error. Dates are `2018-01-15`, or in another form
//! that has one meaning; the date of a past event is not after today.
//! A cell that a spreadsheet would calculate (`=`, `+`, `-`, `@`, tab or carriage return in front) is written with
//! an apostrophe before it, and the import takes that one apostrophe off again.
//!
//! **Users.** Columns: `user_id`, `title`, `first_name`, `middle_name`, `last_name`, `preferred_name`, `email`, `phone`,
//! `mobile`, `street`, `postcode`, `city`, `country`, `birth_date`, `gender`, `language`, `barcode`, `external_id`,
//! `category`, `department`, `branch`, `notes`, `fictitious` (yes or no), `created_on`, `leaving_on`,
//! `last_activity_on`, `marked_on`, `guarantor_user_id` (the UserID of the guarantor) and `custom.KEY` for each custom
//! field. Needed are `last_name` and one of `external_id`, `user_id` and `barcode`, as columns and on every line.
//! `user_number`, `imported`, `roles` and `anonymised_on` are written by the export; the import reads them over:
//! numbers are given by the database, and roles never come from a file. A line of a user who is anonymised is
//! skipped, so that no file brings anybody back; so is one that would empty or overwrite a personal value of a user under
//! a legal hold, and one that would change a member of staff: what makes a user staff or lets them sign in never comes
//! from a file.
//!
//! A line is about the user with its external identifier; failing that, with its UserID; failing that, with its
//! barcode. A login name or barcode that was given to somebody else in between does not lead to the old user: when
//! both the line and the user found have an external identifier and the two differ, the line is an error. Who
//! is in the file becomes *imported*; who is not in the file is left alone and never gets a leaving date for it.
//!
//! **Empty cells.** A column that is not in the file leaves its field as it is. A column that is there with an empty
//! cell empties the field, the leaving date too: somebody who came back must not be anonymised by the date of an
//! earlier leaving. Never emptied are keys (`user_id`, `barcode`, `external_id`), the guarantor, `fictitious`, and the
//! dates from which conditions would count too early or which staff set: `created_on`, `last_activity_on`, `marked_on`.
//! The last activity only ever moves forward. A loan moves it to the day of its issue; a return does not.
//!
//! **Loans.** The borrower is found by `external_id`, `user_id`, `barcode` or `user_number`, in this order; the item by
//! `item_barcode`, and where there is none it is made, with `title`. Needed are the item, `branch`, `issued_on` and `due_on`;
//! `returned_on`, `renewals` (their number), `category`, `department`, `note` and `return_note` may be there. Without the
//! columns `category` and `department` the loan carries those that the user has now. A loan of the same user, item
//! and day is the same loan: it is changed, never made twice, and a returned loan is never opened again. Loans of
//! anonymised users are skipped.
//!
//! **All or nothing.** The file is read twice: once to check every line, once to write, in one transaction. A file
//! with an error changes nothing. Problems name line and column and never a value.

mod cell;
mod columns;
mod guarantors;
mod guard;
mod loan_line;
mod loans_in;
mod loans_out;
mod problem;
mod reader;
mod user_line;
mod user_match;
mod users_in;
mod users_out;

pub use cell::{escaped, unescaped};
pub use loans_in::import_loans;
pub use loans_out::export_loans;
pub use problem::{FileProblems, LineProblem, MOST_PROBLEMS, TransferError};
pub use users_in::{ask_to_import_users, import_users, import_users_confirmed};
pub use users_out::export_users;

use serde::Serialize;

/// Lines that are looked up and written together.
const CHUNK: usize = 500;

/// What an import did, or would do.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ImportSummary {
    /// Nothing was written: it was tried only.
    pub dry_run: bool,
    /// Lines with data.
    pub lines: u64,
    /// Users or loans that were made.
    pub created: u64,
    /// Users or loans that are different now.
    pub changed: u64,
    /// Users or loans that were so already.
    pub unchanged: u64,
    /// Lines about anonymised users, which are never written.
    pub skipped: u64,
    /// Lines about users under a legal hold that would have emptied or overwritten a personal value, and were not
    /// written.
    pub held: u64,
    /// Lines that would have changed a member of staff, and were not written.
    pub staff: u64,
    /// The first [`MOST_PROBLEMS`] of those lines; the first line of a file is 1.
    pub staff_lines: Vec<u64>,
    /// Users who lost identifying values, got several other ones, or are eligible earlier: they count against the safety
    /// limits.
    pub touched: u64,
    /// Categories, departments and branches that were not known before. They are named by their codes.
    pub new_terms: u64,
    /// Items that were not known before.
    pub new_items: u64,
}

impl ImportSummary {
    /// Counts a line that was rejected because its user is staff.
    fn reject_staff(&mut self, line: u64) {
        self.staff += 1;
        if self.staff_lines.len() < MOST_PROBLEMS {
            self.staff_lines.push(line);
        }
    }
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ExportSummary {
    /// Lines with data.
    pub lines: u64,
}
