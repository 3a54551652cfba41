//! A commit fails after all statements succeeded. The user is unchanged, and the ledger, which already has an entry,
//! resolves it.

use super::count_audit_events;
use crate::anonymising::run_all;
use crate::canary::plant::whole_rows_of;
use crate::canary::{library, removes_everything};
use crate::support::{add_task, dump, execute, for_each_database};
use erasure::ledger;
use policy::{NoteTreatment, RunState, UserNumber};
use sea_orm::DatabaseBackend;
use task_centre::run;
use trail::{Actor, Store};

/// The answer of the database to a commit.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// A deferred constraint is violated, so it is certain that nothing was changed.
    Constraint,
    /// An error that doesn't say whether anything was changed.
    Unclear,
}

/// Makes every commit fail that changes this user.
async fn refuse_commit(store: &Store, number: i64, answer: Answer) {
    if store.db.get_database_backend() == DatabaseBackend::Postgres {
        let code = match answer {
            Answer::Constraint => "check_violation",
            Answer::Unclear => "internal_error",
        };
        let function = format!(
            "CREATE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE 'refused' USING ERRCODE = '{code}'; END $$"
        );
        execute(store, &function).await;
        let trigger = format!(
            "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW \
             WHEN (OLD.number = {number}) EXECUTE FUNCTION refuse_commit()"
        );
        execute(store, &trigger).await;
        return;
    }
    // A row that references a missing one.
    execute(store, "CREATE TABLE parents (id INTEGER PRIMARY KEY)").await;
    let children =
        "CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)";
    execute(store, children).await;
    let trigger = format!(
        "CREATE TRIGGER late AFTER UPDATE ON users WHEN OLD.number = {number} \
         BEGIN INSERT INTO children VALUES (1); END"
    );
    execute(store, &trigger).await;
}

async fn allow_commit(store: &Store) {
    let on = match store.db.get_database_backend() {
        DatabaseBackend::Postgres => " ON users",
        _ => "",
    };
    execute(store, &format!("DROP TRIGGER late{on}")).await;
}

/// Returns the answers that a database can be made to give.
fn answers(store: &Store) -> &'static [Answer] {
    match store.db.get_database_backend() {
        DatabaseBackend::Postgres => &[Answer::Constraint, Answer::Unclear],
        _ => &[Answer::Constraint],
    }
}

async fn assert_ledger_is_level(store: &Store) {
    let status = ledger::status(store).await.unwrap();
    assert!(status.is_level(), "{status:?}");
}

#[tokio::test]
async fn a_single_user_whose_commit_fails_is_unchanged_and_can_be_retried() {
    for answer in 0..2 {
        for_each_database(async |store| {
            let Some(answer) = answers(&store).get(answer).copied() else { return };
            let person = library(&store, 1).await.remove(0);
            add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
            let number = UserNumber(person.number);
            refuse_commit(&store, person.number, answer).await;
            let before = dump(&store).await;
            // Twice: the second time, the ledger already contains the outcome of the first.
            for _ in 0..2 {
                let failed =
                    run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await;
                assert!(failed.is_err(), "{answer:?}");
                assert_eq!(dump(&store).await, before, "{answer:?}");
            }
            // No connection stays in an open transaction, so others can write.
            allow_commit(&store).await;
            assert_ledger_is_level(&store).await;
            let done = run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await;
            assert!(done.unwrap().is_some());
            run::background_scans().await;
            let after = dump(&store).await;
            assert!(!after.contains("canary"));
            assert_eq!(count_audit_events(&after, person.number), 1);
            assert_ledger_is_level(&store).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_user_whose_commit_fails_does_not_stop_the_run() {
    for answer in 0..2 {
        for_each_database(async |store| {
            let Some(answer) = answers(&store).get(answer).copied() else { return };
            let people = library(&store, 3).await;
            let failing = people[1].number;
            let task = add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
            let before = whole_rows_of(&store.db, failing).await;
            refuse_commit(&store, failing, answer).await;
            let (id, state) = run_all(&store, task).await;
            assert_eq!(state, RunState::CompletedWithFailures, "{answer:?}");
            let run = run::read(&store, id).await.unwrap();
            assert_eq!((run.done, run.skipped, run.failed), (2, 0, 1), "{answer:?}");
            assert_eq!(whole_rows_of(&store.db, failing).await, before, "{answer:?}");
            let after = dump(&store).await;
            for person in &people {
                let done = person.number != failing;
                assert_eq!(after.contains(&format!("canary-{}-", person.number)), !done);
                assert_eq!(count_audit_events(&after, person.number), usize::from(done));
            }
            allow_commit(&store).await;
            assert_ledger_is_level(&store).await;
            assert_eq!(run_all(&store, task).await.1, RunState::Succeeded);
            assert!(!dump(&store).await.contains("canary"));
            assert_ledger_is_level(&store).await;
        })
        .await;
    }
}
