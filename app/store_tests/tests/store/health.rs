//! Conditions appear in time, name the right run, and disappear when they no longer apply.

use crate::support::{TODAY, add_task, five_days, for_each_database, leaver};
use chrono::{DateTime, Duration, Utc};
use db::entity::{run_counts, runs, tasks};
use db::{Clock, Settings, SignIn};
use operations::health::{self, ConditionKind};
use policy::{Channel, FourEyes, Phase, Policy, RunKind, RunState, SafetyLimit, TaskId, TaskSettings};
use sea_orm::{ActiveModelTrait, EntityTrait, PaginatorTrait, Set};
use trail::{Actor, Store};

fn now(store: &Store) -> DateTime<Utc> {
    store.clock.now()
}

fn minutes(ago: i64) -> Duration {
    Duration::minutes(ago)
}

/// Returns the conditions, each with its run or task.
async fn conditions(store: &Store) -> Vec<(ConditionKind, Option<i64>)> {
    let conditions = health::read(store).await.unwrap().conditions;
    for condition in &conditions {
        assert!(ConditionKind::CODES.contains(&condition.what.code()));
        let (_, description) = condition.task.as_ref().unwrap();
        assert_eq!(description.description_for(Actor::COMMAND_LINE), "Leavers");
    }
    conditions.into_iter().map(|one| (one.what, one.run.map(|run| run.0))).collect()
}

async fn run(
    store: &Store,
    task: TaskId,
    state: RunState,
    change: impl FnOnce(&mut runs::ActiveModel),
) -> i64 {
    let mut run = runs::ActiveModel {
        task_id: Set(Some(task.0)),
        kind: Set(RunKind::Scheduled),
        state: Set(state),
        today: Set(TODAY.parse().unwrap()),
        settings: Set(TaskSettings::AnonymiseUserData(Policy::default())),
        rules_version: Set(1),
        channel: Set(Channel::Schedule),
        created_at: Set(now(store)),
        finished_at: Set(state.is_final().then(|| now(store))),
        ..Default::default()
    };
    change(&mut run);
    run.insert(&store.db).await.unwrap().id
}

async fn another_task(store: &Store) -> TaskId {
    crate::support::execute(store, "UPDATE tasks SET single_default = FALSE").await;
    add_task(store, &five_days()).await
}

#[tokio::test]
async fn held_lines_are_reported_after_three_days_without_a_decision() {
    for_each_database(async |store| {
        let held = async |digest: &str, first_seen_on: &str, decision: &str| {
            let sql = format!(
                "INSERT INTO held_lines (digest, kind, source, line, line_digest, first_seen_on, last_seen_on, \
                 times_seen, decision) VALUES ('{digest}', 'user_id', 'users', 2, 'x', '{first_seen_on}', \
                 '{TODAY}', 1, {decision})"
            );
            crate::support::execute(&store, &sql).await;
            let found = health::read(&store).await.unwrap().conditions;
            found.into_iter().map(|one| (one.what, one.since.date_naive().to_string())).collect::<Vec<_>>()
        };
        assert_eq!(held("a", "2018-01-18", "NULL").await, [], "three days are not over");
        assert_eq!(held("b", "2018-01-01", "'ignore'").await, [], "it is decided");
        let one = ConditionKind::HeldLinesWaiting { lines: 1 };
        assert_eq!(held("c", "2018-01-17", "NULL").await, [(one, "2018-01-17".to_owned())]);
        let two = ConditionKind::HeldLinesWaiting { lines: 2 };
        assert_eq!(held("d", "2018-01-16", "NULL").await, [(two, "2018-01-16".to_owned())]);
        assert!(ConditionKind::CODES.contains(&two.code()));
    })
    .await;
}

#[tokio::test]
async fn open_access_requests_are_reported_a_week_before_they_are_due() {
    for_each_database(async |store| {
        let user = crate::support::add(&store, leaver("Asks")).await.number;
        let asked = async |due_on: &str, state: &str| {
            let sql = format!(
                "INSERT INTO access_requests (user_number, state, received_on, due_on) \
                 VALUES ({user}, '{state}', '2018-01-01', '{due_on}')"
            );
            crate::support::execute(&store, &sql).await;
            let found = health::read(&store).await.unwrap().conditions;
            found.into_iter().map(|one| (one.what, one.since.date_naive().to_string())).collect::<Vec<_>>()
        };
        // The tests run on 21 January 2018.
        assert_eq!(asked("2018-01-29", "open").await, [], "more than a week is left");
        assert_eq!(asked("2018-01-02", "answered").await, [], "it is answered");
        let one = ConditionKind::AccessRequestsDue { requests: 1 };
        assert_eq!(asked("2018-01-28", "open").await, [(one, "2018-01-21".to_owned())]);
        let two = ConditionKind::AccessRequestsDue { requests: 2 };
        assert_eq!(asked("2018-01-10", "open").await, [(two, "2018-01-03".to_owned())]);
        assert!(ConditionKind::CODES.contains(&two.code()));
    })
    .await;
}

