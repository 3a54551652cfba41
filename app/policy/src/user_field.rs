//! The fields of a user record that staff edit: one row for each.
//!
//! The form, its validation, the record, saving and the audit of changes derive from this table. So do legal holds,
//! safety limits, import, export, search and the command line. Tests compare it with the other places that must know a
//! field. These are the schema, the register of personal data, the description of the file formats and the demo
//! library.

use chrono::NaiveDate;
use serde::Serialize;

/// Calls a macro with the table, after the other arguments if there are any.
///
/// Each row has the name of the field, its `FieldKind`, its `Protection` and its `Search`, its `Section` and its label.
/// The name is also the name of the column, of the form field and in the audit. The form, the record and the export
/// show the fields in this order.
#[macro_export]
macro_rules! with_user_fields {
    ($callback:ident $(, $argument:ident)*) => {
        $callback! {
            $($argument;)*
            last_name: LastName, Identifying, Searched, Names, "Last name";
            first_name: Line, Identifying, Searched, Names, "First name";
            middle_name: Line, Identifying, Searched, Names, "Middle name";
            preferred_name: Line, Identifying, Searched, Names, "Preferred name";
            title: Line, Describing, Unsearched, Names, "Title";
            user_id: Key, Identifying, Searched, Library, "UserID";
            barcode: Key, Identifying, Searched, Library, "Barcode";
            external_id: Key, Identifying, Searched, Library, "External identifier";
            category: Term, Organisational, Unsearched, Library, "User category";
            department: Term, Organisational, Unsearched, Library, "Department";
            branch: Term, Organisational, Unsearched, Library, "Branch";
            fictitious: Flag, Organisational, Unsearched, Library, "Fictitious";
            leaving_on: Date, Organisational, Unsearched, Dates, "Leaving date";
            email: Email, Identifying, Searched, Contact, "E-mail";
            phone: Line, Identifying, ByNumber, Contact, "Phone";
            mobile: Line, Identifying, ByNumber, Contact, "Mobile";
            street: Line, Identifying, Unsearched, Contact, "Street address";
            postcode: Line, Describing, Unsearched, Contact, "Postcode";
            city: Line, Describing, Unsearched, Contact, "City";
            country: Line, Describing, Unsearched, Contact, "Country";
            birth_date: PastDate, Identifying, Unsearched, Person, "Birth date";
            gender: Line, Describing, Unsearched, Person, "Gender";
            language: Line, Describing, Unsearched, Person, "Language";
            notes: Lines, Describing, Unsearched, Person, "Notes about the user";
        }
    };
}

/// Implements the method `fields` for a type that has every field of the table.
#[macro_export]
macro_rules! list_user_fields {
    ($type:ident; $($name:ident: $($cell:tt),*;)*) => {
        impl $type {
            /// Returns every field of the table, with its value.
            pub fn fields(
                &self,
            ) -> impl Iterator<Item = (&'static $crate::user_field::UserField, $crate::user_field::FieldValue<'_>)> {
                let values = [$($crate::user_field::AsFieldValue::as_field_value(&self.$name)),*];
                $crate::user_field::USER_FIELDS.iter().zip(values)
            }
        }
    };
}

/// The kind of a field, which decides its type and its validation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum FieldKind {
    /// One line of text.
    Line,
    /// A key: one line without invisible characters, of which no two users have the same normal form.
    Key,
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

/// The relation of a value to a person.
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
    /// The search finds the user by the value as a phone number, in any spelling.
    ByNumber,
    /// The search ignores the value.
    Unsearched,
}

/// The part of the form and of the record that shows a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Section {
    /// Names and form of address.
    Names,
    /// Data that the library assigns to the user.
    Library,
    /// The dates of the record. A policy may reduce them to months.
    Dates,
    /// Addresses and phone numbers.
    Contact,
    /// Facts about the person.
    Person,
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
    /// The section.
    pub section: Section,
    /// The label.
    pub label: &'static str,
}

macro_rules! rows {
    ($($name:ident: $kind:ident, $protection:ident, $search:ident, $section:ident, $label:literal;)*) => {
        /// The table.
        pub const USER_FIELDS: &[UserField] = &[$(UserField {
            name: stringify!($name),
            kind: FieldKind::$kind,
            protection: Protection::$protection,
            search: Search::$search,
            section: Section::$section,
            label: $label,
        }),*];
    };
}
with_user_fields!(rows);

/// The value of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldValue<'a> {
    /// No value.
    Empty,
    /// A text or the code or name of a term.
    Text(&'a str),
    /// A date.
    Date(NaiveDate),
    /// Yes or no.
    Flag(bool),
}

impl<'a> FieldValue<'a> {
    /// Returns the text, or `None` for every other value.
    pub const fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Empty | Self::Date(_) | Self::Flag(_) => None,
        }
    }
}

/// A type that can be the value of a field.
pub trait AsFieldValue {
    /// Returns the value.
    fn as_field_value(&self) -> FieldValue<'_>;
}

impl AsFieldValue for String {
    fn as_field_value(&self) -> FieldValue<'_> {
        FieldValue::Text(self)
    }
}

impl AsFieldValue for NaiveDate {
    fn as_field_value(&self) -> FieldValue<'_> {
        FieldValue::Date(*self)
    }
}

impl AsFieldValue for bool {
    fn as_field_value(&self) -> FieldValue<'_> {
        FieldValue::Flag(*self)
    }
}

impl<T: AsFieldValue> AsFieldValue for Option<T> {
    fn as_field_value(&self) -> FieldValue<'_> {
        self.as_ref().map_or(FieldValue::Empty, T::as_field_value)
    }
}
