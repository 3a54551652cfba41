//! Previews of listed users: bound and limited like any other preview. And what a preview is compared with.

use crate::support::{add, add_task, clock, day, execute, five_days, for_each_database, leaver};
use db::entity::users;
use db::pagination::Paging;
use db::{RecordsError, Settings};
use policy::preview_warning::PreviewFacts;
use policy::{Reason, RunId, RunState, SafetyLimit, SafetyLimits, TaskId, UserNumber, VerdictKind};
use safeguards::approval;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use std::collections::BTreeSet;
use task_centre::run::{self, MemberQuery};
use task_centre::{approval_workflow, task};
use trail::{Actor, Store};

fn numbers(all: impl IntoIterator<Item = i64>) -> BTreeSet<UserNumber> {
    all.into_iter().map(UserNumber).collect()
}

async fn listed(store: &Store, task: TaskId, all: &[i64]) -> Result<RunId, RecordsError> {
    run::preview_listed(store, Actor::COMMAND_LINE, task, &numbers(all.iter().copied())).await
}

/// Returns the store with a safety limit of five users.
fn with_five_users_at_most(store: &Store) -> Store {
    let safety_limits = SafetyLimits { people: 5, percent: 100, times_median: 100 };
    store.with_settings(Settings { safety_limits, ..Settings::clone(&store.settings) })
}

async fn finish(store: &Store, preview: RunId) -> run::Run {
    let typed = run::read(store, preview).await.unwrap().previewed.to_string();
    let started = run::start(store, Actor::COMMAND_LINE, preview, &typed).await.unwrap();
    run::execute(store, started).await.unwrap();
    run::read(store, started).await.unwrap()
}

async fn anonymised(store: &Store) -> BTreeSet<UserNumber> {
    let gone = users::Entity::find().filter(users::Column::AnonymisedOn.is_not_null());
    numbers(gone.all(&store.db).await.unwrap().into_iter().map(|user| user.number))
}

/// The verdicts of a preview of listed users are those of the preview of all users.
#[tokio::test]
async fn listed_users_get_the_verdicts_of_a_preview_of_all_users() {
    for_each_database(async |store| {
        for n in 0..8 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        add(&store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
        add(&store, users::ActiveModel { fictitious: Set(true), ..leaver("Shelf") }).await;
        for sql in [
            "INSERT INTO user_roles VALUES (3, 'librarian', '2018-01-01')",
            "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES (4, 'main', '2018-01-02', '2018-02-02')",
            "INSERT INTO legal_holds (user_number, reason, placed_on, review_on) \
             VALUES (5, 'dispute', '2018-01-21', '2018-06-21')",
            "UPDATE users SET guarantor_number = 6 WHERE number = 9",
        ] {
            execute(&store, sql).await;
        }
        let task = add_task(&store, &five_days()).await;
        let all = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let verdicts = async |id: RunId| {
            let run = run::read(&store, id).await.unwrap();
            let page = Paging { rows: Some(100), ..Paging::default() };
            let members = run::members(&store, &run, &MemberQuery::default(), &page).await.unwrap().rows;
            members.into_iter().map(|one| (one.number.0, one.reason, one.blockers.bits())).collect::<Vec<_>>()
        };
        let of_all = verdicts(all).await;
        for list in [vec![1], vec![3, 4, 5, 6, 9, 10], vec![1, 2, 7], (1..=10).collect::<Vec<_>>()] {
            let preview = listed(&store, task, &list).await.unwrap();
            let expected: Vec<_> =
                of_all.iter().copied().filter(|(number, ..)| list.contains(number)).collect();
            assert_eq!(verdicts(preview).await, expected, "{list:?}");
            let run = run::read(&store, preview).await.unwrap();
            let count = i64::try_from(list.len()).unwrap();
            assert_eq!((run.users, run.listed), (count, Some(count)));
            assert_eq!(run.verdicts.iter().map(|(_, count)| count).sum::<i64>(), count, "the counts add up");
        }
    })
    .await;
}

#[tokio::test]
async fn a_run_for_listed_users_touches_no_other_and_confirms_nothing() {
    for_each_database(async |store| {
        for n in 0..6 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        add(&store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
        let task = add_task(&store, &five_days()).await;
        let full = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let preview = listed(&store, task, &[2, 5, 7]).await.unwrap();
        let older = run::why_not(&store, full).await.unwrap().unwrap();
        assert!(older.contains("newer preview"), "{older}");
        let shown = run::read(&store, preview).await.unwrap();
        let not_yet = MemberQuery { verdict: Some(VerdictKind::NotYet), ..MemberQuery::default() };
        let why = run::members(&store, &shown, &not_yet, &Paging::default()).await.unwrap().rows;
        assert_eq!((why[0].number.0, why[0].reason), (7, Reason::NoLeavingDate));
        let done = finish(&store, preview).await;
        assert_eq!((done.state, done.done, done.listed), (RunState::Succeeded, 2, Some(3)));
        assert_eq!(anonymised(&store).await, numbers([2, 5]));
        let says = erasure::certificate::read(&store, done.id).await.unwrap().certificate;
        assert_eq!((says.listed, says.excluded), (Some(3), 0));
        let task = task::read(&store, Actor::COMMAND_LINE, task).await.unwrap();
        assert_eq!(task.confirmation, task::Confirmation::Missing, "other users would be anonymised unseen");
        let full = run::preview(&store, Actor::COMMAND_LINE, task.id).await.unwrap();
        finish(&store, full).await;
        let task = task::read(&store, Actor::COMMAND_LINE, task.id).await.unwrap();
        assert_eq!(task.confirmation, task::Confirmation::Given);
    })
    .await;
}

#[tokio::test]
async fn a_list_with_unknown_users_or_of_an_import_is_rejected() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let task = add_task(&store, &five_days()).await;
        let Err(RecordsError::Invalid(errors)) = listed(&store, task, &[1, 77, 78]).await else {
            panic!("not rejected")
        };
        assert!(errors.message("users").unwrap().contains("77, 78"), "{errors:?}");
        assert!(matches!(listed(&store, task, &[]).await, Err(RecordsError::Invalid(_))));
        assert!(matches!(listed(&store, TaskId(99), &[1]).await, Err(RecordsError::NotFound(_))));
        assert_eq!(
            run::list(&store, &run::RunQuery::default(), &Paging::default()).await.unwrap().rows.len(),
            0
        );
    })
    .await;
}

