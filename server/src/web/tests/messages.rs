//! Tests of messages on pages: the signed-in user, waiting requests, the results of forms.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, without_proof};
use axum::http::StatusCode;
use policy::{Conditions, Days, Policy, Role, Scope, TaskId, TaskSettings};
use sea_orm::ConnectionTrait as _;
use task_centre::{approval_workflow, run};
use trail::Actor;

/// Returns a policy for users who left more than five days ago.
fn leavers() -> Policy {
    let conditions = Conditions { leaving: Days::new(5), ..Conditions::default() };
    Policy { scope: Scope::Imported, conditions, ..Policy::default() }
}

async fn execute(desk: &Desk, sql: &str) {
    desk.store.db.execute_unprepared(sql).await.unwrap();
}

#[tokio::test]
async fn every_page_names_the_signed_in_member_of_staff() {
    let desk = Desk::open().await;
    execute(&desk, "UPDATE users SET first_name = 'Ana', last_name = 'Fink'").await;
    for address in ["/", "/users", "/account"] {
        assert!(desk.get(address).await.2.contains("<span class=\"who\">Ana Fink</span>"), "{address}");
    }
    let signed_out = Desk { cookie: String::new(), ..desk.clone() };
    let (status, _, page) = signed_out.get("/users").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!page.contains("Ana Fink"));
}

/// The requester, and staff who may not approve, do not see the link.
#[tokio::test]
async fn every_page_shows_waiting_requests_to_staff_who_can_approve_them() {
    let desk = Desk::open().await;
    let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(leavers())).unwrap();
    let task = format!(
        "INSERT INTO tasks (id, description, active, task_type, visibility, settings, schedule, created_at, changed_at) \
         VALUES (1, 'Leavers', FALSE, 'anonymise_user_data', 'shared', '{settings}', '{{\"kind\":\"manual_only\"}}', \
         '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')"
    );
    execute(&desk, &task).await;
    desk.staff("second", &[Role::SystemsLibrarian]).await;
    desk.staff("low", &[Role::Librarian]).await;
    let link = "<a href=\"/approvals\">1 approval</a>";
    let second = desk.another("second").await;
    assert!(!second.get("/users").await.2.contains(link));
    execute(
        &desk,
        "INSERT INTO users (uuid, user_id, last_name, imported, created_on, leaving_on) VALUES \
         ('ng', 'ng', 'Ng', TRUE, '2016-01-01', '2017-01-01')",
    )
    .await;
    let preview = run::preview(&desk.store, Actor::COMMAND_LINE, TaskId(1)).await.unwrap();
    approval_workflow::request(&desk.store, Actor::COMMAND_LINE, preview).await.unwrap();
    execute(&desk, "UPDATE approvals SET asked_by = (SELECT number FROM users WHERE user_id = 'everything')")
        .await;
    for address in ["/users", "/catalogue", "/account"] {
        assert!(second.get(address).await.2.contains(link), "{address}");
        assert!(!desk.get(address).await.2.contains(link), "the requester: {address}");
    }
    let low = desk.another("low").await;
    assert!(!low.get("/users").await.2.contains(link), "a role that may not approve");
}

#[tokio::test]
async fn the_message_about_a_removed_role_names_the_user_and_the_last_role() {
    let desk = Desk::open().await;
    let ng = desk.staff("ng", &[Role::Librarian, Role::Cataloguer]).await;
    execute(&desk, &format!("UPDATE users SET first_name = 'Ana', last_name = 'Ng' WHERE number = {ng}"))
        .await;
    for (role, message) in [
        (Role::Librarian, "Role removed from Ana Ng. They must sign in again."),
        (Role::Cataloguer, "It was their last role: they are no longer staff and cannot sign in."),
    ] {
        let form = format!("form[user]={ng}&form[role]={}", role.code());
        let (status, to, _) = desk.post("/do/revoke_role?page=/staff", form).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, _, page) = desk.get(&to).await;
        assert!(page.contains(message), "{message}");
    }
    assert!(!desk.get("/staff?removed=999").await.2.contains("is removed"));
}

/// Without WebAssembly a rejected form is a new page, which begins with the list of problems.
#[tokio::test]
async fn the_list_of_problems_of_a_rejected_form_has_the_focus() {
    let desk = Desk::open().await;
    for (form, page) in [("/do/save_user", "/users/new"), ("/do/save_task", "/tasks/new")] {
        let (_, _, fresh) = desk.get(page).await;
        assert!(!fresh.contains(" autofocus"), "{page}");
        let (status, _, page) = desk.post(&format!("{form}?page={page}"), "").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        let problems = page.split("id=\"problems\"").nth(1).unwrap_or_default();
        assert!(problems.split('>').next().unwrap_or_default().contains("autofocus"), "{form}");
    }
}

