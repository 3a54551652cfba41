//! Import and export of users, loans, requests and charges.
//!
//! **Format.** `import_file` reads the files of all profiles by the fields that their columns fill. In Lethe's own format,
//! an unknown column is an error. Dates of past events can't lie in the future.
//!
//! The export writes an apostrophe before a cell that a spreadsheet would calculate (one that starts with `=`,
//! `+`, `-`, `@`, tab or carriage return). The import removes that apostrophe.
//!
//! **Users.** Columns are the fields of [`policy::user_field`] (a flag is yes or no), `created_on`, `last_activity_on`,
//! `marked_on`, and `custom.KEY` for each custom field. The column `guarantor_user_id` has the UserID of the guarantor.
//! Required are `last_name` and one of `external_id`, `user_id` and `barcode`, as columns and on every line. The export
//! also writes `user_number`, `imported`, `roles` and `anonymised_on`. The import ignores them, because the database
//! assigns numbers and a file can't grant roles.
//!
//! The import skips these lines:
//!
//! - A line of an anonymised user, because a file must not restore anyone.
//! - A line that would empty or overwrite a personal value of a user under a legal hold.
//! - A line that would change a member of staff, because a file must not change roles or sign-in.
//! - A line that would create a user with the external identifier of an anonymised user, or without an external
//!   identifier and with the `UserID`, barcode or e-mail of one (`safeguards::suppression`). It is held for a decision.
//!
//! A line is matched to a user by external identifier, then by UserID, then by barcode, in their normal forms
//! ([`policy::key_form`]). A UserID or barcode of a user with another external identifier belongs to another person
//! now. The line is then an error, unless another line takes that key from its owner. Lines that exchange keys wait for
//! the end of the file. Matched users become *imported*. Users missing from the file are not changed, unless a task
//! says that they have left (`absence`).
//!
//! **Empty cells.** A missing column leaves its field unchanged. An empty cell leaves its field unchanged, too, if the
//! import options say so. Otherwise it empties the field, including the leaving date: a user who has returned must not
//! be anonymised by an earlier leaving date. Some fields are never emptied: the keys (`user_id`, `barcode`,
//! `external_id`), the guarantor, flags, `created_on`, `last_activity_on` and `marked_on`. Without these dates,
//! conditions would start counting too early, or a date set by staff would be lost. The last activity only moves
//! forward: a loan moves it to its issue date, a return doesn't.
//!
//! **Loans.** The borrower is found by `external_id`, `user_id`, `barcode` or `user_number`, in this order. The item is
//! found by `item_barcode`, or created with `title`. Required are the item, `branch`, `issued_on` and `due_on`.
//! Optional are `returned_on`, `renewals` (their number), `category`, `department`, `note` and `return_note`. Without
//! the columns `category` and `department`, the loan gets the user's current values. A loan with the same user, item
//! and day is the same loan: it is updated, never duplicated, and a returned loan is never reopened. The item can be
//! lent to the user again on the same day only if it was returned that day. The borrower is the user who owned the key
//! on the day of issue (`safeguards::key_periods`). Loans of anonymised users are skipped, and so are loans whose key
//! is on the suppression list and had no other owner then.
//!
//! **All or nothing.** The file is read twice: once to validate every line, once to write in one transaction. A
//! file with an error changes nothing. Problems name line and column, never a value.

mod absence;
mod circulation;
mod columns;
pub mod custom_profile;
pub mod detection;
mod differences;
mod exchange;
mod export_loans;
mod export_users;
mod file_digest;
mod guarantors;
mod guard;
mod import;
pub mod import_approval;
pub mod import_history;
mod import_limits;
mod import_users;
pub mod job;
mod order;
mod private_copy;
mod problem;
pub mod profile;
mod reader;
mod report;
pub mod run_history;
pub mod run_import;
mod suppression;
mod term_codes;
pub mod upload;
mod upload_notes;
mod user_line;
mod user_match;
mod watch;
pub mod watched_folder;

