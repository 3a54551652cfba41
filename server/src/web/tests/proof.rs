//! Pages about runs: open findings, certificates, cancelling, withdrawing, and printing.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, without_proof};
use crate::network::NetworkConfig;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use db::SignIn;
use policy::library::LibraryForm;
use policy::{Conditions, Days, Policy, Role, RunId, Scope, TaskId, TaskSettings};
use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use std::time::Duration;
use task_centre::run;
use trail::{Actor, library as settings};

const TOKEN: &str = "0123456789abcdef";

async fn execute(desk: &Desk, sql: &str) {
    desk.store.db.execute_unprepared(sql).await.unwrap();
}

/// Opens a library with a name, a task, and this many users who left long ago. Another user, who has not left, has the
/// address of the first one in the notes.
async fn library(leavers: usize) -> Desk {
    let sign_in = SignIn { allow_password_only: true, ..SignIn::default() };
    let mut desk = Desk::with(
        |settings| {
            settings.sign_in = sign_in;
        },
        |_| (),
        NetworkConfig { metrics_token: Some(TOKEN.into()), ..NetworkConfig::default() },
    )
    .await;
    desk.staff("everything", &Role::ALL).await;
    desk.sign_in("everything").await;
    let named =
        LibraryForm { name: "Town Library".to_owned(), currency: "GBP".to_owned(), ..LibraryForm::default() };
    settings::save(&desk.store, Actor::COMMAND_LINE, &named).await.unwrap();
    let conditions = Conditions { leaving: Days::new(5), ..Conditions::default() };
    let policy = Policy { scope: Scope::Imported, conditions, ..Policy::default() };
    let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(policy)).unwrap();
    let task = format!(
        "INSERT INTO tasks (id, description, active, task_type, visibility, settings, schedule, created_at, changed_at) \
         VALUES (1, 'Leavers', FALSE, 'anonymise_user_data', 'shared', '{settings}', '{{\"kind\":\"manual_only\"}}', \
         '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')"
    );
    execute(&desk, &task).await;
    let users: Vec<String> = (0..leavers)
        .map(|n| {
            format!(
                "({}, 'u{n}', 'id{n}', 'Leaver{n}', 'ann{n}@example.org', TRUE, '2016-01-01', '2017-01-01', NULL)",
                1_000 + n
            )
        })
        .collect();
    let users = format!(
        "INSERT INTO users (number, uuid, user_id, last_name, email, imported, created_on, leaving_on, notes) VALUES {}, \
         (900, 'stays', 'stays', 'Stays', 'stays@example.org', TRUE, '2016-01-01', NULL, 'write to ann0@example.org')",
        users.join(", ")
    );
    execute(&desk, &users).await;
    desk
}

async fn started(desk: &Desk, users: usize) -> RunId {
    let preview = run::preview(&desk.store, Actor::COMMAND_LINE, TaskId(1)).await.unwrap();
    run::start(&desk.store, Actor::COMMAND_LINE, preview, &users.to_string()).await.unwrap()
}

async fn ended(desk: &Desk, users: usize) -> RunId {
    let id = started(desk, users).await;
    run::execute(&desk.store, id).await.unwrap();
    id
}

async fn page(desk: &Desk, address: &str) -> String {
    let (status, _, page) = desk.get(address).await;
    assert_eq!(status, StatusCode::OK, "{address}: {page}");
    // Leptos writes invisible markers between texts.
    page.replace("<!>", "").replace("<!---->", "")
}

