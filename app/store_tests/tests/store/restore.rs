//! After a restore, all users who were anonymised since the backup are anonymised again.

use crate::support::{add, add_task, clock, dump, execute, five_days, fresh_postgres, leaver};
use db::entity::{audit_events, runs, users};
use db::{RecordsError, Settings};
use erasure::ledger::{LedgerStatus, receipts, status};
use policy::{Limits, RunKind, RunState, UserNumber};
use sea_orm::{ColumnTrait, ConnectionTrait, Database, EntityTrait, QueryFilter, Set};
use std::sync::atomic::{AtomicI64, Ordering};
use task_centre::replay::replay;
use task_centre::run;
use tempfile::TempDir;
use trail::{Actor, Store};

/// A library whose database can be backed up and restored. The ledger isn't restored.
pub struct Library {
    pub folder: TempDir,
    url: String,
    copies: usize,
}

impl Library {
    pub async fn open(&self) -> Store {
        // Many users are anonymised one by one here.
        let limits = Limits { anonymise_per_hour: 1_000, anonymise_per_day: 1_000, ..Limits::default() };
        let settings = Settings { limits, ..Settings::in_folder(self.folder.path()) };
        operations::open_store(&self.url, clock(), settings).await.unwrap()
    }

    /// Copies the database. Closes the connections of the store.
    pub async fn backup(&mut self, store: Store) -> String {
        self.copies += 1;
        if let Some((server, name)) = self.url.rsplit_once('/').filter(|_| self.url.starts_with("postgres")) {
            store.db.clone().close().await.unwrap();
            let copy = format!("{name}_{}", self.copies);
            let admin = Database::connect(format!("{server}/postgres")).await.unwrap();
            admin.execute_unprepared(&format!("CREATE DATABASE {copy} TEMPLATE {name}")).await.unwrap();
            admin.close().await.unwrap();
            return format!("{server}/{copy}");
        }
        let copy = self.folder.path().join(format!("backup{}.db", self.copies));
        execute(&store, &format!("VACUUM INTO '{}'", copy.display())).await;
        store.db.clone().close().await.unwrap();
        format!("sqlite://{}?mode=rw", copy.display())
    }

    /// Replaces the database by a backup.
    pub async fn restore(&mut self, backup: String) -> Store {
        self.url = backup;
        self.open().await
    }
}

pub async fn for_each_library<F: AsyncFn(Library)>(test: F) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
    test(Library { folder, url, copies: 0 }).await;
    if let Some(url) = fresh_postgres().await {
        test(Library { folder: tempfile::tempdir().unwrap(), url, copies: 0 }).await;
    }
}

/// Anonymises all users that the task selects.
async fn run_all(store: &Store, task: policy::TaskId) {
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    let previewed = run::read(store, preview).await.unwrap().previewed.to_string();
    let started = run::start(store, Actor::COMMAND_LINE, preview, &previewed).await.unwrap();
    assert_eq!(run::execute(store, started).await.unwrap(), RunState::Succeeded);
}

async fn anonymised(store: &Store) -> Vec<i64> {
    let users = users::Entity::find().filter(users::Column::AnonymisedOn.is_not_null());
    let mut numbers: Vec<i64> = users.all(&store.db).await.unwrap().iter().map(|user| user.number).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn a_replay_anonymises_all_again_except_a_new_user_with_an_old_number() {
    for_each_library(async |mut library| {
        let store = library.open().await;
        for n in 1..=45 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        let backup = library.backup(store).await;

        let store = library.open().await;
        for n in 46..=50 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(7), "7").await.unwrap();
        run_all(&store, task).await;
        assert_eq!(anonymised(&store).await.len(), 50);
        let before = users::Entity::find_by_id(8).one(&store.db).await.unwrap().unwrap();
        store.db.clone().close().await.unwrap();

        let store = library.restore(backup).await;
        let new = add(&store, leaver("New")).await;
        assert_eq!(new.number, 46, "the number of an earlier user");
        // The key of an anonymised user isn't enough if the number differs.
        let key = users::ActiveModel { uuid: Set("uuid of N50".to_owned()), ..leaver("Other") };
        let other = add(&store, key).await;
        // Obstacles don't stop the replay, because the users were already anonymised.
        execute(&store, "INSERT INTO user_roles VALUES (1, 'librarian', '2018-01-01')").await;
        let loan = "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES (2, 'main', '2018-01-21', '2018-02-21')";
        execute(&store, loan).await;

        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Ahead { entries: 2, people: 50 });
        let progress = AtomicI64::new(0);
        let receipt = replay(&store, |people| progress.store(people, Ordering::Relaxed)).await.unwrap().unwrap();
        assert_eq!(
            (receipt.people, receipt.anonymised, receipt.already, receipt.absent, receipt.verified),
            (50, 45, 0, 5, true)
        );
        assert_eq!(progress.load(Ordering::Relaxed), 50);
        assert_eq!(anonymised(&store).await, (1..=45).collect::<Vec<i64>>());
        let untouched = users::Entity::find_by_id(46).one(&store.db).await.unwrap().unwrap();
        assert_eq!(untouched, new);
        let untouched = users::Entity::find_by_id(47).one(&store.db).await.unwrap().unwrap();
        assert_eq!(untouched, other);
        let again = users::Entity::find_by_id(8).one(&store.db).await.unwrap().unwrap();
        assert_ne!(again.replacement, before.replacement, "replacement names differ");
        assert_eq!(users::Model { replacement: before.replacement.clone(), ..again }, before);

        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        assert_eq!(replay(&store, |_| ()).await.unwrap(), None, "nothing is left to replay");
        assert_eq!(receipts(&store).await.unwrap(), std::slice::from_ref(&receipt));
        let history = runs::Entity::find().filter(runs::Column::Kind.eq(RunKind::Replay));
        let [run] = &history.all(&store.db).await.unwrap()[..] else { panic!("not one run") };
        let run = run::read(&store, policy::RunId(run.id)).await.unwrap();
        assert_eq!((run.state, run.done, run.skipped), (RunState::Succeeded, 45, 0));
        let events = audit_events::Entity::find().filter(audit_events::Column::Channel.eq("replay"));
        assert_eq!(events.all(&store.db).await.unwrap().len(), 46, "one for each user and for the replay");
        let stored = dump(&store).await;
        assert!(!stored.contains("N8-id") && stored.contains("New-id"));

        // Work continues: the ledger is extended, and the new user can be anonymised too.
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(46), "46").await.unwrap();
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_replay_continues_and_counts_each_user_once() {
    for_each_library(async |mut library| {
        let store = library.open().await;
        for n in 1..=2200 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        let backup = library.backup(store).await;
        let store = library.open().await;
        run_all(&store, task).await;
        store.db.clone().close().await.unwrap();

        let store = library.restore(backup).await;
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Ahead { entries: 3, people: 2200 });
        crate::faults::refuse(&store, "UPDATE", "users", "OLD.number = 2100").await;
        assert!(replay(&store, |_| ()).await.is_err());
        assert_eq!(anonymised(&store).await.len(), 2000, "two of three transactions");
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Ahead { entries: 1, people: 200 });
        let cut_off = &receipts(&store).await.unwrap()[0];
        assert_eq!((cut_off.people, cut_off.verified), (2000, false));
        crate::faults::repair(&store, "users").await;

        let receipt = replay(&store.as_another_process(clock()), |_| ()).await.unwrap().unwrap();
        assert_eq!((receipt.people, receipt.anonymised, receipt.already), (2200, 2200, 0));
        assert_eq!(receipt.from_sequence, 1);
        assert_eq!(receipts(&store).await.unwrap().len(), 1);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        let run = runs::Entity::find().filter(runs::Column::Kind.eq("replay")).one(&store.db).await;
        assert_eq!(run.unwrap().unwrap().done, 2200);
    })
    .await;
}

