//! The users of every demo library: staff in all roles, and fictitious users.

use super::person::{Person, blank, keys};
use super::rng::SeededRng;
use chrono::{Duration, NaiveDate};
use db::entity::{user_roles, users};
use policy::Role;
use sea_orm::Set;

/// Staff: first name, last name, roles. The last but one has left but still has the role. The last one created
/// catalogue records, has left and has no role.
const STAFF: [(&str, &str, &[Role]); 9] = [
    ("Ruth", "Amsel", &[Role::Librarian]),
    ("Martin", "Fink", &[Role::Librarian, Role::Cataloguer]),
    ("Gwen", "Starling", &[Role::Cataloguer]),
    ("Priya", "Heron", &[Role::SystemsLibrarian]),
    ("Jonas", "Kestrel", &[Role::Dpo]),
    ("Sofia", "Wren", &[Role::Administrator, Role::SystemsLibrarian]),
    ("Tom", "Dunnock", &[Role::Statistics]),
    ("Edith", "Lapwing", &[Role::Cataloguer]),
    ("Walter", "Siskin", &[]),
];

/// The user numbers of staff who create catalogue records, including those who have left.
pub(super) const CATALOGUERS: [i64; 4] = [2, 3, 8, 9];

/// The user numbers of staff who place legal holds.
pub(super) const DPO: i64 = 5;

/// The fictitious users.
const FICTITIOUS: [(&str, &str); 8] = [
    ("Lost items", "main"),
    ("Display shelf", "main"),
    ("Department of Law", "law"),
    ("Department of Music", "music"),
    ("Bindery", "science"),
    ("Interlibrary loan office", "main"),
    ("Reading group box", "children"),
    ("Missing on shelf", "medical"),
];

/// The number of fixed users.
pub(super) const SIZE: usize = STAFF.len() + FICTITIOUS.len();

/// Returns the fixed users under the first user numbers, and the roles of staff.
pub(super) fn cast(rng: &mut SeededRng, today: NaiveDate) -> (Vec<Person>, Vec<user_roles::ActiveModel>) {
    let mut people = Vec::with_capacity(SIZE);
    let mut all_roles = Vec::new();
    for (number, (first, last, roles)) in (1..).zip(STAFF) {
        let created_on = today - Duration::days(rng.between(1_500, 3_500));
        let mut user = users::Model {
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            category: Some("support".to_owned()),
            branch: Some("main".to_owned()),
            language: Some("en".to_owned()),
            imported: true,
            created_on: Some(created_on),
            leaving_on: matches!(last, "Lapwing" | "Siskin").then(|| today - Duration::days(40)),
            ..blank(rng, number)
        };
        keys(rng, &mut user);
        all_roles.extend(roles.iter().map(|role| user_roles::ActiveModel {
            user_number: Set(number),
            role: Set(*role),
            granted_on: Set(created_on + Duration::days(1)),
        }));
        people.push(Person { user, earlier: None });
    }
    let first_number = i64::try_from(STAFF.len()).unwrap_or_default() + 1;
    for (number, (name, branch)) in (first_number..).zip(FICTITIOUS) {
        let user = users::Model {
            last_name: Some(name.to_owned()),
            branch: Some(branch.to_owned()),
            barcode: Some(format!("29{number:08}0000")),
            fictitious: true,
            created_on: Some(today - Duration::days(4_000)),
            notes: Some("Not a person. Items that are not on their shelf are booked here.".to_owned()),
            ..blank(rng, number)
        };
        people.push(Person { user, earlier: None });
    }
    (people, all_roles)
}
