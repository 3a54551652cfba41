//! A table of searches with the users that they find, on both databases: as staff type, paste and scan them.

use crate::support::{add_task, five_days, for_each_database};
use db::pagination::Paging;
use policy::UserNumber;
use policy::letters::{fold, typewritten};
use policy::user_form::UserForm;
use records::user::{self, UserQuery};
use task_centre::run;
use trail::{Actor, Store};

const BRIEN: i64 = 1;
const GROSS: i64 = 2;
const LUKASZ: i64 = 3;
const SOREN: i64 = 4;
const MULLER: i64 = 5;
const MUELLER: i64 = 6;
const VRIES: i64 = 7;
const DONALD: i64 = 8;
const PICASSO: i64 = 9;
const RUSSIAN: i64 = 10;
const CHINESE: i64 = 11;
const JONES: i64 = 12;
const ANN_UK: i64 = 13;
const THORDUR: i64 = 14;
const OBRIEN: i64 = 15;

/// The text of a search, and the users that it finds.
const SEARCHES: &[(&str, &[i64])] = &[
    // Pasted names.
    ("O'Brien, Niamh", &[BRIEN]),
    ("O\u{2019}Brien, Niamh", &[BRIEN]),
    ("O`Brien,\u{A0}Niamh", &[BRIEN]),
    ("\u{201C}Niamh O\u{2019}Brien\u{201D}", &[BRIEN]),
    ("O'Brien", &[BRIEN, OBRIEN]),
    ("OBrien", &[BRIEN, OBRIEN]),
    ("O Brien", &[BRIEN, OBRIEN]),
    ("O'Brien, N.", &[BRIEN]),
    ("N. O'Brien", &[BRIEN]),
    ("Dr. Niamh O'Brien", &[BRIEN]),
    ("Brien;", &[BRIEN]),
    ("Niamh O'Brien (user 1)", &[BRIEN]),
    // Pasted addresses.
    ("Niamh O'Brien <niamh@x.org>", &[BRIEN]),
    ("Library <NIAMH@X.ORG>", &[BRIEN]),
    ("niamh@x.org;", &[BRIEN]),
    ("mailto:niamh@x.org", &[BRIEN]),
    ("mailto:niamh@x.org?subject=Overdue", &[BRIEN]),
    ("niamh@x.org, soren@x.org", &[BRIEN, SOREN]),
    ("ann@x.org", &[JONES, ANN_UK]),
    ("niamh@x.com", &[]),
    // Numbers of users.
    ("#1", &[BRIEN]),
    ("# 5", &[MULLER]),
    ("user 5", &[MULLER]),
    ("User number 5", &[MULLER]),
    ("#99", &[]),
    ("7", &[VRIES]),
    // Keys as they are scanned and printed.
    ("2900 1234 567", &[BRIEN]),
    ("29001234567", &[BRIEN]),
    ("2900-1234-567", &[BRIEN]),
    ("*29001234567*", &[BRIEN]),
    ("A29001234567B", &[BRIEN]),
    ("2900\u{A0}1234\u{A0}567", &[BRIEN]),
    ("2901 0000 111", &[SOREN]),
    ("29010000111", &[SOREN]),
    ("2900 1234 568", &[]),
    ("nob1", &[BRIEN]),
    ("NOB1,", &[BRIEN]),
    ("ext-77/b", &[MULLER]),
    // Phone numbers.
    ("+353 86 555 01 23", &[BRIEN]),
    ("00353865550123", &[BRIEN]),
    ("086 555 01 23", &[BRIEN]),
    ("(086) 555-0123", &[BRIEN]),
    ("+44 86 555 01 23", &[]),
    // Letters.
    ("Gross", &[GROSS, MUELLER]),
    ("GROSS", &[GROSS, MUELLER]),
    ("Groß", &[GROSS, MUELLER]),
    ("lukasz zolkiewski", &[LUKASZ]),
    ("Soren", &[SOREN]),
    ("Soerensen", &[SOREN]),
    ("mueller", &[MULLER, MUELLER]),
    ("Müller", &[MULLER, MUELLER]),
    ("Mu\u{308}ller", &[MULLER, MUELLER]),
    ("MUELLER Anna", &[MULLER]),
    ("thordur dadason", &[THORDUR]),
    ("щербакова", &[RUSSIAN]),
    ("王", &[CHINESE]),
    // Compound names.
    ("Vries", &[VRIES]),
    ("devries", &[VRIES]),
    ("De Vries, Jan", &[VRIES]),
    ("Mc Donald", &[DONALD]),
    ("McDonald", &[DONALD]),
    ("Smith Jones", &[JONES]),
    ("smith-jones", &[JONES]),
    ("jones", &[JONES]),
    // Every word counts.
    ("Pablo Diego José Francisco de Paula Ruiz y Picasso", &[PICASSO]),
    ("Pablo Diego José Francisco de Paula Ruiz y Braque", &[]),
    ("Niamh Müller", &[]),
    // Nothing to search for.
    (
        "\u{200B}",
        &[
            BRIEN, GROSS, LUKASZ, SOREN, MULLER, MUELLER, VRIES, DONALD, PICASSO, RUSSIAN, CHINESE, JONES,
            ANN_UK, THORDUR, OBRIEN,
        ],
    ),
    ("'", &[]),
    ("*", &[]),
    ("%", &[]),
];

