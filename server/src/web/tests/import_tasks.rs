//! Tasks that import files, on the page and without WebAssembly: form, preview, run, history.

use super::desk::{Desk, without_proof};
use axum::http::StatusCode;
use db::entity::users;
use policy::Role;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

on_both!(
    a_task_imports_a_file_and_its_pages_show_it,
    a_rejected_file_and_a_stopped_one_say_what_to_do,
    only_staff_who_may_import_save_such_a_task,
    the_form_rejects_a_folder_outside_of_the_folder_of_imports,
);

/// Returns the form of an import task without the fields of the other type, as a browser with WebAssembly posts it.
fn task_form(changes: &[(&str, &str)]) -> String {
    let fields = [
        ("description", "Every night"),
        ("visibility", "shared"),
        ("category", "data_maintenance"),
        ("task_type", "import_users"),
        ("file_kind", "users"),
        ("profile", "lethe"),
        ("folder", ""),
        ("file_pattern", "*.csv"),
        ("import_mode", "all_or_nothing"),
        ("empty_cells", "keep"),
        ("absence", "nothing"),
        ("limits][missing", "5"),
        ("limits][new", "20"),
        ("imported_file", "erase"),
        ("schedule", "manual"),
        ("missed", "once"),
    ];
    let fields = fields.map(|(name, value)| {
        let other = changes.iter().find(|(field, _)| *field == name);
        format!("form[{name}]={}", other.map_or(value, |(_, value)| value))
    });
    fields.join("&")
}

fn deliver(desk: &Desk, name: &str, content: &str) -> PathBuf {
    let folder = &desk.store.settings.imports;
    std::fs::create_dir_all(folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, content).expect("written");
    let at = SystemTime::now() - Duration::from_mins(5);
    File::options().write(true).open(&path).expect("opened").set_modified(at).expect("its time");
    path
}

/// Saves a task and returns its address.
async fn save(desk: &Desk) -> String {
    let (status, location, page) = desk.post("/do/save_task?page=/tasks/new", task_form(&[])).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    location.split('?').next().expect("an address").to_owned()
}