/// Returns the response to a monitoring system with the token.
async fn monitored(desk: &Desk, address: &str) -> String {
    let request = Request::get(address).header(AUTHORIZATION, format!("Bearer {TOKEN}"));
    let (status, _, text) = desk.answer(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{address}: {text}");
    text
}

const PLAIN_SUCCESS: &str = "<span class=\"tag proven\">Succeeded</span>";

/// Decides to keep the text of the first finding, as the page shows it.
async fn keep_first_finding(desk: &Desk) {
    let residue = page(desk, "/residue").await;
    let (_, rest) = residue.split_once("name=\"form[seen]\" value=\"").expect("a text that was seen");
    let seen = rest.split('"').next().unwrap();
    let decided =
        desk.post("/do/keep_residue?page=/residue", &format!("form[place]=1&form[seen]={seen}")).await;
    assert_eq!(decided.0, StatusCode::SEE_OTHER, "{}", decided.2);
}

#[tokio::test]
async fn findings_are_a_condition_in_every_output_until_they_are_decided() {
    let desk = library(2).await;
    let id = ended(&desk, 2).await;
    let link = format!("<a href=\"/residue?run={id}\">1 finding</a> of run {id} is waiting for a decision");
    for address in ["/", "/users", "/runs", "/account"] {
        assert!(page(&desk, address).await.contains(&link), "{address}");
    }
    let run_page = format!("/runs/{id}");
    for address in ["/runs", "/tasks", &run_page, &format!("{run_page}/certificate")] {
        let page = page(&desk, address).await;
        assert!(page.contains("<span class=\"tag due\">Succeeded, 1 finding to decide</span>"), "{address}");
        assert!(!page.contains(PLAIN_SUCCESS), "{address}");
    }
    assert!(page(&desk, &run_page).await.contains("1 finding is waiting for a decision"));
    let health: Value = serde_json::from_str(&monitored(&desk, "/healthz").await).unwrap();
    assert_eq!(health["status"], "warning");
    let condition = &health["conditions"][0];
    assert_eq!((&condition["code"], &condition["run"]), (&"findings_open".into(), &id.0.into()));
    let metrics = monitored(&desk, "/metrics").await;
    for line in ["lethe_conditions{condition=\"findings_open\"} 1", "lethe_findings_open 1"] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }

    keep_first_finding(&desk).await;
    for address in ["/runs", "/tasks", &run_page, &format!("{run_page}/certificate")] {
        let page = page(&desk, address).await;
        assert!(page.contains(PLAIN_SUCCESS) && !page.contains("to decide"), "{address}");
    }
    assert!(page(&desk, &run_page).await.contains("The finding has been decided"));
    // Readings are cached for a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let health: Value = serde_json::from_str(&monitored(&desk, "/healthz").await).unwrap();
    let open = |one: &Value| one["code"] == "findings_open";
    assert!(!health["conditions"].as_array().unwrap().iter().any(open), "{health}");
    let metrics = monitored(&desk, "/metrics").await;
    assert!(metrics.lines().any(|found| found == "lethe_findings_open 0"), "{metrics}");
}

