//! The scheduler: each due run starts once, missed runs are treated as the task says, and nothing else starts.

use crate::support::{add_task, day, execute, five_days, for_each_database};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use chrono_tz::Tz;
use db::Clock;
use db::entity::{runs, tasks};
use policy::task_form::TaskForm;
use policy::timezone::at_wall_time;
use policy::{Channel, MisfireReason, RunId, RunKind, RunState, TaskId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeSet;
use task_centre::{schedule, task};
use trail::{Actor, Store};

/// Returns the instant of a local time of the library.
fn instant(wall: &str) -> DateTime<Utc> {
    let wall = NaiveDateTime::parse_from_str(wall, "%Y-%m-%d %H:%M").unwrap();
    at_wall_time(Tz::Europe__London, wall).at
}

/// Returns the store as a process at this local time.
fn at(store: &Store, wall: &str) -> Store {
    at_instant(store, instant(wall))
}

fn at_instant(store: &Store, at: DateTime<Utc>) -> Store {
    store.as_another_process(Clock::status(Tz::Europe__London, at))
}

/// Returns the form of a task with a condition, every day at two.
fn form() -> TaskForm {
    TaskForm {
        description: "Leavers".to_owned(),
        by_leaving: true,
        leaving_days: "5".to_owned(),
        schedule: "daily".to_owned(),
        time: "02:00".to_owned(),
        ..TaskForm::new_task()
    }
}

/// Saves a task that starts more often than the form allows, so that a few minutes contain many due times.
async fn save_often(store: &Store, missed: &str, line: &str) -> TaskId {
    let id = save(store, &TaskForm { missed: missed.to_owned(), ..form() }).await;
    let schedule = format!(r#"{{"kind":"cron","line":"{line}"}}"#);
    execute(store, &format!("UPDATE tasks SET schedule = '{schedule}' WHERE id = {}", id.0)).await;
    for active in [false, true] {
        task::set_active(store, Actor::COMMAND_LINE, id, active).await.unwrap();
    }
    id
}

fn once(date: &str) -> TaskForm {
    TaskForm { schedule: "once".to_owned(), once_date: date.to_owned(), ..form() }
}

async fn save(store: &Store, form: &TaskForm) -> TaskId {
    task::save(store, Actor::COMMAND_LINE, form).await.unwrap()
}

async fn tick(store: &Store) -> Vec<RunId> {
    schedule::tick(store).await.unwrap()
}

async fn next_due(store: &Store, id: TaskId) -> Option<DateTime<Utc>> {
    let find = tasks::Entity::find_by_id(id.0).select_only().column(tasks::Column::NextDueAt);
    find.into_tuple().one(&store.db).await.unwrap().unwrap()
}

/// Returns kind, state and due time of all runs.
async fn history(store: &Store) -> Vec<(RunKind, RunState, DateTime<Utc>)> {
    let rows = runs::Entity::find().order_by_asc(runs::Column::Id).all(&store.db).await.unwrap();
    rows.into_iter().map(|run| (run.kind, run.state, run.due_at.unwrap())).collect()
}

fn queued(wall: &str) -> (RunKind, RunState, DateTime<Utc>) {
    (RunKind::Scheduled, RunState::Queued, instant(wall))
}

fn missed(wall: &str) -> (RunKind, RunState, DateTime<Utc>) {
    (RunKind::Scheduled, RunState::Missed, instant(wall))
}

/// Marks all queued runs as succeeded.
async fn succeed_queued_runs(store: &Store) {
    execute(store, "UPDATE runs SET state = 'succeeded' WHERE state = 'queued'").await;
}

#[tokio::test]
async fn an_activated_task_starts_once_at_its_next_due_time() {
    for_each_database(async |store| {
        let id = save(&at(&store, "2018-01-21 08:00"), &TaskForm { active: false, ..form() }).await;
        assert_eq!(next_due(&store, id).await, None);
        assert_eq!(tick(&at(&store, "2018-01-22 02:00")).await, []);
        task::set_active(&at(&store, "2018-01-22 10:00"), Actor::COMMAND_LINE, id, true).await.unwrap();
        assert_eq!(next_due(&store, id).await, Some(instant("2018-01-23 02:00")));
        for wall in ["2018-01-22 10:00", "2018-01-22 23:59", "2018-01-23 01:59"] {
            assert_eq!(tick(&at(&store, wall)).await, [], "{wall}");
        }
        let process = at(&store, "2018-01-23 02:00");
        let started = tick(&process).await;
        assert_eq!(history(&store).await, [queued("2018-01-23 02:00")]);
        let run = runs::Entity::find_by_id(started[0].0).one(&store.db).await.unwrap().unwrap();
        assert_eq!((run.task_id, run.task_version, run.today), (Some(id.0), Some(2), day("2018-01-23")));
        assert_eq!((run.channel, run.preview_id, run.previewed), (Channel::Schedule, None, 0));
        assert!(run.started_at.is_none() && run.finished_at.is_none());
        let shown = task::read(&process, Actor::COMMAND_LINE, id).await.unwrap().next.unwrap();
        assert_eq!(shown.shown, "Wed 24 Jan 2018 02:00 GMT (+00:00)");
        succeed_queued_runs(&store).await;
        assert_eq!(tick(&process).await, []);
        assert_eq!(tick(&at(&store, "2018-01-24 01:59")).await, []);
        assert_eq!(tick(&at(&store, "2018-01-24 02:05")).await.len(), 1);
    })
    .await;
}

/// A task that was due every day at two from 22 January on, while Lethe was not running.
type Absence = (&'static str, &'static str, &'static [(bool, &'static str)], i64);

