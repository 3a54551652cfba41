//! Changes while a server is running: to its key file, to its ledger, and by locks of other programs.

use crate::audit::tampering::url_of;
use crate::support::{add, add_task, five_days, for_each_database, leaver};
use db::{Fault, RecordsError, Settings, Storage};
use erasure::certificate;
use operations::health::{self, ConditionKind};
use operations::heartbeat;
use operations::key_replacement::replace;
use policy::UserNumber;
use policy::user_form::UserForm;
use records::user;
use sea_orm::{ConnectionTrait, Database, DatabaseBackend, TransactionTrait};
use std::time::{Duration, Instant};
use task_centre::run;
use trail::{Actor, Store};

async fn save(store: &Store) -> Result<(), RecordsError> {
    let form = UserForm { last_name: "Alder".to_owned(), ..UserForm::default() };
    user::save(store, Actor::COMMAND_LINE, &form).await.map(drop)
}

/// Reads the conditions again, after the interval within which a check isn't repeated.
async fn conditions(store: &Store) -> Vec<ConditionKind> {
    tokio::time::sleep(Duration::from_millis(600)).await;
    heartbeat::beat(store).await;
    health::read(store).await.unwrap().conditions.into_iter().map(|condition| condition.what).collect()
}

#[tokio::test]
async fn a_missing_key_file_is_reported_and_changes_still_work() {
    for_each_database(async |store| {
        let key = store.settings.key.clone();
        let content = std::fs::read(&key).unwrap();
        add_task(&store, &five_days()).await;
        assert!(!conditions(&store).await.contains(&ConditionKind::KeyFile));
        for broken in [None, Some("no key")] {
            std::fs::remove_file(&key).unwrap();
            if let Some(text) = broken {
                std::fs::write(&key, text).unwrap();
            }
            assert!(conditions(&store).await.contains(&ConditionKind::KeyFile), "{broken:?}");
            assert_eq!(store.vitals.faults(), [], "nothing fails");
            save(&store).await.unwrap();
            let person = UserNumber(add(&store, leaver(broken.unwrap_or("Ng"))).await.number);
            let confirm = person.to_string();
            let run = run::anonymise_one(&store, Actor::COMMAND_LINE, person, &confirm).await.unwrap();
            let run = run.expect("a run");
            assert!(certificate::verify_run(&store, run).await.unwrap().holds());
            std::fs::write(&key, &content).unwrap();
        }
        assert!(!conditions(&store).await.contains(&ConditionKind::KeyFile));
        assert!(trail::audit::verify(&store, Actor::COMMAND_LINE).await.unwrap().is_whole());
    })
    .await;
}

#[tokio::test]
async fn a_server_with_a_replaced_key_rejects_changes() {
    for_each_database(async |store| {
        save(&store).await.unwrap();
        let (url, settings) = (url_of(&store).await, Settings::clone(&store.settings));
        replace(&url, store.clock, settings.clone(), Actor::COMMAND_LINE, "REPLACE").await.unwrap();
        assert_eq!(save(&store).await.unwrap_err().fault(), Some(Fault::KeyReplaced));
        assert!(conditions(&store).await.contains(&ConditionKind::Fault(Fault::KeyReplaced)));
        let restarted = operations::open_store(&url, store.clock, settings).await.unwrap();
        save(&restarted).await.unwrap();
        assert!(!conditions(&restarted).await.contains(&ConditionKind::Fault(Fault::KeyReplaced)));
    })
    .await;
}

#[tokio::test]
async fn a_missing_ledger_is_a_fault_until_it_is_restored() {
    for_each_database(async |store| {
        add_task(&store, &five_days()).await;
        let ledger = store.settings.ledger.clone();
        let missing = ConditionKind::Fault(Fault::Missing(Storage::Ledger));
        assert!(!conditions(&store).await.contains(&missing));
        let kept = ledger.with_extension("kept");
        std::fs::rename(&ledger, &kept).unwrap();
        assert!(conditions(&store).await.contains(&missing));
        let user = UserNumber(add(&store, leaver("Ng")).await.number);
        let confirm = user.to_string();
        let refused = run::anonymise_one(&store, Actor::COMMAND_LINE, user, &confirm).await;
        assert_eq!(refused.unwrap_err().code(), "ledger");
        std::fs::rename(&kept, &ledger).unwrap();
        assert!(!conditions(&store).await.contains(&missing));
        run::anonymise_one(&store, Actor::COMMAND_LINE, user, &confirm).await.unwrap();
    })
    .await;
}

/// Another program locks what every change needs: the chain head on PostgreSQL, the write lock on SQLite.
#[tokio::test]
async fn a_lock_of_another_program_becomes_a_fault_once_a_change_fails() {
    for_each_database(async |store| {
        let other = Database::connect(url_of(&store).await).await.unwrap();
        let tx = other.begin().await.unwrap();
        let lock = match store.db.get_database_backend() {
            DatabaseBackend::Postgres => "SELECT id FROM audit_head FOR UPDATE",
            _ => "UPDATE users SET notes = notes",
        };
        tx.execute_unprepared(lock).await.unwrap();
        assert_eq!(conditions_of_process(&store).await, [], "a change may take some seconds");
        let began = Instant::now();
        assert_eq!(save(&store).await.unwrap_err().fault(), Some(Fault::Busy));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(conditions_of_process(&store).await, [ConditionKind::Fault(Fault::Busy)]);
        let import = store.vitals.begin_long_write();
        assert_eq!(conditions_of_process(&store).await, [], "a long import of this process is no fault");
        drop(import);
        tx.rollback().await.unwrap();
        save(&store).await.unwrap();
        assert_eq!(conditions_of_process(&store).await, []);
    })
    .await;
}

async fn conditions_of_process(store: &Store) -> Vec<ConditionKind> {
    tokio::time::sleep(Duration::from_millis(600)).await;
    heartbeat::beat(store).await;
    health::of_this_process(store).into_iter().map(|condition| condition.what).collect()
}
