//! Which runs confirm their settings, and until when a run can be cancelled.

use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::entity::{runs, tasks};
use db::pagination::Paging;
use policy::{RunId, RunState, SafetyLimit, TaskId, UserNumber};
use sea_orm::{EntityTrait, PaginatorTrait};
use task_centre::run::{self, MemberQuery};
use task_centre::task;
use task_centre::task::Confirmation;
use trail::{Actor, Store};

/// Queues a run of three users.
async fn queued(store: &Store) -> (TaskId, RunId) {
    for name in ["Ng", "Diaz", "Cole"] {
        add(store, leaver(name)).await;
    }
    let task = add_task(store, &five_days()).await;
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    (task, run::start(store, Actor::COMMAND_LINE, preview, "3").await.unwrap())
}

async fn confirmation(store: &Store, task: TaskId) -> Confirmation {
    task::read(store, Actor::COMMAND_LINE, task).await.unwrap().confirmation
}

async fn is_confirmed(store: &Store) -> bool {
    tasks::Entity::find().one(&store.db).await.unwrap().unwrap().confirmed_settings.is_some()
}

/// Makes a run look as if its process had died after processing this many users.
async fn abandoned(store: &Store, id: RunId, done: i64) {
    for sql in [
        format!(
            "UPDATE runs SET state = 'running', holder = 'gone', phase = 'anonymising', done = {done}, \
             heartbeat_at = '2018-01-21T12:00:00+00:00', started_at = '2018-01-21T12:00:00+00:00' WHERE id = {id}"
        ),
        format!("UPDATE run_members SET outcome = 'done' WHERE run_id = {id} AND user_number <= {done}"),
    ] {
        execute(store, &sql).await;
    }
}

/// Queues a run as the scheduler does.
async fn scheduled(store: &Store) -> run::Run {
    let sql = format!(
        "INSERT INTO runs (task_id, kind, state, today, settings, rules_version, channel, created_at, due_at) \
         SELECT id, 'scheduled', 'queued', '2018-01-21', settings, 1, 'schedule', created_at, \
         '2018-01-21 0{}:00:00+00:00' FROM tasks",
        runs::Entity::find().count(&store.db).await.unwrap() % 10
    );
    execute(store, &sql).await;
    let ended = run::work(store).await.unwrap();
    run::read(store, ended[0]).await.unwrap()
}

#[tokio::test]
async fn a_cancelled_run_confirms_nothing() {
    for_each_database(async |store| {
        let (task, id) = queued(&store).await;
        assert!(!is_confirmed(&store).await, "the run was not completed");
        abandoned(&store, id, 2).await;
        assert_eq!(run::cancel(&store, Actor::COMMAND_LINE, id).await.unwrap(), RunState::Cancelling);
        assert_eq!(run::work(&store).await.unwrap(), [id]);
        let cancelled = run::read(&store, id).await.unwrap();
        assert_eq!((cancelled.state, cancelled.done), (RunState::Cancelled, 2));
        assert!(!is_confirmed(&store).await);
        assert_eq!(confirmation(&store, task).await, Confirmation::Missing);
        add(&store, leaver("Next")).await;
        let by_schedule = scheduled(&store).await;
        assert_eq!(by_schedule.safety_limit, Some(SafetyLimit::NotConfirmed));

        // Cancelling a queued run confirms nothing either.
        let preview = by_schedule.preview.unwrap();
        let waits = run::start(&store, Actor::COMMAND_LINE, preview, "4").await.unwrap();
        assert_eq!(run::cancel(&store, Actor::COMMAND_LINE, waits).await.unwrap(), RunState::Cancelled);
        assert_eq!(scheduled(&store).await.safety_limit, Some(SafetyLimit::NotConfirmed));

        // A run that completes does, even after an interruption.
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let through = run::start(&store, Actor::COMMAND_LINE, preview, "4").await.unwrap();
        abandoned(&store, through, 0).await;
        assert!(!is_confirmed(&store).await);
        assert_eq!(run::execute(&store, through).await.unwrap(), RunState::Succeeded);
        assert_eq!(confirmation(&store, task).await, Confirmation::Given);
        add(&store, leaver("Later")).await;
        assert_eq!(scheduled(&store).await.state, RunState::Succeeded);
    })
    .await;
}

