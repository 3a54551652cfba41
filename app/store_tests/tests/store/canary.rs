//! Nothing is left: the whole database and its files are searched for every value of an anonymised user.
//!
//! The same users are anonymised in bulk, from the record and by the function that the command line calls. All three
//! must leave the same rows.

pub mod plant;
pub mod search;

use crate::anonymising::run_all;
use crate::support::{add, add_task, dump, execute, five_days, for_each_database, leaver};
use db::entity::users;
use plant::{Person, Planter, rows_of};
use policy::{Field, NoteTreatment, Policy, RunState, Scope, Treatment, UserNumber};
use sea_orm::Set;
use search::{files, found};
use task_centre::run;
use trail::{Actor, Store};

/// Returns a policy that removes everything that a policy can remove.
pub fn removes_everything(circulation_notes: NoteTreatment) -> Policy {
    Policy {
        fields: Field::ALL.into_iter().map(|field| (field, Treatment::Remove)).collect(),
        scope: Scope::All,
        circulation_notes,
        ..five_days()
    }
}

/// Fills a library with one bystander, who never left, and this many users full of canaries.
pub async fn library(store: &Store, people: i64) -> Vec<Person> {
    let bystander = users::ActiveModel { leaving_on: Set(None), ..leaver("Bystander") };
    let bystander = add(store, bystander).await.number;
    execute(store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
    let planter = Planter::new(&store.db, bystander).await;
    let mut full = Vec::new();
    for number in 1..=people {
        full.push(planter.plant(bystander + number).await);
    }
    full
}

async fn anonymise(store: &Store, policy: &Policy, people: &[Person]) {
    let task = add_task(store, policy).await;
    let [_, single, command_line] = people else { panic!("three users, one for each way of anonymising") };
    for (person, actor) in [(single, Actor::COMMAND_LINE), (command_line, Actor::COMMAND_LINE)] {
        let number = UserNumber(person.number);
        let done = run::anonymise_one(store, actor, number, &number.to_string()).await.unwrap();
        assert!(done.is_some());
    }
    assert_eq!(run_all(store, task).await.1, RunState::Succeeded);
}

#[tokio::test]
async fn all_ways_of_anonymising_leave_the_same_rows_and_no_value() {
    for circulation_notes in NoteTreatment::ALL {
        for_each_database(async |store| {
            let people = library(&store, 3).await;
            let before = dump(&store).await;
            let files_before = files(&store.db).await;
            for person in &people {
                assert!(person.canaries.len() > 100, "too few canaries");
                assert_eq!(
                    found(&person.present, before.as_bytes()),
                    person.present,
                    "the search finds planted values"
                );
                if !files_before.is_empty() {
                    assert_eq!(found(&person.present, &files_before), person.present);
                }
            }

            anonymise(&store, &removes_everything(circulation_notes), &people).await;

            let after = dump(&store).await;
            let files_after = files(&store.db).await;
            for person in &people {
                assert_eq!(found(&person.canaries, after.as_bytes()), Vec::<&str>::new());
                assert_eq!(found(&person.canaries, &files_after), Vec::<&str>::new());
            }
            assert!(!after.contains("canary"), "not even a part of a value is left");
            assert!(after.contains("Bystander"), "other users are untouched");

            let [bulk, single, command_line] = &people[..] else { unreachable!() };
            let rows = rows_of(&store.db, bulk.number).await;
            assert!(rows.iter().any(|row| row.starts_with("loans ")), "loans stay");
            assert_eq!(rows_of(&store.db, single.number).await, rows);
            assert_eq!(rows_of(&store.db, command_line.number).await, rows);
        })
        .await;
    }
}

#[tokio::test]
async fn kept_values_are_found() {
    for_each_database(async |store| {
        let people = library(&store, 1).await;
        let keeps = Policy {
            fields: Field::ALL.into_iter().map(|field| (field, Treatment::Keep)).collect(),
            keep_custom: vec!["locker".to_owned()],
            ..removes_everything(NoteTreatment::Empty)
        };
        let task = add_task(&store, &keeps).await;
        run_all(&store, task).await;
        let after = dump(&store).await;
        let left = found(&people[0].canaries, after.as_bytes());
        for kept in ["users-phone", "users-notes", "custom_values-value"] {
            assert!(left.iter().any(|canary| canary.contains(kept)), "{kept}: {left:?}");
        }
        for gone in
            ["first_name", "last_name", "user_id", "email", "barcode", "loans-note", "photos", "secret"]
        {
            assert!(!left.iter().any(|canary| canary.contains(gone)), "{gone}: {left:?}");
        }
    })
    .await;
}
