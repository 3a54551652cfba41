//! The figures of the start page: permissions, first steps, next and last runs, evidence.

use crate::legal_holds::{staff, staff_actor, with_four_eyes};
use crate::support::{TODAY, add_task, day, execute, five_days, for_each_database, leaver};
use db::Clock;
use db::entity::{runs, tasks};
use operations::dashboard::{self, AuditCheck, FirstStep, SHOWN_MONTHS, WaitingKind};
use policy::{
    Action, Channel, FourEyes, Policy, Role, RunId, RunKind, RunState, TaskId, TaskSettings, UserNumber,
};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use task_centre::run;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

const ADMIN: Actor = Actor::COMMAND_LINE;

async fn ended_run(store: &Store, task: TaskId, today: &str, done: i64, state: RunState) -> i64 {
    let run = runs::ActiveModel {
        task_id: Set(Some(task.0)),
        kind: Set(RunKind::Scheduled),
        state: Set(state),
        today: Set(day(today)),
        settings: Set(TaskSettings::AnonymiseUserData(Policy::default())),
        rules_version: Set(1),
        channel: Set(Channel::Schedule),
        created_at: Set(store.clock.now()),
        finished_at: Set(Some(store.clock.now())),
        previewed: Set(done),
        done: Set(done),
        ..Default::default()
    };
    run.insert(&store.db).await.unwrap().id
}

#[tokio::test]
async fn an_actor_sees_only_what_its_permissions_cover() {
    for_each_database(async |store| {
        let stranger = Actor::unprivileged(None, Channel::Web);
        assert_eq!(dashboard::waiting(&store, stranger).await.unwrap(), []);
        assert_eq!(dashboard::first_steps(&store, stranger).await.unwrap(), []);
        assert!(dashboard::next_runs(&store, stranger).await.unwrap().is_empty());
        assert!(dashboard::last_runs(&store, stranger).await.unwrap().is_empty());
        assert!(dashboard::erasures(&store, stranger).await.is_err());
        assert!(dashboard::evidence(&store, stranger).await.is_err());
        assert!(dashboard::start_audit_check(&store, stranger).is_err());
    })
    .await;
}

#[tokio::test]
async fn what_waits_is_counted() {
    for_each_database(async |store| {
        assert_eq!(dashboard::waiting(&store, ADMIN).await.unwrap(), []);
        let task = add_task(&store, &five_days()).await;
        let stopped = ended_run(&store, task, TODAY, 0, RunState::StoppedByLimit).await;
        for digest in ["a", "b"] {
            let sql = format!(
                "INSERT INTO held_lines (digest, kind, source, line, line_digest, first_seen_on, last_seen_on, \
                 times_seen) VALUES ('{digest}', 'user_id', 'users', 2, 'x', '{TODAY}', '{TODAY}', 1)"
            );
            execute(&store, &sql).await;
        }
        let counted = async || {
            let waiting = dashboard::waiting(&store, ADMIN).await.unwrap();
            waiting.into_iter().map(|one| (one.kind, one.count, one.run)).collect::<Vec<_>>()
        };
        let lines = (WaitingKind::HeldLines, 2, None);
        assert_eq!(counted().await, [(WaitingKind::Runs, 1, Some(RunId(stopped))), lines]);
        let other = another_task(&store).await;
        ended_run(&store, other, TODAY, 0, RunState::StoppedByLimit).await;
        assert_eq!(counted().await, [(WaitingKind::Runs, 2, None), lines], "the list shows both runs");
        // A librarian sees runs, but can't start them.
        let librarian = staff_actor(UserNumber(801), Role::Librarian);
        let waiting = dashboard::waiting(&store, librarian).await.unwrap();
        assert!(waiting.iter().all(|one| one.kind != WaitingKind::Runs), "{waiting:?}");
    })
    .await;
}

/// Adds a task besides those that exist.
async fn another_task(store: &Store) -> TaskId {
    execute(store, "UPDATE tasks SET single_default = FALSE").await;
    add_task(store, &five_days()).await
}