/// The message about the action has the button, and the undo has a message, too.
#[tokio::test]
async fn an_action_of_one_click_can_be_undone_by_one_click() {
    let desk = Desk::open().await;
    let ng = desk.staff("ng", &[Role::Librarian, Role::Cataloguer]).await;
    execute(
        &desk,
        &format!(
            "INSERT INTO loans (id, user_number, branch, issued_on, due_on) VALUES (1, {ng}, 'main', '2018-01-01', '2018-02-01')"
        ),
    )
    .await;
    execute(
        &desk,
        &format!(
            "INSERT INTO charges (id, user_number, kind, cents, charged_on) VALUES (1, {ng}, 'fine', 250, '2018-01-01')"
        ),
    )
    .await;
    desk.staff("other", &[Role::Administrator]).await;
    let record = format!("/users/{ng}");
    for (function, page, form, message) in [
        ("return_loan", record.as_str(), "form[loan]=1".to_owned(), "Return undone."),
        ("settle_charge", &record, "form[charge]=1".to_owned(), "Settlement undone."),
        ("mark_user", &record, format!("form[user]={ng}"), "The user is not marked for deletion."),
        ("revoke_role", "/staff", format!("form[user]={ng}&form[role]=librarian"), "has the role again"),
        ("disable_staff", "/staff", format!("form[user]={ng}"), "can sign in as before"),
    ] {
        let (status, to, html) = desk.post(&format!("/do/{function}?page={page}"), form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{function}: {html}");
        let (_, _, html) = desk.get(&to).await;
        let undo = undo_of(&html).unwrap_or_else(|| panic!("{function}: no undo on {to}"));
        // The same address offers no undo to another member of staff.
        let other = desk.another("other").await;
        assert_eq!(undo_of(&other.get(&to).await.2), None, "{function}");
        let stolen = other.post("/do/undo_change?page=/", format!("form[undo]={undo}")).await;
        assert_eq!(stolen.0, StatusCode::CONFLICT, "{function}");
        let (status, to, html) = desk.post("/do/undo_change?page=/", format!("form[undo]={undo}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{function}: {html}");
        assert!(desk.get(&to).await.2.contains(message), "{function}: {to}");
        let (status, _, html) = desk.post("/do/undo_change?page=/", format!("form[undo]={undo}")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{function}");
        assert!(html.contains("changed again since the change that you want to undo"), "{function}");
    }
}

/// Returns the undo token on a page.
fn undo_of(html: &str) -> Option<String> {
    let (_, rest) = html.split_once("name=\"form[undo]\" value=\"")?;
    rest.split('"').next().map(str::to_owned)
}

/// A request has a separate page, which states the effect and asks for the number of users.
#[tokio::test]
async fn a_request_is_approved_by_typing_the_number_of_users() {
    let desk = Desk::open().await;
    let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(leavers())).unwrap();
    let task = format!(
        "INSERT INTO tasks (id, description, active, task_type, visibility, settings, schedule, created_at, changed_at) \
         VALUES (1, 'Leavers', FALSE, 'anonymise_user_data', 'shared', '{settings}', '{{\"kind\":\"manual_only\"}}', \
         '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')"
    );
    execute(&desk, &task).await;
    desk.staff("second", &[Role::SystemsLibrarian]).await;
    for name in ["ng", "okafor"] {
        let user = format!(
            "INSERT INTO users (uuid, user_id, last_name, imported, created_on, leaving_on) VALUES \
             ('{name}', '{name}', '{name}', TRUE, '2016-01-01', '2017-01-01')"
        );
        execute(&desk, &user).await;
    }
    let preview = run::preview(&desk.store, Actor::COMMAND_LINE, TaskId(1)).await.unwrap();
    let request = approval_workflow::request(&desk.store, Actor::COMMAND_LINE, preview).await.unwrap();
    let list = desk.get("/approvals").await.2;
    assert!(list.contains(&format!("href=\"/approvals/{request}\"")), "{list}");
    assert!(!list.contains("/do/approve_request"), "nothing is approved from the list");
    let here = format!("/approvals/{request}");
    let page = desk.get(&here).await.2;
    assert!(page.contains("To confirm, type 2"), "{page}");
    assert!(page.contains("<b>2 users</b> will be anonymised"), "{page}");
    let address = format!("/do/approve_request?page={here}");
    for wrong in ["", "&form[confirm]=", "&form[confirm]=3", "&form[confirm]=two"] {
        let (status, to, _) = desk.post(&address, format!("form[approval]={request}{wrong}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{wrong}");
        let page = desk.get(&to).await.2;
        assert!(page.contains("Enter 2 to confirm"), "{wrong}: {page}");
    }
    let (status, to, page) = desk.post(&address, format!("form[approval]={request}&form[confirm]=2")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    assert_eq!(without_proof(&to), format!("/runs/{preview}?done=approved"));
    assert!(desk.get(&here).await.2.contains("is no longer waiting for a decision"));
}

#[tokio::test]
async fn an_outdated_preview_links_to_the_newest_one() {
    let desk = Desk::open().await;
    let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(leavers())).unwrap();
    let task = format!(
        "INSERT INTO tasks (id, description, active, task_type, visibility, settings, schedule, created_at, changed_at) \
         VALUES (1, 'Leavers', FALSE, 'anonymise_user_data', 'shared', '{settings}', '{{\"kind\":\"manual_only\"}}', \
         '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')"
    );
    execute(&desk, &task).await;
    let preview = async || run::preview(&desk.store, Actor::COMMAND_LINE, TaskId(1)).await.unwrap();
    let first = preview().await;
    preview().await;
    let newest = preview().await;
    let page = desk.get(&format!("/runs/{first}")).await.2;
    let link = page.split("<a ").find(|link| link.contains("Show the newest preview of this task"));
    assert!(link.is_some_and(|link| link.starts_with(&format!("href=\"/runs/{newest}\""))), "{page}");
    assert!(!desk.get(&format!("/runs/{newest}")).await.2.contains("Show the newest preview"));
}

/// The pages that deactivate or delete other tasks do not mention the default.
#[tokio::test]
async fn deactivating_or_deleting_the_default_task_explains_the_effect_first() {
    let desk = Desk::open().await;
    let save = async |more: &str| {
        let form =
            super::task_form(&format!("form[active]=true&form[by_leaving]=true&form[leaving_days]=5&{more}"));
        let (status, _, page) = desk.post("/do/save_task?page=/tasks/new", &form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    };
    save("").await;
    let stays = "stays the default";
    assert!(desk.get("/tasks/1/edit").await.2.contains(stays), "the form");
    assert!(desk.get("/tasks/1/deactivate").await.2.contains(stays), "the page");
    assert!(desk.get("/tasks/1").await.2.contains("href=\"/tasks/1/deactivate\""), "the button links there");
    let none = "until there is one, users cannot be anonymised from their record";
    assert!(desk.get("/tasks/1/delete").await.2.contains(none), "the last task");

    // A private task cannot become the default: staff who anonymise a single user could not see its settings.
    save("").await;
    execute(&desk, "UPDATE tasks SET visibility = 'private', owner_number = 1 WHERE id = 2").await;
    assert!(desk.get("/tasks/1/delete").await.2.contains(none), "the other task is private");
    let page = desk.get("/tasks/2").await.2;
    assert!(page.contains("A private task cannot be the default") && !page.contains("/do/make_task_default"));
    let (status, _, page) = desk.post("/do/make_task_default?page=/tasks/2", "form[task]=2").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("A private task cannot be the default, because"), "{page}");
    save("").await;
    let page = desk.get("/tasks/1/delete").await.2;
    assert!(page.contains("becomes the default") && page.contains("href=\"/tasks/3\""), "{page}");
    for address in ["/tasks/3/edit", "/tasks/3/deactivate", "/tasks/3/delete"] {
        assert!(!desk.get(address).await.2.contains("the default"), "{address}");
    }
    let form =
        super::task_form("form[id]=1&form[version]=1").replace("visibility]=shared", "visibility]=private");
    let (status, _, page) = desk.post("/do/save_task?page=/tasks/1/edit", form).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("id=\"visibility-problem\" class=\"problem\">Choose Shared"), "{page}");
    let (status, ..) = desk.post("/do/delete_task?page=/tasks/1/delete", "form[task]=1").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(desk.get("/tasks/3/edit").await.2.contains(stays));
}

/// User numbers are easily mistyped.
#[tokio::test]
async fn the_new_owner_of_a_task_is_named_before_the_task_is_reassigned() {
    let desk = Desk::open().await;
    let ng = desk.staff("ng", &[Role::SystemsLibrarian]).await;
    execute(&desk, &format!("UPDATE users SET first_name = 'Ana', last_name = 'Ng' WHERE number = {ng}"))
        .await;
    let form = super::task_form("form[by_leaving]=true&form[leaving_days]=5");
    assert_eq!(desk.post("/do/save_task?page=/tasks/new", form).await.0, StatusCode::SEE_OTHER);
    execute(&desk, "UPDATE tasks SET visibility = 'private', owner_number = NULL").await;
    let owned = async || desk.get("/tasks/owners").await.2.contains("Every task owner");
    let offered = format!("Ana Ng ({ng})</option>");
    for page in ["/tasks/owners", "/tasks/new"] {
        assert!(desk.get(page).await.2.contains(&offered), "{page}");
    }
    let reassign = "/do/reassign_task?page=/tasks/owners";
    let (status, _, page) = desk.post(reassign, format!("form[task]=1&form[owner]={ng}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("Reassign task 1 to Ana Ng"), "{page}");
    assert!(!owned().await, "nothing was changed");
    let other = format!("form[task]=1&form[owner]={ng}&form[confirmed]=1");
    assert!(
        desk.post(reassign, other).await.2.contains("Reassign task 1 to Ana Ng"),
        "another one was confirmed"
    );
    assert!(!owned().await);
    let (status, ..) =
        desk.post(reassign, format!("form[task]=1&form[owner]={ng}&form[confirmed]={ng}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(owned().await);
    execute(&desk, "UPDATE tasks SET visibility = 'shared'").await;
    assert!(desk.get("/tasks/1").await.2.contains("Ana Ng</a>"));
}

/// The button is inside a disclosure that states the effect.
#[tokio::test]
async fn an_irreversible_action_states_its_effect_before_the_button() {
    let desk = Desk::open().await;
    desk.staff("ng", &[Role::Librarian]).await;
    desk.another("ng").await;
    desk.another("everything").await;
    let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(leavers())).unwrap();
    let run = |id: i64, state: &str| {
        format!(
            "INSERT INTO runs (id, kind, state, today, settings, rules_version, channel, created_at, users, previewed) VALUES \
             ({id}, 'manual', '{state}', '2018-01-01', '{settings}', 1, 'web', '2018-01-01T12:00:00+00:00', 9, 4)"
        )
    };
    execute(&desk, &run(1, "queued")).await;
    execute(&desk, &run(2, "succeeded")).await;
    execute(&desk, "UPDATE runs SET done = 4 WHERE id = 2").await;
    for (page, function, effect) in [
        ("/runs/1", "cancel_run", "Users already anonymised stay anonymised"),
        ("/runs/2", "clean_files", "It cannot be stopped"),
        ("/staff", "invite_staff", "An earlier one stops working"),
        ("/staff", "end_sessions", "They are signed out everywhere"),
        ("/account", "end_session", "That browser is signed out"),
    ] {
        let (status, _, html) = desk.get(page).await;
        assert_eq!(status, StatusCode::OK, "{html}");
        let (before, _) =
            html.split_once(&format!("/do/{function}?")).unwrap_or_else(|| panic!("{function}: {html}"));
        let (_, details) = before.rsplit_once("<details").unwrap();
        assert!(details.contains(effect) && !details.contains("</details>"), "{function}: {details}");
    }
}

/// The page lists the blockers instead of the form, even after the second person has approved.
#[tokio::test]
async fn a_blocked_member_of_staff_cannot_be_anonymised() {
    let desk = Desk::open().await;
    let ng = desk.staff("ng", &[Role::Librarian]).await;
    let form = super::task_form("form[by_leaving]=true&form[leaving_days]=5");
    assert_eq!(desk.post("/do/save_task?page=/tasks/new", form).await.0, StatusCode::SEE_OTHER);
    let here = format!("/users/{ng}/anonymise");
    desk.post(&format!("/do/request_staff_anonymising?page={here}"), format!("form[user]={ng}")).await;
    desk.staff("second", &Role::ALL).await;
    let second = desk.another("second").await;
    let (status, _, page) = second.post("/do/approve_request?page=/approvals/1", "form[approval]=1").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    assert!(desk.get(&here).await.2.contains("/do/anonymise_staff"));
    let charge = format!(
        "INSERT INTO charges (user_number, kind, cents, charged_on) VALUES ({ng}, 'fine', 250, '2018-01-01')"
    );
    execute(&desk, &charge).await;
    let page = desk.get(&here).await.2;
    assert!(page.contains("id=\"blockers\"") && page.contains("1 unsettled charge or credit"), "{page}");
    assert!(
        !page.contains("/do/anonymise_staff") && !page.contains("/do/request_staff_anonymising"),
        "{page}"
    );
}
