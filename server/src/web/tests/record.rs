//! The record of a user: name first, status for every task, legal holds, and the confirmation of anonymising.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, without_proof};
use axum::http::StatusCode;
use policy::task_form::Visibility;
use policy::{Conditions, Days, Policy, Schedule, Scope, TaskSettings, stored};
use sea_orm::ConnectionTrait as _;

async fn execute(desk: &Desk, sql: &str) {
    desk.store.db.execute_unprepared(sql).await.unwrap();
}

/// Adds an active task for users who left more than five days ago.
async fn add_task(desk: &Desk, id: i64, (description, visibility): (&str, Visibility), schedule: Schedule) {
    let policy = Policy {
        scope: Scope::Imported,
        conditions: Conditions { leaving: Days::new(5), ..Conditions::default() },
        ..Policy::default()
    };
    let settings = stored::to_json(&TaskSettings::AnonymiseUserData(policy));
    let (schedule, visibility) = (stored::to_json(&schedule), visibility.code());
    let sql = format!(
        "INSERT INTO tasks (id, description, active, task_type, visibility, settings, confirmed_settings, schedule, \
         single_default, created_at, changed_at) VALUES ({id}, '{description}', TRUE, 'anonymise_user_data', \
         '{visibility}', '{settings}', '{settings}', '{schedule}', {}, '2018-01-01T12:00:00+00:00', \
         '2018-01-01T12:00:00+00:00')",
        id == 1
    );
    execute(desk, &sql).await;
}

/// Adds an imported user with this leaving date, an open loan and a namesake.
async fn add_niamh(desk: &Desk, leaving_on: &str) {
    for (number, first) in [(70, "Niamh"), (71, "Níamh")] {
        let sql = format!(
            "INSERT INTO users (number, uuid, user_id, user_id_key, barcode, first_name, last_name, name_order, imported, \
             created_on, leaving_on, birth_date, street, city) VALUES ({number}, 'u{number}', 'nob{number}', \
             'nob{number}', 'B{number}', '{first}', 'O''Brien', 'obrien' || char(9) || 'niamh', TRUE, '2016-01-01', \
             {leaving_on}, '1987-06-23', 'Mill Lane 7', 'Cork')"
        );
        execute(desk, &sql).await;
    }
    let loan = "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES (70, 'main', '2018-01-01', '2018-02-01')";
    execute(desk, loan).await;
}

/// Returns the text of a page without its tags.
fn text(html: &str) -> String {
    let page = scraper::Html::parse_document(html);
    page.root_element().text().collect::<Vec<_>>().concat()
}

async fn record(desk: &Desk, address: &str) -> String {
    let (status, _, html) = desk.get(address).await;
    assert_eq!(status, StatusCode::OK, "{address}");
    html
}

#[tokio::test]
async fn the_record_says_first_who_and_what_each_task_will_do() {
    let desk = Desk::open().await;
    add_niamh(&desk, "'2087-12-29'").await;
    let page = record(&desk, "/users/70").await;
    assert!(
        page.contains("<h1><span class=\"name\">Niamh O'Brien</span> <small>User 70</small></h1>"),
        "{page}"
    );
    assert!(page.contains("<title>User 70 – Lethe</title>"), "the browser's history keeps no name");
    assert!(text(&page).contains("No active task anonymises users."));

    let daily = Schedule::Daily { time: "02:30:00".parse().unwrap() };
    add_task(&desk, 1, ("Leavers, daily", Visibility::Shared), daily.clone()).await;
    add_task(&desk, 2, ("By hand", Visibility::Shared), Schedule::ManualOnly).await;
    add_task(&desk, 3, ("What Ana calls it", Visibility::Private), daily).await;
    let page = text(&record(&desk, "/users/70").await);
    for sentence in [
        "Will be anonymised from 4 Jan 2088 by Leavers, daily; blocked by 1 open loan.",
        "Can be anonymised from 4 Jan 2088 by By hand, which is only started by hand; blocked by 1 open loan.",
        "Will be anonymised from 4 Jan 2088 by A private task; blocked by 1 open loan.",
    ] {
        assert!(page.contains(sentence), "{sentence}: {page}");
    }
    assert!(!page.contains("What Ana calls it"));
    execute(&desk, "UPDATE tasks SET active = FALSE WHERE id <> 1").await;
    execute(&desk, "UPDATE tasks SET confirmed_settings = NULL").await;
    execute(&desk, "UPDATE users SET imported = FALSE WHERE number = 71").await;
    let page = text(&record(&desk, "/users/70?tab=loans").await);
    assert!(page.contains("a member of staff must confirm the run first; blocked by 1 open loan."), "{page}");
    assert!(!page.contains("By hand"));
    let page = text(&record(&desk, "/users/71").await);
    assert!(
        page.contains("Will not be anonymised by Leavers, daily: outside the scope of the task."),
        "{page}"
    );
}

