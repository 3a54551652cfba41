//! The lease of a run: one process at a time executes it, another one after a crash, none after cancelling.

use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use db::entity::{audit_events, run_members, runs};
use policy::{RunId, RunState, SafetyLimit, TaskSettings};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use task_centre::run;
use trail::{Actor, Store};

/// Queues a run of this many users.
async fn queued(store: &Store, people: i64) -> RunId {
    for n in 0..people {
        add(store, leaver(&format!("N{n}"))).await;
    }
    let task = add_task(store, &five_days()).await;
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    run::start(store, Actor::COMMAND_LINE, preview, &people.to_string()).await.unwrap()
}

/// Makes it look as if a process had taken up the run and died this many seconds ago, after the first user.
async fn make_its_process_die(store: &Store, run: RunId, seconds: i64) {
    let at = (chrono::Utc::now() - chrono::Duration::seconds(seconds)).to_rfc3339();
    let change =
        format!("UPDATE runs SET state = 'running', holder = 'dead', heartbeat_at = '{at}' WHERE id = {run}");
    execute(store, &change).await;
}

async fn events(store: &Store, action: &str) -> u64 {
    audit_events::Entity::find()
        .filter(audit_events::Column::Action.eq(action))
        .count(&store.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_run_of_a_dead_process_is_taken_over_after_its_lease() {
    for_each_database(async |store| {
        let id = queued(&store, 3).await;
        make_its_process_die(&store, id, 5).await;
        assert_eq!(
            run::work(&store).await.unwrap(),
            [],
            "five seconds without a heartbeat don't end the lease"
        );
        assert_eq!(run::read(&store, id).await.unwrap().state, RunState::Running);
        make_its_process_die(&store, id, 21).await;
        assert_eq!(run::read(&store, id).await.unwrap().state, RunState::Interrupted);
        assert_eq!(run::work(&store).await.unwrap(), [id]);
        let run = run::read(&store, id).await.unwrap();
        assert_eq!((run.state, run.done, run.interruptions), (RunState::Succeeded, 3, 1));
        assert_eq!(events(&store, "run_taken_up").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_process_that_shuts_down_leaves_the_run_to_the_next() {
    for_each_database(async |store| {
        let id = queued(&store, 3).await;
        let leaving = store.as_another_process(store.clock);
        // It has taken up the run and receives the shutdown signal before its first batch.
        let execution = tokio::spawn({
            let leaving = leaving.clone();
            async move {
                leaving.stop();
                run::execute(&leaving, id).await.unwrap()
            }
        });
        assert_eq!(execution.await.unwrap(), RunState::Interrupted);
        let left = runs::Entity::find_by_id(id.0).one(&store.db).await.unwrap().unwrap();
        assert_eq!((left.state, left.holder), (RunState::Interrupted, None));
        assert_eq!(
            run::work(&store).await.unwrap(),
            [id],
            "the next process does not wait for the lease to end"
        );
        assert_eq!(run::read(&store, id).await.unwrap().done, 3);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_run_counts_the_users_not_reached() {
    for_each_database(async |store| {
        let id = queued(&store, 3).await;
        make_its_process_die(&store, id, 21).await;
        let done = format!(
            "UPDATE run_members SET outcome = 'done', residue = 'clean' WHERE run_id = {id} AND user_number = 1"
        );
        execute(&store, &done).await;
        assert_eq!(run::cancel(&store, Actor::COMMAND_LINE, id).await.unwrap(), RunState::Cancelling);
        assert_eq!(run::work(&store).await.unwrap(), [id]);
        let run = run::read(&store, id).await.unwrap();
        assert_eq!((run.state, run.done, run.not_reached()), (RunState::Cancelled, 1, 2));
        assert!(run::cancel(&store, Actor::COMMAND_LINE, id).await.is_err(), "it has already ended");
        assert_eq!(events(&store, "user_anonymised").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_queued_run_is_cancelled_at_once() {
    for_each_database(async |store| {
        let id = queued(&store, 2).await;
        assert_eq!(run::cancel(&store, Actor::COMMAND_LINE, id).await.unwrap(), RunState::Cancelled);
        assert_eq!(run::work(&store).await.unwrap(), []);
        let run = run::read(&store, id).await.unwrap();
        assert_eq!((run.done, run.not_reached()), (0, 2));
    })
    .await;
}

#[tokio::test]
async fn users_of_a_dead_process_are_undeterminable() {
    for_each_database(async |store| {
        let id = queued(&store, 3).await;
        make_its_process_die(&store, id, 21).await;
        // The dead process had anonymised the first user, and the old values were lost with its memory.
        execute(
            &store,
            &format!("UPDATE run_members SET outcome = 'done' WHERE run_id = {id} AND user_number = 1"),
        )
        .await;
        run::work(&store).await.unwrap();
        let members = run_members::Entity::find()
            .filter(run_members::Column::RunId.eq(id.0))
            .filter(run_members::Column::Residue.eq("undeterminable"))
            .all(&store.db)
            .await
            .unwrap();
        assert!(members.iter().any(|member| member.user_number == 1));
    })
    .await;
}

#[tokio::test]
async fn a_run_with_an_altered_preview_is_rejected() {
    for_each_database(async |store| {
        for n in 0..3 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        add(&store, db::entity::users::ActiveModel { leaving_on: sea_orm::Set(None), ..leaver("Stays") })
            .await;
        let task = add_task(&store, &five_days()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        // The number of users is the same, but one of them is another user.
        execute(
            &store,
            &format!("UPDATE run_members SET reason = 11 WHERE run_id = {preview} AND user_number = 1"),
        )
        .await;
        execute(
            &store,
            &format!("UPDATE run_members SET reason = 0 WHERE run_id = {preview} AND user_number = 4"),
        )
        .await;
        let refused = run::start(&store, Actor::COMMAND_LINE, preview, "3").await.unwrap_err().to_string();
        assert!(refused.contains("no longer match its fingerprint"), "{refused}");
    })
    .await;
}

/// Queues a run as the scheduler does, and executes it.
async fn scheduled(store: &Store, task: policy::TaskId) -> RunId {
    let sql = format!(
        "INSERT INTO runs (task_id, kind, state, today, settings, rules_version, channel, created_at, due_at) \
         SELECT id, 'scheduled', 'queued', '2018-01-21', settings, 1, 'schedule', created_at, \
         '2018-01-21 0{}:00:00+00:00' FROM tasks WHERE id = {task}",
        runs::Entity::find().count(&store.db).await.unwrap() % 10
    );
    execute(store, &sql).await;
    let ended = run::work(store).await.unwrap();
    assert_eq!(ended.len(), 1);
    ended[0]
}

#[tokio::test]
async fn a_scheduled_run_stops_until_its_policy_is_confirmed() {
    for_each_database(async |store| {
        add(&store, leaver("One")).await;
        let task = add_task(&store, &five_days()).await;
        let stopped = run::read(&store, scheduled(&store, task).await).await.unwrap();
        assert_eq!(
            (stopped.state, stopped.safety_limit),
            (RunState::StoppedByLimit, Some(SafetyLimit::NotConfirmed))
        );
        assert_eq!((stopped.previewed, stopped.done), (1, 0));

        // A member of staff can start a run from its preview, which confirms the policy.
        let preview = stopped.preview.unwrap();
        assert_eq!(run::why_not(&store, preview).await.unwrap(), None);
        let by_hand = run::start(&store, Actor::COMMAND_LINE, preview, "1").await.unwrap();
        assert_eq!(run::execute(&store, by_hand).await.unwrap(), RunState::Succeeded);

        add(&store, leaver("Two")).await;
        let by_schedule = run::read(&store, scheduled(&store, task).await).await.unwrap();
        assert_eq!((by_schedule.state, by_schedule.done), (RunState::Succeeded, 1));
        assert_eq!(by_schedule.rules_version, policy::RULES_VERSION);
        assert!(by_schedule.preview.is_some_and(|own| own != preview));

        // A wider policy: four days instead of five.
        add(&store, leaver("Three")).await;
        let mut wider = five_days();
        wider.conditions.leaving = policy::Days::new(4);
        let json = serde_json::to_string(&TaskSettings::AnonymiseUserData(wider.clone())).unwrap();
        execute(&store, &format!("UPDATE tasks SET settings = '{json}', version = version + 1")).await;
        let stopped = run::read(&store, scheduled(&store, task).await).await.unwrap();
        assert_eq!(
            (stopped.state, stopped.safety_limit),
            (RunState::StoppedByLimit, Some(SafetyLimit::NotConfirmed))
        );
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_run_of_too_many_users_stops() {
    for_each_database(async |store| {
        for n in 0..30 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        execute(&store, "UPDATE tasks SET confirmed_settings = settings").await;
        let stopped = run::read(&store, scheduled(&store, task).await).await.unwrap();
        assert_eq!(
            (stopped.state, stopped.safety_limit),
            (RunState::StoppedByLimit, Some(SafetyLimit::Share))
        );
        assert_eq!(stopped.done, 0);
        assert_eq!(events(&store, "run_stopped").await, 1);
        execute(&store, "UPDATE tasks SET active = FALSE").await;
        let off = run::read(&store, scheduled(&store, task).await).await.unwrap();
        assert_eq!(off.state, RunState::Cancelled, "the task was deactivated before the run began");
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_run_without_a_preview_fails() {
    for_each_database(async |store| {
        add(&store, leaver("One")).await;
        let task = add_task(&store, &five_days()).await;
        execute(&store, "UPDATE tasks SET settings = '{}'").await;
        let sql = format!(
            "INSERT INTO runs (task_id, kind, state, today, settings, rules_version, channel, created_at) \
             SELECT id, 'scheduled', 'queued', '2018-01-21', '{}', 1, 'schedule', created_at FROM tasks \
             WHERE id = {task}",
            policy::stored::to_json(&TaskSettings::AnonymiseUserData(five_days()))
        );
        execute(&store, &sql).await;
        let ended = run::work(&store).await.unwrap();
        let failed = run::read(&store, ended[0]).await.unwrap();
        assert_eq!((failed.state, failed.errors), (RunState::Failed, vec!["corrupt".to_owned()]));
        assert_eq!(run::work(&store).await.unwrap(), [], "it does not stop the next runs");
    })
    .await;
}