/// Several small runs are as large as one large run.
#[tokio::test]
async fn runs_for_listed_users_count_together_towards_the_limits() {
    for_each_database(async |store| {
        let limited = |safety_limits| {
            store.with_settings(Settings { safety_limits, ..Settings::clone(&store.settings) })
        };
        let store = limited(SafetyLimits { people: 5, percent: 100, times_median: 100 });
        for n in 0..10 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        let limit = async |store: &Store, preview: RunId| {
            let run = run::read(store, preview).await.unwrap();
            run::comparison(store, &run).await.unwrap().facts.safety_limit
        };
        let first = listed(&store, task, &[1, 2, 3]).await.unwrap();
        assert_eq!(limit(&store, first).await, None);
        finish(&store, first).await;
        let second = listed(&store, task, &[4, 5]).await.unwrap();
        assert_eq!(limit(&store, second).await, None, "exactly the limit");
        let third = listed(&store, task, &[4, 5, 6]).await.unwrap();
        assert_eq!(limit(&store, third).await, Some(SafetyLimit::People));
        // A share is one of all users, not of the list.
        let store = limited(SafetyLimits { people: 500, percent: 10, times_median: 100 });
        assert_eq!(limit(&store, third).await, None, "few users have no share");
    })
    .await;
}

/// The run for all users anonymises those that the list has left out.
#[tokio::test]
async fn a_run_for_all_users_counts_together_with_the_lists_before_it() {
    for_each_database(async |store| {
        let store = with_five_users_at_most(&store);
        for n in 0..8 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        let list = listed(&store, task, &[1, 2, 3, 4]).await.unwrap();
        finish(&store, list).await;
        let full = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let full = run::read(&store, full).await.unwrap();
        assert_eq!((full.previewed, full.listed, full.excluded), (4, None, 0));
        let limit = async || run::comparison(&store, &full).await.unwrap().facts.safety_limit;
        assert_eq!(limit().await, Some(SafetyLimit::People), "four and four users");
        execute(&store, "UPDATE runs SET created_at = '2018-01-19 12:00:00+00:00' WHERE listed IS NOT NULL")
            .await;
        assert_eq!(limit().await, None, "more than a day ago");
    })
    .await;
}

