//! Names of the columns.

use policy::user_field::USER_FIELDS;

/// Returns the user columns that the import reads and the export writes, in export order.
pub(super) fn user() -> impl Iterator<Item = &'static str> {
    USER_FIELDS.iter().map(|field| field.name).chain(USER_BESIDE_FIELDS)
}

/// User columns that aren't in the table of fields.
const USER_BESIDE_FIELDS: [&str; 4] = ["created_on", "last_activity_on", "marked_on", "guarantor_user_id"];

/// User columns that only the export writes.
pub(super) const USER_EXPORT_ONLY: [&str; 4] = ["user_number", "imported", "roles", "anonymised_on"];

/// Columns that identify the user of a line, in this order.
pub(super) const KEYS: [&str; 3] = ["external_id", "user_id", "barcode"];

/// Prefix of the column of a custom field.
pub(super) const CUSTOM: &str = "custom.";

/// Loan columns, in export order.
pub(super) const LOAN: [&str; 16] = [
    "user_number",
    "external_id",
    "user_id",
    "barcode",
    "item_barcode",
    "title",
    "branch",
    "category",
    "department",
    "issued_on",
    "due_on",
    "returned_on",
    "renewals",
    "note",
    "return_note",
    "anonymised",
];

#[cfg(test)]
mod tests {
    use super::*;
    use policy::import_profile::{FileKind, targets};

    #[test]
    fn the_file_formats_describe_every_column() {
        let formats = include_str!("../../../docs/file-formats.md");
        let read = FileKind::ALL.into_iter().flat_map(targets).map(|target| target.name);
        for column in user().chain(USER_EXPORT_ONLY).chain(LOAN).chain(read) {
            assert!(formats.contains(&format!("`{column}`")), "{column}");
        }
    }

    #[test]
    fn the_import_reads_every_column_that_the_export_writes() {
        for column in user().chain(USER_EXPORT_ONLY) {
            assert!(targets(FileKind::Users).any(|target| target.name == column), "{column}");
        }
        for column in LOAN {
            assert!(targets(FileKind::Loans).any(|target| target.name == column), "{column}");
        }
    }
}
