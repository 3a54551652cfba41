//! The residue scan: what it finds of people who were anonymised, and what it takes for somebody else's.

use crate::anonymising::run_all;
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use policy::{LoanText, Policy, Residue, RunId, RunState, TaskId, UserNumber};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use records::certificate::verify_run;
use records::entity::{residue_hits, run_members, tasks, users};
use records::page::Paging;
use records::residue::{self, Decision, Finding, FindingQuery, Now, Standing, decide, findings, standing};
use records::{Actor, RecordsError, Store, demo, run};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, EntityTrait, QueryFilter, QueryOrder, Set, Statement,
};
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization as _;

const SEED: u64 = 20_180_121;
const PEOPLE: usize = 80;
const PLANTED: usize = 50;
/// Users who stay; the texts are in rows of theirs.
const STAYING: i64 = 5;

/// Names that nobody has twice, with what makes folding hard.
const FIRST: [&str; 10] =
    ["Zoë", "Bartłomiej", "Sinéad", "Đorđe", "İpek", "Åsa", "Ulrike", "Νίκος", "Тарас", "Jean-Luc"];
const LAST: [&str; 8] =
    ["Müllersdorf", "O’Shaughn", "Żółkiew", "Großmann", "Nuñezar", "Lefèvrier", "Ivančić", "van der Huijs"];

async fn hits(store: &Store, run: RunId) -> Vec<residue_hits::Model> {
    residue_hits::Entity::find()
        .filter(residue_hits::Column::RunId.eq(run.0))
        .order_by_asc(residue_hits::Column::Id)
        .all(store.database())
        .await
        .unwrap()
}

/// What the run says of each person.
async fn results(store: &Store, run: RunId) -> BTreeMap<i64, Option<Residue>> {
    let members = run_members::Entity::find()
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::Outcome.eq("done"))
        .all(store.database())
        .await
        .unwrap();
    let result = |code: Option<String>| code.as_deref().and_then(Residue::from_code);
    members.into_iter().map(|member| (member.user_number, result(member.residue))).collect()
}

/// Runs SQL with `?` for values; all of them are text.
async fn execute_with(store: &Store, sql: &str, texts: &[&str]) {
    let db = store.database();
    let backend = db.get_database_backend();
    let mut sql = sql.to_owned();
    if backend == DatabaseBackend::Postgres {
        for place in 1..=texts.len() {
            sql = sql.replacen('?', &format!("${place}"), 1);
        }
    }
    let values: Vec<sea_orm::Value> = texts.iter().map(|text| (*text).into()).collect();
    db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.unwrap();
}

/// One text; None where there is none.
async fn text_at(store: &Store, table: &str, column: &str, condition: &str) -> Option<String> {
    let db = store.database();
    let sql = format!("SELECT CAST({column} AS TEXT) AS text FROM {table} AS t WHERE {condition}");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.and_then(|row| row.try_get("", "text").unwrap())
}

async fn a_loan(store: &Store, id: i64, user: i64, note: &str) {
    let sql = format!(
        "INSERT INTO loans (id, user_number, branch, issued_on, due_on, returned_on, renewals, note) \
         VALUES ({id}, {user}, 'main', '2017-05-01', '2017-06-01', '2017-05-20', 0, ?)"
    );
    execute_with(store, &sql, &[note]).await;
}

async fn a_message(store: &Store, id: i64, user: i64, recipient: &str, body: &str) {
    let sql = format!(
        "INSERT INTO messages (id, user_number, kind, channel, sent_at, recipient, body) \
         VALUES ({id}, {user}, 'notice', 'email', '2017-05-01T10:00:00+00:00', ?, ?)"
    );
    execute_with(store, &sql, &[recipient, body]).await;
}

