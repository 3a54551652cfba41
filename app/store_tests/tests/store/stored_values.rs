//! Stored codes and JSON: columns that are read as typed values.

use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::pagination::Paging;
use operations::health;
use policy::stored::to_json;
use policy::{TaskSettings, UserNumber};
use sea_orm::{ConnectionTrait, Statement};
use task_centre::run::{self, RunQuery};
use task_centre::task;
use trail::Actor;
use trail::roles::roles_of;

/// Checks that reading failed because this value is corrupt.
fn assert_corrupt<T: std::fmt::Debug>(read: Result<T, RecordsError>, what: &str) {
    match read {
        Err(error @ RecordsError::Corrupt(_)) => {
            assert_eq!(error.to_string(), format!("The stored {what} cannot be read"));
        }
        other => panic!("not corrupt: {other:?}"),
    }
}

#[tokio::test]
async fn an_unknown_code_cannot_be_read() {
    for_each_database(async |store| {
        let number = add(&store, leaver("Ng")).await.number;
        let task = add_task(&store, &five_days()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        execute(&store, "UPDATE runs SET state = 'unheard_of'").await;
        assert_corrupt(run::read(&store, preview).await, "state of the run");
        assert_corrupt(health::figures(&store).await, "state of the run");
        execute(&store, "INSERT INTO user_roles VALUES (1, 'unheard_of', '2018-01-01')").await;
        assert_corrupt(roles_of(&store.db, UserNumber(number)).await, "role");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_setting_of_a_task_cannot_be_read() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let id = add_task(&store, &five_days()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, id).await.unwrap();
        execute(&store, r#"UPDATE tasks SET settings = '{"anonymise_user_data":{"scope":"all"}}'"#).await;
        assert_corrupt(task::read(&store, Actor::COMMAND_LINE, id).await, "settings of the task");
        assert!(run::read(&store, preview).await.is_ok(), "a run has its own copy of the settings");
        execute(&store, "UPDATE runs SET settings = 'unheard of'").await;
        assert_corrupt(run::read(&store, preview).await, "settings of the task");
        let listed = run::list(&store, &RunQuery::default(), &Paging::default()).await.unwrap().rows;
        assert_eq!(listed.first().map(|run| run.id), Some(preview), "a list shows the run");
        execute(
            &store,
            &format!(
                "UPDATE tasks SET settings = '{}'",
                to_json(&TaskSettings::AnonymiseUserData(five_days()))
            ),
        )
        .await;
        execute(&store, r#"UPDATE tasks SET schedule = '{"kind":"hourly"}'"#).await;
        assert_corrupt(task::read(&store, Actor::COMMAND_LINE, id).await, "schedule");
    })
    .await;
}

#[tokio::test]
async fn settings_and_schedules_are_stored_as_text() {
    for_each_database(async |store| {
        let id = add_task(&store, &five_days()).await;
        let sql = format!("SELECT settings, schedule, visibility FROM tasks WHERE id = {id}");
        let row = store.db.query_one_raw(Statement::from_string(store.db.get_database_backend(), sql)).await;
        let row = row.unwrap().unwrap();
        let stored = |column: &str| row.try_get::<String>("", column).unwrap();
        assert_eq!(stored("settings"), to_json(&TaskSettings::AnonymiseUserData(five_days())));
        assert_eq!(stored("schedule"), r#"{"kind":"manual_only"}"#);
        assert_eq!(stored("visibility"), "shared");
    })
    .await;
}
