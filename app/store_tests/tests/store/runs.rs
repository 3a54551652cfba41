//! Previews and runs: which users they change, and what they report.

use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::entity::users;
use db::pagination::Paging;
use policy::{Outcome, Policy, Reason, RunId, RunState};
use sea_orm::{EntityTrait, Set};
use task_centre::run;
use task_centre::run::MemberQuery;
use trail::{Actor, Store};

async fn preview(store: &Store, task: policy::TaskId) -> RunId {
    run::preview(store, Actor::COMMAND_LINE, task).await.unwrap()
}

async fn refusal(store: &Store, id: RunId, typed: &str) -> String {
    match run::start(store, Actor::COMMAND_LINE, id, typed).await {
        Err(RecordsError::Refused(why)) => why,
        Err(RecordsError::Invalid(errors)) => errors.message("confirm").unwrap(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_preview_counts_each_user_once_and_changes_none() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        add(&store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
        add(&store, users::ActiveModel { fictitious: Set(true), ..leaver("Shelf") }).await;
        add(&store, users::ActiveModel { imported: Set(false), ..leaver("Guest") }).await;
        execute(&store, "INSERT INTO user_roles VALUES (1, 'librarian', '2018-01-01')").await;
        let task = add_task(&store, &five_days()).await;
        let id = preview(&store, task).await;
        let run = run::read(&store, id).await.unwrap();
        assert_eq!(run.users, 4);
        assert_eq!(
            run.verdicts,
            [
                (Reason::NoLeavingDate, 1),
                (Reason::Staff, 1),
                (Reason::Fictitious, 1),
                (Reason::OutsideScope, 1)
            ]
        );
        assert_eq!(run.verdicts.iter().map(|(_, n)| n).sum::<i64>(), run.users);
        assert!(refusal(&store, id, "0").await.contains("no eligible users"));
    })
    .await;
}

#[tokio::test]
async fn a_run_changes_only_previewed_users_who_are_still_eligible() {
    for_each_database(async |store| {
        for name in ["Done", "Borrows", "Promoted", "Held"] {
            add(&store, leaver(name)).await;
        }
        let task = add_task(&store, &five_days()).await;
        let id = preview(&store, task).await;
        add(&store, leaver("Late")).await;
        execute(
            &store,
            "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES (2, 'main', '2018-01-21', '2018-02-21')",
        )
        .await;
        execute(&store, "INSERT INTO user_roles VALUES (3, 'cataloguer', '2018-01-21')").await;
        execute(
            &store,
            "INSERT INTO legal_holds (user_number, reason, placed_on, review_on) \
             VALUES (4, 'dispute', '2018-01-21', '2018-06-21')",
        )
        .await;
        assert!(refusal(&store, id, "5").await.contains("Enter 4"));
        let started = run::start(&store, Actor::COMMAND_LINE, id, "4").await.unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let done = run::read(&store, started).await.unwrap();
        assert_eq!((done.previewed, done.done, done.skipped, done.failed), (4, 1, 3, 0));
        assert_eq!(
            done.skipped_by,
            [(Reason::OpenLoan, 1), (Reason::LegalHold, 1), (Reason::Staff, 1)]
        );
        let query = MemberQuery { outcome: Some(Outcome::Skipped), ..MemberQuery::default() };
        let skipped = run::members(&store, &done, &query, &Paging::default()).await.unwrap();
        let names: Vec<&str> = skipped.rows.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["First Borrows", "First Promoted", "First Held"]);
        assert!(skipped.rows.iter().all(|member| !member.dates_by_month));
        let query = MemberQuery { outcome: Some(Outcome::Done), ..MemberQuery::default() };
        let gone = run::members(&store, &done, &query, &Paging::default()).await.unwrap();
        assert!(gone.rows[0].dates_by_month, "generalised dates show only the month");
        assert!(refusal(&store, id, "4").await.contains("already used this preview"));
    })
    .await;
}

#[tokio::test]
async fn a_stale_preview_is_rejected() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let task = add_task(&store, &five_days()).await;
        let older = preview(&store, task).await;
        let newer = preview(&store, task).await;
        assert!(refusal(&store, older, "1").await.contains("newer preview"));
        execute(&store, "UPDATE tasks SET version = version + 1").await;
        assert!(refusal(&store, newer, "1").await.contains("The task has changed since this preview"));
        let fresh = preview(&store, task).await;
        execute(&store, &format!("UPDATE runs SET today = '2018-01-20' WHERE id = {fresh}")).await;
        assert!(refusal(&store, fresh, "1").await.contains("made on another day"));
    })
    .await;
}

#[tokio::test]
async fn only_one_run_is_active_and_the_next_is_queued() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let one = add_task(&store, &five_days()).await;
        execute(&store, "UPDATE tasks SET single_default = FALSE").await;
        let two = add_task(&store, &five_days()).await;
        let [first, second] = [preview(&store, one).await, preview(&store, two).await];
        let first = run::start(&store, Actor::COMMAND_LINE, first, "1").await.unwrap();
        let second = run::start(&store, Actor::COMMAND_LINE, second, "1").await.unwrap();
        assert_eq!(run::read(&store, second).await.unwrap().state, RunState::Queued);
        assert_eq!(run::work(&store).await.unwrap(), [first, second]);
        // A user that the other run anonymised in the meantime isn't a failure.
        let run = run::read(&store, second).await.unwrap();
        assert_eq!((run.state, run.skipped), (RunState::Succeeded, 1));
        assert_eq!(run.skipped_by, [(Reason::AlreadyAnonymised, 1)]);
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_run_continues_where_it_stopped() {
    for_each_database(async |store| {
        for n in 1..=3 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        let id = preview(&store, task).await;
        let started = run::start(&store, Actor::COMMAND_LINE, id, "3").await.unwrap();
        execute(
            &store,
            &format!("UPDATE run_members SET outcome = 'done' WHERE run_id = {started} AND user_number = 1"),
        )
        .await;
        assert_eq!(run::work(&store).await.unwrap(), [started]);
        let run = run::read(&store, started).await.unwrap();
        assert_eq!((run.state, run.done), (RunState::Succeeded, 3));
        let first = users::Entity::find_by_id(1).one(&store.db).await.unwrap().unwrap();
        assert_eq!(first.anonymised_on, None, "a user with an outcome is not changed again");
    })
    .await;
}

#[tokio::test]
async fn a_policy_without_conditions_selects_no_users() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let task = add_task(&store, &Policy::default()).await;
        let id = preview(&store, task).await;
        let run = run::read(&store, id).await.unwrap();
        assert_eq!(run.verdicts, [(Reason::NoConditions, 1)]);
    })
    .await;
}

#[tokio::test]
async fn two_processes_on_one_run_count_each_user_once() {
    for_each_database(async |store| {
        for n in 0..40 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        let id = preview(&store, task).await;
        let started = run::start(&store, Actor::COMMAND_LINE, id, "40").await.unwrap();
        let (one, two) = tokio::join!(run::execute(&store, started), run::execute(&store, started));
        assert_eq!([one.unwrap(), two.unwrap()], [RunState::Succeeded; 2]);
        let run = run::read(&store, started).await.unwrap();
        assert_eq!((run.done, run.skipped, run.failed), (40, 0, 0));
        assert_eq!(run.skipped_by, []);
    })
    .await;
}
