//! The residue scan: everything that is left is found, what belongs to others is left in peace, and nothing is said to
//! be clean that nobody has searched.

mod people;
mod plant;
mod verify;

use crate::anonymising::run_all;
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use people::{leavers, seeded};
use plant::{Planted, plant};
use policy::{Field, Policy, Residue, RunId, Scope, Treatment, UserNumber};
use records::entity::{residue_hits, run_members, users};
use records::residue::{Standing, background_scans, give_up_on_lost_scans, standing};
use records::{Actor, Store, demo as library, run};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use std::collections::BTreeMap;

/// Who left more than five days ago, whether imported or not; nothing that can go stays.
pub fn everything_goes() -> Policy {
    Policy {
        fields: Field::ALL.into_iter().map(|field| (field, Treatment::Remove)).collect(),
        scope: Scope::All,
        ..five_days()
    }
}

pub async fn hits(store: &Store, run: RunId) -> Vec<residue_hits::Model> {
    residue_hits::Entity::find()
        .filter(residue_hits::Column::RunId.eq(run.0))
        .all(store.database())
        .await
        .unwrap()
}

pub fn places_of(hits: &[residue_hits::Model]) -> Planted {
    hits.iter().map(|hit| (hit.user_number, hit.table_name.clone(), hit.column_name.clone())).collect()
}

async fn results(store: &Store, run: RunId) -> BTreeMap<i64, Option<String>> {
    let members = run_members::Entity::find().filter(run_members::Column::RunId.eq(run.0));
    let members = members.all(store.database()).await.unwrap();
    members.into_iter().map(|member| (member.user_number, member.residue)).collect()
}

/// A user who stays, with these columns.
async fn neighbour(store: &Store, name: &str, more: users::ActiveModel) -> i64 {
    let user = users::ActiveModel {
        uuid: Set(format!("neighbour {name}")),
        leaving_on: Set(None),
        marked_on: Set(None),
        ..more
    };
    add(store, user).await.number
}

