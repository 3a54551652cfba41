//! Users that a file lacks: only the users of the same task get a leaving date.

use super::{
    add_people, came_from, confirm_settings, deliver, file_of, form, left_today, run_by_hand, run_of_night,
    save,
};
use crate::import_tasks::conditions;
use crate::legal_holds::with_four_eyes;
use crate::support::{add, add_task, day, execute, five_days, for_each_database, import_users, leaver};
use db::entity::{user_sources, users};
use operations::health::ConditionKind;
use policy::task_form::TaskForm;
use policy::user_form::UserForm;
use policy::{FourEyes, RunState, SafetyLimit, TaskId, UserNumber};
use records::user::provision::{self, Membership};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use std::fmt::Write as _;
use task_centre::run;
use trail::{Actor, Store};

const CLI: Actor = Actor::COMMAND_LINE;

/// Returns the form of a task whose files contain all users of their system.
fn complete(folder: &str) -> TaskForm {
    TaskForm {
        description: format!("Users of {folder}"),
        folder: folder.to_owned(),
        absence: "set_leaving_date".to_owned(),
        ..form()
    }
}

/// Imports a file with these users by hand. Returns the numbers of missing users and of those who left.
async fn import(store: &Store, (task, folder): (TaskId, &str), people: &[usize]) -> (u64, u64) {
    let folder = store.settings.imports.join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut file = "external_id,last_name\n".to_owned();
    for at in people {
        writeln!(file, "E{at},Person{at}").unwrap();
    }
    std::fs::write(folder.join("users.csv"), file).unwrap();
    let preview = run::preview(store, CLI, task).await.unwrap();
    let previewed = run::read(store, preview).await.unwrap().imports[0].counts.clone().unwrap();
    let run = run_by_hand(store, task).await;
    assert_eq!(run.state, RunState::Succeeded);
    let counts = run.imports[0].counts.clone().unwrap();
    assert_eq!((previewed.missing, previewed.left), (counts.missing, counts.left), "as previewed");
    (counts.missing, counts.left)
}

/// Returns the users in files of the task.
async fn sources(store: &Store, task: TaskId) -> Vec<i64> {
    let theirs = user_sources::Entity::find().filter(user_sources::Column::TaskId.eq(task.0));
    let numbers = theirs.select_only().column(user_sources::Column::UserNumber);
    numbers.order_by_asc(user_sources::Column::UserNumber).into_tuple().all(&store.db).await.unwrap()
}

async fn number_of(store: &Store, external_id: &str) -> i64 {
    let found = users::Entity::find().filter(users::Column::ExternalId.eq(external_id));
    found.one(&store.db).await.unwrap().unwrap().number
}

