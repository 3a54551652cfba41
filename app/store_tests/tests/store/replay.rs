//! Tests a process that dies between the ledger entry and the commit.
#![allow(clippy::disallowed_methods, reason = "they simulate a process that dies after the commit")]

use crate::support::{self, add, add_task, day, execute, five_days, for_each_database, leaver};
use db::entity::{run_members, runs, users};
use erasure::anonymise::{self, ErasureRequest, Outcomes};
use erasure::ledger::commit::before_commit;
use erasure::ledger::entry::{People, Person};
use erasure::ledger::writer::Writer;
use erasure::ledger::{LedgerStatus, status};
use policy::{Channel, RULES_VERSION, Reason, RunId, RunKind, RunMode, RunState, TaskSettings, UserNumber};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, Set};
use task_centre::replay::replay;
use task_centre::run;
use trail::{Actor, Store, audit, chain};

/// An open transaction whose users the ledger already names.
struct Interrupted {
    tx: DatabaseTransaction,
    ledger: Writer,
}

/// Anonymises a user up to the moment before the commit. With `run` as `None`, the database doesn't contain the
/// run.
async fn interrupted(store: &Store, number: i64, mode: RunMode, run: Option<RunId>) -> Interrupted {
    let tx = store.begin().await.unwrap();
    let outcomes = in_open_transaction(store, &tx, number, mode, run).await;
    let people = people(&outcomes, run.unwrap_or(RunId(77)), mode);
    chain::chain(&store.chain_key, &tx).await.unwrap();
    let ledger = before_commit(Writer::enter(store).await.unwrap(), &tx, &five_days(), people).await.unwrap();
    Interrupted { tx, ledger }
}

async fn in_open_transaction(
    store: &Store,
    tx: &DatabaseTransaction,
    number: i64,
    mode: RunMode,
    run: Option<RunId>,
) -> Outcomes {
    let policy = five_days();
    let request = ErasureRequest {
        run: run.unwrap_or(RunId(77)),
        policy: &policy,
        today: day(support::TODAY),
        mode,
        actor: Actor::COMMAND_LINE,
    };
    let outcomes = anonymise::anonymise(store, tx, &request, &[UserNumber(number)]).await.unwrap();
    audit::note_people(store, tx, (request.actor, request.run), &outcomes.done, &outcomes.codes)
        .await
        .unwrap();
    outcomes
}

fn people(outcomes: &Outcomes, run: RunId, mode: RunMode) -> People {
    People {
        after: 0,
        policy: 0,
        run,
        day: day(support::TODAY),
        rules: RULES_VERSION,
        mode,
        who: std::iter::zip(&outcomes.keys, &outcomes.done)
            .map(|(key, number)| Person::new(key, *number))
            .collect(),
    }
}

/// Creates an active run with these users.
async fn run_of(store: &Store, numbers: &[i64]) -> RunId {
    let now = store.clock.now();
    let run = runs::ActiveModel {
        kind: Set(RunKind::Manual),
        state: Set(RunState::Running),
        today: Set(day(support::TODAY)),
        settings: Set(TaskSettings::AnonymiseUserData(five_days())),
        rules_version: Set(RULES_VERSION),
        channel: Set(Channel::Web),
        created_at: Set(now),
        previewed: Set(i64::try_from(numbers.len()).unwrap()),
        ..Default::default()
    };
    let run = run.insert(&store.db).await.unwrap().id;
    for number in numbers {
        let member = run_members::ActiveModel {
            run_id: Set(run),
            user_number: Set(*number),
            reason: Set(Reason::Eligible.number()),
            blockers: Set(0),
            ..Default::default()
        };
        member.insert(&store.db).await.unwrap();
    }
    RunId(run)
}

async fn is_anonymised(store: &Store, number: i64) -> bool {
    let user = users::Entity::find_by_id(number).one(&store.db).await.unwrap().unwrap();
    user.anonymised_on.is_some()
}

async fn ledger_text(store: &Store) -> String {
    tokio::fs::read_to_string(&store.settings.ledger).await.unwrap()
}

/// Returns the same store, as a process that started later sees it.
fn later_process(store: &Store) -> Store {
    store.as_another_process(store.clock)
}

