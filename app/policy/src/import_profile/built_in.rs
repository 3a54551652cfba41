//! The built-in profiles.

use super::{
    ColumnMapping, DateFormat, DecimalFormat, Delimited, FileFormat, FileKind, ImportProfile, OtherColumns,
};

/// Returns the built-in profile with this code for a kind of files, or `None` if there is none.
pub fn built_in(code: &str, kind: FileKind) -> Option<ImportProfile> {
    built_in_profiles().into_iter().find(|profile| profile.code == code && profile.kind == kind)
}

/// Returns all built-in profiles.
pub fn built_in_profiles() -> Vec<ImportProfile> {
    let mut profiles: Vec<ImportProfile> = FileKind::ALL.into_iter().map(lethe).collect();
    profiles.push(koha());
    profiles.push(of_system(
        ("folio", "FOLIO users (JSON)"),
        (FileKind::Users, FileFormat::FolioUsers),
        (FOLIO_USERS, &["personal.email"]),
    ));
    for (kind, format, columns) in [
        (FileKind::Users, FileFormat::EvergreenUsers, EVERGREEN_USERS),
        (FileKind::Loans, FileFormat::EvergreenLoans, EVERGREEN_LOANS),
        (FileKind::Requests, FileFormat::EvergreenRequests, EVERGREEN_REQUESTS),
        (FileKind::Charges, FileFormat::EvergreenCharges, EVERGREEN_CHARGES),
    ] {
        profiles.push(of_system(("evergreen", "Evergreen tables"), (kind, format), (columns, &["email"])));
    }
    profiles
}

/// Returns the profile of Lethe's own export. Columns are recognised by name, and an unknown column is a problem.
pub(super) fn lethe(kind: FileKind) -> ImportProfile {
    ImportProfile {
        code: "lethe".to_owned(),
        name: "Lethe".to_owned(),
        kind,
        format: FileFormat::Delimited(Delimited::default()),
        columns: Vec::new(),
        other_columns: OtherColumns::Reject,
        dates: DateFormat::Detect,
        two_digit_days: true,
        decimals: DecimalFormat::Detect,
        never: Vec::new(),
        attributes: None,
    }
}

fn koha() -> ImportProfile {
    let profile = of_system(
        ("koha", "Koha patrons (CSV)"),
        (FileKind::Users, FileFormat::Delimited(Delimited::default())),
        (KOHA_USERS, &["email"]),
    );
    ImportProfile { attributes: Some("patron_attributes".to_owned()), ..profile }
}

/// Returns a profile of another system: ISO dates, two-digit days, 9999-12-31 means never, other columns are ignored.
fn of_system(
    (code, name): (&str, &str),
    (kind, format): (FileKind, FileFormat),
    (columns, several): (&[(&str, &str)], &[&str]),
) -> ImportProfile {
    let columns = columns.iter().map(|(source, target)| ColumnMapping {
        source: (*source).to_owned(),
        target: Some((*target).to_owned()),
        dates: None,
        first_of_several: several.contains(source),
    });
    ImportProfile {
        code: code.to_owned(),
        name: name.to_owned(),
        format,
        columns: columns.collect(),
        other_columns: OtherColumns::Ignore,
        dates: DateFormat::Iso,
        decimals: DecimalFormat::Point,
        never: vec!["9999-12-31".to_owned()],
        ..lethe(kind)
    }
}

/// Koha's `dateexpiry` is the end of the membership: the leaving date. `borrowernumber` is only in reports.
const KOHA_USERS: &[(&str, &str)] = &[
    ("borrowernumber", "external_id"),
    ("userid", "user_id"),
    ("cardnumber", "barcode"),
    ("surname", "last_name"),
    ("firstname", "first_name"),
    ("middle_name", "middle_name"),
    ("othernames", "preferred_name"),
    ("title", "title"),
    ("categorycode", "category"),
    ("branchcode", "branch"),
    ("dateexpiry", "leaving_on"),
    ("dateenrolled", "created_on"),
    ("lastseen", "last_activity_on"),
    ("email", "email"),
    ("phone", "phone"),
    ("mobile", "mobile"),
    ("streetnumber", "street"),
    ("address", "street"),
    ("address2", "street"),
    ("zipcode", "postcode"),
    ("city", "city"),
    ("country", "country"),
    ("dateofbirth", "birth_date"),
    ("sex", "gender"),
    ("lang", "language"),
    ("borrowernotes", "notes"),
    // A report can join the guarantor's login name. `guarantorid` is the guarantor's `borrowernumber`.
    ("guarantor_userid", "guarantor_user_id"),
    ("guarantorid", "guarantor_external_id"),
];

const FOLIO_USERS: &[(&str, &str)] = &[
    ("id", "external_id"),
    ("username", "user_id"),
    ("barcode", "barcode"),
    ("patronGroup", "category"),
    ("expirationDate", "leaving_on"),
    ("enrollmentDate", "created_on"),
    ("personal.lastName", "last_name"),
    ("personal.firstName", "first_name"),
    ("personal.middleName", "middle_name"),
    ("personal.preferredFirstName", "preferred_name"),
    ("personal.email", "email"),
    ("personal.phone", "phone"),
    ("personal.mobilePhone", "mobile"),
    ("personal.dateOfBirth", "birth_date"),
    ("address.addressLine1", "street"),
    ("address.addressLine2", "street"),
    ("address.postalCode", "postcode"),
    ("address.city", "city"),
    ("address.countryId", "country"),
];

/// A name with a point is a column of another table, or computed from several columns.
const EVERGREEN_USERS: &[(&str, &str)] = &[
    ("id", "external_id"),
    ("usrname", "user_id"),
    ("card.barcode", "barcode"),
    ("family_name", "last_name"),
    ("first_given_name", "first_name"),
    ("second_given_name", "middle_name"),
    ("pref_first_given_name", "preferred_name"),
    ("prefix", "title"),
    ("profile.name", "category"),
    ("home_ou.shortname", "branch"),
    ("expire_date", "leaving_on"),
    ("create_date", "created_on"),
    ("usr.deleted_on", "marked_on"),
    ("email", "email"),
    ("day_phone", "phone"),
    ("other_phone", "mobile"),
    ("address.street1", "street"),
    ("address.street2", "street"),
    ("address.post_code", "postcode"),
    ("address.city", "city"),
    ("address.country", "country"),
    ("dob", "birth_date"),
    ("locale", "language"),
];

const EVERGREEN_LOANS: &[(&str, &str)] = &[
    ("usr", "external_id"),
    ("target_copy.barcode", "item_barcode"),
    ("circ_lib.shortname", "branch"),
    ("xact_start", "issued_on"),
    ("due_date", "due_on"),
    ("circulation.returned", "returned_on"),
];

const EVERGREEN_REQUESTS: &[(&str, &str)] = &[
    ("usr", "external_id"),
    ("hold_request.record", "record"),
    ("pickup_lib.shortname", "branch"),
    ("request_time", "placed_on"),
    ("hold_request.status", "status"),
    ("hold_request.closed", "closed_on"),
    ("hold_request_note.text", "note"),
    ("cancel_note", "cancel_reason"),
];

const EVERGREEN_CHARGES: &[(&str, &str)] = &[
    ("usr", "external_id"),
    ("grocery.kind", "kind"),
    ("billing.amount", "amount"),
    ("xact_start", "charged_on"),
    ("xact_finish", "settled_on"),
    ("note", "note"),
];