#[tokio::test]
async fn only_users_of_the_same_source_get_a_leaving_date() {
    for_each_database(async |store| {
        let by_hand = store.settings.imports.with_extension("csv");
        std::fs::write(&by_hand, "external_id,last_name\nE8,Person8\nE9,Person9\n").unwrap();
        import_users(&store, CLI, &by_hand, false).await.unwrap();
        let hr = (save(&store, &complete("hr")).await, "hr");
        let students = (save(&store, &complete("students")).await, "students");
        assert_eq!(import(&store, hr, &[0, 1, 2]).await, (0, 0));
        assert_eq!(import(&store, students, &[2, 3, 4]).await, (0, 0), "the other file has other users");

        assert_eq!(import(&store, hr, &[0]).await, (2, 1));
        assert_eq!(left_today(&store).await, ["Person1"], "the students still have Person2");
        assert_eq!(import(&store, students, &[3]).await, (2, 2));
        assert_eq!(left_today(&store).await, ["Person1", "Person2", "Person4"]);

        // An import by hand takes no user from a task, and makes no user the task's.
        std::fs::write(&by_hand, "external_id,last_name\nE0,Person0\nE8,Person8\n").unwrap();
        import_users(&store, CLI, &by_hand, false).await.unwrap();
        assert_eq!(import(&store, hr, &[5]).await, (1, 1));
        assert_eq!(left_today(&store).await, ["Person0", "Person1", "Person2", "Person4"]);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_task_and_one_that_sets_no_leaving_dates_keep_no_user() {
    for_each_database(async |store| {
        let hr = (save(&store, &complete("hr")).await, "hr");
        let part = TaskForm { absence: "nothing".to_owned(), ..complete("part") };
        let part = (save(&store, &part).await, "part");
        let old = (save(&store, &complete("old")).await, "old");
        import(&store, hr, &[0, 1, 2]).await;
        import(&store, part, &[1]).await;
        import(&store, old, &[2]).await;
        execute(&store, &format!("UPDATE tasks SET deleted_at = changed_at WHERE id = {}", old.0)).await;
        assert_eq!(import(&store, hr, &[0]).await, (2, 2));
        assert_eq!(left_today(&store).await, ["Person1", "Person2"]);
    })
    .await;
}

#[tokio::test]
async fn anonymising_and_identity_systems_end_the_link_to_a_task() {
    for_each_database(async |store| {
        let task = (save(&store, &complete("hr")).await, "hr");
        import(&store, task, &[0, 1, 2]).await;
        add_task(&store, &five_days()).await;
        let [zero, one, two] =
            [number_of(&store, "E0").await, number_of(&store, "E1").await, number_of(&store, "E2").await];
        run::anonymise_one(&store, CLI, UserNumber(zero), &zero.to_string()).await.unwrap();
        assert_eq!(sources(&store, task.0).await, [one, two]);
        let found = users::Entity::find_by_id(one).one(&store.db).await.unwrap().unwrap();
        let form = UserForm {
            last_name: "Person1".to_owned(),
            external_id: "E1".to_owned(),
            version: found.version.to_string(),
            ..UserForm::default()
        };
        provision::change(&store, CLI, &found.scim_id.unwrap(), &form, Membership::Keep).await.unwrap();
        assert_eq!(sources(&store, task.0).await, [two]);
        assert_eq!(import(&store, task, &[3]).await, (1, 1));
        assert_eq!(left_today(&store).await, ["Person2"]);
    })
    .await;
}

#[tokio::test]
async fn the_limit_is_a_share_of_the_users_of_the_task() {
    for_each_database(async |store| {
        add_people(&store, 0..600).await;
        let task = save(&store, &form()).await;
        confirm_settings(&store, task).await;
        came_from(&store, task, "external_id IN ('E0', 'E1', 'E2') OR number % 20 = 0").await;
        let expected = sources(&store, task).await.len();
        assert!(expected > 23 && expected < 60, "{expected}");
        deliver(&store, "short.csv", &file_of(0..3, ("", "")), 5);
        let stopped = run_of_night(&store, 1).await;
        assert_eq!(stopped.state, RunState::StoppedByLimit);
        let why = stopped.imports[0].reason.clone().unwrap();
        assert!(why.contains(&format!("of {expected} users of this task; the limit is 5 per cent")), "{why}");
        let counted = user_sources::Entity::find().count(&store.db).await.unwrap();
        assert_eq!(counted, expected as u64, "the file was taken back");
    })
    .await;
}

#[tokio::test]
async fn half_the_users_missing_stop_the_file() {
    for_each_database(async |store| {
        add_people(&store, 0..60).await;
        let form = TaskForm { absence: "set_leaving_date".to_owned(), ..form() };
        let task = save(&store, &form).await;
        confirm_settings(&store, task).await;
        came_from(&store, task, "1 = 1").await;
        let path = deliver(&store, "half.csv", &file_of(0..30, ("", "")), 5);
        let stopped = run_of_night(&store, 1).await;
        assert_eq!(
            (stopped.state, stopped.safety_limit),
            (RunState::StoppedByLimit, Some(SafetyLimit::Import))
        );
        let why = stopped.imports[0].reason.clone().unwrap();
        assert!(why.contains("the file lacks 30 of 60 users of this task; the limit is 5 per cent"), "{why}");
        assert!(left_today(&store).await.is_empty() && path.exists());
        let stopped = ConditionKind::StoppedByLimit(Some(SafetyLimit::Import));
        assert!(conditions(&store).await.contains(&stopped));

        // Without four eyes, one person confirms the preview.
        let store = with_four_eyes(&store, FourEyes::Off);
        let done = run_by_hand(&store, task).await;
        assert_eq!((done.state, done.imports[0].counts.as_ref().unwrap().left), (RunState::Succeeded, 30));
        assert_eq!(left_today(&store).await.len(), 30);
        assert!(!path.exists());
    })
    .await;
}

#[tokio::test]
async fn staff_fictitious_and_gone_users_get_no_leaving_date() {
    for_each_database(async |store| {
        add_people(&store, 0..3).await;
        let others = [
            users::ActiveModel { imported: Set(false), ..leaver("Local") },
            users::ActiveModel { fictitious: Set(true), ..leaver("Shelf") },
            users::ActiveModel { number: Set(7001), ..leaver("Chief") },
            users::ActiveModel { anonymised_on: Set(Some(day("2018-01-02"))), ..leaver("Gone") },
        ];
        for other in others {
            add(&store, users::ActiveModel { leaving_on: Set(None), ..other }).await;
        }
        execute(
            &store,
            "INSERT INTO user_roles (user_number, role, granted_on) VALUES (7001, 'librarian', '2017-01-01')",
        )
        .await;
        add(&store, leaver("Earlier")).await;
        let future = users::ActiveModel { leaving_on: Set(Some(day("2018-09-30"))), ..leaver("Future") };
        add(&store, future).await;

        let form = TaskForm {
            absence: "set_leaving_date".to_owned(),
            import_mode: "valid_lines_only".to_owned(),
            ..form()
        };
        let task = save(&store, &form).await;
        confirm_settings(&store, task).await;
        came_from(&store, task, "1 = 1").await;
        // With a rejected line, absence can't be determined.
        deliver(&store, "a.csv", "external_id,last_name,email\nE0,Person0,\nE1,Person1,wrong\n", 9);
        assert_eq!(run_of_night(&store, 1).await.state, RunState::CompletedWithFailures);
        assert!(left_today(&store).await.is_empty());

        deliver(&store, "b.csv", &file_of(0..2, ("", "")), 8);
        let done = run_of_night(&store, 2).await;
        let counts = done.imports[0].counts.clone().unwrap();
        assert_eq!((counts.missing, counts.left, counts.touched), (2, 2, 2));
        let left = users::Entity::find().filter(users::Column::LeavingOn.eq(day("2018-01-23")));
        let left: Vec<_> =
            left.all(&store.db).await.unwrap().into_iter().filter_map(|user| user.last_name).collect();
        assert_eq!(left, ["Person2", "Future"]);

        // They count towards the limits of all entry points, like other users who become eligible earlier.
        let counted = db::entity::manual_changes::Entity::find().count(&store.db).await.unwrap();
        assert_eq!(counted, 2);
    })
    .await;
}