#[tokio::test]
async fn first_steps_are_done_one_after_the_other() {
    for_each_database(async |store| {
        let done = async || {
            let steps = dashboard::first_steps(&store, ADMIN).await.unwrap();
            steps.into_iter().filter(|one| one.is_done).map(|one| one.step).collect::<Vec<_>>()
        };
        assert_eq!(done().await, []);
        leaver("Ann").insert(&store.db).await.unwrap();
        assert_eq!(done().await, [FirstStep::Users]);
        let task = add_task(&store, &five_days()).await;
        assert_eq!(done().await, [FirstStep::Users, FirstStep::Task]);
        let preview = run::preview(&store, ADMIN, task).await.unwrap();
        assert_eq!(done().await, [FirstStep::Users, FirstStep::Task, FirstStep::Preview]);
        run::start(&store, ADMIN, preview, "1").await.unwrap();
        run::drain_queue(&store).await.unwrap();
        assert!(done().await.contains(&FirstStep::Run));
        for step in FirstStep::ALL {
            assert!(ADMIN.may(step.needs()), "{step:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_person_is_missing_until_two_people_can_approve() {
    for_each_database(async |store| {
        let is_done = async |store: &Store| {
            let steps = dashboard::first_steps(store, ADMIN).await.unwrap();
            steps.iter().any(|one| one.step == FirstStep::SecondPerson && one.is_done)
        };
        let [on, off] = [FourEyes::On, FourEyes::Off].map(|setting| with_four_eyes(&store, setting));
        assert!(is_done(&off).await, "no second person is ever required");
        for number in [801, 802] {
            assert!(!is_done(&on).await, "before user {number}");
            staff(&store, UserNumber(number), Role::SystemsLibrarian).await;
        }
        assert!(is_done(&on).await);
    })
    .await;
}

#[tokio::test]
async fn the_last_run_of_a_task_has_its_open_findings() {
    for_each_database(async |store| {
        let user = leaver("Ann").insert(&store.db).await.unwrap().number;
        let task = add_task(&store, &five_days()).await;
        let run = ended_run(&store, task, TODAY, 1, RunState::Succeeded).await;
        let open = async || dashboard::last_runs(&store, ADMIN).await.unwrap()[0].open_findings;
        assert_eq!(open().await, 0);
        let finding = format!(
            "INSERT INTO findings (run_id, user_number, table_name, column_name, row_key, what, found_at) \
             VALUES ({run}, {user}, 'messages', 'body', '5', 'last name', '2018-01-21T12:00:00+00:00')"
        );
        execute(&store, &finding).await;
        assert_eq!(open().await, 1);
        execute(&store, "UPDATE findings SET decision = 'kept'").await;
        assert_eq!(open().await, 0);
    })
    .await;
}

#[tokio::test]
async fn deleted_tasks_take_no_place_among_the_last_runs() {
    for_each_database(async |store| {
        let kept = add_task(&store, &five_days()).await;
        let run = ended_run(&store, kept, TODAY, 1, RunState::Succeeded).await;
        for _ in 0..5 {
            let task = another_task(&store).await;
            ended_run(&store, task, TODAY, 1, RunState::Succeeded).await;
        }
        let delete = format!("UPDATE tasks SET deleted_at = '2018-01-21 12:00:00+00:00' WHERE id <> {kept}");
        execute(&store, &delete).await;
        let last = dashboard::last_runs(&store, ADMIN).await.unwrap();
        assert_eq!(last.iter().map(|one| one.run.0).collect::<Vec<_>>(), [run]);
    })
    .await;
}

#[tokio::test]
async fn last_runs_are_compared_and_next_runs_ordered() {
    for_each_database(async |store| {
        let task = add_task(&store, &five_days()).await;
        ended_run(&store, task, "2018-01-01", 12, RunState::Succeeded).await;
        ended_run(&store, task, "2018-01-08", 0, RunState::Missed).await;
        let newest = ended_run(&store, task, "2018-01-15", 40, RunState::Succeeded).await;
        let last = dashboard::last_runs(&store, ADMIN).await.unwrap();
        let numbers: Vec<_> = last.iter().map(|one| (one.run.0, one.done, one.before)).collect();
        assert_eq!(numbers, [(newest, 40, Some(12))]);

        assert!(dashboard::next_runs(&store, ADMIN).await.unwrap().is_empty(), "it runs by hand only");
        let due = store.clock.now() + chrono::Duration::days(3);
        let change = tasks::ActiveModel {
            id: Set(task.0),
            active: Set(true),
            next_due_at: Set(Some(due)),
            ..Default::default()
        };
        change.update(&store.db).await.unwrap();
        let next = dashboard::next_runs(&store, ADMIN).await.unwrap();
        assert_eq!(next.iter().map(|one| (one.task, one.at.at)).collect::<Vec<_>>(), [(task, due)]);
        let inactive = tasks::ActiveModel { id: Set(task.0), active: Set(false), ..Default::default() };
        inactive.update(&store.db).await.unwrap();
        assert!(dashboard::next_runs(&store, ADMIN).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn erasures_are_counted_by_month() {
    for_each_database(async |store| {
        let task = add_task(&store, &five_days()).await;
        for (today, done) in
            [("2017-01-31", 100), ("2017-02-01", 1), ("2017-12-31", 2), ("2018-01-01", 4), (TODAY, 8)]
        {
            ended_run(&store, task, today, done, RunState::Succeeded).await;
        }
        execute(&store, "UPDATE tasks SET single_default = FALSE").await;
        let months = dashboard::erasures(&store, ADMIN).await.unwrap();
        assert_eq!(months.len(), usize::try_from(SHOWN_MONTHS).unwrap());
        assert_eq!(months[0].month, day("2017-02-01"));
        assert_eq!(months[11].month, day("2018-01-01"));
        let users: Vec<i64> = months.iter().map(|one| one.users).collect();
        assert_eq!(users, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 12]);

        // The lines of an import are not users.
        let import = tasks::ActiveModel {
            id: Set(task.0),
            task_type: Set(policy::TaskType::ImportUsers),
            ..Default::default()
        };
        import.update(&store.db).await.unwrap();
        assert!(dashboard::erasures(&store, ADMIN).await.unwrap().iter().all(|one| one.users == 0));
    })
    .await;
}

/// Waits for the verification in the background.
async fn after_check(store: &Store) -> dashboard::Evidence {
    for _ in 0..200 {
        let evidence = dashboard::evidence(store, ADMIN).await.unwrap();
        if !matches!(evidence.audit, AuditCheck::UnderWay(_)) {
            return evidence;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the verification does not end");
}

#[tokio::test]
async fn the_audit_is_verified_in_the_background_and_the_result_recorded() {
    for_each_database(async |store| {
        let evidence = dashboard::evidence(&store, ADMIN).await.unwrap();
        assert_eq!(
            (evidence.audit, evidence.backed_up_at, evidence.drilled),
            (AuditCheck::Never, None, None)
        );
        let library = Subject::Library;
        audit::record_event_in_own_tx(&store, ADMIN, AuditAction::BackedUp, library, "").await.unwrap();
        audit::record_event_in_own_tx(&store, ADMIN, AuditAction::BackupDrilled, library, "failed")
            .await
            .unwrap();
        dashboard::start_audit_check(&store, ADMIN).unwrap();
        dashboard::start_audit_check(&store, ADMIN).unwrap();
        let evidence = after_check(&store).await;
        assert!(matches!(evidence.audit, AuditCheck::Done { is_whole: true, .. }), "{evidence:?}");
        assert!(evidence.backed_up_at.is_some());
        assert!(evidence.drilled.is_some_and(|(_, passed)| !passed));
        let verified = db::entity::audit_events::Entity::find().all(&store.db).await.unwrap();
        let verified =
            verified.iter().filter(|event| event.action == AuditAction::AuditVerified.code()).count();
        assert_eq!(verified, 1, "one verification at a time");

        if db::dialect::is_embedded(&store.db) {
            execute(&store, "DROP TRIGGER audit_events_changed").await;
            execute(&store, "UPDATE audit_events SET detail = detail || 'x' WHERE id = 1").await;
            dashboard::start_audit_check(&store, ADMIN).unwrap();
            let evidence = after_check(&store).await;
            assert!(matches!(evidence.audit, AuditCheck::Done { is_whole: false, .. }));

            // Another process finds it intact later, and then can't verify it.
            let repair =
                "UPDATE audit_events SET detail = SUBSTR(detail, 1, LENGTH(detail) - 1) WHERE id = 1";
            execute(&store, repair).await;
            let later = store.as_another_process(Clock::fixed(store.clock.zone(), day("2018-01-22")));
            assert!(audit::verify_and_record(&later, ADMIN).await.unwrap().is_whole());
            let evidence = dashboard::evidence(&store, ADMIN).await.unwrap();
            assert_eq!(evidence.audit, AuditCheck::Done { at: later.clock.now(), is_whole: true });
            execute(&store, "DROP TABLE audit_head").await;
            dashboard::start_audit_check(&later, ADMIN).unwrap();
            assert_eq!(after_check(&later).await.audit, AuditCheck::NotVerified(later.clock.now()));
        }
        assert!(ADMIN.may(Action::SeeAudit));
    })
    .await;
}
