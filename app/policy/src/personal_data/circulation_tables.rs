//! Tables of circulation and of the catalogue.

use super::DataClass::{FreeText, Identifier, Link, NotPersonal, QuasiIdentifier};
use super::ErasureAction::{Clear, ClearText, Keep};
use super::{RowOwner, Table, entry};

pub(super) const LOANS: Table = Table {
    name: "loans",
    label: "Loans",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("user_number", Link, Keep, "Borrower: leads to the anonymised record"),
        entry("item_id", Link, Keep, "Item"),
        entry("branch", NotPersonal, Keep, "Branch of the loan"),
        entry("category", QuasiIdentifier, Keep, "User category on that day, for statistics"),
        entry("department", QuasiIdentifier, Keep, "Department on that day, for statistics"),
        entry("issued_on", NotPersonal, Keep, "Issued"),
        entry("due_on", NotPersonal, Keep, "Due"),
        entry("returned_on", NotPersonal, Keep, "Returned"),
        entry("renewals", NotPersonal, Keep, "Number of renewals"),
        entry("note", FreeText, ClearText, "Note"),
        entry("return_note", FreeText, ClearText, "Return note"),
    ],
};

pub(super) const RENEWALS: Table = Table {
    name: "renewals",
    label: "Renewals",
    owner: RowOwner::Loan("loan_id"),
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("loan_id", Link, Keep, "Loan"),
        entry("renewed_on", NotPersonal, Keep, "Renewed"),
        entry("due_on", NotPersonal, Keep, "New due date"),
        entry("note", FreeText, ClearText, "Note"),
    ],
};

pub(super) const REQUESTS: Table = Table {
    name: "requests",
    label: "Requests",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("user_number", Link, Keep, "Requester: leads to the anonymised record"),
        entry("record_id", Link, Keep, "Catalogue record"),
        entry("branch", NotPersonal, Keep, "Pick-up branch"),
        entry("category", QuasiIdentifier, Keep, "User category on that day, for statistics"),
        entry("department", QuasiIdentifier, Keep, "Department on that day, for statistics"),
        entry("placed_on", NotPersonal, Keep, "Placed"),
        entry("status", NotPersonal, Keep, "Status"),
        entry("closed_on", NotPersonal, Keep, "Closed"),
        entry("note", FreeText, ClearText, "Note"),
        entry("cancel_reason", FreeText, ClearText, "Reason for cancellation"),
    ],
};

pub(super) const CHARGES: Table = Table {
    name: "charges",
    label: "Charges and credits",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("user_number", Link, Keep, "Debtor: leads to the anonymised record"),
        entry("loan_id", Link, Keep, "Loan"),
        entry("kind", NotPersonal, Keep, "Kind"),
        entry("cents", NotPersonal, Keep, "Amount in cents, if it is known; credits are negative"),
        entry("category", QuasiIdentifier, Keep, "User category on that day, for statistics"),
        entry("department", QuasiIdentifier, Keep, "Department on that day, for statistics"),
        entry("charged_on", NotPersonal, Keep, "Charged"),
        entry("settled_on", NotPersonal, Keep, "Settled"),
        entry("note", FreeText, ClearText, "Note"),
    ],
};

pub(super) const MESSAGES: Table = Table {
    name: "messages",
    label: "Messages sent",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("user_number", Link, Keep, "Recipient: leads to the anonymised record"),
        entry("kind", NotPersonal, Keep, "Kind of message"),
        entry("channel", NotPersonal, Keep, "E-mail, text message or letter"),
        entry("sent_at", NotPersonal, Keep, "Sent"),
        entry("recipient", Identifier, Clear, "Address it was sent to"),
        entry("subject", FreeText, ClearText, "Subject"),
        entry("body", FreeText, Clear, "Text"),
    ],
};

pub(super) const CATALOGUE_RECORDS: Table = Table {
    name: "catalogue_records",
    label: "Catalogue records",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("title", NotPersonal, Keep, "Title of the work"),
        entry("author", NotPersonal, Keep, "Author of the work, as published"),
        entry("year", NotPersonal, Keep, "Year of publication"),
        entry("created_by", Link, Keep, "Creator of the record: shows the user's current name"),
        entry("created_on", NotPersonal, Keep, "Created"),
        entry("changed_by", Link, Keep, "Last editor of the record: shows the user's current name"),
        entry("changed_on", NotPersonal, Keep, "Last changed"),
    ],
};

pub(super) const CATALOGUE_WORDS: Table = Table {
    name: "catalogue_words",
    label: "Search words of the catalogue",
    owner: RowOwner::NoUser,
    columns: &[
        entry("word", NotPersonal, Keep, "Word of the title or author of a work"),
        entry("record_id", NotPersonal, Keep, "Catalogue record"),
    ],
};

pub(super) const ITEMS: Table = Table {
    name: "items",
    label: "Items",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("record_id", Link, Keep, "Catalogue record"),
        entry("barcode", NotPersonal, Keep, "Barcode of the item"),
        entry("branch", NotPersonal, Keep, "Branch"),
        entry("shelf_mark", NotPersonal, Keep, "Shelf mark"),
    ],
};

pub(super) const TERMS: Table = Table {
    name: "terms",
    label: "Categories, departments, branches",
    owner: RowOwner::NoUser,
    columns: &[
        entry("kind", NotPersonal, Keep, "Kind"),
        entry("code", NotPersonal, Keep, "Code"),
        entry("name", NotPersonal, Keep, "Name"),
    ],
};