/// Puts a text into a random place of the library that is about nobody who leaves. Gives table, column and key.
async fn plant(
    store: &Store,
    dice: &mut StdRng,
    id: i64,
    text: &str,
    only_free: bool,
) -> (String, String, String) {
    let owner = dice.random_range(1..=STAYING);
    let spot = match dice.random_range(0..if only_free { 5 } else { 7 }) {
        0 => {
            a_loan(store, id, owner, text).await;
            ("loans", "note")
        }
        1 => {
            a_message(store, id, owner, "desk", text).await;
            ("messages", "body")
        }
        2 => {
            let sql = format!(
                "INSERT INTO charges (id, user_number, kind, cents, charged_on, settled_on, note) \
                 VALUES ({id}, {owner}, 'fine', 50, '2017-05-01', '2017-05-02', ?)"
            );
            execute_with(store, &sql, &[text]).await;
            ("charges", "note")
        }
        3 => {
            let sql = format!(
                "INSERT INTO requests (id, user_number, branch, placed_on, status, closed_on, note) \
                 VALUES ({id}, {owner}, 'main', '2017-05-01', 'fulfilled', '2017-05-02', ?)"
            );
            execute_with(store, &sql, &[text]).await;
            ("requests", "note")
        }
        4 => {
            execute_with(store, &format!("INSERT INTO scribbles (id, words) VALUES ({id}, ?)"), &[text])
                .await;
            ("scribbles", "words")
        }
        5 => {
            let sql = format!(
                "INSERT INTO catalogue_records (id, title, created_on) VALUES ({id}, ?, '2010-01-01')"
            );
            execute_with(store, &sql, &[text]).await;
            ("catalogue_records", "title")
        }
        _ => {
            let task = tasks::ActiveModel {
                id: Set(id),
                description: Set(text.to_owned()),
                active: Set(false),
                task_type: Set("anonymise_user_data".to_owned()),
                visibility: Set("shared".to_owned()),
                policy: Set(serde_json::to_string(&five_days()).unwrap()),
                schedule: Set(r#"{"kind":"manual_only"}"#.to_owned()),
                single_default: Set(false),
                created_at: Set(store.clock().now()),
                changed_at: Set(store.clock().now()),
                ..Default::default()
            };
            tasks::Entity::insert(task).exec(store.database()).await.unwrap();
            ("tasks", "description")
        }
    };
    (spot.0.to_owned(), spot.1.to_owned(), id.to_string())
}

/// Somebody who leaves, with values that nobody else has.
fn distinct(at: usize) -> users::ActiveModel {
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

/// A text with a value of the person in it, and whether only free text points to the person.
fn mention(dice: &mut StdRng, person: &users::Model) -> (String, bool) {
    let of = |value: &Option<String>| value.clone().unwrap();
    let (first, last) = (of(&person.first_name), of(&person.last_name));
    let kind = dice.random_range(0..8);
    let value = match kind {
        0 => format!("{first} {last}"),
        1 => format!("{last}, {first}"),
        2 => of(&person.user_id),
        3 => of(&person.email),
        4 => of(&person.phone),
        5 => of(&person.street),
        6 => of(&person.barcode),
        _ => last,
    };
    let value = match dice.random_range(0..5) {
        0 => value.to_uppercase(),
        1 => value.to_lowercase(),
        2 => value.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect(),
        3 => value.nfd().collect(),
        _ => value,
    };
    let value = match dice.random_range(0..3) {
        0 => value.replace(' ', "\u{A0} "),
        1 if kind == 4 => format!("+44 {}", value[1..].replace(' ', "-")),
        1 if kind == 6 => format!("{} {}", &value[..4], &value[4..]),
        1 => value.replace('’', "'").replace("ß", "ss"),
        _ => value,
    };
    let text = match dice.random_range(0..3) {
        0 => format!("Please call ({value}) again"),
        1 => value,
        _ => format!("see {value}; done"),
    };
    (text, kind == 7)
}

#[tokio::test]
async fn every_planted_value_is_found_and_nothing_else() {
    for_each_database(async |store| {
        let mut dice = StdRng::seed_from_u64(SEED);
        execute(&store, "CREATE TABLE scribbles (id BIGINT PRIMARY KEY, words TEXT)").await;
        for stays in 1..=STAYING {
            let name = format!("Stays{stays}");
            add(&store, users::ActiveModel { leaving_on: Set(None), marked_on: Set(None), ..leaver(&name) })
                .await;
        }
        let mut people = Vec::new();
        for at in 0..PEOPLE {
            people.push(add(&store, distinct(at)).await);
        }
        let task = add_task(&store, &five_days()).await;
        let mut planted = BTreeSet::new();
        let mut texts = BTreeMap::new();
        for (id, person) in (100..).zip(people.iter().take(PLANTED)) {
            let (text, only_free) = mention(&mut dice, person);
            let spot = plant(&store, &mut dice, id, &text, only_free).await;
            texts.insert(person.number, format!("{text} at {spot:?}"));
            planted.insert((person.number, spot));
        }

        let (id, state) = run_all(&store, task).await;
        assert_eq!(state, RunState::Succeeded);
        let hits = hits(&store, id).await;
        let found: BTreeSet<_> = hits
            .iter()
            .map(|hit| {
                let spot = (hit.table_name.clone(), hit.column_name.clone(), hit.row_key.clone());
                (hit.user_number, spot)
            })
            .collect();
        let missing: Vec<_> = planted.difference(&found).map(|(number, _)| &texts[number]).collect();
        assert!(missing.is_empty(), "{} of {PLANTED} were not found: {missing:#?}", missing.len());
        let wrong: Vec<_> = found.difference(&planted).collect();
        assert!(wrong.is_empty(), "{wrong:?}");

        for (at, person) in people.iter().enumerate() {
            let expected = if at < PLANTED { Residue::Hits } else { Residue::Clean };
            assert_eq!(results(&store, id).await[&person.number], Some(expected), "{}", person.number);
        }
        let noted = format!("{hits:?}").to_lowercase();
        for person in &people {
            for value in [&person.user_id, &person.last_name, &person.email, &person.phone, &person.barcode] {
                assert!(!noted.contains(&value.as_deref().unwrap().to_lowercase()));
            }
        }
        assert_eq!(verify_run(&store, id).await.unwrap().doubts, []);
    })
    .await;
}

/// Makes the database give everything that identified a user to another one, at the moment it is free.
async fn let_others_take_over(store: &Store) {
    let columns = "first_name, last_name, user_id, email, barcode, phone, street";
    let old = columns.split(", ").map(|column| format!("OLD.{column}")).collect::<Vec<_>>().join(", ");
    let insert = format!(
        "INSERT INTO users (uuid, created_on, fictitious, imported, dates_by_month, version, {columns}) \
         VALUES ('heir of ' || OLD.number, '2018-01-21', FALSE, FALSE, FALSE, 1, {old})"
    );
    let when = "OLD.user_id IS NOT NULL AND NEW.user_id IS NULL";
    if store.database().get_database_backend() == DatabaseBackend::Postgres {
        let function = format!(
            "CREATE FUNCTION inherit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {insert}; RETURN NULL; END $$"
        );
        execute(store, &function).await;
        let trigger = format!(
            "CREATE TRIGGER heirs AFTER UPDATE ON users FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION inherit()"
        );
        execute(store, &trigger).await;
    } else {
        execute(
            store,
            &format!("CREATE TRIGGER heirs AFTER UPDATE ON users WHEN {when} BEGIN {insert}; END"),
        )
        .await;
    }
}

#[tokio::test]
async fn what_others_have_is_theirs() {
    for_each_database(async |store| {
        let stays = |uuid: &str, person: users::ActiveModel| users::ActiveModel {
            uuid: Set(uuid.to_owned()),
            leaving_on: Set(None),
            marked_on: Set(None),
            user_id: Set(Some(uuid.to_owned())),
            email: Set(Some(format!("{uuid}@home.example.net"))),
            barcode: Set(None),
            ..person
        };
        // The same first name, last name, street and phone as somebody who leaves; then the same last name only.
        let twin = add(&store, stays("twin", distinct(0))).await;
        let cousin = users::ActiveModel { first_name: Set(Some("Ana".to_owned())), ..distinct(1) };
        let cousin = add(&store, stays("cousin", cousin)).await;
        let leaving: Vec<users::Model> = {
            let mut leaving = Vec::new();
            for at in 0..10 {
                leaving.push(add(&store, distinct(at)).await);
            }
            leaving
        };
        for (id, person) in [(1, &twin), (2, &cousin)] {
            let of = |value: &Option<String>| value.clone().unwrap();
            let text = format!(
                "Dear {} {}, we wrote to {} and called {}. Yours",
                of(&person.first_name),
                of(&person.last_name),
                of(&person.street),
                of(&person.phone)
            );
            a_message(&store, id, person.number, &of(&person.email), &text).await;
            a_loan(&store, id, person.number, &format!("{} will come", of(&person.last_name))).await;
        }
        // What belongs to those who leave goes with them.
        a_loan(&store, 9, leaving[3].number, leaving[3].last_name.as_deref().unwrap()).await;
        let task = add_task(&store, &five_days()).await;
        let_others_take_over(&store).await;
        let (id, state) = run_all(&store, task).await;
        assert_eq!(state, RunState::Succeeded);
        let heirs =
            users::Entity::find().filter(users::Column::Uuid.starts_with("heir of ")).all(store.database());
        assert_eq!(heirs.await.unwrap().len(), 10, "everything was taken over before the scan");
        let found = hits(&store, id).await;
        assert!(found.is_empty(), "{found:?}");
        let results = results(&store, id).await;
        assert_eq!(results.len(), 10);
        assert!(results.values().all(|result| *result == Some(Residue::Clean)), "{results:?}");
    })
    .await;
}

#[tokio::test]
async fn a_single_user_has_a_result_and_a_certificate_that_holds() {
    for_each_database(async |store| {
        let stays = add(&store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
        let [clean, named] = [add(&store, distinct(1)).await, add(&store, distinct(2)).await];
        a_loan(&store, 1, stays.number, &format!("for {}", named.email.clone().unwrap())).await;
        add_task(&store, &five_days()).await;
        for (person, expected) in
            [(&clean, Standing::Clean), (&named, Standing::Found { open: 1, decided: 0 })]
        {
            let number = UserNumber(person.number);
            let done =
                run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
            residue::background_scans().await;
            assert_eq!(standing(&store, number).await.unwrap(), Some((done.unwrap(), expected)));
            assert_eq!(verify_run(&store, done.unwrap()).await.unwrap().doubts, []);
        }
        assert_eq!(standing(&store, UserNumber(stays.number)).await.unwrap(), None);
    })
    .await;
}

/// A library in which three people were anonymised whose names stand in texts of somebody who stays: a loan, a charge
/// and a table that is not registered.
async fn to_review(store: &Store) -> RunId {
    execute(store, "CREATE TABLE scribbles (id BIGINT PRIMARY KEY, words TEXT NOT NULL)").await;
    let stays = add(store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
    let mut people = Vec::new();
    for at in 1..=3 {
        people.push(add(store, distinct(at)).await);
    }
    let name = |at: usize| format!("{} has it", people[at].email.clone().unwrap());
    a_loan(store, 1, stays.number, &name(0)).await;
    a_loan(store, 2, stays.number, &name(1)).await;
    execute_with(store, "INSERT INTO scribbles (id, words) VALUES (1, ?)", &[&name(2)]).await;
    let task = add_task(store, &Policy { loan_text: LoanText::Mark, ..five_days() }).await;
    run_all(store, task).await.0
}

async fn open(store: &Store, run: RunId) -> Vec<Finding> {
    let query = FindingQuery { run: Some(run), decided: Some(false), ..FindingQuery::default() };
    findings(store, &query, &Paging::default()).await.unwrap().rows
}

fn seen(finding: &Finding) -> &str {
    match &finding.now {
        Now::Text { seen, .. } => seen,
        Now::Nothing | Now::Untold => "",
    }
}

#[tokio::test]
async fn staff_remove_what_was_found_or_keep_it() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let found = open(&store, id).await;
        let places: Vec<_> = found.iter().map(|found| (found.table.as_str(), found.row.as_str())).collect();
        assert_eq!(places, [("loans", "1"), ("loans", "2"), ("scribbles", "1")]);
        let Now::Text { text, removable: true, owner: Some(UserNumber(1)), .. } = &found[0].now else {
            panic!("{:?}", found[0].now)
        };
        assert!(text.ends_with(" has it"));
        let version = |decision, at: usize, seen: &str| {
            let (store, seen, id) = (store.clone(), seen.to_owned(), found[at].id);
            async move { decide(&store, Actor::COMMAND_LINE, id, decision, &seen).await }
        };

        // What was changed meanwhile is not removed, nor is what stands there called gone.
        execute(&store, "UPDATE loans SET note = 'another' WHERE id = 1").await;
        let stale = version(Decision::Removed, 0, seen(&found[0])).await;
        assert!(matches!(stale, Err(RecordsError::Stale)), "{stale:?}");
        assert!(matches!(version(Decision::Gone, 0, "").await, Err(RecordsError::Stale)));
        assert_eq!(text_at(&store, "loans", "note", "id = 1").await.as_deref(), Some("another"));
        assert_eq!(open(&store, id).await.len(), 3);

        version(Decision::Kept, 0, "").await.unwrap();
        assert_eq!(text_at(&store, "loans", "note", "id = 1").await.as_deref(), Some("another"));
        let again = version(Decision::Removed, 0, seen(&found[0])).await;
        assert!(matches!(again, Err(RecordsError::Stale)), "it is decided");

        version(Decision::Removed, 1, seen(&found[1])).await.unwrap();
        assert_eq!(text_at(&store, "loans", "note", "id = 2").await.as_deref(), Some(LoanText::MARK));
        version(Decision::Removed, 2, seen(&found[2])).await.unwrap();
        assert_eq!(text_at(&store, "scribbles", "words", "id = 1").await.as_deref(), Some(LoanText::MARK));
        assert_eq!(open(&store, id).await.len(), 0);

        let decided: Vec<_> = hits(&store, id).await.into_iter().map(|hit| hit.decision.unwrap()).collect();
        assert_eq!(decided, ["kept", "removed", "removed"]);
        for (number, deed) in [(2, "residue_kept"), (3, "residue_removed"), (4, "residue_removed")] {
            let noted = format!("action = '{deed}' AND subject_id = {number}");
            assert!(text_at(&store, "audit_events", "id", &noted).await.is_some(), "{deed} of {number}");
        }
        assert!(matches!(
            decide(&store, Actor::COMMAND_LINE, 999, Decision::Kept, "").await,
            Err(RecordsError::NotFound(_))
        ));
        assert_eq!(verify_run(&store, id).await.unwrap().doubts, [], "decisions come after the certificate");
    })
    .await;
}

#[tokio::test]
async fn what_stands_nowhere_any_more_is_closed_as_gone() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let found = open(&store, id).await;
        execute(&store, "DELETE FROM loans WHERE id = 1").await;
        assert_eq!(open(&store, id).await[0].now, Now::Nothing);
        let removed = decide(&store, Actor::COMMAND_LINE, found[0].id, Decision::Removed, "").await;
        assert!(matches!(removed, Err(RecordsError::Stale)), "there is nothing to remove");
        decide(&store, Actor::COMMAND_LINE, found[0].id, Decision::Gone, "").await.unwrap();
        assert_eq!(open(&store, id).await.len(), 2);
    })
    .await;
}

