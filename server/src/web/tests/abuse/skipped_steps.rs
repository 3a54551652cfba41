//! Forged posts that skip a step: the preview, the confirmed number, the recent sign-in.

use super::forms::actor;
use super::library::{
    ANA, BEN, add_task, confirmed_preview, dump, execute, four_eyes, leaver, number, unchanged,
};
use crate::web::tests::desk::Desk;
use axum::http::StatusCode;
use policy::{RunId, UserNumber};
use task_centre::run;
use trail::Actor;

/// Opens a library with two eligible users, and a preview that Ana can start by typing 2.
async fn ready() -> (Desk, RunId) {
    let desk = four_eyes().await;
    for name in ["Ng", "Okafor"] {
        leaver(&desk.store, name).await;
    }
    let task = add_task(&desk.store, "Leavers", true).await;
    let ana = actor(&desk, ANA).await;
    let preview = confirmed_preview(&desk.store, ana, task).await;
    (desk, preview)
}

async fn start(desk: &Desk, form: &str) -> (StatusCode, String, String) {
    desk.post("/do/start_run?page=/runs", form).await
}

#[tokio::test]
async fn no_run_starts_without_its_preview_and_its_number() {
    let (desk, preview) = ready().await;
    let run = run::start(&desk.store, Actor::COMMAND_LINE, preview, "2").await.unwrap();
    run::cancel(&desk.store, Actor::COMMAND_LINE, run).await.unwrap();
    let task = add_task(&desk.store, "Others", false).await;
    let preview = confirmed_preview(&desk.store, Actor::COMMAND_LINE, task).await;
    let before = dump(&desk.store).await;
    // A wrong number redirects to the page with the problem.
    let (unreadable, wrong) = (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::SEE_OTHER);
    for (form, expected) in [
        (String::new(), unreadable),
        ("form[confirm]=2".to_owned(), unreadable),
        ("form[task]=1&form[confirm]=2".to_owned(), unreadable),
        ("form[preview]=999&form[confirm]=2".to_owned(), StatusCode::NOT_FOUND),
        ("form[preview]=-1&form[confirm]=2".to_owned(), StatusCode::NOT_FOUND),
        ("form[preview]=1e3&form[confirm]=2".to_owned(), unreadable),
        // A run is not a preview.
        (format!("form[preview]={run}&form[confirm]=2"), StatusCode::NOT_FOUND),
        (format!("form[preview]={preview}"), wrong),
        (format!("form[preview]={preview}&form[confirm]="), wrong),
        (format!("form[preview]={preview}&form[confirm]=0"), wrong),
        (format!("form[preview]={preview}&form[confirm]=1"), wrong),
        (format!("form[preview]={preview}&form[confirm]=-2"), wrong),
        (format!("form[preview]={preview}&form[confirm]=2.0"), wrong),
        (format!("form[preview]={preview}&form[confirm]=two"), wrong),
        (format!("form[preview]={preview}&form[confirm]=2&form[confirm]=3"), unreadable),
    ] {
        let (status, _, page) = start(&desk, &form).await;
        assert_eq!(status, expected, "{form}: {page}");
        unchanged(&desk.store, &before, &form).await;
    }
    assert_eq!(
        start(&desk, &format!("form[preview]={preview}&form[confirm]=2")).await.0,
        StatusCode::SEE_OTHER
    );
}

/// A new task needs a second person, even if another user made the preview.
#[tokio::test]
async fn the_preview_of_another_user_needs_an_approval() {
    let desk = four_eyes().await;
    for name in ["Ng", "Okafor"] {
        leaver(&desk.store, name).await;
    }
    let task = add_task(&desk.store, "Leavers", false).await;
    let bens = run::preview(&desk.store, actor(&desk, BEN).await, task).await.unwrap();
    let before = dump(&desk.store).await;
    let form = format!("form[preview]={bens}&form[confirm]=2");
    let (status, _, page) = start(&desk, &form).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    unchanged(&desk.store, &before, "starting the preview of another user").await;
}

