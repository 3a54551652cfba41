//! What becomes of connections whose transaction ended in another way than it should: none goes back into the pool with a
//! transaction that is still open, and writes work again without a restart.

use super::{refuse, repair};
use crate::support::{execute, for_each_database};
use policy::user_form::UserForm;
use records::{Actor, Fault, Store, user};
use sea_orm::{ConnectionTrait, DatabaseBackend, TransactionTrait};
use std::time::{Duration, Instant};

async fn save(store: &Store, name: &str) -> Result<(), records::RecordsError> {
    let form = UserForm { last_name: name.to_owned(), ..UserForm::default() };
    user::save(store, Actor::COMMAND_LINE, &form).await.map(drop)
}

/// More at once than there are connections.
const MANY: usize = 20;

async fn save_many(store: &Store) -> usize {
    let names: Vec<String> = (0..MANY).map(|number| format!("Alder{number}")).collect();
    let saved = futures::future::join_all(names.iter().map(|name| save(store, name))).await;
    saved.iter().filter(|saved| saved.is_ok()).count()
}

#[tokio::test]
async fn after_commits_that_failed_every_change_works_again() {
    for_each_database(async |store| {
        // SQLite ends the transaction by itself, as it does when the disk is full; the driver does not learn that.
        if store.database().get_database_backend() == DatabaseBackend::Postgres {
            refuse(&store, "INSERT", "users", "TRUE").await;
        } else {
            let trigger = "CREATE TRIGGER fault_in_users BEFORE INSERT ON users \
                           BEGIN SELECT RAISE(ROLLBACK, 'refused'); END";
            execute(&store, trigger).await;
        }
        assert_eq!(save_many(&store).await, 0);
        repair(&store, "users").await;
        let began = Instant::now();
        assert_eq!(save_many(&store).await, MANY);
        assert_eq!(save_many(&store).await, MANY);
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    })
    .await;
}

#[tokio::test]
async fn requests_that_are_broken_off_keep_no_lock() {
    for_each_database(async |store| {
        for milliseconds in 0..40 {
            let save = save(&store, "Birch");
            let _ = tokio::time::timeout(Duration::from_millis(milliseconds), save).await;
        }
        assert_eq!(save_many(&store).await, MANY);
    })
    .await;
}

#[tokio::test]
async fn connections_that_the_server_ends_are_replaced() {
    for_each_database(async |store| {
        if store.database().get_database_backend() != DatabaseBackend::Postgres {
            return;
        }
        for _ in 0..3 {
            assert_eq!(save_many(&store).await, MANY);
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            execute(&store, end).await;
            assert_eq!(save_many(&store).await, MANY);
        }
        // In the middle of a transaction: the error says what is wrong, and nothing stays behind.
        execute(
            &store,
            "CREATE FUNCTION end_me() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$",
        )
        .await;
        execute(
            &store,
            "CREATE TRIGGER fault_in_users BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION end_me()",
        )
        .await;
        let error = save(&store, "Cedar").await.unwrap_err();
        assert_eq!(error.fault(), Some(Fault::Unreachable), "{error:?}");
        repair(&store, "users").await;
        assert_eq!(save_many(&store).await, MANY);
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_too_long_for_another_writer_is_told_that_it_is_busy() {
    for_each_database(async |store| {
        if store.database().get_database_backend() == DatabaseBackend::Postgres {
            return;
        }
        let other = store.database().begin().await.unwrap();
        other.execute_unprepared("UPDATE terms SET code = code").await.unwrap();
        other
            .execute_unprepared("INSERT INTO servers (beats, seen_at) VALUES (0, '2018-01-01')")
            .await
            .unwrap();
        let error = save(&store, "Dogwood").await.unwrap_err();
        assert_eq!(error.fault(), Some(Fault::Busy), "{error:?}");
        other.rollback().await.unwrap();
        save(&store, "Dogwood").await.unwrap();
    })
    .await;
}