#[tokio::test]
async fn a_legal_hold_is_at_the_top_and_no_anonymising_is_offered() {
    let desk = Desk::open().await;
    add_niamh(&desk, "'2017-12-29'").await;
    let page = record(&desk, "/users/70").await;
    assert!(page.contains("href=\"/users/70/anonymise\""), "{page}");
    let form = "form[user]=70&form[reason]=dispute&form[review_on]=2027-03-01";
    let (status, ..) = desk.post("/do/place_legal_hold?page=/users/70", form).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    for tab in ["details", "loans"] {
        let page = record(&desk, &format!("/users/70?tab={tab}")).await;
        let (top, _) = page.split_once("class=\"tabs\"").unwrap();
        let top = text(top);
        assert!(top.contains("Legal hold 1: Dispute or lawsuit, review on 1 Mar 2027"), "{top}");
        assert!(top.contains("This user is under legal hold. It must be released first."), "{top}");
        assert!(!page.contains("href=\"/users/70/anonymise\""), "{page}");
    }
}

#[tokio::test]
async fn the_confirmation_tells_namesakes_apart_and_needs_a_reason() {
    let desk = Desk::open().await;
    add_task(&desk, 1, ("Leavers", Visibility::Shared), Schedule::ManualOnly).await;
    add_niamh(&desk, "'2017-12-29'").await;
    let page = record(&desk, "/users/71/anonymise").await;
    let shown = text(&page);
    for fact in [
        "nob71",
        "B71",
        "23 Jun 1987",
        "Mill Lane 7, Cork",
        "1 Jan 2016",
        "not known",
        "1 other user has the same name.",
    ] {
        assert!(shown.contains(fact), "{fact}: {shown}");
    }
    assert!(page.contains("href=\"/users/70\""), "{page}");
    assert!(shown.contains(" values"), "the unit of a number: {shown}");

    let address = "/do/anonymise_user?page=/users/71/anonymise";
    let order = "form[user]=71&form[task]=1&form[version]=1&form[confirm]=71";
    for (more, field, problem) in [
        ("", "erasure_reason", "Choose a reason"),
        (
            "&form[erasure_reason]=left&form[case_reference]=nob71",
            "case_reference",
            "Enter a reference without",
        ),
        (
            "&form[erasure_reason]=left&form[case_reference]=a+b",
            "case_reference",
            "Enter the number of the case",
        ),
    ] {
        let (status, to, _) = desk.post(address, format!("{order}{more}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{more}");
        assert!(to.starts_with("/users/71/anonymise?kept="), "{to}");
        let page = record(&desk, &to).await;
        let at = page.split(&format!("id=\"{field}-problem\"")).nth(1).unwrap().split("</p>").next().unwrap();
        assert!(at.contains(problem), "{more}: {at}");
    }
    let more = "&form[erasure_reason]=error&form[case_reference]=DS/2026-118";
    let (status, to, page) = desk.post(address, format!("{order}{more}")).await;
    assert_eq!((status, without_proof(&to)), (StatusCode::SEE_OTHER, "/users/71?done=anonymised"), "{page}");
    for page in ["/runs/1", "/runs/1/certificate", "/audit"] {
        let shown = text(&record(&desk, page).await);
        assert!(shown.contains("DS/2026-118"), "{page}: {shown}");
    }
    assert!(text(&record(&desk, "/runs/1").await).contains("Error or duplicate record"));
}