/// Letters and digits only, each word by itself.
fn words(text: &str) -> Vec<String> {
    let plain: String = text.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect();
    plain
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_owned)
        .filter(|word| !word.is_empty())
        .collect()
}

fn mentions(text: &[String], value: Option<&String>) -> bool {
    let value = value.map(|value| words(value)).unwrap_or_default();
    !value.is_empty() && text.windows(value.len()).any(|window| window == value)
}

/// Whether a text is about this person and not about the one to whom the row belongs: it has a value that is theirs
/// alone, both names, or a last name that nobody else has.
fn is_about(text: &str, person: &users::Model, owner: Option<&users::Model>, is_only_one: bool) -> bool {
    let text = words(text);
    let owner_has = |of: fn(&users::Model) -> &Option<String>| {
        owner.is_some_and(|owner| of(owner).is_some() && of(owner) == of(person))
    };
    let distinctive: [fn(&users::Model) -> &Option<String>; 6] = [
        |user| &user.user_id,
        |user| &user.email,
        |user| &user.barcode,
        |user| &user.phone,
        |user| &user.mobile,
        |user| &user.street,
    ];
    distinctive.iter().any(|of| mentions(&text, of(person).as_ref()) && !owner_has(*of))
        || is_only_one && mentions(&text, person.last_name.as_ref())
        || mentions(&text, person.last_name.as_ref())
            && [&person.first_name, &person.preferred_name]
                .iter()
                .any(|given| mentions(&text, given.as_ref()))
            && !(owner_has(|user| &user.last_name) && owner_has(|user| &user.first_name))
}

