//! The tasks of the task centre: saving, copying, the default for single users, files, deleting.

use crate::support::{add, execute, for_each_database, leaver};
use db::RecordsError;
use db::pagination::Paging;
use policy::form::Problem;
use policy::task_form::TaskForm;
use policy::{Field, MisfirePolicy, Schedule, TaskId, TaskType, Treatment};
use task_centre::run;
use task_centre::run::RunQuery;
use task_centre::task::{self, Confirmation, TaskQuery, TaskRow};
use trail::{Actor, Store};

/// Returns a valid form: left more than five days ago, every Monday.
fn form(description: &str) -> TaskForm {
    TaskForm {
        description: description.to_owned(),
        by_leaving: true,
        leaving_days: "5".to_owned(),
        schedule: "weekly".to_owned(),
        weekdays: [("mon".to_owned(), true)].into(),
        ..TaskForm::new_task()
    }
}

async fn save(store: &Store, form: &TaskForm) -> TaskId {
    task::save(store, Actor::COMMAND_LINE, form).await.unwrap()
}

async fn rows(store: &Store, query: &TaskQuery) -> Vec<TaskRow> {
    task::list(store, Actor::COMMAND_LINE, query, &Paging::default()).await.unwrap().rows
}

#[tokio::test]
async fn a_task_is_saved_listed_and_edited_once_per_version() {
    for_each_database(async |store| {
        let id = save(&store, &form("Leavers 100 %_\\")).await;
        let saved = task::read(&store, Actor::COMMAND_LINE, id).await.unwrap();
        let again = TaskForm { id: id.to_string(), version: "1".to_owned(), ..form("Leavers 100 %_\\") };
        assert_eq!(
            TaskForm::from_draft(&saved.draft, &[]),
            again,
            "the form of the saved task equals the input"
        );
        assert!(saved.next.unwrap().shown.starts_with("Mon 22 Jan 2018"));

        save(&store, &TaskForm { description: "Leavers".to_owned(), ..again.clone() }).await;
        let stale = task::save(&store, Actor::COMMAND_LINE, &again).await;
        assert!(matches!(stale, Err(RecordsError::Stale)), "{stale:?}");
        let unknown = TaskForm { id: "99".to_owned(), ..again };
        let unknown = task::save(&store, Actor::COMMAND_LINE, &unknown).await;
        assert!(matches!(unknown, Err(RecordsError::NotFound("task"))), "{unknown:?}");
    })
    .await;
}

#[tokio::test]
async fn the_list_is_filtered_by_literal_text_and_by_status() {
    for_each_database(async |store| {
        save(&store, &form("100 %_ leavers")).await;
        save(&store, &TaskForm { active: false, ..form("Quiet ones") }).await;
        let text = |text: &str| TaskQuery { text: text.to_owned(), ..TaskQuery::default() };
        for (query, found) in [
            (TaskQuery::default(), 2),
            (text("LEAVERS 100"), 1),
            (text("%_"), 1),
            (text("%"), 1),
            (text("1__"), 0),
            (TaskQuery { active: Some(false), ..TaskQuery::default() }, 1),
            (TaskQuery { task_type: Some(TaskType::AnonymiseUserData), ..TaskQuery::default() }, 2),
        ] {
            assert_eq!(rows(&store, &query).await.len(), found, "{query:?}");
        }
        let quiet = rows(&store, &text("quiet")).await.remove(0);
        assert!(quiet.next.is_none() && quiet.last.is_none(), "an inactive task has no next run");
    })
    .await;
}

#[tokio::test]
async fn owners_and_custom_fields_must_exist() {
    for_each_database(async |store| {
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        let wrong = TaskForm {
            owner: "77".to_owned(),
            custom: [("locker", "keep"), ("shoe_size", "keep")].map(|(k, v)| (k.into(), v.into())).into(),
            ..form("Leavers")
        };
        match task::save(&store, Actor::COMMAND_LINE, &wrong).await {
            Err(RecordsError::Invalid(errors)) => {
                let fields: Vec<&str> = errors.0.iter().map(|error| error.field.as_str()).collect();
                assert_eq!(fields, ["owner", "custom.shoe_size"]);
                assert_eq!(errors.0[0].problem, Problem::NoSuchUser);
            }
            other => panic!("{other:?}"),
        }
        assert!(rows(&store, &TaskQuery::default()).await.is_empty(), "no task is saved");
    })
    .await;
}

