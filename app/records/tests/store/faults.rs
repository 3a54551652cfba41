//! A person is either untouched or done, never half: wherever the database fails.

use crate::anonymising::run_all;
use crate::canary::{library, removes_everything};
use crate::support::{add_task, dump, execute, for_each_database};
use policy::{LoanText, RunState, UserNumber};
use records::{Actor, Store, run};
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

/// What the database holds, without the tables in which runs are noted.
async fn records_of(store: &Store) -> String {
    let noted = ["runs|", "run_members|", "run_counts|", "audit_events|", "sqlite_sequence|"];
    dump(store).await.lines().filter(|line| !noted.iter().any(|table| line.starts_with(table))).collect()
}

#[tokio::test]
async fn a_person_whose_audit_cannot_be_written_is_unchanged_and_counted_as_failed() {
    for_each_database(async |store| {
        let people = library(&store, 3).await;
        let poor = people[1].number;
        let task = add_task(&store, &removes_everything(LoanText::Empty)).await;
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
        assert!(!after.lines().any(|line| {
            line.starts_with("audit_events|") && line.contains(&format!("|user_anonymised|user|{poor}|"))
        }));

        repair(&store, "audit_events").await;
        assert_eq!(run_all(&store, task).await.1, RunState::Succeeded, "the next run catches up");
        assert!(!dump(&store).await.contains("canary"));
    })
    .await;
}

#[tokio::test]
async fn wherever_the_database_fails_the_person_stays_whole() {
    let faults = [
        ("UPDATE", "users"),
        ("DELETE", "user_words"),
        ("DELETE", "photos"),
        ("DELETE", "custom_values"),
        ("DELETE", "credentials"),
        ("DELETE", "sessions"),
        ("UPDATE", "loans"),
        ("UPDATE", "renewals"),
        ("UPDATE", "requests"),
        ("UPDATE", "charges"),
        ("UPDATE", "messages"),
        ("INSERT", "audit_events"),
    ];
    for_each_database(async |store| {
        let person = library(&store, 1).await.remove(0);
        add_task(&store, &removes_everything(LoanText::Mark)).await;
        let before = records_of(&store).await;
        let number = UserNumber(person.number);
        for (event, table) in faults {
            refuse(&store, event, table, "TRUE").await;
            let failed = run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await;
            assert!(failed.is_err(), "{table}");
            assert_eq!(records_of(&store).await, before, "{table}");
            assert!(!dump(&store).await.contains("\nruns|"), "{table}: nothing is said to be done");
            repair(&store, table).await;
        }
        run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
        assert!(!dump(&store).await.contains("canary"));
    })
    .await;
}