#[tokio::test]
async fn after_a_kill_before_the_commit_no_user_is_done_and_the_run_continues() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let id = run_of(&store, &[1]).await;
        drop(interrupted(&store, 1, RunMode::Bulk, Some(id)).await);

        let store = later_process(&store);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        assert!(ledger_text(&store).await.contains("{\"sequence\":3,\"kind\":\"void\",\"of\":2,"));
        assert!(!is_anonymised(&store, 1).await);
        assert_eq!(run::execute(&store, id).await.unwrap(), RunState::Succeeded);
        assert!(is_anonymised(&store, 1).await);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
    })
    .await;
}

#[tokio::test]
async fn the_next_commit_settles_what_a_killed_process_left_open() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        add(&store, leaver("Diaz")).await;
        let task = add_task(&store, &five_days()).await;
        drop(interrupted(&store, 1, RunMode::Single, None).await);
        let store = later_process(&store);
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(2), "2").await.unwrap();
        assert_eq!((is_anonymised(&store, 1).await, is_anonymised(&store, 2).await), (false, true));

        let Interrupted { tx, ledger } = interrupted(&store, 1, RunMode::Single, None).await;
        tx.commit().await.unwrap();
        drop(ledger);
        add(&store, leaver("Cole")).await;
        let store = later_process(&store);
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(3), "3").await.unwrap();
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        let kinds = ["policy", "people", "void", "people", "done", "people", "done", "people", "done"];
        let text = ledger_text(&store).await;
        let found: Vec<&str> = text.lines().skip(1).map(|line| line.split('"').nth(5).unwrap()).collect();
        assert_eq!(found, kinds, "task {task}");
    })
    .await;
}

#[tokio::test]
async fn killed_after_the_commit_they_are_done() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let id = run_of(&store, &[1]).await;
        let Interrupted { tx, ledger } = interrupted(&store, 1, RunMode::Bulk, Some(id)).await;
        tx.commit().await.unwrap();
        drop(ledger);
        let store = later_process(&store);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        assert!(ledger_text(&store).await.contains("\"kind\":\"done\",\"of\":2,"));
        assert!(is_anonymised(&store, 1).await);
    })
    .await;
}

/// The last batch of a run that the restored database doesn't contain had been committed, so it is replayed.
#[tokio::test]
async fn an_unsettled_entry_of_an_unknown_run_is_replayed() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        drop(interrupted(&store, 1, RunMode::Bulk, None).await);
        let store = later_process(&store);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Ahead { entries: 1, people: 1 });
        let receipt = replay(&store, |_| ()).await.unwrap().unwrap();
        assert_eq!((receipt.people, receipt.anonymised, receipt.verified), (1, 1, true));
        assert!(is_anonymised(&store, 1).await);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        assert!(ledger_text(&store).await.contains("\"kind\":\"done\",\"of\":2,"));
    })
    .await;
}

/// If the database is replaced beneath a running server, an entry in doubt is rejected.
#[tokio::test]
async fn a_database_that_is_put_back_under_a_server_stops_it() {
    for_each_database(async |store| {
        for name in ["Ng", "Diaz"] {
            add(&store, leaver(name)).await;
        }
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap();
        execute(&store, "UPDATE ledger_mark SET sequence = 0").await;
        let refused = run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(2), "2").await.unwrap_err();
        assert_eq!(refused.code(), "ledger", "{refused}");
        assert!(!is_anonymised(&store, 2).await);
        assert_eq!(runs::Entity::find().count(&store.db).await.unwrap(), 1);
    })
    .await;
}

/// A replay also applies newer rules to users that the backup holds as anonymised with older rules.
#[tokio::test]
async fn newer_rules_are_applied_again() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap();
        let older =
            "UPDATE users SET rules_version = 0, notes = 'overlooked by older rules' WHERE number = 1";
        execute(&store, older).await;
        let Interrupted { tx, ledger } = interrupted(&store, 1, RunMode::Reapply, None).await;
        // Roll back: the database is as before, but the ledger names more users.
        drop((tx, ledger));
        let store = later_process(&store);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Ahead { entries: 1, people: 1 });
        let receipt = replay(&store, |_| ()).await.unwrap().unwrap();
        assert_eq!((receipt.anonymised, receipt.already, receipt.absent), (1, 0, 0));
        let user = users::Entity::find_by_id(1).one(&store.db).await.unwrap().unwrap();
        assert_eq!((user.rules_version, user.notes), (Some(RULES_VERSION), None));
    })
    .await;
}
