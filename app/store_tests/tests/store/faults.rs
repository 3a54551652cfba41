//! Whenever the database fails, each user is either unchanged or completely anonymised.
//!
//! [`single`], [`bulk_run`] and [`preview`] let each change of a row fail in turn; [`commit`] lets the commit fail.
//! The last test here is the plain case: one audit event of one user that cannot be written.

mod bulk_run;
mod commit;
pub mod inject;
mod pool;
mod preview;
mod running_server;
mod single;

use crate::anonymising::run_all;
use crate::canary::{library, removes_everything};
use crate::support::{add_task, dump, execute, for_each_database};
use policy::{NoteTreatment, RunState};
use sea_orm::DatabaseBackend;
use task_centre::run;
use trail::Store;

/// Makes the database reject a change, as a broken page or a full disk would. `when` is a condition on `OLD` or
/// `NEW`.
pub async fn refuse(store: &Store, event: &str, table: &str, when: &str) {
    // Each table has its own trigger name, because another SQLite connection may not yet know that one was dropped.
    let head =
        format!("CREATE TRIGGER fault_in_{table} BEFORE {event} ON {table} FOR EACH ROW WHEN ({when})");
    if store.db.get_database_backend() == DatabaseBackend::Postgres {
        let function = "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                        $$ BEGIN RAISE 'refused'; END $$";
        execute(store, function).await;
        execute(store, &format!("{head} EXECUTE FUNCTION refuse()")).await;
    } else {
        execute(store, &format!("{head} BEGIN SELECT RAISE(ABORT, 'refused'); END")).await;
    }
}

pub async fn repair(store: &Store, table: &str) {
    let on = match store.db.get_database_backend() {
        DatabaseBackend::Postgres => format!(" ON {table}"),
        _ => String::new(),
    };
    execute(store, &format!("DROP TRIGGER fault_in_{table}{on}")).await;
}

/// The changes made when a user with values in every column is anonymised.
const CHANGES: [&str; 15] = [
    "users_update",
    "user_words_delete",
    "photos_delete",
    "custom_values_delete",
    "credentials_delete",
    "sessions_delete",
    "loans_update",
    "renewals_update",
    "requests_update",
    "charges_update",
    "messages_update",
    "audit_events_insert",
    "run_counts_insert",
    "certificates_insert",
    "ledger_mark_update",
];

/// Counts the audit events of a dump that say that this user was anonymised.
fn count_audit_events(dump: &str, number: i64) -> usize {
    let event = format!("|user_anonymised|user|{number}|");
    dump.lines().filter(|line| line.starts_with("audit_events|") && line.contains(&event)).count()
}

#[tokio::test]
async fn a_user_whose_audit_event_fails_is_unchanged_and_counted_as_failed() {
    for_each_database(async |store| {
        let people = library(&store, 3).await;
        let failing = people[1].number;
        let task = add_task(&store, &removes_everything(NoteTreatment::Empty)).await;
        let when = format!("NEW.action = 'user_anonymised' AND NEW.subject_id = {failing}");
        refuse(&store, "INSERT", "audit_events", &when).await;
        let (id, state) = run_all(&store, task).await;
        assert_eq!(state, RunState::CompletedWithFailures);
        let run = run::read(&store, id).await.unwrap();
        assert_eq!((run.previewed, run.done, run.skipped, run.failed), (3, 2, 0, 1));
        let after = dump(&store).await;
        for person in &people {
            let left = person.present.iter().filter(|canary| after.contains(*canary)).count();
            let expected = if person.number == failing { person.present.len() } else { 0 };
            assert_eq!(left, expected, "user {}", person.number);
        }
        assert_eq!(count_audit_events(&after, failing), 0);

        repair(&store, "audit_events").await;
        assert_eq!(run_all(&store, task).await.1, RunState::Succeeded, "the next run catches up");
        assert!(!dump(&store).await.contains("canary"));
    })
    .await;
}
