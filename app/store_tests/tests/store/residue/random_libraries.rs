//! The search finds what the oracle finds, in random libraries that are designed to be difficult.
//!
//! `RESIDUE_LIBRARIES` sets their number (default: 4) and `RESIDUE_SEED` the first seed. `--nocapture` shows the
//! figures.

use super::examples::{both, write};
use super::execute_with;
use super::oracle::library::Finding;
use super::people::{respelled, seeded};
use crate::support::{add, execute, for_each_database, leaver};
use db::entity::users;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use sea_orm::Set;
use std::collections::BTreeSet;
use trail::Store;

const LIBRARIES: u64 = 4;
const LEAVING: usize = 18;
const STAYING: usize = 22;
const TEXTS: i64 = 260;

const FIRST: &[&str] =
    &["Ann", "Ana", "Mary Ann", "Joann", "Zoë", "Νίκος", "王", "Jean-Luc", "Тарас", "علي", "Müge"];
const LAST: &[&str] = &[
    "Bell",
    "Bell-Jones",
    "Bellow",
    "Müller",
    "Mueller",
    "Young",
    "Ng",
    "van der Huijs",
    "O’Brien",
    "Шевчук",
    "小明",
    "Garland",
    "García Bell",
    "Łukasik",
    "Großmann",
    "Ander",
    "Χαρίτος",
];
const EMAIL: &[&str] = &[
    "ann@x.org",
    "annb@x.org",
    "ann.b@x.org",
    "carer.annb@x.org",
    "joann@x.org",
    "ann-b@x.org",
    "ann@x.org.uk",
    "ann@mail.x.org",
    "ann@my-x.org",
    "b@x.org",
    "bell@x.org",
    "ann.bell@x.org",
    "Young, Ana <ana.young@x.org>",
    "ann+lib@x.org",
    "zoë@x.org",
    "Ann <an@x.org>",
];
const USER_ID: &[&str] = &[
    "u4711",
    "xu4711",
    "u4711-carer",
    "u47112",
    "4711234",
    "47112345",
    "ann",
    "bell",
    "annbell77x",
    "joannbell77x",
    "joannbell",
    "annb x",
    "annb@x.org",
    "u.4711",
    "carer u4711",
    "young",
    "1795550123",
    "müller7",
    "王小明七",
    "шевчук77",
];
const BARCODE: &[&str] = &[
    "2910203040",
    "12910203040",
    "29102030401",
    "1234567",
    "21234567",
    "12345678",
    "123456",
    "29-1234567",
    "1234",
    "795550123",
    "A1234567",
    "4711234",
];
const EXTERNAL: &[&str] = &[
    "HR/0001234",
    "HR/00012345",
    "XHR/0001234",
    "0001234",
    "HR-0001234-2",
    "EX 99",
    "u4711",
    "bell@x.org.uk",
];
const PHONE: &[&str] = &[
    "+41 79 555 01 23",
    "079 555 01 23",
    "0795550123",
    "1795550123",
    "01632 960123",
    "+44 1632 960123",
    "01632 9601234",
    "(212) 555-0123",
    "030/1234567",
    "555 0123",
    "0170 1234567, 01632 960123",
    "4711234",
    "+1 212 555 0123",
    "12345",
    "12 34 56",
    "12345 or 01632 960123",
    "0170 1234567 01632 960123",
    "01632 960123|+41 79 555 01 23",
    "0170 1234567 (Ann Bell)",
    "01632 555 0123",
];
const STREET: &[&str] = &[
    "12 Abbey Lane",
    "Flat 3, 12 Abbey Lane",
    "112 Abbey Lane",
    "12 Abbey Lane 4",
    "c/o Ann Bell, 12 Abbey Lane",
    "Bell, Joann, 4 Mill Hill",
    "Königstr. 5",
    "Koenigstr. 5",
    "Mill Hill",
    "北京路5号",
];
const CUSTOM: &[&str] = &[
    "call ann@x.org",
    "079 555 01 23",
    "likes maps and tea",
    "annb@x.org",
    "grey cat",
    "the young Bell",
    "Ann Bell",
    "29102030",
    "12 Abbey Lane",
    "likes maps",
    "K-4711",
    "4711",
    "12345",
    "AK-4711",
];
const BEFORE: &[&str] = &[
    "", "", "", "x", "1", "0", "00", "+", "+41", "-", "1-", ".", "carer.", "jo", "mailto:", "<", "29-",
    "der ", "王",
];
const BEHIND: &[&str] = &[
    "", "", "", ".", ".uk", "-x", "x", "7", "'s", "s", ",", "@y.org", ">", "-2", "/3", ".50", "_old", " ist",
    "小", ";b@x.org",
];
const COLUMNS: &[&str] = &[
    "users.notes",
    "loans.note",
    "loans.note",
    "messages.body",
    "messages.recipient",
    "requests.note",
    "charges.note",
    "renewals.note",
    "user_words.word",
];