#[tokio::test]
async fn two_processes_replay_once() {
    for_each_library(async |mut library| {
        let store = library.open().await;
        for n in 1..=60 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        add_task(&store, &five_days()).await;
        let backup = library.backup(store).await;
        let store = library.open().await;
        for n in 1..=60 {
            run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(n), &n.to_string()).await.unwrap();
        }
        store.db.clone().close().await.unwrap();
        let store = library.restore(backup).await;
        let other = store.as_another_process(clock());
        let (one, two) = tokio::join!(replay(&store, |_| ()), replay(&other, |_| ()));
        let receipts_given: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
        assert!(!receipts_given.is_empty());
        let [receipt] = &receipts(&store).await.unwrap()[..] else { panic!("not one receipt") };
        assert_eq!((receipt.people, receipt.anonymised, receipt.verified), (60, 60, true));
        assert_eq!(anonymised(&store).await.len(), 60);
    })
    .await;
}

/// A replay is verified at its end. If it is interrupted before that, it doesn't count as done.
#[tokio::test]
async fn an_unverified_replay_does_not_count() {
    for_each_library(async |mut library| {
        let store = library.open().await;
        add(&store, leaver("Ng")).await;
        add(&store, leaver("Diaz")).await;
        let task = add_task(&store, &five_days()).await;
        let backup = library.backup(store).await;
        let store = library.open().await;
        run_all(&store, task).await;
        store.db.clone().close().await.unwrap();
        let store = library.restore(backup).await;
        replay(&store, |_| ()).await.unwrap().unwrap();
        execute(&store, "UPDATE replays SET verified = FALSE").await;
        execute(&store, "UPDATE runs SET finished_at = NULL WHERE kind = 'replay'").await;
        execute(&store, "UPDATE users SET anonymised_on = NULL, replacement = NULL WHERE number = 2").await;
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Ahead { entries: 0, people: 0 });
        let refused = replay(&store, |_| ()).await.unwrap_err();
        assert!(matches!(&refused, RecordsError::Ledger(why) if why.contains("1 user")), "{refused}");
        assert!(!receipts(&store).await.unwrap()[0].verified);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Ahead { entries: 0, people: 0 });
    })
    .await;
}

/// A backup from before the database had a ledger is recognised by its users.
#[tokio::test]
async fn a_backup_without_a_mark_is_recognised_by_its_users() {
    for_each_library(async |mut library| {
        let store = library.open().await;
        add(&store, leaver("Ng")).await;
        let task = add_task(&store, &five_days()).await;
        let backup = library.backup(store).await;
        let store = library.open().await;
        run_all(&store, task).await;
        store.db.clone().close().await.unwrap();
        let store = library.restore(backup.clone()).await;
        execute(&store, "DELETE FROM ledger_mark").await;
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Foreign);
        store.db.clone().close().await.unwrap();
        let store = library.restore(backup).await;
        let receipt = replay(&store, |_| ()).await.unwrap().unwrap();
        assert_eq!(receipt.anonymised, 1);
    })
    .await;
}