#[tokio::test]
async fn missed_runs_are_made_up_for_once_or_skipped() {
    // Rule, time of the restart, runs (true: missed, false: queued), and the number of due times missed.
    const ABSENCES: [Absence; 8] = [
        ("once", "2018-01-22 02:10", &[(false, "2018-01-22 02:00")], 0),
        ("once", "2018-01-22 02:11", &[(false, "2018-01-22 02:00")], 1),
        ("once", "2018-02-20 12:00", &[(false, "2018-02-20 02:00")], 30),
        ("once", "2018-02-20 02:10", &[(false, "2018-02-20 02:00")], 29),
        ("skip", "2018-01-22 02:10", &[(false, "2018-01-22 02:00")], 0),
        ("skip", "2018-01-22 02:11", &[(true, "2018-01-22 02:00")], 1),
        ("skip", "2018-02-20 12:00", &[(true, "2018-01-22 02:00")], 30),
        ("skip", "2018-02-20 02:10", &[(true, "2018-01-22 02:00"), (false, "2018-02-20 02:00")], 29),
    ];
    for (rule, back, expected, times) in ABSENCES {
        for_each_database(async |store| {
            let form = TaskForm { missed: rule.to_owned(), ..form() };
            let id = save(&at(&store, "2018-01-21 12:00"), &form).await;
            let process = at(&store, back);
            tick(&process).await;
            let expected: Vec<_> =
                expected.iter().map(|(gone, wall)| if *gone { missed(wall) } else { queued(wall) }).collect();
            let mut found = history(&store).await;
            found.sort_by_key(|run| run.2);
            assert_eq!(found, expected, "{rule} {back}");
            let mut counted = 0;
            for run in runs::Entity::find().all(&store.db).await.unwrap() {
                for (why, count) in schedule::missed_times(&store, RunId(run.id)).await.unwrap() {
                    assert_eq!(why, MisfireReason::Absent);
                    counted += count;
                }
            }
            assert_eq!(counted, times, "{rule} {back}");
            let next = next_due(&store, id).await.unwrap();
            assert!(next > process.clock.now() && next - process.clock.now() < Duration::days(1));
            succeed_queued_runs(&store).await;
            assert_eq!(tick(&process).await, [], "{rule} {back}: no missed run is left");
        })
        .await;
    }
}