/// Creates a preview and returns its address.
async fn preview(desk: &Desk, task: &str) -> String {
    let id = task.rsplit('/').next().expect("a number");
    let (status, location, page) =
        desk.post(&format!("/do/make_preview?page={task}"), format!("form[task]={id}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    without_proof(&location).to_owned()
}

/// Starts the run of a preview, waits for its end and returns its address and page.
async fn start(desk: &Desk, preview: &str, typed: &str) -> (String, String) {
    let id = preview.rsplit('/').next().expect("a number");
    let form = format!("form[preview]={id}&form[confirm]={typed}");
    let (status, location, page) = desk.post(&format!("/do/start_run?page={preview}"), form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    for _ in 0..400 {
        let (answered, _, shown) = desk.get(&location).await;
        assert_eq!(answered, StatusCode::OK, "{shown}");
        if !shown.contains("The run continues if you leave this page") {
            return (location, shown);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run does not end");
}

async fn imported_users(desk: &Desk) -> u64 {
    users::Entity::find()
        .filter(users::Column::Imported.eq(true))
        .count(&desk.store.db)
        .await
        .expect("a count")
}

async fn a_task_imports_a_file_and_its_pages_show_it(desk: Desk) {
    let task = save(&desk).await;
    let (_, _, shown) = desk.get(&task).await;
    for part in ["Import users", "Users from files *.csv in the folder of imports", "Missing users", "5 %"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Set as default for single users"));
    let path = deliver(&desk, "students.csv", "external_id,last_name\nE1,Alder\nE2,Birch\n");
    let preview = preview(&desk, &task).await;
    let (_, _, shown) = desk.get(&preview).await;
    for part in [
        "students.csv",
        "<dt>new</dt><dd>2</dd>",
        "Preview fingerprint",
        "To confirm, type 2",
        "Import 2 lines",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!((imported_users(&desk).await, path.exists()), (0, true));
    let id = preview.rsplit('/').next().expect("a number");
    let wrong = format!("form[preview]={id}&form[confirm]=3");
    let (_, location, _) = desk.post(&format!("/do/start_run?page={preview}"), wrong).await;
    let (_, _, again) = desk.get(&location).await;
    assert!(again.contains("Enter 2 to confirm") && again.contains("Nothing has been imported"), "{again}");

    let (run, shown) = start(&desk, &preview, "2").await;
    for part in ["2 lines imported", "students.csv", "Imported", "/users/import/"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!((imported_users(&desk).await, path.exists()), (2, false));
    let (_, _, list) = desk.get("/users/import").await;
    assert!(
        list.contains("Task") && list.matches("<td>Task</td>").count() == 1,
        "the preview is not listed: {list}"
    );
    let import =
        shown.split("/users/import/").nth(1).and_then(|rest| rest.split('"').next()).expect("a number");
    let (_, _, history) = desk.get(&format!("/users/import/{import}")).await;
    assert!(history.contains(&format!("href=\"{run}\"")) && history.contains("students.csv"), "{history}");
    assert!(!history.contains("Upload another file"), "{history}");
    for page in ["/runs", "/tasks", task.as_str()] {
        let (status, _, shown) = desk.get(page).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(!shown.contains("Alder"), "{page}");
    }
    let (_, _, shown) = desk.get(&preview).await;
    assert!(shown.contains("has already used this preview"), "{shown}");
}

async fn a_rejected_file_and_a_stopped_one_say_what_to_do(desk: Desk) {
    let task = save(&desk).await;
    let (status, _, page) = desk
        .post(
            &format!("/do/make_preview?page={task}"),
            format!("form[task]={}", task.rsplit('/').next().unwrap_or_default()),
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    assert!(page.contains("This folder does not exist"), "{page}");

    deliver(&desk, "a.csv", "external_id,last_name,email\nE1,Alder,wrong\n");
    let rejected = preview(&desk, &task).await;
    let (_, _, shown) = desk.get(&rejected).await;
    assert!(shown.contains("The file has 1 problem") && shown.contains("Lines to check"), "{shown}");
    assert!(!shown.contains("Import now"), "{shown}");

    // The first import fills the library, the second one lacks most users.
    let mut file = "external_id,last_name\n".to_owned();
    for at in 0..60 {
        writeln!(file, "E{at},Person").expect("text");
    }
    deliver(&desk, "a.csv", &file);
    let first = preview(&desk, &task).await;
    start(&desk, &first, "60").await;
    deliver(&desk, "b.csv", "external_id,last_name\nE1,Person\n");
    let stopped = preview(&desk, &task).await;
    let (_, _, shown) = desk.get(&stopped).await;
    assert!(shown.contains("the file lacks 59 of 60 users of this task; the limit is 5 per cent"), "{shown}");
    assert!(shown.contains("To confirm, type 1"), "one person can confirm it without four eyes: {shown}");
}

async fn only_staff_who_may_import_save_such_a_task(mut desk: Desk) {
    let task = save(&desk).await;
    deliver(&desk, "a.csv", "external_id,last_name\nE1,Alder\n");
    desk.staff("officer", &[Role::Dpo]).await;
    desk.sign_in("officer").await;
    let id = task.rsplit('/').next().expect("a number").to_owned();
    let (status, _, page) =
        desk.post(&format!("/do/make_preview?page={task}"), format!("form[task]={id}")).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{page}");
    let (status, _, shown) = desk.get(&task).await;
    assert_eq!(status, StatusCode::OK, "the settings are no secret: {shown}");
}

async fn the_form_rejects_a_folder_outside_of_the_folder_of_imports(desk: Desk) {
    for (changes, problem) in [
        ([("folder", "../other")].as_slice(), "Enter a folder below the folder of imports"),
        (&[("folder", "/etc")], "Enter a folder below the folder of imports"),
        (&[("file_pattern", "a/*.csv")], "Enter a file name without a folder"),
        (&[("profile", "none")], "Choose one of the options"),
        (&[("limits][new", "150")], "Enter a whole number of per cent"),
        (&[("absence", "set_leaving_date"), ("file_kind", "loans")], "only a file of users"),
    ] {
        let (status, _, page) = desk.post("/do/save_task?page=/tasks/new", task_form(changes)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{changes:?}: {page}");
        assert!(page.contains(problem), "{changes:?}: {page}");
    }
}