/// The text of a search, and the user whose record it opens.
const OPENED: &[(&str, Option<i64>)] = &[
    ("*29001234567*", Some(BRIEN)),
    ("2900 1234 567", Some(BRIEN)),
    ("A29001234567B", Some(BRIEN)),
    ("29010000111", Some(SOREN)),
    ("2901-0000-111", Some(SOREN)),
    ("nob1", Some(BRIEN)),
    (" NOB1; ", Some(BRIEN)),
    ("EXT-77/b", Some(MULLER)),
    ("niamh@x.org", Some(BRIEN)),
    ("Niamh <niamh@x.org>", Some(BRIEN)),
    ("ann@x.org", Some(JONES)),
    ("ann@x.org.uk", Some(ANN_UK)),
    ("#5", Some(MULLER)),
    ("5", Some(MULLER)),
    // The barcode of one user is the number of another.
    ("3", None),
    // A UserID that is also a last name.
    ("gross", None),
    ("vries", None),
    ("2900", None),
    ("niamh@x", None),
    ("Niamh", None),
    ("", None),
    ("#99", None),
];

async fn library(store: &Store) {
    let named = |first: &str, last: &str| UserForm {
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        ..UserForm::default()
    };
    let users = [
        UserForm {
            user_id: "nob1".to_owned(),
            barcode: "29001234567".to_owned(),
            email: "niamh@x.org".to_owned(),
            phone: "+353 86 555 01 23".to_owned(),
            ..named("Niamh", "O\u{2019}Brien")
        },
        UserForm { barcode: "3".to_owned(), ..named("Hans", "Groß") },
        named("Łukasz", "Żółkiewski"),
        UserForm {
            barcode: "2901 0000 111".to_owned(),
            email: "soren@x.org".to_owned(),
            ..named("Søren", "Sørensen")
        },
        UserForm { external_id: "ext-77/B".to_owned(), ..named("Anna", "Müller") },
        UserForm { user_id: "gross".to_owned(), ..named("Bernd", "Mueller") },
        named("Jan", "de Vries"),
        named("Ronald", "McDonald"),
        named("Pablo Diego José Francisco de Paula", "Ruiz y Picasso"),
        named("Анна", "Щербакова"),
        named("小明", "王"),
        UserForm { email: "ann@x.org".to_owned(), ..named("Ann", "Smith\u{2011}Jones") },
        UserForm { email: "ann@x.org.uk".to_owned(), ..named("Annette", "Beck") },
        named("Þórður", "Ðaðason"),
        named("Tom", "OBrien"),
    ];
    for (at, form) in users.iter().enumerate() {
        let number = user::save(store, Actor::COMMAND_LINE, form).await.unwrap();
        assert_eq!(number, UserNumber(i64::try_from(at).unwrap() + 1));
    }
}

async fn found(store: &Store, text: &str) -> Vec<i64> {
    let query = UserQuery { text: text.to_owned(), ..UserQuery::default() };
    let page = user::find(store, &query, &Paging::default()).await.unwrap();
    let numbers: Vec<i64> = page.rows.iter().map(|row| row.number.0).collect();
    assert_eq!(user::count(store, &query, 1_000).await.unwrap(), i64::try_from(numbers.len()).unwrap());
    numbers
}

