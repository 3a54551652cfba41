//! Tasks that import the files of a folder: previews, runs, safety limits, absence and the schedule.

mod absence;
mod circulation;
mod deliveries;

use crate::legal_holds::{staff, staff_actor, with_four_eyes};
use crate::limits::limited;
use crate::support::{add, clock, day, dump_records, execute, for_each_database, leaver};
use chrono::Duration as Days;
use chrono_tz::Tz;
use db::Clock;
use db::RecordsError;
use db::entity::{imports, runs, tasks, users};
use operations::health::{self, ConditionKind};
use policy::form::Problem;
use policy::import::ImportState;
use policy::task_form::TaskForm;
use policy::{FourEyes, Role, RunId, RunState, SafetyLimit, TaskId, TaskSettings, UserNumber};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set};
use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use task_centre::{approval_workflow, run, schedule, task};
use trail::{Actor, Store};

const CLI: Actor = Actor::COMMAND_LINE;

fn form() -> TaskForm {
    TaskForm {
        description: "Users of every night".to_owned(),
        task_type: "import_users".to_owned(),
        folder: "hr".to_owned(),
        schedule: "daily".to_owned(),
        time: "02:00".to_owned(),
        ..TaskForm::new_task()
    }
}

async fn save(store: &Store, form: &TaskForm) -> TaskId {
    task::save(store, CLI, form).await.unwrap()
}