/// Two lists are started at the same moment. Together they exceed the limit.
#[tokio::test]
async fn of_two_lists_started_at_once_one_needs_a_second_person() {
    for_each_database(async |store| {
        let store = crate::legal_holds::with_four_eyes(&store, policy::FourEyes::On);
        let store = with_five_users_at_most(&store);
        for n in 0..6 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let mut previews = Vec::new();
        for list in [[1, 2, 3], [4, 5, 6]] {
            execute(&store, "UPDATE tasks SET single_default = FALSE").await;
            let task = add_task(&store, &five_days()).await;
            previews.push(listed(&store, task, &list).await.unwrap());
        }
        execute(&store, "UPDATE tasks SET confirmed_settings = settings").await;
        let other = store.as_another_process(clock());
        let started = futures::future::join(
            run::start(&store, Actor::COMMAND_LINE, previews[0], "3"),
            run::start(&other, Actor::COMMAND_LINE, previews[1], "3"),
        );
        match started.await {
            (Ok(_), Err(RecordsError::Refused(why))) | (Err(RecordsError::Refused(why)), Ok(_)) => {
                assert!(why.contains("Request approval"), "{why}");
            }
            started => panic!("not one of two: {started:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_preview_is_compared_with_the_last_run_of_all_users() {
    for_each_database(async |store| {
        for n in 0..3 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        let outlook = async |preview: RunId| {
            let run = run::read(&store, preview).await.unwrap();
            run::comparison(&store, &run).await.unwrap()
        };
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        assert_eq!(outlook(preview).await.last, None);
        let run = finish(&store, preview).await;
        let later = users::ActiveModel {
            leaving_on: Set(Some(day("2018-01-01"))),
            last_activity_on: Set(Some(day("2018-01-20"))),
            ..leaver("Active")
        };
        add(&store, later).await;
        let by_list = listed(&store, task, &[4]).await.unwrap();
        finish(&store, by_list).await;
        add(&store, users::ActiveModel { last_activity_on: Set(Some(day("2017-12-21"))), ..leaver("Not") })
            .await;
        add(&store, users::ActiveModel { last_activity_on: Set(Some(day("2017-12-22"))), ..leaver("Just") })
            .await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let found = outlook(preview).await;
        let last = found.last.unwrap();
        assert_eq!((last.id, last.previewed, last.done), (run.id, 3, 3), "a list is no usual number");
        assert_eq!(
            found.facts,
            PreviewFacts {
                eligible: 2,
                users: 6,
                active_recently: 1,
                last: Some(3),
                ..PreviewFacts::default()
            }
        );
        run::exclude(
            &store,
            Actor::COMMAND_LINE,
            preview,
            &numbers([6]),
            policy::ExclusionReason::WrongDates,
        )
        .await
        .unwrap();
        assert_eq!(outlook(preview).await.facts.active_recently, 0, "the excluded user is not counted");
    })
    .await;
}

#[tokio::test]
async fn a_preview_is_not_compared_with_a_run_with_exclusions() {
    for_each_database(async |store| {
        for n in 0..4 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let task = add_task(&store, &five_days()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let complete = finish(&store, preview).await;
        for n in 4..7 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let reason = policy::ExclusionReason::WrongDates;
        run::exclude(&store, Actor::COMMAND_LINE, preview, &numbers([5]), reason).await.unwrap();
        let partial = finish(&store, preview).await;
        assert_eq!((partial.done, partial.excluded), (2, 1));
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let preview = run::read(&store, preview).await.unwrap();
        let found = run::comparison(&store, &preview).await.unwrap();
        assert_eq!(found.last.map(|last| (last.id, last.previewed)), Some((complete.id, 4)));
        assert_eq!(found.facts.last, Some(4));
    })
    .await;
}

/// An approval is for one list: the approval of one doesn't start another.
#[tokio::test]
async fn an_approval_is_for_one_list() {
    for_each_database(async |store| {
        use crate::legal_holds::{staff, staff_actor, with_four_eyes};
        let store = with_four_eyes(&store, policy::FourEyes::On);
        let [ana, ben] = [UserNumber(801), UserNumber(802)];
        for name in ["Ng", "Diaz"] {
            add(&store, leaver(name)).await;
        }
        staff(&store, ana, policy::Role::SystemsLibrarian).await;
        staff(&store, ben, policy::Role::Dpo).await;
        let (ana, ben) =
            (staff_actor(ana, policy::Role::SystemsLibrarian), staff_actor(ben, policy::Role::Dpo));
        let task = add_task(&store, &five_days()).await;
        let of = async |all: &[i64]| {
            run::preview_listed(&store, ana, task, &numbers(all.iter().copied())).await.unwrap()
        };
        let first = of(&[1]).await;
        let request = approval_workflow::request(&store, ana, first).await.unwrap();
        approval_workflow::approve(&store, ben, request).await.unwrap();
        let second = of(&[2]).await;
        assert!(run::start(&store, ana, first, "1").await.is_err(), "there is a newer preview");
        let refused = run::start(&store, ana, second, "1").await;
        assert!(matches!(refused, Err(RecordsError::Refused(why)) if why.contains("Request approval")));
        assert!(approval::of_preview(&store, second).await.unwrap().is_none());
    })
    .await;
}
