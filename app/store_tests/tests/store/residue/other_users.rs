//! Values of other users aren't residue: their own, shared ones, and those that they take over.

use super::people::distinct;
use super::plant::Cells;
use super::{a_loan, a_message, cells_of, findings_of, neighbour, policy_that_removes_everything, results};
use crate::anonymising::run_all;
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use db::entity::users;
use erasure::residue::{ResidueStatus, ValueKind, status};
use policy::{Residue, RunState, UserNumber};
use sea_orm::{ColumnTrait, DatabaseBackend, EntityTrait, QueryFilter, Set};
use task_centre::run;
use task_centre::run::background_scans;
use trail::{Actor, Store};

/// Makes the database assign all identifying values of a user to another one as soon as they are free.
async fn let_others_take_over(store: &Store) {
    let columns = "first_name, last_name, user_id, user_id_key, email, barcode, barcode_key, phone, street";
    let old = columns.split(", ").map(|column| format!("OLD.{column}")).collect::<Vec<_>>().join(", ");
    let insert = format!(
        "INSERT INTO users (uuid, created_on, fictitious, imported, dates_by_month, version, {columns}) \
         VALUES ('heir of ' || OLD.number, '2018-01-21', FALSE, FALSE, FALSE, 1, {old})"
    );
    when_a_user_id_is_free(store, "TRUE", &insert).await;
}

/// Makes the database assign the UserID and barcode of a user to the user `heir` as soon as they are free.
///
/// It is one transaction with the erasure, so the search in the background never runs in between.
async fn let_the_heir_take_over(store: &Store, heir: i64) {
    let set =
        ["user_id", "user_id_key", "barcode", "barcode_key"].map(|column| format!("{column} = OLD.{column}"));
    let update = format!("UPDATE users SET {} WHERE number = {heir}", set.join(", "));
    when_a_user_id_is_free(store, &format!("OLD.number <> {heir}"), &update).await;
}

async fn when_a_user_id_is_free(store: &Store, condition: &str, statement: &str) {
    let when = format!("OLD.user_id IS NOT NULL AND NEW.user_id IS NULL AND {condition}");
    if store.db.get_database_backend() == DatabaseBackend::Postgres {
        let function = format!(
            "CREATE FUNCTION inherit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$"
        );
        execute(store, &function).await;
        let trigger = format!(
            "CREATE TRIGGER heirs AFTER UPDATE ON users FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION inherit()"
        );
        execute(store, &trigger).await;
    } else {
        let trigger =
            format!("CREATE TRIGGER heirs AFTER UPDATE ON users WHEN {when} BEGIN {statement}; END");
        execute(store, &trigger).await;
    }
}

#[tokio::test]
async fn values_that_others_have_or_take_over_are_ignored() {
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
        // One user shares first name, last name, street and phone with a leaver, another one only the last name.
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
        // Rows of leavers are emptied.
        a_loan(&store, 9, leaving[3].number, leaving[3].last_name.as_deref().unwrap()).await;
        let task = add_task(&store, &five_days()).await;
        let_others_take_over(&store).await;
        let (id, state) = run_all(&store, task).await;
        assert_eq!(state, RunState::Succeeded);
        let heirs = users::Entity::find().filter(users::Column::Uuid.starts_with("heir of ")).all(&store.db);
        assert_eq!(heirs.await.unwrap().len(), 10, "all values are taken over before the scan");
        let found = findings_of(&store, id).await;
        assert!(found.is_empty(), "{found:?}");
        let results = results(&store, id).await;
        assert_eq!(results.len(), 10);
        assert!(results.values().all(|result| *result == Some(Residue::Clean)), "{results:?}");
    })
    .await;
}

#[tokio::test]
async fn values_of_a_household_or_namesake_are_ignored() {
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
        // A child at the same address, a namesake, and a user who shares only the street.
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
        // In the record of a third user, street and phone of the household can be those of the leaver.
        let note = "INSERT INTO loans (user_number, branch, issued_on, due_on, note) VALUES \
                    (3, 'main', '2017-05-01', '2017-06-01', 'left at 12 Abbey Lane, call 01632 960123')";
        execute(&store, note).await;
        let task = add_task(&store, &policy_that_removes_everything()).await;
        let (run, _) = run_all(&store, task).await;
        let found = findings_of(&store, run).await;
        assert_eq!(cells_of(&found), [(number, "loans".to_owned(), "note".to_owned())].into());
        assert_eq!(found[0].what, ValueKind::Phone);
        assert_eq!(results(&store, run).await[&number], Some(Residue::WithFindings));
    })
    .await;
}

#[tokio::test]
async fn reassigned_identifiers_are_ignored_in_their_own_columns() {
    for_each_database(async |store| {
        let keys = |name: &str| users::ActiveModel {
            user_id: Set(Some("ng00012".to_owned())),
            barcode: Set(Some("21000012345678".to_owned())),
            ..leaver(name)
        };
        add(&store, keys("Garland")).await;
        let unused = users::ActiveModel { user_id: Set(None), barcode: Set(None), ..keys("Heir") };
        let heir = neighbour(&store, "heir", unused).await;
        let text = "card 21000012345678 of ng00012";
        a_message(&store, 1, heir, "heir@example.org", text).await;
        let_the_heir_take_over(&store, heir).await;
        add_task(&store, &policy_that_removes_everything()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap();
        background_scans().await;
        assert_eq!(status(&store, UserNumber(1)).await.unwrap().unwrap().1, ResidueStatus::Clean);
        // A note can be older than the heir, so staff decide which user it is about.
        let release = format!(
            "UPDATE users SET user_id = NULL, user_id_key = NULL, barcode = NULL, barcode_key = NULL WHERE number = {heir}"
        );
        execute(&store, &release).await;
        let leaving =
            add(&store, users::ActiveModel { uuid: Set("third".to_owned()), ..keys("Third") }).await;
        let number = UserNumber(leaving.number);
        a_loan(&store, 1, heir, text).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
        background_scans().await;
        let now = status(&store, number).await.unwrap().unwrap().1;
        assert_eq!(now, ResidueStatus::Found { open: 1, decided: 0 });
    })
    .await;
}

#[tokio::test]
async fn a_last_name_that_is_a_common_word_is_ignored() {
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
        let task = add_task(&store, &policy_that_removes_everything()).await;
        let (run, _) = run_all(&store, task).await;
        assert_eq!(cells_of(&findings_of(&store, run).await), Cells::new());
    })
    .await;
}