/// Returns the form that the page of a user would send.
async fn single_form(desk: &Desk, user: UserNumber, confirm: &str) -> String {
    let task = number(&desk.store, "SELECT id FROM tasks WHERE single_default").await;
    let version = number(&desk.store, "SELECT version FROM tasks WHERE single_default").await;
    format!(
        "form[user]={user}&form[task]={task}&form[version]={version}&form[erasure_reason]=left&form[confirm]={confirm}"
    )
}

async fn anonymise(desk: &Desk, form: &str) -> (StatusCode, String, String) {
    desk.post("/do/anonymise_user?page=/users", form).await
}

#[tokio::test]
async fn no_user_is_anonymised_without_the_number_and_the_shown_task() {
    let (desk, _) = ready().await;
    let ng = UserNumber(number(&desk.store, "SELECT number FROM users WHERE last_name = 'Ng'").await);
    let other = UserNumber(ng.0 + 1);
    let valid = single_form(&desk, ng, &ng.to_string()).await;
    let before = dump(&desk.store).await;
    let (unreadable, wrong) = (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::SEE_OTHER);
    for (form, expected) in [
        (format!("form[user]={ng}"), unreadable),
        (format!("form[user]={ng}&form[confirm]={ng}"), unreadable),
        (single_form(&desk, ng, "").await, wrong),
        (single_form(&desk, ng, &other.to_string()).await, wrong),
        (single_form(&desk, ng, "Ng").await, wrong),
        (single_form(&desk, UserNumber(999), "999").await, StatusCode::NOT_FOUND),
        (valid.replace("form[version]=1", "form[version]=2"), StatusCode::CONFLICT),
        (valid.replace("form[task]=1", "form[task]=2"), StatusCode::CONFLICT),
    ] {
        let (status, _, page) = anonymise(&desk, &form).await;
        assert_eq!(status, expected, "{form}: {page}");
        unchanged(&desk.store, &before, &form).await;
    }
    assert_eq!(anonymise(&desk, &valid).await.0, StatusCode::SEE_OTHER);
}

/// The page of a blocked user has no form.
#[tokio::test]
async fn a_blocked_user_cannot_be_anonymised_by_a_forged_post() {
    let (desk, _) = ready().await;
    let ng = UserNumber(number(&desk.store, "SELECT number FROM users WHERE last_name = 'Ng'").await);
    let loan = "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES";
    execute(&desk.store, &format!("{loan} ({ng}, 'main', '2018-01-01', '2018-02-01')")).await;
    let before = dump(&desk.store).await;
    let (status, _, page) = anonymise(&desk, &single_form(&desk, ng, &ng.to_string()).await).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    unchanged(&desk.store, &before, "anonymising a user with a loan").await;
}

/// After six minutes, irreversible actions redirect to the confirmation of the sign-in.
#[tokio::test]
async fn irreversible_actions_require_a_recent_sign_in() {
    let (desk, forms) = super::forms::library().await;
    let old = (db::Clock::system_now() - chrono::Duration::minutes(6)).to_rfc3339();
    execute(&desk.store, &format!("UPDATE sessions SET signed_in_at = '{old}'")).await;
    let before = dump(&desk.store).await;
    let mut asked_again = Vec::new();
    for form in &forms {
        let function = form.function.strip_prefix("/do/").unwrap();
        if !NEED_A_RECENT_SIGN_IN.contains(&function) {
            continue;
        }
        let (status, to, page) = desk.post(&form.address(), &form.body).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{function}: {page}");
        assert!(to.starts_with("/sign-in/again?page="), "{function}: {to}");
        unchanged(&desk.store, &before, function).await;
        asked_again.push(function);
    }
    assert_eq!(asked_again.len(), NEED_A_RECENT_SIGN_IN.len());
}

const NEED_A_RECENT_SIGN_IN: [&str; 13] = [
    "reassign_task",
    "anonymise_user",
    "start_run",
    "cancel_run",
    "approve_request",
    "decline_request",
    "release_legal_hold",
    "add_staff",
    "grant_role",
    "revoke_role",
    "invite_staff",
    "disable_staff",
    "end_sessions",
];