#[tokio::test]
async fn an_active_task_is_overdue_after_15_minutes() {
    for_each_database(async |store| {
        let id = add_task(&store, &five_days()).await;
        let due = async |ago: i64, active: bool| {
            let at = Some(now(&store) - minutes(ago));
            let task = tasks::ActiveModel {
                id: Set(id.0),
                next_due_at: Set(at),
                active: Set(active),
                ..Default::default()
            };
            task.update(&store.db).await.unwrap();
            conditions(&store).await
        };
        assert_eq!(due(-1, true).await, []);
        assert_eq!(due(14, true).await, []);
        assert_eq!(due(15, true).await, [(ConditionKind::Overdue, None)]);
        let condition = health::read(&store).await.unwrap().conditions.remove(0);
        assert_eq!(condition.since, now(&store) - minutes(15));
        assert_eq!(due(15, false).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_queued_run_is_reported_unless_another_run_is_active() {
    for_each_database(async |store| {
        let task = add_task(&store, &five_days()).await;
        run(&store, task, RunState::Queued, |run| run.created_at = Set(now(&store) - minutes(14))).await;
        assert_eq!(conditions(&store).await, []);
        let old =
            run(&store, task, RunState::Queued, |run| run.created_at = Set(now(&store) - minutes(16))).await;
        assert_eq!(conditions(&store).await, [(ConditionKind::NotStarted, Some(old))]);
        run(&store, task, RunState::Running, |run| {
            run.started_at = Set(Some(Clock::system_now()));
            run.heartbeat_at = Set(Some(Clock::system_now()));
        })
        .await;
        assert_eq!(conditions(&store).await, []);
    })
    .await;
}

/// Minutes since the start, the last heartbeat and the last progress; phase, state, and the expected condition.
type Stalled = (i64, i64, Option<i64>, Option<Phase>, RunState, Option<ConditionKind>);

#[tokio::test]
async fn a_stalled_run_is_reported() {
    use Phase::{Anonymising, Maintaining, Previewing, Scanning};
    use RunState::{Cancelling, Interrupted, Running};
    const STALLED: [Stalled; 10] = [
        (0, 0, None, Some(Previewing), Running, None),
        (4, 0, None, Some(Anonymising), Running, None),
        (6, 0, None, Some(Anonymising), Running, Some(ConditionKind::Stalled)),
        (60, 0, Some(1), Some(Anonymising), Running, None),
        (60, 0, Some(6), Some(Anonymising), Cancelling, Some(ConditionKind::Stalled)),
        // The scan and the maintenance of a large database take long, but send heartbeats.
        (60, 0, Some(20), Some(Scanning), Running, None),
        (60, 6, Some(20), Some(Maintaining), Running, Some(ConditionKind::Stalled)),
        // The process has died, and the next one has not taken the run over yet.
        (60, 2, Some(2), Some(Anonymising), Running, Some(ConditionKind::Interrupted)),
        (60, 0, Some(0), None, Interrupted, Some(ConditionKind::Interrupted)),
        (60, 8, Some(8), None, Interrupted, Some(ConditionKind::Stalled)),
    ];
    for (began, alive, progress, phase, state, expected) in STALLED {
        for_each_database(async |store| {
            let task = add_task(&store, &five_days()).await;
            let real = |ago: i64| Some(Clock::system_now() - minutes(ago));
            let id = run(&store, task, state, |run| {
                run.started_at = Set(real(began));
                run.heartbeat_at = Set(real(alive));
                run.progress_at = Set(progress.and_then(real));
                run.phase = Set(phase);
            })
            .await;
            let expected: Vec<_> = expected.map(|what| (what, Some(id))).into_iter().collect();
            assert_eq!(
                conditions(&store).await,
                expected,
                "{began} {alive} {progress:?} {phase:?} {state:?}"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn the_newest_run_of_each_task_counts() {
    for_each_database(async |store| {
        let one = add_task(&store, &five_days()).await;
        let two = another_task(&store).await;
        let people = |run: &mut runs::ActiveModel, previewed, done, skipped, failed| {
            run.previewed = Set(previewed);
            run.done = Set(done);
            run.skipped = Set(skipped);
            run.failed = Set(failed);
        };
        let failed = run(&store, one, RunState::CompletedWithFailures, |run| people(run, 5, 2, 0, 3)).await;
        let stopped = run(&store, two, RunState::StoppedByLimit, |run| {
            run.safety_limit = Set(Some(SafetyLimit::Share));
        })
        .await;
        let safety_limit = ConditionKind::StoppedByLimit(Some(SafetyLimit::Share));
        assert_eq!(
            conditions(&store).await,
            [(ConditionKind::Failed { people: 3 }, Some(failed)), (safety_limit, Some(stopped))]
        );
        // A preview, a single user or a queued run doesn't end the condition.
        for kind in [RunKind::Preview, RunKind::Single] {
            run(&store, one, RunState::Succeeded, |run| run.kind = Set(kind)).await;
        }
        run(&store, one, RunState::Queued, |_| ()).await;
        assert_eq!(conditions(&store).await.len(), 2);
        // A run does.
        run(&store, one, RunState::Succeeded, |run| people(run, 3, 3, 0, 0)).await;
        run(&store, two, RunState::Succeeded, |run| people(run, 0, 0, 0, 0)).await;
        assert_eq!(conditions(&store).await, []);
        let all_skipped = run(&store, one, RunState::Succeeded, |run| people(run, 4, 0, 4, 0)).await;
        assert_eq!(conditions(&store).await, [(ConditionKind::AllSkipped { skipped: 4 }, Some(all_skipped))]);
        let failed = run(&store, one, RunState::Failed, |_| ()).await;
        assert_eq!(conditions(&store).await, [(ConditionKind::Failed { people: 0 }, Some(failed))]);
        crate::support::execute(&store, "UPDATE tasks SET deleted_at = created_at").await;
        assert_eq!(conditions(&store).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_missed_run_is_reported_for_a_week_or_until_the_next_run() {
    for_each_database(async |store| {
        let task = add_task(&store, &five_days()).await;
        let missed = async |days: i64| {
            let at = now(&store) - Duration::days(days);
            let id = run(&store, task, RunState::Missed, |run| {
                run.created_at = Set(at);
                run.finished_at = Set(Some(at));
                run.due_at = Set(Some(at - minutes(90)));
            })
            .await;
            for (code, count) in [("times", 29), ("waiting", 1)] {
                let count = run_counts::ActiveModel {
                    run_id: Set(id),
                    kind: Set("missed".to_owned()),
                    code: Set(code.to_owned()),
                    count: Set(count),
                };
                count.insert(&store.db).await.unwrap();
            }
            id
        };
        missed(8).await;
        assert_eq!(conditions(&store).await, []);
        missed(6).await;
        let newest = missed(5).await;
        assert_eq!(conditions(&store).await, [(ConditionKind::Missed { times: 30 }, Some(newest))]);
        let condition = health::read(&store).await.unwrap().conditions.remove(0);
        assert_eq!(condition.since, now(&store) - Duration::days(5) - minutes(90));
        run(&store, task, RunState::Cancelled, |_| ()).await;
        assert_eq!(conditions(&store).await.len(), 1);
        run(&store, task, RunState::Succeeded, |run| run.kind = Set(RunKind::Manual)).await;
        assert_eq!(conditions(&store).await, []);
        assert_eq!(runs::Entity::find().count(&store.db).await.unwrap(), 5, "all runs stay in the list");
    })
    .await;
}

#[tokio::test]
async fn metrics_count_runs_and_users() {
    for_each_database(async |store| {
        assert!(health::figures(&store).await.unwrap().runs.is_empty());
        let task = add_task(&store, &five_days()).await;
        for _ in 0..2 {
            run(&store, task, RunState::Succeeded, |run| (run.done, run.skipped) = (Set(7), Set(1))).await;
        }
        run(&store, task, RunState::Missed, |_| ()).await;
        let found = health::figures(&store).await.unwrap().runs;
        assert_eq!(found.len(), 2);
        let done = found.iter().find(|of| of.state == RunState::Succeeded).unwrap();
        assert_eq!((done.kind, done.runs, done.done, done.skipped), (RunKind::Scheduled, 2, 14, 2));
    })
    .await;
}

#[tokio::test]
async fn weak_settings_are_reported_to_staff_and_monitoring() {
    for_each_database(async |store| {
        let codes = async |four_eyes, allow_password_only| -> Vec<&'static str> {
            let sign_in = SignIn { allow_password_only, ..SignIn::default() };
            let settings = Settings { four_eyes, sign_in, ..Settings::clone(&store.settings) };
            let conditions = health::read(&store.with_settings(settings)).await.unwrap().conditions;
            conditions.iter().map(|one| one.what.code()).collect()
        };
        assert!(codes(FourEyes::Auto, false).await.is_empty());
        assert!(codes(FourEyes::On, false).await.is_empty());
        assert_eq!(codes(FourEyes::Off, false).await, ["four_eyes_off"]);
        assert_eq!(codes(FourEyes::Auto, true).await, ["password_only"]);
        assert_eq!(codes(FourEyes::Off, true).await, ["password_only", "four_eyes_off"]);
        for code in ["password_only", "four_eyes_off"] {
            assert!(ConditionKind::CODES.contains(&code));
        }
    })
    .await;
}