fn folder(store: &Store) -> PathBuf {
    let folder = store.settings.imports.join("hr");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Puts a file into the folder that was last changed some minutes ago.
fn deliver(store: &Store, name: &str, content: &str, minutes: u64) -> PathBuf {
    let path = folder(store).join(name);
    std::fs::write(&path, content).unwrap();
    let at = SystemTime::now() - Duration::from_secs(60 * minutes);
    File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    path
}

/// Returns a file of users. `more` are the further columns and cells.
fn file_of(people: std::ops::Range<usize>, more: (&str, &str)) -> String {
    let mut file = format!("external_id,last_name{}\n", more.0);
    for at in people {
        writeln!(file, "E{at},Person{at}{}", more.1).unwrap();
    }
    file
}

/// Creates a preview of the task and runs it.
async fn run_by_hand(store: &Store, task: TaskId) -> run::Run {
    let preview = run::preview(store, CLI, task).await.unwrap();
    let count = run::read(store, preview).await.unwrap().previewed;
    let started = run::start(store, CLI, preview, &count.to_string()).await.unwrap();
    run::execute(store, started).await.unwrap();
    run::read(store, started).await.unwrap()
}

/// Lets the task run on its schedule on this night. The first one is 22 January 2018.
async fn run_of_night(store: &Store, night: i64) -> run::Run {
    let wall = (day("2018-01-21") + Days::days(night)).and_hms_opt(2, 0, 30).unwrap();
    let store = store.as_another_process(Clock::status(Tz::Europe__London, wall.and_utc()));
    let started = schedule::tick(&store).await.unwrap();
    assert_eq!(started.len(), 1, "the task is due");
    run::work(&store).await.unwrap();
    run::read(&store, started[0]).await.unwrap()
}

async fn confirm_settings(store: &Store, task: TaskId) {
    execute(store, &format!("UPDATE tasks SET confirmed_settings = settings WHERE id = {task}")).await;
}

/// Records that earlier files of the task contained these users.
async fn came_from(store: &Store, task: TaskId, users: &str) {
    let sql = format!("INSERT INTO user_sources SELECT {task}, number FROM users WHERE {users}");
    execute(store, &sql).await;
}

async fn count(store: &Store) -> u64 {
    users::Entity::find().count(&store.db).await.unwrap()
}

async fn left_today(store: &Store) -> Vec<String> {
    let left = users::Entity::find()
        .filter(users::Column::LeavingOn.eq(store.clock.today()))
        .order_by_asc(users::Column::Number);
    left.all(&store.db).await.unwrap().into_iter().filter_map(|user| user.last_name).collect()
}

async fn conditions(store: &Store) -> Vec<ConditionKind> {
    health::read(store).await.unwrap().conditions.into_iter().map(|one| one.what).collect()
}

#[tokio::test]
async fn a_preview_counts_and_its_run_imports_exactly_that_file() {
    for_each_database(async |store| {
        let task = save(&store, &form()).await;
        let Err(RecordsError::Refused(why)) = run::preview(&store, CLI, task).await else {
            panic!("no folder")
        };
        assert!(why.contains("does not exist") && why.contains("LETHE_IMPORT_DIR"), "{why}");
        folder(&store);
        let Err(RecordsError::Refused(why)) = run::preview(&store, CLI, task).await else {
            panic!("no file")
        };
        assert!(why.contains("no new file"), "{why}");

        let newer = deliver(&store, "b.csv", &file_of(10..12, ("", "")), 1);
        let older = deliver(&store, "a.csv", &file_of(0..3, ("", "")), 5);
        deliver(&store, "c.txt", "not a match", 9);
        let before = dump_records(&store).await;
        let preview = run::preview(&store, CLI, task).await.unwrap();
        let shown = run::read(&store, preview).await.unwrap();
        let import = &shown.imports[0];
        assert_eq!((shown.previewed, import.file_name.as_deref()), (3, Some("a.csv")));
        assert_eq!(import.counts.as_ref().map(|counts| counts.created), Some(3));
        assert_eq!(
            (shown.fingerprint.as_ref(), import.state),
            (import.sha256.as_ref(), ImportState::Checked)
        );
        let of_users = |dump: &str| dump.lines().filter(|line| line.starts_with("users|")).count();
        assert_eq!(of_users(&dump_records(&store).await), of_users(&before), "a preview changes no user");

        assert!(run::start(&store, CLI, preview, "2").await.is_err(), "another number");
        let started = run::start(&store, CLI, preview, "3").await.unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let done = run::read(&store, started).await.unwrap();
        assert_eq!((done.previewed, done.done, done.imports[0].state), (3, 3, ImportState::Imported));
        assert_eq!(count(&store).await, 3);
        assert!(!older.exists() && newer.exists(), "only this file was imported and deleted");
        let task = tasks::Entity::find_by_id(task.0).one(&store.db).await.unwrap().unwrap();
        assert_eq!(task.confirmed_settings, Some(task.settings), "the run confirms the settings");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_changed_after_its_preview_is_not_imported() {
    for_each_database(async |store| {
        let task = save(&store, &form()).await;
        let path = deliver(&store, "a.csv", &file_of(0..3, ("", "")), 5);
        let preview = run::preview(&store, CLI, task).await.unwrap();
        deliver(&store, "a.csv", &file_of(0..4, ("", "")), 5);
        let started = run::start(&store, CLI, preview, "3").await.unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Failed);
        assert_eq!(run::read(&store, started).await.unwrap().errors, ["file_changed"]);
        assert_eq!(count(&store).await, 0);
        assert!(path.exists());
    })
    .await;
}

#[tokio::test]
async fn the_schedule_imports_all_files_in_order_after_a_person_has_confirmed() {
    for_each_database(async |store| {
        let task = save(&store, &form()).await;
        deliver(&store, "a.csv", &file_of(0..3, ("", "")), 9);
        let stopped = run_of_night(&store, 1).await;
        assert_eq!(
            (stopped.state, stopped.safety_limit),
            (RunState::StoppedByLimit, Some(SafetyLimit::NotConfirmed))
        );
        assert_eq!(count(&store).await, 0);

        run_by_hand(&store, task).await;
        deliver(&store, "2.csv", &file_of(0..4, (",first_name", ",Second")), 5);
        deliver(&store, "1.csv", &file_of(0..4, (",first_name", ",First")), 7);
        let done = run_of_night(&store, 2).await;
        assert_eq!((done.state, done.previewed, done.done), (RunState::Succeeded, 8, 8));
        let names: Vec<_> = done.imports.iter().filter_map(|import| import.file_name.as_deref()).collect();
        assert_eq!(names, ["1.csv", "2.csv"], "the oldest first");
        let second = users::Entity::find().filter(users::Column::FirstName.eq("Second"));
        assert_eq!(second.count(&store.db).await.unwrap(), 4);
        assert!(conditions(&store).await.is_empty(), "all is well");

        // The same content again, then no file.
        let again = deliver(&store, "3.csv", &file_of(0..4, (",first_name", ",Second")), 5);
        let unchanged = run_of_night(&store, 3).await;
        assert_eq!((unchanged.state, unchanged.previewed), (RunState::Succeeded, 0));
        assert_eq!(unchanged.imports[0].state, ImportState::Unchanged);
        assert!(!again.exists(), "it holds names");
        let nothing = run_of_night(&store, 4).await;
        assert_eq!((nothing.state, nothing.imports.len()), (RunState::NothingToImport, 0));
        assert_eq!(conditions(&store).await, [ConditionKind::NoFile]);
        deliver(&store, "4.csv", &file_of(0..5, ("", "")), 5);
        assert_eq!(run_of_night(&store, 5).await.state, RunState::Succeeded);
        assert!(conditions(&store).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_rejected_file_stays_and_is_tried_again_when_it_has_changed() {
    for_each_database(async |store| {
        let task = save(&store, &form()).await;
        confirm_settings(&store, task).await;
        let truncated = "external_id,last_name,leaving_on\nE1,Alder,2018-03-01\nE2,Birch,\"2018-0";
        let path = deliver(&store, "a.csv", truncated, 9);
        let rejected = run_of_night(&store, 1).await;
        assert_eq!((rejected.state, rejected.imports[0].state), (RunState::Failed, ImportState::Rejected));
        assert_eq!((count(&store).await, path.exists()), (0, true));
        assert_eq!(conditions(&store).await, [ConditionKind::ImportFailed { lines: 0 }]);

        let again = run_of_night(&store, 2).await;
        assert_eq!((again.state, again.imports.len()), (RunState::Failed, 0), "it is reported, not tried");
        assert_eq!(again.files_left, [("rejected_before".to_owned(), 1)]);

        deliver(&store, "a.csv", "external_id,last_name\nE1,Alder\nE2,Birch\n", 8);
        assert_eq!(run_of_night(&store, 3).await.state, RunState::Succeeded);
        assert_eq!((count(&store).await, path.exists()), (2, false));
    })
    .await;
}

#[tokio::test]
async fn valid_lines_are_imported_and_wrong_ones_counted() {
    for_each_database(async |store| {
        let form = TaskForm { import_mode: "valid_lines_only".to_owned(), ..form() };
        let task = save(&store, &form).await;
        confirm_settings(&store, task).await;
        deliver(&store, "a.csv", "external_id,last_name,email\nE1,Alder,\nE2,Birch,wrong\nE3,Cedar,\n", 5);
        let done = run_of_night(&store, 1).await;
        assert_eq!(done.state, RunState::CompletedWithFailures);
        assert_eq!((done.previewed, done.done, done.skipped, done.failed), (3, 2, 0, 1));
        assert_eq!(conditions(&store).await, [ConditionKind::ImportFailed { lines: 1 }]);
        assert_eq!(count(&store).await, 2);
    })
    .await;
}

/// Adds imported users.
async fn add_people(store: &Store, people: std::ops::Range<usize>) {
    for at in people {
        let user = users::ActiveModel {
            external_id: Set(Some(format!("E{at}"))),
            leaving_on: Set(None),
            marked_on: Set(None),
            ..leaver(&format!("Person{at}"))
        };
        add(store, user).await;
    }
}

#[tokio::test]
async fn a_second_person_approves_a_file_beyond_a_limit() {
    for_each_database(async |store| {
        for number in [8001, 8002] {
            staff(&store, UserNumber(number), Role::Administrator).await;
        }
        let store = with_four_eyes(&store, FourEyes::On);
        let [maker, second] = [8001, 8002].map(|number| staff_actor(UserNumber(number), Role::Administrator));
        let task = task::save(&store, maker, &form()).await.unwrap();
        add_people(&store, 0..60).await;
        came_from(&store, task, "1 = 1").await;
        deliver(&store, "half.csv", &file_of(0..30, (",leaving_on", ",1900-01-01")), 5);
        let preview = run::preview(&store, maker, task).await.unwrap();
        let shown = run::read(&store, preview).await.unwrap();
        let why = shown.imports[0].reason.clone().unwrap();
        for part in
            ["lacks 30 of 60", "30 of 60 imported users have left", "30 of 30 lines set the same date"]
        {
            assert!(why.contains(part), "{part}: {why}");
        }
        assert!(run::start(&store, maker, preview, "30").await.is_err(), "a second person has not approved");
        let request = approval_workflow::request(&store, maker, preview).await.unwrap();
        approval_workflow::approve_confirmed(&store, second, request, "30").await.unwrap();
        let started = run::start(&store, maker, preview, "30").await.unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let left = users::Entity::find().filter(users::Column::LeavingOn.eq(day("1900-01-01")));
        assert_eq!(left.count(&store.db).await.unwrap(), 30);
    })
    .await;
}

#[tokio::test]
async fn all_leaving_dates_on_one_day_stop_the_file() {
    for_each_database(async |store| {
        add_people(&store, 0..25).await;
        let limits =
            [("leaving", ""), ("changed", "")].map(|(name, percent)| (name.to_owned(), percent.to_owned()));
        let mut form = form();
        form.limits.extend(limits);
        let task = save(&store, &form).await;
        confirm_settings(&store, task).await;
        // Without the limit of the installation for users who become eligible earlier.
        let store = limited(&store, |limits| limits.import_percent = 100);
        deliver(&store, "a.csv", &file_of(0..25, (",leaving_on", ",1900-01-01")), 5);
        let before = dump_records(&store).await;
        let stopped = run_of_night(&store, 1).await;
        assert_eq!(stopped.state, RunState::StoppedByLimit);
        let why = stopped.imports[0].reason.clone().unwrap();
        assert!(why.contains("25 of 25 lines set the same date of the past"), "{why}");
        let of_users = |dump: &str| {
            dump.lines().filter(|line| line.starts_with("users|")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(of_users(&dump_records(&store).await), of_users(&before));
        // A day in the future, such as the end of term, is usual.
        deliver(&store, "a.csv", &file_of(0..25, (",leaving_on", ",2018-09-30")), 4);
        assert_eq!(run_of_night(&store, 2).await.state, RunState::Succeeded);
    })
    .await;
}

#[tokio::test]
async fn kept_files_are_imported_once() {
    for_each_database(async |store| {
        let form = TaskForm { imported_file: "keep".to_owned(), ..form() };
        let task = save(&store, &form).await;
        confirm_settings(&store, task).await;
        let kept = [("a.csv", 0..2, 9), ("b.csv", 2..4, 8)]
            .map(|(name, people, minutes)| deliver(&store, name, &file_of(people, ("", "")), minutes));
        assert_eq!(run_of_night(&store, 1).await.imports.len(), 2);
        let nothing = run_of_night(&store, 2).await;
        assert_eq!((nothing.state, nothing.imports.len()), (RunState::NothingToImport, 0));
        assert!(kept.iter().all(|path| path.exists()));
        deliver(&store, "a.csv", &file_of(0..3, ("", "")), 7);
        let done = run_of_night(&store, 3).await;
        assert_eq!((done.state, done.imports.len(), done.done), (RunState::Succeeded, 1, 3));
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_run_is_taken_up_and_imports_its_file_once() {
    for_each_database(async |store| {
        let task = save(&store, &form()).await;
        let path = deliver(&store, "a.csv", &file_of(0..3, ("", "")), 5);
        let preview = run::preview(&store, CLI, task).await.unwrap();
        let started = run::start(&store, CLI, preview, "3").await.unwrap();
        // A process died during the import: its heartbeat is old, and its import is not over.
        execute(
            &store,
            &format!(
                "UPDATE runs SET state = 'running', holder = 'dead', heartbeat_at = '2018-01-01 00:00:00+00:00' WHERE id = {started}"
            ),
        )
        .await;
        let row = imports::Entity::find().one(&store.db).await.unwrap().unwrap();
        let lost = imports::ActiveModel {
            id: sea_orm::NotSet,
            run_id: Set(Some(started.0)),
            state: Set(ImportState::Importing),
            ..row.into()
        };
        imports::Entity::insert(lost).exec(&store.db).await.unwrap();
        assert_eq!(run::read(&store, started).await.unwrap().state, RunState::Interrupted);
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let done = run::read(&store, started).await.unwrap();
        let states: Vec<_> = done.imports.iter().map(|import| import.state).collect();
        assert_eq!(states, [ImportState::Interrupted, ImportState::Imported]);
        assert_eq!((done.interruptions, count(&store).await, path.exists()), (1, 3, false));
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_run_imports_nothing() {
    for_each_database(async |store| {
        let task = save(&store, &form()).await;
        let path = deliver(&store, "a.csv", &file_of(0..40_000, ("", "")), 5);
        let preview = run::preview(&store, CLI, task).await.unwrap();
        let started = run::start(&store, CLI, preview, "40000").await.unwrap();
        let running = tokio::spawn({
            let store = store.clone();
            async move { run::execute(&store, started).await }
        });
        while run::read(&store, started).await.unwrap().lines_read.is_none_or(|lines| lines == 0) {
            assert!(!running.is_finished(), "the import ended before it could be cancelled");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        run::cancel(&store, CLI, started).await.unwrap();
        assert_eq!(running.await.unwrap().unwrap(), RunState::Cancelled);
        let ended = run::read(&store, started).await.unwrap();
        assert_eq!((ended.state, ended.imports[0].state), (RunState::Cancelled, ImportState::Cancelled));
        assert_eq!((count(&store).await, path.exists()), (0, true));
    })
    .await;
}

#[tokio::test]
async fn two_imports_at_once_run_one_after_the_other() {
    for_each_database(async |store| {
        let forms = ["a", "b"].map(|name| {
            let mut form = TaskForm { file_pattern: format!("{name}.csv"), ..form() };
            form.limits.extend(["new", "missing"].map(|limit| (limit.to_owned(), String::new())));
            form
        });
        let mut started = Vec::new();
        for (form, people) in forms.iter().zip([0..600, 300..900]) {
            let name = form.file_pattern.clone();
            let task = save(&store, form).await;
            deliver(&store, &name, &file_of(people, ("", "")), 5);
            let preview = run::preview(&store, CLI, task).await.unwrap();
            started.push(run::start(&store, CLI, preview, "600").await.unwrap());
        }
        let other = store.as_another_process(clock());
        let (first, second) =
            futures::join!(run::execute(&store, started[0]), run::execute(&other, started[1]));
        assert_eq!((first.unwrap(), second.unwrap()), (RunState::Succeeded, RunState::Succeeded));
        assert_eq!(count(&store).await, 900, "the users of both files, each once");
        let runs =
            runs::Entity::find().filter(runs::Column::Id.is_in(started.iter().map(|run: &RunId| run.0)));
        assert!(runs.all(&store.db).await.unwrap().iter().all(|run| run.done == 600));
    })
    .await;
}

#[tokio::test]
async fn a_task_of_another_type_is_not_the_default_and_keeps_its_type() {
    for_each_database(async |store| {
        let import = save(&store, &form()).await;
        let read = task::read(&store, CLI, import).await.unwrap();
        assert!(!read.single_default && matches!(read.draft.settings, TaskSettings::ImportUsers(_)));
        assert!(matches!(task::make_default(&store, CLI, import).await, Err(RecordsError::Refused(_))));
        let anonymises = TaskForm {
            id: import.to_string(),
            version: "1".to_owned(),
            task_type: "anonymise_user_data".to_owned(),
            folder: String::new(),
            schedule: "manual".to_owned(),
            time: String::new(),
            ..form()
        };
        let Err(RecordsError::Invalid(errors)) = task::save(&store, CLI, &anonymises).await else {
            panic!("the type has changed")
        };
        assert_eq!(errors.message("task_type"), Some(Problem::TaskTypeFixed.to_string()));
        let unknown = TaskForm { profile: "other".to_owned(), ..form() };
        let Err(RecordsError::Invalid(errors)) = task::save(&store, CLI, &unknown).await else {
            panic!("there is no such profile")
        };
        assert!(errors.message("profile").is_some());
        let exported = task::export(&store, CLI, import).await.unwrap();
        let copied = task::import(&store, CLI, exported).await.unwrap();
        assert_eq!(task::read(&store, CLI, copied).await.unwrap().draft.settings, read.draft.settings);
        let mine = staff_actor(UserNumber(8001), Role::Dpo);
        staff(&store, UserNumber(8001), Role::Dpo).await;
        assert!(
            run::preview(&store, mine, import).await.is_err(),
            "a data protection officer imports no files"
        );
    })
    .await;
}