#[tokio::test]
async fn there_is_one_default_for_single_users() {
    for_each_database(async |store| {
        let person = add(&store, leaver("Ng")).await;
        let number = policy::UserNumber(person.number);
        assert!(run::plan_for_one(&store, number).await.unwrap().task.is_none());
        let serves = async || run::plan_for_one(&store, number).await.unwrap().task.unwrap().0;
        let one = save(&store, &TaskForm { active: false, ..form("One") }).await;
        assert_eq!(serves().await, one);
        let two = save(&store, &form("Two")).await;
        assert_eq!(serves().await, one, "the first one stays the default");
        task::set_active(&store, Actor::COMMAND_LINE, one, true).await.unwrap();
        task::set_active(&store, Actor::COMMAND_LINE, one, false).await.unwrap();
        assert_eq!(serves().await, one, "also when it is deactivated");
        for id in [two, one, two] {
            task::make_default(&store, Actor::COMMAND_LINE, id).await.unwrap();
            assert_eq!(serves().await, id);
            assert_eq!(defaults(&store).await, [id]);
        }
        let three = task::copy(&store, Actor::COMMAND_LINE, two).await.unwrap();
        let file = task::export(&store, Actor::COMMAND_LINE, two).await.unwrap();
        task::import(&store, Actor::COMMAND_LINE, file).await.unwrap();
        assert_eq!(defaults(&store).await, [two]);
        assert_eq!(task::default_after(&store, two).await.unwrap().unwrap().0, one);
        task::delete(&store, Actor::COMMAND_LINE, two).await.unwrap();
        assert_eq!(defaults(&store).await, [one], "the first of the other tasks");
        task::delete(&store, Actor::COMMAND_LINE, three).await.unwrap();
        assert_eq!(defaults(&store).await, [one]);
        execute(&store, "UPDATE tasks SET single_default = FALSE").await;
        assert_eq!(serves().await, one, "the first one if none is marked");
        save(&store, &form("Five")).await;
        assert_eq!(defaults(&store).await, [one], "the next change marks it");
    })
    .await;
}

/// Returns the tasks that are marked as the default.
async fn defaults(store: &Store) -> Vec<TaskId> {
    let rows = rows(store, &TaskQuery::default()).await;
    rows.into_iter().filter(|row| row.single_default).map(|row| row.id).collect()
}