/// Unique keys that are still free.
struct Keys {
    user_id: Vec<&'static str>,
    barcode: Vec<&'static str>,
    external: Vec<&'static str>,
}

fn some(rng: &mut StdRng, percent: u32, from: &[&str]) -> Option<String> {
    (rng.random_range(0..100) < percent).then(|| (*from.choose(rng).unwrap()).to_owned())
}

fn a_user(rng: &mut StdRng, keys: &mut Keys, name: &str) -> users::ActiveModel {
    let key = |keys: &mut Vec<&'static str>, rng: &mut StdRng| {
        (rng.random_range(0..3) > 0).then(|| keys.pop()).flatten().map(str::to_owned)
    };
    // A relative's value, or one derived from a name.
    let named = |rng: &mut StdRng| (FIRST.choose(rng).unwrap(), LAST.choose(rng).unwrap());
    let (email, street) = match rng.random_range(0..5) {
        0 => {
            let (first, last) = named(rng);
            (Some(format!("{first}.{last}@y.org").replace(' ', "")), some(rng, 40, STREET))
        }
        1 => {
            let (first, last) = named(rng);
            (some(rng, 60, EMAIL), Some(format!("c/o {first} {last}, 4 Mill Hill")))
        }
        _ => (some(rng, 60, EMAIL), some(rng, 40, STREET)),
    };
    users::ActiveModel {
        user_id: Set(key(&mut keys.user_id, rng)),
        barcode: Set(key(&mut keys.barcode, rng)),
        external_id: Set(key(&mut keys.external, rng)),
        first_name: Set(some(rng, 90, FIRST)),
        middle_name: Set(some(rng, 20, FIRST)),
        preferred_name: Set(some(rng, 20, FIRST)),
        last_name: Set(some(rng, 95, LAST)),
        email: Set(email),
        phone: Set(some(rng, 50, PHONE)),
        mobile: Set(some(rng, 20, PHONE)),
        street: Set(street),
        postcode: Set(some(rng, 20, &["LN1 2AB", "12345"])),
        city: Set(some(rng, 20, &["Bell", "Lincoln", "u4711"])),
        ..leaver(name)
    }
}

/// Returns a text with values, whole and inside others, unchanged and in other spellings.
fn a_text(rng: &mut StdRng) -> String {
    let mut text = (*["", "Seen: ", "for ", "Dear "].choose(rng).unwrap()).to_owned();
    for _ in 0..rng.random_range(1..3) {
        let pools = [FIRST, LAST, EMAIL, USER_ID, BARCODE, EXTERNAL, PHONE, STREET, CUSTOM];
        let value = match rng.random_range(0..12) {
            0..2 => format!("{} {}", FIRST.choose(rng).unwrap(), LAST.choose(rng).unwrap()),
            2 => format!("{}, {}", LAST.choose(rng).unwrap(), FIRST.choose(rng).unwrap()),
            _ => (*pools.choose(rng).unwrap().choose(rng).unwrap()).to_owned(),
        };
        let value = if rng.random() { respelled("any", &value, rng) } else { value };
        text += BEFORE.choose(rng).unwrap();
        text += &value;
        text += BEHIND.choose(rng).unwrap();
        text += [" ", " and ", ", ", "; call ", "\n"].choose(rng).unwrap();
    }
    text.trim_end().to_owned()
}

