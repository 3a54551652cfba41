//! People whose values stand nowhere else, and the ways in which somebody could have written them down.

use crate::support::{add, leaver};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use records::Store;
use records::entity::users;
use sea_orm::Set;

const SYLLABLES: [&str; 16] = [
    "žof", "krä", "mbö", "łus", "tav", "niç", "ølg", "ras", "qué", "vyt", "zwin", "dór", "hup", "jes", "påk",
    "fir",
];

/// Somebody to be anonymised.
pub struct Person {
    pub number: i64,
    pub user: users::Model,
}

pub fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn word(dice: &mut StdRng, syllables: usize) -> String {
    let word: String = (0..syllables).map(|_| *SYLLABLES.choose(dice).unwrap()).collect();
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Adds people who left, with all kinds of values.
pub async fn leavers(store: &Store, dice: &mut StdRng, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for n in 0..count {
        let some = |text: String| Set(Some(text));
        let first = word(dice, 2);
        let last = word(dice, 3);
        let user = users::ActiveModel {
            uuid: Set(format!("key {n}")),
            user_id: some(format!("q{:06}x", dice.random_range(0..1_000_000))),
            first_name: some(first.clone()),
            last_name: some(format!("{last}-{}", word(dice, 2))),
            email: some(format!(
                "{}.{n}@mail{}.example",
                word(dice, 2).to_lowercase(),
                dice.random_range(0..99)
            )),
            barcode: some(format!("77{:08}{n:04}", dice.random_range(0..100_000_000))),
            external_id: some(format!("HR/{:07}", dice.random_range(0..10_000_000))),
            phone: some(format!(
                "+49 30 {:03} {:04}",
                dice.random_range(100..999),
                dice.random_range(1_000..9_999)
            )),
            mobile: some(format!("0170 {:07}", dice.random_range(1_000_000..9_999_999))),
            street: some(format!("{}straße {}", word(dice, 2), dice.random_range(10..200))),
            ..leaver("placeholder")
        };
        let user = add(store, user).await;
        people.push(Person { number: user.number, user });
    }
    people
}

/// The kinds of values that count anywhere, and last the one that counts in free text only.
pub const KINDS: [&str; 8] =
    ["user_id", "email", "barcode", "external_id", "phone", "street", "full_name", "last_name"];

impl Person {
    /// A value of a kind.
    pub fn value(&self, kind: &str, dice: &mut StdRng) -> String {
        let user = self.user.clone();
        let [first, last] = [user.first_name, user.last_name].map(Option::unwrap_or_default);
        match kind {
            "user_id" => user.user_id,
            "email" => user.email,
            "barcode" => user.barcode,
            "external_id" => user.external_id,
            "phone" if dice.random() => user.phone,
            "phone" => user.mobile,
            "street" => user.street,
            "full_name" if dice.random() => Some(format!("{last}, {first}")),
            "full_name" => Some(format!("{first} {last}")),
            _ => Some(last),
        }
        .unwrap()
    }
}

/// The same value as somebody else could have typed it: in capitals, without accents, with other spaces.
pub fn written_otherwise(value: &str, dice: &mut StdRng) -> String {
    let value = if dice.random() { value.to_uppercase() } else { value.to_owned() };
    let value = if dice.random() { records::words::fold(&value) } else { value };
    match dice.random_range(0..4) {
        0 => value.replace(' ', "  "),
        1 => value.replace('-', " "),
        2 => value.replace(' ', "\u{A0}"),
        _ => value,
    }
}
