//! The outlook of a user agrees with the verdicts of the task's runs, and names the next run.

use crate::anonymising::run_all;
use crate::support::{add, add_task, day, execute, five_days, for_each_database, leaver};
use db::entity::users;
use policy::forecast::{Forecast, NextStart};
use policy::{Blocker, Blockers, Reason, Schedule, TaskId, UserNumber};
use sea_orm::Set;
use task_centre::outlook::{self, Outlook};
use trail::Store;

async fn outlooks(store: &Store, number: i64) -> Vec<Outlook> {
    outlook::of_user(store, UserNumber(number)).await.unwrap()
}

async fn schedule(store: &Store, task: TaskId, schedule: &Schedule) {
    let json = policy::stored::to_json(schedule);
    execute(store, &format!("UPDATE tasks SET schedule = '{json}' WHERE id = {task}")).await;
}

#[tokio::test]
async fn every_active_task_has_a_forecast_with_its_first_run() {
    for_each_database(async |store| {
        let late = users::ActiveModel { leaving_on: Set(Some(day("2018-02-27"))), ..leaver("Late") };
        let late = add(&store, late).await.number;
        let staff = add(&store, leaver("Staff")).await.number;
        let other = add(&store, users::ActiveModel { imported: Set(false), ..leaver("Other") }).await.number;
        execute(
            &store,
            &format!("INSERT INTO user_roles (user_number, role, granted_on) VALUES ({staff}, 'librarian', '2017-01-01')"),
        )
        .await;
        execute(
            &store,
            &format!(
                "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES ({late}, 'main', '2018-01-01', '2018-02-01')"
            ),
        )
        .await;
        let task = add_task(&store, &five_days()).await;
        let loan = Blockers::NONE.with(Blocker::OpenLoan, true);
        let eligible = Forecast::From { day: day("2018-03-05"), blockers: loan };
        let [one] = &outlooks(&store, late).await[..] else { panic!("one task") };
        assert_eq!((one.task, one.forecast, one.start, one.waits), (task, eligible, NextStart::ByHand, true));

        let monthly = r#"{"kind":"monthly","day":"last","time":"02:30:00"}"#;
        let monthly: Schedule = serde_json::from_str(monthly).unwrap();
        schedule(&store, task, &monthly).await;
        execute(&store, "UPDATE tasks SET confirmed_settings = settings").await;
        let [one] = &outlooks(&store, late).await[..] else { panic!("one task") };
        assert_eq!((one.start, one.waits), (NextStart::On(day("2018-03-31")), false));

        // The run of the first eligible day itself counts.
        let daily = Schedule::Daily { time: "00:00:00".parse().unwrap() };
        schedule(&store, task, &daily).await;
        assert_eq!(outlooks(&store, late).await[0].start, NextStart::On(day("2018-03-05")));
        let past = Schedule::Once { at: "2018-02-01T02:30:00".parse().unwrap() };
        schedule(&store, task, &past).await;
        assert_eq!(outlooks(&store, late).await[0].start, NextStart::Over);

        assert_eq!(outlooks(&store, staff).await[0].forecast, Forecast::Never(Reason::Staff));
        assert_eq!(outlooks(&store, other).await[0].forecast, Forecast::Never(Reason::OutsideScope));
        execute(&store, "UPDATE tasks SET active = FALSE").await;
        assert!(outlooks(&store, late).await.is_empty());
        assert!(outlook::of_user(&store, UserNumber(99)).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_user_who_is_forecast_for_today_is_anonymised_by_the_run_of_today() {
    for_each_database(async |store| {
        let now = add(&store, leaver("Now")).await.number;
        let tomorrow = users::ActiveModel { leaving_on: Set(Some(day("2018-01-16"))), ..leaver("Tomorrow") };
        let tomorrow = add(&store, tomorrow).await.number;
        let task = add_task(&store, &five_days()).await;
        let none = Blockers::NONE;
        assert_eq!(
            outlooks(&store, now).await[0].forecast,
            Forecast::From { day: day("2018-01-21"), blockers: none }
        );
        assert_eq!(
            outlooks(&store, tomorrow).await[0].forecast,
            Forecast::From { day: day("2018-01-22"), blockers: none }
        );
        run_all(&store, task).await;
        assert_eq!(outlooks(&store, now).await[0].forecast, Forecast::Never(Reason::AlreadyAnonymised));
        assert!(matches!(outlooks(&store, tomorrow).await[0].forecast, Forecast::From { .. }));
    })
    .await;
}
