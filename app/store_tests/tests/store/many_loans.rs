//! One user with very many loans: anonymising doesn't block other users' changes for long.

use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use policy::user_form::UserForm;
use policy::{NoteTreatment, Policy, UserNumber};
use records::user;
use sea_orm::DatabaseBackend;
use std::time::{Duration, Instant};
use task_centre::run;
use trail::Actor;

const LOANS: u32 = 100_000;

#[tokio::test]
async fn other_changes_work_while_a_user_with_very_many_loans_is_anonymised() {
    for_each_database(async |store| {
        let person = add(&store, leaver("Oak")).await;
        let number = UserNumber(person.number);
        add_task(&store, &Policy { circulation_notes: NoteTreatment::Empty, ..five_days() }).await;
        execute(&store, "INSERT INTO catalogue_records (id, title, created_on) VALUES (1, 'Maps', '2009-01-01')").await;
        execute(&store, "INSERT INTO items (id, record_id, barcode, branch) VALUES (1, 1, 'i1', 'MAIN')").await;
        let loans = format!(
            "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {LOANS}) \
             INSERT INTO loans (user_number, item_id, branch, category, issued_on, due_on, returned_on, note) \
             SELECT {number}, 1, 'MAIN', 'STUDENT', '2010-01-01', '2010-02-01', '2010-01-15', 'note of Oak ' || n \
             FROM series"
        );
        execute(&store, &loans).await;
        for more in [
            "INSERT INTO renewals (loan_id, renewed_on, due_on, note) \
             SELECT id, '2010-01-20', '2010-03-01', 'Oak asked ' || id FROM loans",
            "INSERT INTO messages (user_number, kind, channel, sent_at, subject, body) \
             SELECT user_number, 'due', 'email', '2010-01-20T00:00:00+00:00', 'Loan ' || id, 'Dear First Oak, loan ' || id || ' is due' FROM loans",
        ] {
            execute(&store, more).await;
        }
        let postgres = store.db.get_database_backend() == DatabaseBackend::Postgres;
        let typed = number.to_string();
        let began = Instant::now();
        let anonymise = run::anonymise_one(&store, Actor::COMMAND_LINE, number, &typed);
        let others = async {
            let mut longest = Duration::ZERO;
            for saved in 0..10 {
                let form = UserForm { last_name: format!("Birch{saved}"), ..UserForm::default() };
                let began = Instant::now();
                user::save(&store, Actor::COMMAND_LINE, &form).await.unwrap();
                longest = longest.max(began.elapsed());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            longest
        };
        let (done, longest) = tokio::join!(anonymise, others);
        done.unwrap().unwrap();
        eprintln!("postgres {postgres}: anonymised after {:?}, another change waited {longest:?}", began.elapsed());
        let began = Instant::now();
        run::background_scans().await;
        eprintln!("postgres {postgres}: the search took {:?}", began.elapsed());
        assert!(longest < Duration::from_secs(8), "{longest:?}");
    })
    .await;
}
