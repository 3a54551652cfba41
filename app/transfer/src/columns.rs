//! Names of the columns.

/// User columns that the import reads and the export writes, in export order.
pub(super) const USER: [&str; 28] = [
    "user_id",
    "title",
    "first_name",
    "middle_name",
    "last_name",
    "preferred_name",
    "email",
    "phone",
    "mobile",
    "street",
    "postcode",
    "city",
    "country",
    "birth_date",
    "gender",
    "language",
    "barcode",
    "external_id",
    "category",
    "department",
    "branch",
    "notes",
    "fictitious",
    "created_on",
    "leaving_on",
    "last_activity_on",
    "marked_on",
    "guarantor_user_id",
];

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