/// Staff who anonymise single users must be able to see the settings that apply.
#[tokio::test]
async fn a_private_task_does_not_become_the_default() {
    for_each_database(async |store| {
        let hide = async |id: TaskId| {
            execute(&store, &format!("UPDATE tasks SET visibility = 'private' WHERE id = {id}")).await;
        };
        let (one, two) = (save(&store, &form("One")).await, save(&store, &form("Two")).await);
        let three = save(&store, &form("Three")).await;
        hide(two).await;
        assert!(matches!(
            task::make_default(&store, Actor::COMMAND_LINE, two).await,
            Err(RecordsError::Refused(why)) if why.contains("private")
        ));
        assert_eq!(task::default_after(&store, one).await.unwrap().unwrap().0, three);
        task::delete(&store, Actor::COMMAND_LINE, one).await.unwrap();
        assert_eq!(defaults(&store).await, [three], "the first shared one");
        assert!(task::default_after(&store, three).await.unwrap().is_none());
        task::delete(&store, Actor::COMMAND_LINE, three).await.unwrap();
        assert!(defaults(&store).await.is_empty(), "only a private one is left");
        let four = save(&store, &form("Four")).await;
        assert_eq!(defaults(&store).await, [four], "the first shared one again");
        // A default task that becomes private stays the default until another one is set.
        hide(four).await;
        save(&store, &form("Five")).await;
        assert_eq!(defaults(&store).await, [four]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_leave_one_default() {
    for_each_database(async |store| {
        let create = |name: String| {
            let store = store.clone();
            tokio::spawn(async move { task::save(&store, Actor::COMMAND_LINE, &form(&name)).await })
        };
        let mut made = Vec::new();
        for task in (0..8).map(|n| create(format!("Task {n}"))).collect::<Vec<_>>() {
            made.push(task.await.unwrap().unwrap());
        }
        let first = made.iter().copied().min_by_key(|id| id.0).unwrap();
        assert_eq!(defaults(&store).await, [first]);
        let change = |id: TaskId, delete: bool| {
            let store = store.clone();
            tokio::spawn(async move {
                if delete {
                    task::delete(&store, Actor::COMMAND_LINE, id).await
                } else {
                    task::make_default(&store, Actor::COMMAND_LINE, id).await
                }
            })
        };
        let changes: Vec<_> = made
            .iter()
            .enumerate()
            .filter(|(place, _)| *place < 6)
            .map(|(place, id)| change(*id, place % 2 == 0))
            .collect();
        for change in changes {
            let _ = change.await.unwrap();
        }
        assert_eq!(defaults(&store).await.len(), 1);
        for row in rows(&store, &TaskQuery::default()).await {
            task::delete(&store, Actor::COMMAND_LINE, row.id).await.unwrap();
        }
        assert!(defaults(&store).await.is_empty());
        let next = save(&store, &form("The first again")).await;
        assert_eq!(defaults(&store).await, [next]);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_task_keeps_its_history_and_cannot_be_used() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let id = save(&store, &form("Leavers")).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, id).await.unwrap();
        task::delete(&store, Actor::COMMAND_LINE, id).await.unwrap();
        assert!(rows(&store, &TaskQuery::default()).await.is_empty());
        let of_task = RunQuery { task: Some(id), ..RunQuery::default() };
        let history = run::list(&store, &of_task, &Paging::default()).await.unwrap().rows;
        assert_eq!(history[0].task.as_ref().unwrap().description_for(Actor::COMMAND_LINE), "Leavers");
        assert!(run::why_not(&store, preview).await.unwrap().unwrap().contains("deleted"));
        assert!(matches!(
            task::delete(&store, Actor::COMMAND_LINE, id).await,
            Err(RecordsError::NotFound("task"))
        ));
        assert!(matches!(
            run::preview(&store, Actor::COMMAND_LINE, id).await,
            Err(RecordsError::NotFound("task"))
        ));
    })
    .await;
}

#[tokio::test]
async fn copies_and_imports_have_the_same_settings_and_are_inactive() {
    for_each_database(async |store| {
        let typed = TaskForm {
            fields: [(Field::BirthDate.code().to_owned(), Treatment::Decade.code().to_owned())].into(),
            missed: MisfirePolicy::Skip.code().to_owned(),
            ..form("Leavers")
        };
        let id = save(&store, &typed).await;
        let original = task::read(&store, Actor::COMMAND_LINE, id).await.unwrap().draft;
        let policy = original.settings.policy().unwrap();
        assert_eq!(policy.treatment(Field::BirthDate), Treatment::Decade);

        let copy = task::copy(&store, Actor::COMMAND_LINE, id).await.unwrap();
        let file =
            serde_json::to_string(&task::export(&store, Actor::COMMAND_LINE, id).await.unwrap()).unwrap();
        let imported =
            task::import(&store, Actor::COMMAND_LINE, serde_json::from_str(&file).unwrap()).await.unwrap();
        for (id, description) in [(copy, "Leavers (copy)"), (imported, "Leavers")] {
            let draft = task::read(&store, Actor::COMMAND_LINE, id).await.unwrap().draft;
            assert_eq!(draft.description, description);
            assert!(!draft.active);
            assert_eq!((&draft.settings, &draft.schedule), (&original.settings, &original.schedule));
            assert_eq!(draft.missed, MisfirePolicy::Skip);
        }
        let incomplete = file.replace(r#","missed":"skip""#, "");
        assert!(serde_json::from_str::<task::TaskFile>(&incomplete).is_err(), "a setting is missing");
        assert!(
            serde_json::from_str::<task::TaskFile>(&file.replace("\"settings\"", "\"setings\"")).is_err()
        );
        let unknown = file.replace("anonymise_user_data", "drop_user_data");
        assert!(serde_json::from_str::<task::TaskFile>(&unknown).is_err(), "an unknown task type");
        let other = serde_json::from_str(&file.replace("lethe-task-1", "lethe-task-9")).unwrap();
        assert!(matches!(
            task::import(&store, Actor::COMMAND_LINE, other).await,
            Err(RecordsError::Refused(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_file_with_a_past_one_time_date_becomes_manual_only() {
    for_each_database(async |store| {
        let once = TaskForm {
            schedule: "once".to_owned(),
            once_date: "2018-01-22".to_owned(),
            time: "02:30".to_owned(),
            weekdays: [].into(),
            ..form("Once")
        };
        let id = save(&store, &once).await;
        let file =
            serde_json::to_string(&task::export(&store, Actor::COMMAND_LINE, id).await.unwrap()).unwrap();
        let passed = serde_json::from_str(&file.replace("2018-01-22", "2001-01-22")).unwrap();
        let imported = task::import(&store, Actor::COMMAND_LINE, passed).await.unwrap();
        let draft = task::read(&store, Actor::COMMAND_LINE, imported).await.unwrap().draft;
        assert_eq!(draft.schedule, Schedule::ManualOnly);
    })
    .await;
}

#[tokio::test]
async fn a_task_that_extends_beyond_the_confirmed_settings_reports_it() {
    for_each_database(async |store| {
        let id = save(&store, &form("Leavers")).await;
        let confirmation = async || task::read(&store, Actor::COMMAND_LINE, id).await.unwrap().confirmation;
        assert_eq!(confirmation().await, Confirmation::Missing);
        execute(&store, "UPDATE tasks SET confirmed_settings = settings").await;
        assert_eq!(confirmation().await, Confirmation::Given);
        let edit = |version: &str, days: &str| TaskForm {
            id: id.to_string(),
            version: version.to_owned(),
            leaving_days: days.to_owned(),
            ..form("Leavers")
        };
        save(&store, &edit("1", "30")).await;
        assert_eq!(confirmation().await, Confirmation::Given);
        save(&store, &edit("2", "4")).await;
        assert_eq!(confirmation().await, Confirmation::Outgrown);
    })
    .await;
}
