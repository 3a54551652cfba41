//! The verification of anonymised users after a run.

use super::policy_that_removes_everything;
use crate::anonymising::run_all;
use crate::canary::{library, removes_everything};
use crate::support::{add, add_task, execute, for_each_database, leaver};
use db::RecordsError;
use erasure::residue::{ValueKind, verify};
use policy::{NoteTreatment, UserNumber};
use std::collections::BTreeSet;

#[tokio::test]
async fn nothing_is_left_after_a_run() {
    for_each_database(async |store| {
        let people = library(&store, 2).await;
        let task = add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
        run_all(&store, task).await;
        let found = verify(&store, &[]).await.unwrap();
        assert!(found.is_clean(), "{found:?}");
        assert_eq!(found.anonymised, 2);
        let photo = found.not_searched.iter().find(|column| column.table == "photos").unwrap();
        assert_eq!(photo.column, "bytes");
        let found = verify(&store, &[UserNumber(people[0].number)]).await.unwrap();
        assert!(found.is_clean() && found.anonymised == 1);
    })
    .await;
}

#[tokio::test]
async fn values_that_reappear_are_detected() {
    let came_back = [
        ("UPDATE users SET email = 'back@example.org' WHERE number = 2", "users", "email"),
        ("UPDATE users SET phone = '0170' WHERE number = 2", "users", "phone"),
        ("UPDATE users SET name_order = 'back' WHERE number = 2", "users", "name_order"),
        ("INSERT INTO user_words (word, user_number) VALUES ('back', 2)", "user_words", "user_number"),
        (
            "INSERT INTO custom_values (user_number, field_key, value) VALUES (2, 'locker', '7')",
            "custom_values",
            "value",
        ),
        ("UPDATE loans SET note = 'back' WHERE user_number = 2", "loans", "note"),
        ("UPDATE renewals SET note = 'back'", "renewals", "note"),
        (
            "INSERT INTO sessions (id_hash, user_number, created_at, last_seen_at, signed_in_at) VALUES ('h', 2, \
             '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')",
            "sessions",
            "id_hash",
        ),
    ];
    for_each_database(async |store| {
        library(&store, 1).await;
        let task = add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
        run_all(&store, task).await;
        for (sql, ..) in came_back {
            execute(&store, sql).await;
        }
        execute(&store, "ALTER TABLE users ADD COLUMN nickname TEXT").await;
        let found = verify(&store, &[]).await.unwrap();
        let left: BTreeSet<(&str, &str)> = found.left.iter().map(|left| (left.table, left.column)).collect();
        assert_eq!(left, came_back.iter().map(|(_, table, column)| (*table, *column)).collect());
        assert!(found.left.iter().all(|left| left.user == UserNumber(2)));
        assert_eq!(found.unregistered, ["column users.nickname is not in the register"]);
        assert!(!found.is_clean());
        // The verification of another user ignores it.
        assert!(verify(&store, &[UserNumber(1)]).await.unwrap().left.is_empty());
    })
    .await;
}

#[tokio::test]
async fn for_other_users_it_lists_where_their_values_are() {
    for_each_database(async |store| {
        add(&store, leaver("Quastelbaum")).await;
        execute(
            &store,
            "INSERT INTO loans (user_number, branch, issued_on, due_on, returned_on, note) VALUES \
             (1, 'main', '2017-05-01', '2017-06-01', '2017-05-20', 'First Quastelbaum will come'), \
             (1, 'main', '2017-05-01', '2017-06-01', '2017-05-20', 'for Quastelbaum')",
        )
        .await;
        let found = verify(&store, &[UserNumber(1)]).await.unwrap();
        assert!(!found.is_clean() && found.left.is_empty());
        let rows_with = |table: &str, column: &str, kind: ValueKind| {
            found
                .status
                .iter()
                .find(|occurrence| {
                    (occurrence.table.as_str(), occurrence.column.as_str(), occurrence.kind)
                        == (table, column, kind)
                })
                .map(|occurrence| occurrence.rows)
        };
        assert_eq!(rows_with("users", "last_name", ValueKind::LastName), Some(1));
        assert_eq!(rows_with("users", "user_id", ValueKind::UserId), Some(1));
        assert_eq!(rows_with("loans", "note", ValueKind::FullName), Some(1));
        assert_eq!(rows_with("loans", "note", ValueKind::LastName), Some(1));
        let unknown = verify(&store, &[UserNumber(99)]).await;
        assert!(matches!(unknown, Err(RecordsError::NotFound("user"))));

        // After the run, no value is found.
        let task = add_task(&store, &policy_that_removes_everything()).await;
        run_all(&store, task).await;
        assert!(verify(&store, &[UserNumber(1)]).await.unwrap().is_clean());
    })
    .await;
}

#[tokio::test]
async fn an_undeterminable_user_is_not_clean() {
    for_each_database(async |store| {
        add(&store, leaver("Quastelbaum")).await;
        let task = add_task(&store, &policy_that_removes_everything()).await;
        run_all(&store, task).await;
        execute(&store, "UPDATE run_members SET residue = 'undeterminable' WHERE outcome = 'done'").await;
        let found = verify(&store, &[]).await.unwrap();
        assert_eq!((found.undeterminable, found.is_clean()), (1, false));
    })
    .await;
}