#[tokio::test]
async fn a_one_time_date_in_the_past_never_starts() {
    for_each_database(async |store| {
        let old = add_task(&store, &five_days()).await;
        execute(&store, r#"UPDATE tasks SET schedule = '{"kind":"once","at":"2001-01-01T02:00:00"}'"#).await;
        let past = save(&at(&store, "2018-01-21 12:00"), &once("2001-01-01")).await;
        for hours in 0..(7 * 24) {
            let process = at_instant(&store, instant("2018-01-21 12:00") + Duration::hours(hours));
            if hours % 24 == 0 {
                schedule::recalculate(&process).await.unwrap();
            }
            assert_eq!(tick(&process).await, []);
        }
        assert_eq!((next_due(&store, old).await, next_due(&store, past).await), (None, None));
        assert_eq!(history(&store).await, []);
        assert!(task::read(&store, Actor::COMMAND_LINE, past).await.unwrap().draft.schedule.is_manual_only());
    })
    .await;
}

#[tokio::test]
async fn a_one_time_date_starts_in_time_or_never() {
    for_each_database(async |store| {
        let noon = at(&store, "2018-01-21 12:00");
        let [in_time, missed_one] =
            [save(&noon, &once("2018-01-22")).await, save(&noon, &once("2018-01-25")).await];
        assert_eq!(tick(&at(&store, "2018-01-22 02:03")).await.len(), 1);
        succeed_queued_runs(&store).await;
        // Three days without a server. The rule says to make up for missed runs.
        let back = at(&store, "2018-01-28 09:00");
        schedule::recalculate(&back).await.unwrap();
        assert_eq!(tick(&back).await, []);
        assert_eq!(history(&store).await[1], missed("2018-01-25 02:00"));
        for id in [in_time, missed_one] {
            assert_eq!(next_due(&store, id).await, None);
            task::set_active(&back, Actor::COMMAND_LINE, id, false).await.unwrap();
            task::set_active(&back, Actor::COMMAND_LINE, id, true).await.unwrap();
            assert!(task::read(&back, Actor::COMMAND_LINE, id).await.unwrap().next.is_none());
        }
        assert_eq!(tick(&at(&store, "2019-01-25 02:00")).await, []);
        assert_eq!(history(&store).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn two_processes_start_a_due_run_once() {
    for_each_database(async |store| {
        save(&at(&store, "2018-01-21 12:00"), &form()).await;
        save(&at(&store, "2018-01-21 12:00"), &TaskForm { missed: "skip".to_owned(), ..form() }).await;
        for n in 1..=10 {
            // No server is running at every third due time.
            let late = if n % 3 == 0 { Duration::hours(5) } else { Duration::seconds(3) };
            let now = instant("2018-01-21 02:00") + Duration::days(n) + late;
            let processes = [at_instant(&store, now), at_instant(&store, now + Duration::seconds(2))];
            let ticks = processes.iter().cycle().take(6).map(schedule::tick);
            let started: usize =
                futures::future::join_all(ticks).await.into_iter().map(|runs| runs.unwrap().len()).sum();
            assert_eq!(started, if n % 3 == 0 { 1 } else { 2 }, "day {n}");
            succeed_queued_runs(&store).await;
        }
        let runs = history(&store).await;
        assert_eq!(runs.len(), 20);
        assert_eq!(runs.iter().filter(|run| run.1 == RunState::Missed).count(), 3);
    })
    .await;
}

#[tokio::test]
async fn an_edited_deactivated_or_deleted_task_behaves_as_it_is_now() {
    for_each_database(async |store| {
        let noon = at(&store, "2018-01-21 12:00");
        let saved = async |form| save(&noon, &form).await;
        let [later, off, gone, renamed] =
            [saved(form()).await, saved(form()).await, saved(form()).await, saved(form()).await];
        let edit = |id: TaskId, form| TaskForm { id: id.to_string(), version: "1".to_owned(), ..form };
        save(&noon, &edit(later, TaskForm { time: "03:00".to_owned(), ..form() })).await;
        task::set_active(&noon, Actor::COMMAND_LINE, off, false).await.unwrap();
        task::delete(&noon, Actor::COMMAND_LINE, gone).await.unwrap();
        // The task is due, no process has noticed it yet, and only its description is edited.
        let due = at(&store, "2018-01-22 02:01");
        save(&due, &edit(renamed, TaskForm { description: "Renamed".to_owned(), ..form() })).await;
        assert_eq!(next_due(&store, off).await, None);
        assert_eq!(next_due(&store, gone).await, None);
        let started = tick(&due).await;
        let of = async |runs: &[RunId]| {
            let ids = runs.iter().map(|run| run.0);
            let rows = runs::Entity::find().filter(runs::Column::Id.is_in(ids)).all(&store.db).await.unwrap();
            rows.into_iter().map(|run| TaskId(run.task_id.unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(of(&started).await, [renamed]);
        assert_eq!(of(&tick(&at(&store, "2018-01-22 03:00")).await).await, [later]);
        // A new time that has already passed today isn't made up for.
        succeed_queued_runs(&store).await;
        let form =
            TaskForm { id: later.to_string(), version: "2".to_owned(), time: "01:00".to_owned(), ..form() };
        save(&at(&store, "2018-01-22 12:00"), &form).await;
        assert_eq!(tick(&at(&store, "2018-01-22 12:00")).await, []);
        // A task that was deactivated while it was due doesn't start, and makes up for nothing when active again.
        task::set_active(&at(&store, "2018-01-23 12:00"), Actor::COMMAND_LINE, off, true).await.unwrap();
        assert_eq!(next_due(&store, off).await, Some(instant("2018-01-24 02:00")));
    })
    .await;
}

#[tokio::test]
async fn a_copy_and_an_imported_task_do_not_start() {
    for_each_database(async |store| {
        let noon = at(&store, "2018-01-21 12:00");
        let id = save(&noon, &TaskForm { missed: "skip".to_owned(), ..form() }).await;
        let copy = task::copy(&noon, Actor::COMMAND_LINE, id).await.unwrap();
        let file = task::export(&noon, Actor::COMMAND_LINE, id).await.unwrap();
        let imported = task::import(&noon, Actor::COMMAND_LINE, file).await.unwrap();
        for id in [copy, imported] {
            assert_eq!(next_due(&store, id).await, None);
            let draft = task::read(&noon, Actor::COMMAND_LINE, id).await.unwrap().draft;
            assert_eq!(draft.missed, policy::MisfirePolicy::Skip);
        }
        let started = tick(&at(&store, "2018-01-22 02:00")).await;
        assert_eq!(started.len(), 1);
        assert_eq!(history(&store).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_unreadable_task_does_not_stop_the_others() {
    for_each_database(async |store| {
        let noon = at(&store, "2018-01-21 12:00");
        let [broken, whole] = [save(&noon, &form()).await, save(&noon, &form()).await];
        execute(&store, &format!("UPDATE tasks SET schedule = 'nonsense' WHERE id = {broken}")).await;
        schedule::recalculate(&noon).await.unwrap();
        assert_eq!(tick(&at(&store, "2018-01-22 02:00")).await.len(), 1);
        assert_eq!(next_due(&store, whole).await, Some(instant("2018-01-23 02:00")));
        assert_eq!(
            next_due(&store, broken).await,
            Some(instant("2018-01-22 02:00")),
            "the task is reported as overdue"
        );
    })
    .await;
}

#[tokio::test]
async fn at_most_one_run_of_a_task_is_queued() {
    for_each_database(async |store| {
        let id = save_often(&at(&store, "2018-01-22 00:00"), "once", "* * * * *").await;
        let started = tick(&at(&store, "2018-01-22 00:01")).await;
        for minute in 2..=9 {
            assert_eq!(tick(&at(&store, &format!("2018-01-22 00:0{minute}"))).await, []);
        }
        // Then no server is running for an hour.
        assert_eq!(tick(&at(&store, "2018-01-22 01:09")).await, []);
        assert_eq!(history(&store).await, [queued("2018-01-22 00:01"), missed("2018-01-22 00:02")]);
        let times = schedule::missed_times(&store, RunId(started[0].0 + 1)).await.unwrap();
        assert_eq!(times, [(MisfireReason::Absent, 49), (MisfireReason::Waiting, 9)]);
        // While that run is active, exactly one waits behind it.
        execute(&store, "UPDATE runs SET state = 'running' WHERE state = 'queued'").await;
        assert_eq!(tick(&at(&store, "2018-01-22 01:10")).await.len(), 1);
        assert_eq!(tick(&at(&store, "2018-01-22 01:11")).await, []);
        assert_eq!(history(&store).await[2..], [queued("2018-01-22 01:10"), missed("2018-01-22 01:11")]);
        assert_eq!(next_due(&store, id).await, Some(instant("2018-01-22 01:12")));
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_starts_nothing_again() {
    for_each_database(async |store| {
        let id = save(&at(&store, "2018-01-21 12:00"), &form()).await;
        assert_eq!(tick(&at(&store, "2018-01-22 02:00")).await.len(), 1);
        succeed_queued_runs(&store).await;
        let before = at(&store, "2018-01-22 01:50");
        schedule::recalculate(&before).await.unwrap();
        for wall in ["2018-01-22 01:50", "2018-01-22 02:00", "2018-01-22 02:01"] {
            assert_eq!(tick(&at(&store, wall)).await, [], "{wall}");
        }
        // The same holds if the task is deactivated and activated meanwhile: that time has had its run.
        for active in [false, true] {
            task::set_active(&before, Actor::COMMAND_LINE, id, active).await.unwrap();
        }
        assert_eq!(next_due(&store, id).await, Some(instant("2018-01-22 02:00")));
        assert_eq!(tick(&at(&store, "2018-01-22 02:00")).await, []);
        assert_eq!(next_due(&store, id).await, Some(instant("2018-01-23 02:00")));
        assert_eq!(history(&store).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn another_time_zone_applies_from_the_next_start() {
    for_each_database(async |store| {
        let id = save(&at(&store, "2018-01-21 12:00"), &form()).await;
        let moved = Clock::status(Tz::Asia__Kathmandu, instant("2018-01-21 12:00"));
        let moved = store.as_another_process(moved);
        schedule::recalculate(&moved).await.unwrap();
        let next = next_due(&store, id).await.unwrap();
        assert_eq!(next.to_rfc3339(), "2018-01-21T20:15:00+00:00");
        // A due run stays due.
        let later = Clock::status(Tz::America__New_York, instant("2018-01-22 12:00"));
        schedule::recalculate(&store.as_another_process(later)).await.unwrap();
        assert_eq!(next_due(&store, id).await, Some(next));
    })
    .await;
}

/// For any clock changes and any number of processes, a due time starts at most one run, never early. At most one run
/// of a task waits.
#[tokio::test]
async fn no_due_time_starts_two_runs_for_any_clock_changes() {
    for_each_database(async |store| {
        let mut rng = StdRng::seed_from_u64(11);
        let start = instant("2018-03-24 12:00");
        let id = save_often(&at_instant(&store, start), "skip", "*/20 0-3 * * *").await;
        let mut clock = start;
        let mut started = BTreeSet::new();
        for step in 0..300 {
            clock += Duration::minutes(rng.random_range(-30..60));
            let process = at_instant(&store, clock);
            match rng.random_range(0..12) {
                0 => {
                    task::set_active(&process, Actor::COMMAND_LINE, id, false).await.unwrap();
                    task::set_active(&process, Actor::COMMAND_LINE, id, true).await.unwrap();
                }
                1 => schedule::recalculate(&process).await.unwrap(),
                _ => {}
            }
            for run in tick(&process).await {
                let due = runs::Entity::find_by_id(run.0).one(&store.db).await.unwrap().unwrap();
                let due = due.due_at.unwrap();
                assert!(due <= clock && clock - due <= Duration::minutes(10), "step {step}");
                assert!(started.insert(due), "step {step}: {due} started a run before");
            }
            let waiting = history(&store).await.iter().filter(|run| run.1 == RunState::Queued).count();
            assert!(waiting <= 1, "step {step}");
            if rng.random_range(0..3) == 0 {
                succeed_queued_runs(&store).await;
            }
        }
        assert!(started.len() > 10);
        // No run ever disappears from the list, and each due time is listed once.
        let all = history(&store).await;
        assert_eq!(all.iter().map(|run| run.2).collect::<BTreeSet<_>>().len(), all.len());
    })
    .await;
}