pub use export_loans::export_loans;
pub use export_users::export_users;
pub use import::import;
pub use import_approval::request_import;
pub use import_file::{Detected, DetectedColumn, ImportFile, Reason, Suggestion};
pub use order::{ImportOrder, Imported, RunOrder};
pub use problem::{FileProblems, LineProblem, MAX_PROBLEMS, TransferError};
pub use watch::Watch;

use policy::import_limits::CountedBy;
use safeguards::limits::ImportStop;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Maximum number of lines about members of staff that a summary names.
const MAX_STAFF_LINES: usize = 100;
/// Number of lines processed together.
const ROWS_PER_CHUNK: usize = 2_000;

/// The result of an import or a dry run.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ImportSummary {
    /// Whether this was a dry run, which writes nothing.
    pub dry_run: bool,
    /// Number of lines with data.
    pub lines: u64,
    /// Number of users or loans created.
    pub created: u64,
    /// Number of users or loans changed.
    pub changed: u64,
    /// Number of users or loans that were already up to date.
    pub unchanged: u64,
    /// Number of lines with problems. Only an import of the valid lines goes on after such a line.
    pub rejected: u64,
    /// Number of lines about anonymised users, which are skipped.
    pub skipped: u64,
    /// Number of skipped lines that would have emptied or overwritten a personal value of a user under a legal
    /// hold.
    pub held: u64,
    /// Number of skipped lines that would have changed a member of staff.
    pub staff: u64,
    /// The first hundred of those lines. The first line of a file is 1.
    pub staff_lines: Vec<u64>,
    /// Number of lines held for a decision, because an anonymised user had their keys.
    pub suppressed: u64,
    /// Number of such lines skipped because of an earlier decision.
    pub suppressed_ignored: u64,
    /// Number of users created although an anonymised user had their `UserID`, barcode or e-mail.
    pub suppressed_noted: u64,
    /// Number of users whose guarantor was left out, because the guarantor is anonymised.
    pub suppressed_guarantors: u64,
    /// Number of users who lose identifying values, get several other ones, or become eligible earlier. They count
    /// towards the safety limits.
    pub touched: u64,
    /// Number of users of earlier files of the task that the file lacks, if the import looks for them.
    pub missing: u64,
    /// Number of those whose leaving date was set.
    pub left: u64,
    /// The number that confirms a file beyond the safety limits, after a check: the users or lines that the first
    /// exceeded limit counts. `None` if the file is within the limits.
    pub over_limit: Option<i64>,
    /// The safety limit that counts this number.
    pub counted_by: CountedBy,
    /// Number of changed users, loans, requests or charges by the column that changes, or by `custom.KEY`.
    pub fields: BTreeMap<String, u64>,
    /// Number of notes: what the import left out or changed of a line.
    pub noted: u64,
    /// Number of new categories, departments and branches. Their codes become their names.
    pub new_terms: u64,
    /// Number of new items.
    pub new_items: u64,
}

impl ImportSummary {
    /// Sets the number that confirms a file beyond the safety limits.
    fn set_stop(&mut self, stop: Option<&ImportStop>) {
        self.over_limit = stop.map(|stop| stop.number);
        self.counted_by = stop.and_then(|stop| stop.counted_by);
    }

    /// Returns whether the next import of the same file would leave out the same lines: none, or those of anonymised users
    /// and without a key.
    const fn is_complete(&self) -> bool {
        let of_users = self.suppressed + self.suppressed_ignored + self.held + self.staff;
        self.rejected + self.noted + of_users == 0
    }

    /// Counts a skipped line about a member of staff.
    fn reject_staff(&mut self, line: u64) {
        self.staff += 1;
        if self.staff_lines.len() < MAX_STAFF_LINES {
            self.staff_lines.push(line);
        }
    }
}

/// The result of an export.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ExportSummary {
    /// Number of lines with data.
    pub lines: u64,
}