/// Fills a library. Returns the number of texts written into it.
async fn fill(store: &Store, rng: &mut StdRng) -> i64 {
    let mut keys = Keys { user_id: USER_ID.to_vec(), barcode: BARCODE.to_vec(), external: EXTERNAL.to_vec() };
    keys.user_id.shuffle(rng);
    keys.barcode.shuffle(rng);
    keys.external.shuffle(rng);
    execute(store, "INSERT INTO custom_fields (key, label) VALUES ('more', 'More'), ('other', 'Other')")
        .await;
    let mut all = Vec::new();
    let mut order: Vec<bool> = (0..LEAVING + STAYING).map(|at| at < LEAVING).collect();
    order.shuffle(rng);
    for (at, leaves) in order.into_iter().enumerate() {
        let user = a_user(rng, &mut keys, &at.to_string());
        let user = if leaves {
            user
        } else {
            users::ActiveModel { leaving_on: Set(None), marked_on: Set(None), ..user }
        };
        let user = add(store, user).await;
        for word in trail::person::search_words(&user) {
            let sql = format!("INSERT INTO user_words (word, user_number) VALUES (?, {})", user.number);
            execute_with(store, &sql, &[&word]).await;
        }
        for field in ["more", "other"] {
            let value = if rng.random() { some(rng, 40, CUSTOM) } else { some(rng, 20, EMAIL) };
            if let Some(value) = value {
                let sql = format!(
                    "INSERT INTO custom_values (user_number, field_key, value) VALUES ({}, '{field}', ?)",
                    user.number
                );
                execute_with(store, &sql, &[&value]).await;
            }
        }
        all.push((user.number, leaves));
    }
    let mut written = 0;
    for id in 1..=TEXTS {
        let (user, leaves) = *all.choose(rng).unwrap();
        let text = a_text(rng);
        match *COLUMNS.choose(rng).unwrap() {
            // Rows of leavers are emptied, and the addresses of their messages are values of theirs.
            "messages.recipient" if leaves => continue,
            column => {
                write(store, column, id, user, &text).await;
            }
        }
        written += 1;
    }
    // A word in many fields is an ordinary word.
    if rng.random() {
        let (user, _) = *all.iter().find(|(_, leaves)| !leaves).unwrap();
        let word = LAST.choose(rng).unwrap();
        for id in 1..=i64::from(rng.random_range(15..40)) {
            write(store, "loans.note", 10_000 + id, user, &format!("a {word} book")).await;
            written += 1;
        }
    }
    written
}

#[tokio::test]
async fn the_search_finds_what_the_oracle_finds() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("RESIDUE_SEED").unwrap_or(1);
    let (mut texts, mut expected_in_all, mut found_in_all) = (0, 0, 0);
    let mut wrong = Vec::new();
    let libraries = first..first + number("RESIDUE_LIBRARIES").unwrap_or(LIBRARIES);
    for seed in libraries.clone() {
        let sums = std::cell::RefCell::new((0, 0, 0, Vec::new()));
        for_each_database(async |store| {
            let written = fill(&store, &mut seeded(seed)).await;
            let (expected, found) = both(&store).await;
            let missed: BTreeSet<&Finding> = expected.difference(&found).collect();
            let too_many: BTreeSet<&Finding> = found.difference(&expected).collect();
            let backend = store.db.get_database_backend();
            eprintln!(
                "library {seed} on {backend:?}: {written} texts, {} findings expected, {} found, {} missed, \
                 {} false positives",
                expected.len(),
                found.len(),
                missed.len(),
                too_many.len()
            );
            let mut sums = sums.borrow_mut();
            sums.0 += written;
            sums.1 += expected.len();
            sums.2 += found.len();
            for (what, findings) in [("missed", missed), ("false positive", too_many)] {
                for finding in findings {
                    sums.3.push(format!("library {seed} on {backend:?}: {what}: {finding:?}"));
                }
            }
        })
        .await;
        let (written, expected, found, differences) = sums.into_inner();
        texts += written;
        expected_in_all += expected;
        found_in_all += found;
        wrong.extend(differences);
    }
    eprintln!(
        "libraries {libraries:?}, each on every database: {texts} texts, {expected_in_all} findings expected, \
         {found_in_all} found"
    );
    assert!(expected_in_all > 0, "no finding was expected");
    assert!(wrong.is_empty(), "{} differences: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
}
