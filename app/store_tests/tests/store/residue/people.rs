//! Users with unique values, and other spellings of those values.

use crate::support::{add, leaver};
use db::entity::users;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sea_orm::Set;
use trail::Store;
use unicode_normalization::UnicodeNormalization as _;

/// Unique names that are difficult to fold.
const FIRST: [&str; 10] =
    ["Zoë", "Bartłomiej", "Sinéad", "Đorđe", "İpek", "Åsa", "Ulrike", "Νίκος", "Тарас", "Jean-Luc"];
const LAST: [&str; 8] =
    ["Müllersdorf", "O’Shaughn", "Żółkiew", "Großmann", "Nuñezar", "Lefèvrier", "Ivančić", "van der Huijs"];

/// A user to be anonymised.
pub struct Person {
    pub number: i64,
    pub user: users::Model,
}

pub fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Returns a user who left, with unique values.
pub fn distinct(at: usize) -> users::ActiveModel {
    let letter = |of: usize| char::from(b'a' + u8::try_from(of % 26).unwrap());
    let suffix: String = [letter(at / 8), letter(at * 7), letter(at / 3)].iter().collect();
    users::ActiveModel {
        uuid: Set(format!("uuid-{at}")),
        user_id: Set(Some(format!("q{suffix}{at:04}"))),
        first_name: Set(Some(FIRST[at % FIRST.len()].to_owned())),
        last_name: Set(Some(format!("{}{suffix}", LAST[at % LAST.len()]))),
        email: Set(Some(format!("{suffix}.{at}@mail{at}.example.org"))),
        phone: Set(Some(format!("01632 {:06}", 111_111 + at * 9_173))),
        street: Set(Some(format!("{} Quarry{suffix} Lane", at + 11))),
        barcode: Set(Some(format!("29{:08}", 10_203_040 + at * 977))),
        ..leaver("x")
    }
}

/// Adds users who left, with all kinds of values.
pub async fn leavers(store: &Store, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for at in 0..count {
        let mut user = users::ActiveModel {
            external_id: Set(Some(format!("HR/{:07}", 1_234_567 + at * 7_919))),
            mobile: Set(Some(format!("0170 {:07}", 2_345_678 + at * 6_131))),
            ..distinct(at)
        };
        if at % 2 == 1 {
            user.phone = Set(Some(format!("+49 30 {:03} {:04}", 123 + at, 4_321 + at * 59)));
        }
        let user = add(store, user).await;
        people.push(Person { number: user.number, user });
    }
    people
}

/// The kinds of values that count anywhere; the last one counts in free text only.
pub const KINDS: [&str; 8] =
    ["user_id", "email", "barcode", "external_id", "phone", "street", "full_name", "last_name"];

impl Person {
    /// Returns a value of a kind.
    pub fn value(&self, kind: &str, rng: &mut StdRng) -> String {
        let user = self.user.clone();
        let [first, last] = [user.first_name, user.last_name].map(Option::unwrap_or_default);
        match kind {
            "user_id" => user.user_id,
            "email" => user.email,
            "barcode" => user.barcode,
            "external_id" => user.external_id,
            "phone" if rng.random() => user.phone,
            "phone" => user.mobile,
            "street" => user.street,
            "full_name" if rng.random() => Some(format!("{last}, {first}")),
            "full_name" => Some(format!("{first} {last}")),
            _ => Some(last),
        }
        .unwrap()
    }
}

/// Returns a value as another person could type it. It can be in capitals, with or without accents, with other spaces
/// and quotes, and with numbers in other groups.
pub fn respelled(kind: &str, value: &str, rng: &mut StdRng) -> String {
    let is_accent = |c: &char| unicode_normalization::char::is_combining_mark(*c);
    let value = match rng.random_range(0..3) {
        0 => value.to_uppercase(),
        1 => value.to_lowercase(),
        _ => value.to_owned(),
    };
    let value = match rng.random_range(0..4) {
        0 => value.nfd().filter(|c| !is_accent(c)).collect(),
        1 => value.nfd().collect(),
        2 => policy::letters::fold(&value),
        _ => value,
    };
    match rng.random_range(0..5) {
        0 => value.replace(' ', "  "),
        1 => value.replace('-', " "),
        2 => value.replace(' ', "\u{A0} "),
        3 if kind == "phone" && value.starts_with("01632") => {
            format!("+44 {}", value[1..].replace(' ', "-"))
        }
        3 if kind == "barcode" => format!("{} {}", &value[..4], &value[4..]),
        3 => value.replace('’', "'").replace('ß', "ss"),
        _ => value,
    }
}
