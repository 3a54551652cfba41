//! Tables of users: the record, its search words and photo, custom fields and legal holds.

use super::DataClass::{FreeText, Identifier, Link, NotPersonal, QuasiIdentifier};
use super::ErasureAction::{ByCustomField, ByPolicy, Clear, DeleteRow, Keep, Note, Replace};
use super::{RowOwner, Table, entry};
use crate::field::Field;

/// The columns of users that are derived from others: the order of names and the normal forms of keys.
pub const DERIVED_USER_COLUMNS: [&str; 4] = ["name_order", "user_id_key", "barcode_key", "external_id_key"];

pub(super) const USERS: Table = Table {
    name: "users",
    label: "Users",
    owner: RowOwner::User("number"),
    columns: &[
        entry(
            "number",
            Link,
            Keep,
            "User number: shown, never reused, without meaning outside this database",
        ),
        entry("uuid", Link, Keep, "Random key of the record, for the ledger"),
        entry("scim_id", Link, Clear, "Random id of the user for identity systems"),
        entry("user_id", Identifier, Clear, "UserID (login name)"),
        entry("title", QuasiIdentifier, ByPolicy(Field::Title), "Title"),
        entry("first_name", Identifier, Clear, "First name"),
        entry("middle_name", Identifier, ByPolicy(Field::MiddleName), "Middle name"),
        entry("last_name", Identifier, Clear, "Last name"),
        entry("name_order", Identifier, Clear, "Folded name, by which lists are sorted"),
        entry("preferred_name", Identifier, ByPolicy(Field::PreferredName), "Preferred name"),
        entry("email", Identifier, Clear, "E-mail"),
        entry("phone", Identifier, ByPolicy(Field::Phone), "Phone"),
        entry("mobile", Identifier, ByPolicy(Field::Mobile), "Mobile"),
        entry("street", Identifier, ByPolicy(Field::Address), "Street and house number"),
        entry("postcode", QuasiIdentifier, ByPolicy(Field::Postcode), "Postcode"),
        entry("city", QuasiIdentifier, ByPolicy(Field::City), "City"),
        entry("country", QuasiIdentifier, ByPolicy(Field::Country), "Country"),
        entry("birth_date", QuasiIdentifier, ByPolicy(Field::BirthDate), "Birth date"),
        entry(
            "birth_period",
            QuasiIdentifier,
            ByPolicy(Field::BirthDate),
            "Year or decade of birth, where only that is kept",
        ),
        entry("gender", QuasiIdentifier, ByPolicy(Field::Gender), "Gender"),
        entry("language", QuasiIdentifier, ByPolicy(Field::Language), "Language"),
        entry("barcode", Identifier, Clear, "Barcode"),
        entry("external_id", Identifier, Clear, "External identifier"),
        entry("user_id_key", Identifier, Clear, "UserID in its normal form, which is compared"),
        entry("barcode_key", Identifier, Clear, "Barcode in its normal form"),
        entry("external_id_key", Identifier, Clear, "External identifier in its normal form"),
        entry("category", QuasiIdentifier, ByPolicy(Field::Category), "User category"),
        entry("department", QuasiIdentifier, ByPolicy(Field::Department), "Department"),
        entry("branch", QuasiIdentifier, ByPolicy(Field::Branch), "Branch"),
        entry("notes", FreeText, ByPolicy(Field::Notes), "Notes about the user"),
        entry("fictitious", NotPersonal, Keep, "The record is not a person"),
        entry("imported", NotPersonal, Keep, "An import created or last matched the user"),
        entry("created_on", QuasiIdentifier, ByPolicy(Field::RecordDates), "Date created"),
        entry("leaving_on", QuasiIdentifier, ByPolicy(Field::RecordDates), "Leaving date"),
        entry("last_activity_on", QuasiIdentifier, ByPolicy(Field::RecordDates), "Date of the last activity"),
        entry("marked_on", QuasiIdentifier, ByPolicy(Field::RecordDates), "Date marked for deletion"),
        entry("announced_on", QuasiIdentifier, Clear, "Date of the last announcement of anonymising"),
        entry("kept_on", QuasiIdentifier, Clear, "Date on which the user last chose to keep the account"),
        entry("dates_by_month", NotPersonal, Note, "Only the months of the dates are kept"),
        entry("guarantor_number", Link, Clear, "Guarantor"),
        entry("replacement", NotPersonal, Replace, "Random name of the anonymised user"),
        entry("anonymised_on", NotPersonal, Note, "Day of anonymising"),
        entry("rules_version", NotPersonal, Note, "Version of the rules under which the user was anonymised"),
        entry("version", NotPersonal, Note, "Number of changes to the record"),
    ],
};

pub(super) const USER_WORDS: Table = Table {
    name: "user_words",
    label: "Search words of users",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("user_number", Link, DeleteRow, "User"),
        entry(
            "word",
            Identifier,
            DeleteRow,
            "Word by which a search finds the user: from name, UserID, e-mail or barcode",
        ),
    ],
};

pub(super) const KEY_PERIODS: Table = Table {
    name: "key_periods",
    label: "Former keys of users",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, DeleteRow, "Key"),
        entry("user_number", Link, DeleteRow, "User"),
        entry("kind", NotPersonal, DeleteRow, "Kind of the key: UserID, barcode or external identifier"),
        entry("key_form", Identifier, DeleteRow, "Key in its normal form, so that a loan finds its borrower"),
        entry(
            "owned_from",
            QuasiIdentifier,
            DeleteRow,
            "First day with this key, if another user had it before",
        ),
        entry(
            "owned_until",
            QuasiIdentifier,
            DeleteRow,
            "First day without this key; none for a current key",
        ),
    ],
};

pub(super) const PHOTOS: Table = Table {
    name: "photos",
    label: "Photos",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("user_number", Link, DeleteRow, "User"),
        entry("media_type", NotPersonal, DeleteRow, "Kind of picture"),
        entry("bytes", Identifier, DeleteRow, "Picture"),
    ],
};

pub(super) const CUSTOM_FIELDS: Table = Table {
    name: "custom_fields",
    label: "Definitions of custom fields",
    owner: RowOwner::NoUser,
    columns: &[
        entry("key", NotPersonal, Keep, "Key"),
        entry("label", NotPersonal, Keep, "Name on the form"),
        entry("class", NotPersonal, Keep, "Class of its values"),
    ],
};

pub(super) const CUSTOM_VALUES: Table = Table {
    name: "custom_values",
    label: "Values of custom fields",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("user_number", Link, Keep, "User"),
        entry("field_key", NotPersonal, Keep, "Custom field"),
        entry("value", FreeText, ByCustomField, "Value"),
    ],
};

pub(super) const LEGAL_HOLDS: Table = Table {
    name: "legal_holds",
    label: "Legal holds",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("user_number", Link, Keep, "User; none for a legal hold on a category"),
        entry("category", NotPersonal, Keep, "User category under legal hold"),
        entry("reason", NotPersonal, Keep, "Reason, as a code"),
        entry("owner_number", Link, Keep, "Member of staff responsible"),
        entry("placed_by", Link, Keep, "Member of staff who placed it"),
        entry("placed_on", NotPersonal, Keep, "Placed"),
        entry("review_on", NotPersonal, Keep, "Review date"),
        entry("released_on", NotPersonal, Keep, "Released"),
        entry("released_by", Link, Keep, "Member of staff who released it"),
    ],
};