#[tokio::test]
async fn a_decision_creates_a_certificate_that_links_to_the_superseded_one() {
    let desk = library(2).await;
    let id = ended(&desk, 2).await;
    let certificate = format!("/runs/{id}/certificate");
    let before = page(&desk, &certificate).await;
    assert!(before.contains("1 not decided") && !before.contains("supersedes"), "{before}");
    keep_first_finding(&desk).await;
    let now = page(&desk, &certificate).await;
    assert!(!now.contains("1 not decided") && now.contains("1 kept: about another person"), "{now}");
    assert!(
        now.contains(&format!("It supersedes <a href=\"{certificate}?version=1\">version 1</a>")),
        "{now}"
    );
    let old = page(&desk, &format!("{certificate}?version=1")).await;
    assert!(old.contains("1 not decided"), "the signed version is unchanged");
    assert!(old.contains(&format!("<a href=\"{certificate}?version=2\">version 2</a>")), "{old}");
    for page in [&now, &old] {
        assert!(page.contains("is valid: its signature is correct"), "{page}");
    }
    for (version, later) in [(1, Some(2)), (2, None)] {
        let (status, headers, text) = desk.get(&format!("{certificate}.json?version={version}")).await;
        assert_eq!(status, StatusCode::OK);
        let name = format!("attachment; filename=\"certificate-{id}-{version}.json\"");
        assert_eq!(headers[CONTENT_DISPOSITION], name.as_str());
        let file: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(file["certificate"]["version"], version);
        assert_eq!(file["superseded_by"]["version"].as_i64(), later);
    }
    let (status, ..) = desk.get(&format!("{certificate}.json?version=3")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_certificate_states_fields_library_program_and_starter_and_lists_every_user() {
    let desk = library(58).await;
    execute(&desk, "UPDATE users SET notes = NULL WHERE number = 900").await;
    let id = ended(&desk, 58).await;
    let certificate = page(&desk, &format!("/runs/{id}/certificate")).await;
    let program = format!("Lethe {}", env!("CARGO_PKG_VERSION"));
    for stated in ["Town Library", program.as_str(), "Started by", "Command line", "Approved by"] {
        assert!(certificate.contains(stated), "{stated}");
    }
    for (what, field) in [("Removed", "E-mail"), ("Generalised", "to the month"), ("Kept", "User category")] {
        let list = certificate.split(&format!("<dt>{what}</dt><dd>")).nth(1).unwrap();
        assert!(list.split("</dd>").next().unwrap().contains(field), "{what}: {list}");
    }
    let numbers: Vec<String> = (1_000..1_058).map(|number| number.to_string()).collect();
    assert!(certificate.contains("Anonymised: 58 users") && certificate.contains(&numbers.join(", ")));

    // The page of the run shows a part of the users, and says so.
    let run_page = page(&desk, &format!("/runs/{id}")).await;
    assert!(run_page.contains("50 of 58 users shown."));
    let (_, after) = run_page.split_once("after=").unwrap();
    let after = after.split(['&', '#', '"']).next().unwrap();
    let last = page(&desk, &format!("/runs/{id}?after={after}")).await;
    assert!(last.contains("8 of 58 users shown."));
    let style = format!("/print.css?run={id}");
    for page in [&run_page, &certificate] {
        assert!(page.contains(&style), "every printed page has a header");
    }
    let (status, headers, style) = desk.get(&style).await;
    assert_eq!(
        (status, headers[CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::OK, "text/css; charset=utf-8")
    );
    assert!(style.contains("\"Town Library\"") && style.contains("counter(page)"), "{style}");
}

#[tokio::test]
async fn a_run_can_be_cancelled_only_while_users_remain() {
    let desk = library(3).await;
    let id = started(&desk, 3).await;
    let here = format!("/runs/{id}");
    let cancel =
        || async { desk.post(&format!("/do/cancel_run?page={here}"), format!("form[run]={id}")).await };
    let under_way = |done: i64| {
        format!(
            "UPDATE runs SET state = 'running', holder = 'other', phase = 'scanning', done = {done}, \
             heartbeat_at = '2999-01-01T12:00:00+00:00', started_at = '2018-01-01T12:00:00+00:00' WHERE id = {id}"
        )
    };
    assert!(page(&desk, &here).await.contains("Cancel run"), "the run is queued");
    execute(&desk, &under_way(2)).await;
    assert!(page(&desk, &here).await.contains("Cancel run"));
    execute(&desk, &under_way(3)).await;
    assert!(!page(&desk, &here).await.contains("Cancel run"));
    let (status, _, refused) = cancel().await;
    assert!(!status.is_redirection() && refused.contains("too late to cancel"), "{status}: {refused}");
    let state = run::read(&desk.store, id).await.unwrap().state;
    assert_eq!(state, policy::RunState::Running, "nothing was changed");
    execute(&desk, &under_way(2)).await;
    assert_eq!(cancel().await.1, here);
}

#[tokio::test]
async fn a_request_that_its_requester_withdraws_is_shown_as_withdrawn_everywhere() {
    let desk = library(2).await;
    desk.staff("second", &[Role::SystemsLibrarian]).await;
    let preview = run::preview(&desk.store, Actor::COMMAND_LINE, TaskId(1)).await.unwrap();
    // Declining the own request withdraws it, too.
    for (request, function) in [(1, "withdraw_request"), (2, "decline_request")] {
        let ask = format!("/do/request_approval?page=/runs/{preview}");
        let (status, ..) = desk.post(&ask, format!("form[preview]={preview}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let waiting = page(&desk, "/approvals").await;
        assert!(waiting.contains("Withdraw request") && !waiting.contains("decline_request"), "{waiting}");
        let second = desk.another("second").await;
        let address = |function: &str| format!("/do/{function}?page=/approvals");
        let form = format!("form[approval]={request}");
        let (_, _, refused) = second.post(&address("withdraw_request"), &form).await;
        assert!(refused.contains("Only its requester"), "{refused}");
        let (_, location, _) = desk.post(&address(function), &form).await;
        assert_eq!(without_proof(&location), "/approvals?done=withdrawn");
        assert!(page(&desk, &location).await.contains("Approval request withdrawn."));
        let decided = page(&desk, "/approvals?show=decided").await;
        assert!(decided.contains("Withdrawn") && !decided.contains("Declined"), "{decided}");
        let of_preview = page(&desk, &format!("/runs/{preview}")).await;
        assert!(of_preview.contains("Withdrawn by"), "{of_preview}");
    }
    let audit = page(&desk, "/audit?action=approval_withdrawn").await;
    assert_eq!(audit.matches("<th scope=\"row\">Approval request withdrawn</th>").count(), 2, "{audit}");
    // A request of another member of staff is declined.
    desk.post(&format!("/do/request_approval?page=/runs/{preview}"), format!("form[preview]={preview}"))
        .await;
    let second = desk.another("second").await;
    let (_, location, _) = second.post("/do/decline_request?page=/approvals", "form[approval]=3").await;
    assert_eq!(without_proof(&location), "/approvals?done=declined");
}

#[tokio::test]
async fn the_confirmation_explains_that_a_restore_brings_no_user_back() {
    let desk = library(1).await;
    execute(&desk, "UPDATE tasks SET single_default = TRUE").await;
    let question = page(&desk, "/users/1000/anonymise").await;
    assert!(
        question.contains("After a restore Lethe anonymises this user again before it serves any page"),
        "{question}"
    );
    assert!(!question.contains("must be anonymised again"));
}
