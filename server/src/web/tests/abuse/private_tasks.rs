//! The private task of another member of staff: it cannot be read, used or changed, and no page shows its description.

use super::library::{ANA, BEN, add_task, dump, execute, four_eyes, leaver, unchanged};
use crate::web::tests::desk::Desk;
use axum::http::StatusCode;
use policy::TaskId;
use task_centre::{approval_workflow, run};
use trail::Actor;

const SECRET: &str = "What Ana calls it";

/// Opens a library with a private task of Ana that is the default, is overdue, and whose run has failed. Signs Ben in.
async fn library() -> (Desk, TaskId) {
    let desk = four_eyes().await;
    let store = &desk.store;
    leaver(store, "Ng").await;
    let task = add_task(store, SECRET, true).await;
    execute(
        store,
        &format!(
            "UPDATE tasks SET visibility = 'private', active = TRUE, next_due_at = '2018-01-01T12:00:00+00:00', \
             confirmed_settings = settings, owner_number = (SELECT number FROM users WHERE user_id = '{ANA}')"
        ),
    )
    .await;
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    let started = run::start(store, Actor::COMMAND_LINE, preview, "1").await.unwrap();
    execute(store, &format!("UPDATE runs SET state = 'failed' WHERE id = {started}")).await;
    (desk.another(BEN).await, task)
}

#[tokio::test]
async fn only_its_owner_can_see_and_change_a_private_task() {
    let (ben, task) = library().await;
    let ana = ben.another(ANA).await;
    for page in ["", "/edit", "/delete", "/export"] {
        let address = format!("/tasks/{task}{page}");
        assert_eq!(ana.get(&address).await.0, StatusCode::OK, "{address}");
        assert_eq!(ben.get(&address).await.0, StatusCode::NOT_FOUND, "{address}");
    }
    let before = dump(&ben.store).await;
    let saved = format!(
        "form[id]={task}&form[version]=1&form[description]=Mine&form[visibility]=shared&form[category]=data_maintenance\
         &form[task_type]=anonymise_user_data&form[scope]=all&form[circulation_notes]=empty&form[schedule]=manual\
         &form[missed]=once"
    );
    let only_task = format!("form[task]={task}");
    for (function, form) in [
        ("save_task", &saved),
        ("make_preview", &only_task),
        ("copy_task", &only_task),
        ("activate_task", &only_task),
        ("deactivate_task", &only_task),
        ("make_task_default", &only_task),
        ("delete_task", &only_task),
    ] {
        let (status, _, page) = ben.post(&format!("/do/{function}?page=/tasks"), form.as_str()).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{function}");
        assert!(!page.contains(SECRET), "{function}");
        unchanged(&ben.store, &before, function).await;
    }
    for function in ["make_preview", "copy_task"] {
        let (status, ..) = ana.post(&format!("/do/{function}?page=/tasks"), only_task.as_str()).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{function}");
    }
}

/// All staff who may see runs see the run and its users.
#[tokio::test]
async fn a_run_of_a_private_task_is_shown_without_the_description() {
    let (ben, task) = library().await;
    let ana = ben.another(ANA).await;
    execute(&ben.store, "UPDATE tasks SET confirmed_settings = NULL").await;
    let preview = run::preview(&ben.store, Actor::COMMAND_LINE, task).await.unwrap();
    approval_workflow::request(&ben.store, Actor::COMMAND_LINE, preview).await.unwrap();
    for (address, label) in [
        ("/approvals".to_owned(), "A private task"),
        ("/tasks".to_owned(), "a private task"),
        ("/runs".to_owned(), "A private task"),
        (format!("/runs?task={task}"), "A private task"),
        ("/runs/1".to_owned(), "would be anonymised"),
        ("/runs/2".to_owned(), "A private task"),
        ("/users/3/anonymise".to_owned(), "A private task"),
    ] {
        let (_, _, page) = ana.get(&address).await;
        assert!(page.contains(SECRET), "{address}");
        let (status, _, page) = ben.get(&address).await;
        assert_eq!(status, StatusCode::OK, "{address}");
        assert!(!page.contains(SECRET) && !page.contains(&format!("/tasks/{task}\"")), "{address}");
        assert!(page.contains(label), "{address}: {label}");
    }
}
