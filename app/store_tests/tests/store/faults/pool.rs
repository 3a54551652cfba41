//! Connections whose transaction ended abnormally: none returns to the pool with an open transaction, and writes work
//! again without a restart.

use super::{refuse, repair};
use crate::support::{execute, for_each_database};
use db::Fault;
use policy::user_form::UserForm;
use records::user;
use sea_orm::{ConnectionTrait, DatabaseBackend, TransactionTrait};
use std::time::{Duration, Instant};
use trail::{Actor, Store};

async fn save(store: &Store, name: &str) -> Result<(), db::RecordsError> {
    let form = UserForm { last_name: name.to_owned(), ..UserForm::default() };
    user::save(store, Actor::COMMAND_LINE, &form).await.map(drop)
}

/// More than the number of connections.
const MANY: usize = 20;

async fn save_many(store: &Store) -> usize {
    let names: Vec<String> = (0..MANY).map(|number| format!("Alder{number}")).collect();
    let saved = futures::future::join_all(names.iter().map(|name| save(store, name))).await;
    saved.iter().filter(|saved| saved.is_ok()).count()
}

#[tokio::test]
async fn changes_work_again_after_failed_commits() {
    for_each_database(async |store| {
        // SQLite rolls back automatically, as it does if the disk is full, without notifying the driver.
        if store.db.get_database_backend() == DatabaseBackend::Postgres {
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
async fn aborted_requests_keep_no_lock() {
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
async fn terminated_connections_are_replaced() {
    for_each_database(async |store| {
        if store.db.get_database_backend() != DatabaseBackend::Postgres {
            return;
        }
        for _ in 0..3 {
            assert_eq!(save_many(&store).await, MANY);
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            execute(&store, end).await;
            assert_eq!(save_many(&store).await, MANY);
        }
        // In the middle of a transaction, the error states the cause and nothing is left behind.
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
async fn a_writer_that_waits_too_long_gets_a_busy_error() {
    for_each_database(async |store| {
        if store.db.get_database_backend() == DatabaseBackend::Postgres {
            return;
        }
        let other = store.db.begin().await.unwrap();
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