#[tokio::test]
async fn runs_without_changes_and_single_users_confirm_nothing() {
    for_each_database(async |store| {
        let (task, id) = queued(&store).await;
        // All of them became staff after the preview, so all are skipped.
        for number in 1..=3 {
            execute(&store, &format!("INSERT INTO user_roles VALUES ({number}, 'librarian', '2018-01-21')"))
                .await;
        }
        assert_eq!(run::execute(&store, id).await.unwrap(), RunState::Succeeded);
        assert!(!is_confirmed(&store).await);
        execute(&store, "DELETE FROM user_roles").await;
        let one = run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap();
        task_centre::run::background_scans().await;
        assert!(one.is_some() && !is_confirmed(&store).await);

        // First every user fails, then only some of them.
        crate::faults::refuse(&store, "UPDATE", "users", "OLD.number IN (2, 3)").await;
        let started = async |count: &str| {
            let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
            let id = run::start(&store, Actor::COMMAND_LINE, preview, count).await.unwrap();
            run::execute(&store, id).await.unwrap()
        };
        assert_eq!(started("2").await, RunState::Failed);
        assert!(!is_confirmed(&store).await);
        add(&store, leaver("Fourth")).await;
        assert_eq!(started("3").await, RunState::CompletedWithFailures);
        assert!(is_confirmed(&store).await, "the run was not cancelled and anonymised a user");
    })
    .await;
}

#[tokio::test]
async fn a_run_can_be_cancelled_only_while_it_has_users_left() {
    for_each_database(async |store| {
        let (_, id) = queued(&store).await;
        let can_cancel = async || run::read(&store, id).await.unwrap().can_cancel;
        assert!(can_cancel().await);
        abandoned(&store, id, 2).await;
        assert!(can_cancel().await);
        abandoned(&store, id, 3).await;
        assert!(!can_cancel().await);
        let refused = run::cancel(&store, Actor::COMMAND_LINE, id).await;
        let Err(RecordsError::Refused(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("too late") && why.contains("3 of 3"), "{why}");
        assert_eq!(run::work(&store).await.unwrap(), [id]);
        let ended = run::read(&store, id).await.unwrap();
        assert_eq!(
            (ended.state, ended.cancelled_too_late, ended.can_cancel),
            (RunState::Succeeded, false, false)
        );
        let refused = run::cancel(&store, Actor::COMMAND_LINE, id).await;
        assert!(matches!(refused, Err(RecordsError::Refused(why)) if why.contains("has already ended")));
    })
    .await;
}

#[tokio::test]
async fn a_run_cancelled_too_late_reports_it() {
    for_each_database(async |store| {
        let (_, id) = queued(&store).await;
        abandoned(&store, id, 3).await;
        // The cancellation is accepted before the last users are counted.
        execute(&store, &format!("UPDATE runs SET state = 'cancelling' WHERE id = {id}")).await;
        assert_eq!(run::work(&store).await.unwrap(), [id]);
        let ended = run::read(&store, id).await.unwrap();
        assert_eq!((ended.state, ended.cancelled_too_late), (RunState::Succeeded, true));
    })
    .await;
}

#[tokio::test]
async fn the_users_of_a_run_are_counted_over_all_pages() {
    for_each_database(async |store| {
        let (_, id) = queued(&store).await;
        let read = run::read(&store, id).await.unwrap();
        for (text, count) in [("", 3), ("nobody", 0), ("3", 1)] {
            let query = MemberQuery { text: text.to_owned(), ..MemberQuery::default() };
            assert_eq!(run::count_members(&store, id, &query).await.unwrap(), count, "{text}");
            let listed = run::members(&store, &read, &query, &Paging::default()).await.unwrap().rows;
            assert_eq!(i64::try_from(listed.len()).unwrap(), count, "{text}");
        }
    })
    .await;
}