#[tokio::test]
async fn every_search_of_the_table_finds_its_users() {
    for_each_database(async |store| {
        library(&store).await;
        for (text, expected) in SEARCHES {
            assert_eq!(found(&store, text).await, *expected, "{text}");
        }
        for (text, expected) in OPENED {
            let opened = user::exact_match(&store, text).await.unwrap();
            assert_eq!(opened, expected.map(UserNumber), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_search_without_result_has_similar_spellings() {
    for_each_database(async |store| {
        library(&store).await;
        for (typed, proposed) in [
            ("Niahm", "Niamh"),
            ("Picaso", "Picasso"),
            ("Pikasso", "Picasso"),
            ("Miller", "Müller"),
            ("Żółkiewsky", "Żółkiewski"),
            ("OBryan Niamh", "OBrien Niamh"),
            ("29001234576", "29001234567"),
        ] {
            let query = UserQuery { text: typed.to_owned(), ..UserQuery::default() };
            let similar = user::similar(&store, &query).await.unwrap();
            let names = |text: &str| fold(&typewritten(text)).replace('\'', "");
            let is_proposed = similar.iter().any(|one| names(&one.text).starts_with(&names(proposed)[..4]));
            assert!(is_proposed, "{typed}: {similar:?}");
            for one in similar {
                assert_eq!(
                    i64::try_from(found(&store, &one.text).await.len()).unwrap(),
                    one.users,
                    "{typed}: {one:?}"
                );
            }
        }
        let query = UserQuery { text: "Niamh Braque".to_owned(), ..UserQuery::default() };
        let similar = user::similar(&store, &query).await.unwrap();
        let without = similar.iter().find(|one| one.without.as_deref() == Some("Braque")).unwrap();
        assert_eq!((without.text.as_str(), without.users), ("Niamh", 1));
        for text in ["", "xq", "'", "zzzzzzzzzzzzzzzz"] {
            let query = UserQuery { text: text.to_owned(), ..UserQuery::default() };
            assert_eq!(user::similar(&store, &query).await.unwrap(), [], "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_anonymised_user_is_found_by_number_and_random_name() {
    for_each_database(async |store| {
        library(&store).await;
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(BRIEN), "1").await.unwrap();
        let name = user::read(&store, UserNumber(BRIEN)).await.unwrap().name;
        assert_eq!(found(&store, &name).await, [BRIEN]);
        assert_eq!(found(&store, &name.to_lowercase()).await, [BRIEN]);
        assert_eq!(found(&store, "#1").await, [BRIEN]);
        for text in ["Niamh", "nob1", "29001234567", "niamh@x.org", "+353 86 555 01 23"] {
            assert_eq!(found(&store, text).await, [0; 0], "{text}");
            assert_eq!(user::exact_match(&store, text).await.unwrap(), None, "{text}");
        }
        assert_eq!(user::exact_match(&store, "#1").await.unwrap(), Some(UserNumber(BRIEN)));
    })
    .await;
}

/// Every search reads the index: the plan has no scan of the users or of all words.
#[tokio::test]
async fn no_search_of_the_table_scans_the_users() {
    for_each_database(async |store| {
        library(&store).await;
        if !db::dialect::is_embedded(&store.db) {
            return;
        }
        for (text, _) in SEARCHES {
            let search = policy::user_search::UserSearch::parse(text);
            if !search.can_find() {
                continue;
            }
            let (sql, values) = db::search_index::matching(&search, "u.number");
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT u.number FROM users u WHERE {sql} ORDER BY u.number LIMIT 51"
            );
            let plan = sea_orm::ConnectionTrait::query_all_raw(
                &store.db,
                db::dialect::bind(sea_orm::ConnectionTrait::get_database_backend(&store.db), &sql, values),
            )
            .await
            .unwrap();
            for step in plan {
                let detail: String = step.try_get("", "detail").unwrap();
                let scans = detail.starts_with("SCAN u") || detail.starts_with("SCAN user");
                assert!(!scans, "{text}: {detail}");
            }
        }
    })
    .await;
}