#[tokio::test]
async fn fifty_planted_values_are_all_found_and_nothing_else() {
    for seed in [1, 2] {
        for_each_database(async |store| {
            let mut dice = seeded(seed);
            library::fill(&store, Actor::COMMAND_LINE, 120, seed).await.unwrap();
            // Nobody of the library leaves: whatever is found is what was planted.
            execute(&store, "UPDATE users SET leaving_on = NULL").await;
            execute(&store, "UPDATE tasks SET single_default = FALSE").await;
            execute(&store, "CREATE TABLE plug_in (id BIGINT PRIMARY KEY, remark TEXT, told_by TEXT)").await;
            execute(&store, "CREATE TABLE keyless (remark TEXT)").await;
            for n in 1..=20 {
                execute(&store, &format!("INSERT INTO plug_in (id, remark, told_by) VALUES ({n}, '', '')"))
                    .await;
                execute(&store, "INSERT INTO keyless (remark) VALUES ('')").await;
            }
            execute(&store, "ALTER TABLE users ADD COLUMN nickname TEXT").await;
            let others: Vec<i64> = (20..=120).collect();
            let people = leavers(&store, &mut dice, 40).await;
            let planted = plant(&store, &mut dice, &people, &others, 50).await;
            let task = add_task(&store, &everything_goes()).await;
            let (run, _) = run_all(&store, task).await;

            let found = hits(&store, run).await;
            assert_eq!(places_of(&found), planted, "seed {seed}");
            let results = results(&store, run).await;
            assert_eq!(results.len(), people.len());
            for person in &people {
                let is_hit = planted.iter().any(|(user, ..)| *user == person.number);
                let expected = if is_hit { Residue::Hits } else { Residue::Clean };
                assert_eq!(results[&person.number].as_deref(), Some(expected.code()), "{}", person.number);
            }
            let summary = run::read(&store, run).await.unwrap().residue;
            assert_eq!(summary.iter().map(|(_, count)| count).sum::<i64>(), 40, "{summary:?}");
            // The findings hold no value.
            let noted = format!("{found:?}");
            for person in &people {
                for kind in people::KINDS {
                    assert!(!noted.contains(&person.value(kind, &mut dice)), "{kind}");
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn what_others_have_is_theirs() {
    for_each_database(async |store| {
        let some = |text: &str| Set(Some(text.to_owned()));
        let gone = users::ActiveModel {
            user_id: some("ng00012"),
            barcode: some("21000012345678"),
            email: some("family@example.org"),
            first_name: some("Ana"),
            middle_name: some("Lucía"),
            last_name: some("Garland"),
            phone: some("+44 1632 960123"),
            street: some("12 Abbey Lane"),
            ..leaver("Garland")
        };
        let number = add(&store, gone.clone()).await.number;
        // A child at the same address, a namesake, and somebody who shares no more than the street.
        let child = users::ActiveModel { first_name: some("Tom"), user_id: some("tg1"), barcode: Set(None), ..gone.clone() };
        let child = neighbour(&store, "child", child).await;
        let namesake = users::ActiveModel { phone: Set(None), street: Set(None), ..gone.clone() };
        let namesake = users::ActiveModel { user_id: some("ng00099"), barcode: Set(None), email: Set(None), ..namesake };
        let namesake = neighbour(&store, "namesake", namesake).await;
        for (user, text) in [
            (child, "Dear Tom Garland, 12 Abbey Lane"),
            (child, "Call +44 1632 960123 or write to family@example.org"),
            (namesake, "Dear Ana Lucía Garland, your card is ready"),
            (namesake, "Garland, Ana L. will come on Saturday"),
        ] {
            let sql = format!(
                "INSERT INTO messages (user_number, kind, channel, sent_at, recipient, subject, body) VALUES ({user}, \
                 'letter', 'letter', '2017-05-01T12:00:00+00:00', '{text}', '{text}', '{text}')"
            );
            execute(&store, &sql).await;
        }
        // The household's street and phone lead to the child also in other texts.
        let note = "INSERT INTO loans (user_number, branch, issued_on, due_on, note) VALUES \
                    (3, 'main', '2017-05-01', '2017-06-01', 'left at 12 Abbey Lane, call 01632 960123')";
        execute(&store, note).await;
        let task = add_task(&store, &everything_goes()).await;
        let (run, _) = run_all(&store, task).await;
        assert_eq!(places_of(&hits(&store, run).await), Planted::new());
        assert_eq!(results(&store, run).await[&number].as_deref(), Some("clean"));
    })
    .await;
}

#[tokio::test]
async fn keys_that_were_given_anew_are_not_residue() {
    for_each_database(async |store| {
        let keys = |name: &str| users::ActiveModel {
            user_id: Set(Some("ng00012".to_owned())),
            barcode: Set(Some("21000012345678".to_owned())),
            ..leaver(name)
        };
        add(&store, keys("Garland")).await;
        add_task(&store, &everything_goes()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap();
        // The heir comes while the scan has not yet begun: this runtime has one thread.
        let heir = neighbour(&store, "heir", keys("Heir")).await;
        let note = format!(
            "INSERT INTO loans (user_number, branch, issued_on, due_on, note) VALUES ({heir}, 'main', '2018-01-21', \
             '2018-02-21', 'card 21000012345678 of ng00012')"
        );
        execute(&store, &note).await;
        background_scans().await;
        assert_eq!(standing(&store, UserNumber(1)).await.unwrap().unwrap().1, Standing::Clean);
    })
    .await;
}

#[tokio::test]
async fn in_the_persons_own_rows_everything_counts() {
    for_each_database(async |store| {
        let some = |text: &str| Set(Some(text.to_owned()));
        let user = users::ActiveModel {
            first_name: some("Ute"),
            city: some("Ute"),
            notes: some("UTE asked for large print"),
            ..leaver("Garland")
        };
        let number = add(&store, user).await.number;
        let policy = Policy {
            fields: [(Field::Notes, Treatment::Keep), (Field::City, Treatment::Keep)].into(),
            ..everything_goes()
        };
        let task = add_task(&store, &policy).await;
        let (run, _) = run_all(&store, task).await;
        let found = hits(&store, run).await;
        // The first name is a name in the note, and a city in the city.
        assert_eq!(places_of(&found), [(number, "users".to_owned(), "notes".to_owned())].into());
        assert_eq!(found[0].what, "first_name");
        assert_eq!(found[0].row_key, number.to_string());
    })
    .await;
}

#[tokio::test]
async fn signs_that_stand_between_fields_confuse_nothing() {
    for_each_database(async |store| {
        add(&store, leaver("Quastelbaum")).await;
        let other = neighbour(&store, "other", leaver("Other")).await;
        for (note, back) in [("a\u{1f}b\u{1e}c", "Quastelbaum"), ("\u{1e}\u{1e}", "\u{1f}")] {
            let sql = format!(
                "INSERT INTO loans (user_number, branch, issued_on, due_on, note, return_note) VALUES ({other}, 'main', \
                 '2017-05-01', '2017-06-01', '{note}', '{back}')"
            );
            execute(&store, &sql).await;
        }
        let task = add_task(&store, &everything_goes()).await;
        let (run, _) = run_all(&store, task).await;
        let found = hits(&store, run).await;
        assert_eq!(places_of(&found), [(1, "loans".to_owned(), "return_note".to_owned())].into());
        assert_eq!(found[0].row_key, "1");
    })
    .await;
}

#[tokio::test]
async fn a_last_name_that_is_a_word_says_nothing() {
    for_each_database(async |store| {
        add(&store, leaver("Young")).await;
        let other = neighbour(&store, "other", leaver("Other")).await;
        let row = |note: &str| {
            format!(
                "INSERT INTO loans (user_number, branch, issued_on, due_on, note) VALUES ({other}, 'main', '2017-05-01', \
                 '2017-06-01', '{note}')"
            )
        };
        for _ in 0..30 {
            execute(&store, &row("a book for young readers")).await;
        }
        let task = add_task(&store, &everything_goes()).await;
        let (run, _) = run_all(&store, task).await;
        assert_eq!(places_of(&hits(&store, run).await), Planted::new());
    })
    .await;
}

#[tokio::test]
async fn a_single_user_is_searched_for_in_the_background() {
    for_each_database(async |store| {
        add(&store, leaver("Quastelbaum")).await;
        add(&store, leaver("Ravenglass")).await;
        let other = neighbour(&store, "other", leaver("Other")).await;
        execute(&store, &format!("UPDATE users SET notes = 'Friend of Quastelbaum' WHERE number = {other}"))
            .await;
        add_task(&store, &everything_goes()).await;
        let now = async |number: i64| standing(&store, UserNumber(number)).await.unwrap().map(|(_, now)| now);
        assert_eq!(now(1).await, None);
        for number in [1, 2] {
            run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(number), &number.to_string())
                .await
                .unwrap();
        }
        background_scans().await;
        assert_eq!(now(1).await, Some(Standing::Found { open: 1, decided: 0 }));
        assert_eq!(now(2).await, Some(Standing::Clean));
    })
    .await;
}

#[tokio::test]
async fn what_was_not_searched_is_never_said_to_be_clean() {
    for_each_database(async |store| {
        for name in ["Ng", "Ny"] {
            add(&store, leaver(name)).await;
        }
        let task = add_task(&store, &everything_goes()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let started = run::start(&store, Actor::COMMAND_LINE, preview, "2").await.unwrap();
        // Another process has done the first person, and died before it searched.
        let done =
            format!("UPDATE run_members SET outcome = 'done' WHERE run_id = {started} AND user_number = 1");
        execute(&store, &done).await;
        run::carry_out(&store, started).await.unwrap();
        let results = results(&store, started).await;
        assert_eq!(results[&1].as_deref(), Some("undeterminable"));
        assert_eq!(results[&2].as_deref(), Some("clean"));

        // The process of a single user dies: at first the scan could be under way, later it cannot.
        add(&store, leaver("Nz")).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(3), "3").await.unwrap();
        background_scans().await;
        execute(&store, "UPDATE run_members SET residue = NULL WHERE user_number = 3").await;
        let now = async || standing(&store, UserNumber(3)).await.unwrap().map(|(_, now)| now);
        assert_eq!(now().await, Some(Standing::UnderWay));
        assert_eq!(give_up_on_lost_scans(&store).await.unwrap(), []);
        execute(&store, "UPDATE runs SET created_at = '2018-01-01T12:00:00+00:00' WHERE kind = 'single'")
            .await;
        assert_eq!(now().await, Some(Standing::Undeterminable));
        assert_eq!(give_up_on_lost_scans(&store).await.unwrap().len(), 1);
        assert_eq!(give_up_on_lost_scans(&store).await.unwrap(), []);
        assert_eq!(now().await, Some(Standing::Undeterminable));
    })
    .await;
}
