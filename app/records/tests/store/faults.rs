//! A person is either untouched or done, never half: wherever the database fails.
//!
//! [`single`], [`bulk`] and [`preview`] let every single change of a row fail in turn, [`commit`] lets the commit fail.
//! The last test here is the plain case: one audit event of one person that cannot be written.

mod bulk_insert;
mod commit;
mod inject;
mod pool;
mod preview;
mod single;
mod while_serving;

use crate::anonymising::run_all;
use crate::canary::{library, removes_everything};
use crate::support::{add_task, dump, execute, for_each_database};
use policy::{NoteTreatment, RunState};
use records::{Store, run};
use sea_orm::DatabaseBackend;

/// Makes the database refuse something, the way a broken page or a full disk would: `when` is a
/// condition over `OLD` or `NEW`.
pub async fn refuse(store: &Store, event: &str, table: &str, when: &str) {
    // Each table has a trigger of its own name: another connection of SQLite may not yet know that one is gone.
    let head =
        format!("CREATE TRIGGER fault_in_{table} BEFORE {event} ON {table} FOR EACH ROW WHEN ({when})");
    if store.database().get_database_backend() == DatabaseBackend::Postgres {
        let function = "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                        $$ BEGIN RAISE 'refused'; END $$";
        execute(store, function).await;
        execute(store, &format!("{head} EXECUTE FUNCTION refuse()")).await;
    } else {
        execute(store, &format!("{head} BEGIN SELECT RAISE(ABORT, 'refused'); END")).await;
    }
}

pub async fn repair(store: &Store, table: &str) {
    let on = match store.database().get_database_backend() {
        DatabaseBackend::Postgres => format!(" ON {table}"),
        _ => String::new(),
    };
    execute(store, &format!("DROP TRIGGER fault_in_{table}{on}")).await;
}

/// What changes when somebody is anonymised in whose record and around it something stands everywhere.
const PLACES: [&str; 15] = [
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

/// How many audit events of a dump say that this user was anonymised.
fn noted_in_audit(dump: &str, number: i64) -> usize {
    let event = format!("|user_anonymised|user|{number}|");
    dump.lines().filter(|line| line.starts_with("audit_events|") && line.contains(&event)).count()
}

#[tokio::test]
async fn a_person_whose_audit_cannot_be_written_is_unchanged_and_counted_as_failed() {
    for_each_database(async |store| {
        let people = library(&store, 3).await;
        let poor = people[1].number;
        let task = add_task(&store, &removes_everything(NoteTreatment::Empty)).await;
        let when = format!("NEW.action = 'user_anonymised' AND NEW.subject_id = {poor}");
        refuse(&store, "INSERT", "audit_events", &when).await;
        let (id, state) = run_all(&store, task).await;
        assert_eq!(state, RunState::CompletedWithFailures);
        let noted = run::read(&store, id).await.unwrap();
        assert_eq!((noted.previewed, noted.done, noted.skipped, noted.failed), (3, 2, 0, 1));
        let after = dump(&store).await;
        for person in &people {
            let left = person.present.iter().filter(|canary| after.contains(*canary)).count();
            let expected = if person.number == poor { person.present.len() } else { 0 };
            assert_eq!(left, expected, "user {}", person.number);
        }
        assert_eq!(noted_in_audit(&after, poor), 0);

        repair(&store, "audit_events").await;
        assert_eq!(run_all(&store, task).await.1, RunState::Succeeded, "the next run catches up");
        assert!(!dump(&store).await.contains("canary"));
    })
    .await;
}
