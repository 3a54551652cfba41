//! The fields of a user record that staff edit: one row for each.
//!
//! The form and its validation, saving, the audit of changes, legal holds and safety limits derive from this table.
//! Tests compare it with every other place that must know a field: the register of personal data, the pages, import,
//! export, search, the command line and the demo library.

use serde::Serialize;

/// Calls a macro with the table. Each row has the name of the field, its `FieldKind`, its `Protection` and its
/// `Search`. The name is also the name of the column, of the form field and in the audit.
#[macro_export]
macro_rules! with_user_fields {
    ($callback:ident) => {
        $callback! {
            user_id: Line, Identifying, Searched;
            title: Line, Describing, Unsearched;
            first_name: Line, Identifying, Searched;
            middle_name: Line, Identifying, Searched;
            last_name: LastName, Identifying, Searched;
            preferred_name: Line, Identifying, Searched;
            email: Email, Identifying, Searched;
            phone: Line, Identifying, Unsearched;
            mobile: Line, Identifying, Unsearched;
            street: Line, Identifying, Unsearched;
            postcode: Line, Describing, Unsearched;
            city: Line, Describing, Unsearched;
            country: Line, Describing, Unsearched;
            birth_date: PastDate, Identifying, Unsearched;
            gender: Line, Describing, Unsearched;
            language: Line, Describing, Unsearched;
            barcode: Line, Identifying, Searched;
            external_id: Line, Identifying, Searched;
            category: Term, Organisational, Unsearched;
            department: Term, Organisational, Unsearched;
            branch: Term, Organisational, Unsearched;
            leaving_on: Date, Organisational, Unsearched;
            fictitious: Flag, Organisational, Unsearched;
            notes: Lines, Describing, Unsearched;
        }
    };
}

/// The kind of a field, which decides its type and its validation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum FieldKind {
    /// One line of text.
    Line,
    /// The last name: one line that must not be empty.
    LastName,
    /// An e-mail address.
    Email,
    /// Several lines of text.
    Lines,
    /// A date of a past event.
    PastDate,
    /// Any date.
    Date,
    /// A code of the library.
    Term,
    /// Yes or no.
    Flag,
}

/// What a value says about a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Protection {
    /// The value names or reaches the person. A legal hold protects it, and removing or replacing it counts towards the
    /// safety limits.
    Identifying,
    /// The value describes the person. A legal hold protects it.
    Describing,
    /// The value belongs to the library.
    Organisational,
}

/// Whether the search box finds a user by the value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Search {
    /// The search finds the user by the words of the value.
    Searched,
    /// The search ignores the value.
    Unsearched,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct UserField {
    /// The name.
    pub name: &'static str,
    /// The kind.
    pub kind: FieldKind,
    /// The protection.
    pub protection: Protection,
    /// Whether the search box finds a user by the value.
    pub search: Search,
}

macro_rules! rows {
    ($($name:ident: $kind:ident, $protection:ident, $search:ident;)*) => {
        /// The table.
        pub const USER_FIELDS: &[UserField] = &[$(UserField {
            name: stringify!($name),
            kind: FieldKind::$kind,
            protection: Protection::$protection,
            search: Search::$search,
        }),*];
    };
}
with_user_fields!(rows);