/// The texts at all places of a run, with the users to whom the rows belong.
async fn what_stands(store: &Store, run: RunId) -> BTreeMap<(String, String, String), (String, Option<i64>)> {
    let query = FindingQuery { run: Some(run), ..FindingQuery::default() };
    let mut stands = BTreeMap::new();
    let mut paging = Paging::default();
    loop {
        let page = findings(store, &query, &paging).await.unwrap();
        for found in page.rows {
            if let Now::Text { text, owner, .. } = found.now {
                let owner = owner.map(|owner| owner.0);
                stands.insert((found.table, found.column, found.row), (text, owner));
            }
        }
        if page.next.is_none() {
            return stands;
        }
        paging.after = page.next;
    }
}

/// Lets staff write into the loans of people who stay: the name of somebody, whole or the last name only; not only
/// of those who leave.
async fn notes_about_others(store: &Store, people: &BTreeMap<i64, users::Model>) {
    let mut dice = StdRng::seed_from_u64(SEED);
    let people: Vec<_> =
        people.values().filter(|user| user.last_name.is_some() && !user.fictitious).collect();
    let staying: Vec<_> = people.iter().filter(|user| user.leaving_on.is_none()).collect();
    for id in 1_000_000..1_000_600 {
        let named = people[dice.random_range(0..people.len())];
        let owner = staying[dice.random_range(0..staying.len())];
        let last = named.last_name.as_deref().unwrap();
        let note = match named.first_name.as_deref() {
            Some(first) if dice.random_range(0..4) > 0 => format!("{first} {last} returned it"),
            _ => format!("Ask family {last}"),
        };
        a_loan(store, id, owner.number, &note).await;
    }
}

#[tokio::test]
async fn most_of_what_is_found_in_the_demo_library_is_true() {
    for_each_database(async |store| {
        demo::fill(&store, Actor::COMMAND_LINE, 2_000, 1).await.unwrap();
        let before: BTreeMap<i64, users::Model> = users::Entity::find()
            .all(store.database())
            .await
            .unwrap()
            .into_iter()
            .map(|user| (user.number, user))
            .collect();
        let task = tasks::Entity::find()
            .filter(tasks::Column::SingleDefault.eq(true))
            .one(store.database())
            .await
            .unwrap()
            .unwrap();
        notes_about_others(&store, &before).await;
        let (id, _) = run_all(&store, TaskId(task.id)).await;
        let (mut all, mut correct) = (0_u32, 0_u32);
        let mut kinds: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        let stands = what_stands(&store, id).await;
        for hit in hits(&store, id).await {
            let spot = (hit.table_name.clone(), hit.column_name.clone(), hit.row_key.clone());
            let (text, owner) = stands.get(&spot).cloned().unwrap_or_default();
            let owner = owner.and_then(|owner| before.get(&owner));
            let is_true = {
                let person = &before[&hit.user_number];
                let bearers = before.values().filter(|user| user.last_name == person.last_name).count();
                is_about(&text, person, owner, bearers == 1)
            };
            all += 1;
            correct += u32::from(is_true);
            let kind =
                kinds.entry(format!("{}.{} {}", hit.table_name, hit.column_name, hit.what)).or_default();
            kind.0 += 1;
            kind.1 += u32::from(is_true);
            if !is_true && kind.0 - kind.1 <= 5 {
                let person = &before[&hit.user_number];
                eprintln!("wrong: {text:?} for {:?} {:?}, {}", person.first_name, person.last_name, hit.what);
            }
        }
        let done = results(&store, id).await;
        let clean = done.values().filter(|result| **result == Some(Residue::Clean)).count();
        eprintln!("{} people, {clean} clean; {correct} of {all} places are true: {kinds:?}", done.len());
        assert!(all > 0, "nothing was found");
        assert!(f64::from(correct) >= 0.9 * f64::from(all), "{correct} of {all}");
    })
    .await;
}
