//! The page of a preview: its order, its users, exclusions, the file, and previews of listed users.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, without_proof};
use super::task_form;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HOST, LOCATION};
use axum::http::{Request, StatusCode};
use policy::Role;
use scraper::{Html, Selector};
use sea_orm::{ConnectionTrait as _, Statement};

on_both!(
    crate::web::tests::previews::library;
    the_number_comes_first_then_the_warning_the_actions_and_the_users,
    users_are_excluded_with_a_reason_and_included_again,
    the_users_are_exported_by_those_who_may,
    a_search_stays_at_the_list_and_sorts,
    listed_users_are_previewed,
    ticked_and_found_users_are_previewed,
    a_file_of_users_is_previewed,
    a_discarded_preview_offers_no_action,
);

/// A library with three users who left, one who leaves later and one who stays, and a task.
async fn library(desk: Desk) -> Desk {
    for (number, name, leaving) in [
        (701, "Zane", "'2016-01-01'"),
        (702, "Abel", "'2016-02-01'"),
        (703, "Moss", "'2016-03-01'"),
        (704, "Later", "'2090-01-01'"),
        (705, "Stays", "NULL"),
    ] {
        let sql = format!(
            "INSERT INTO users (number, uuid, user_id, last_name, name_order, leaving_on, imported, created_on) VALUES \
             ({number}, 'uuid of {name}', '{name}-id', '{name}', LOWER('{name}'), {leaving}, FALSE, '2015-01-01')"
        );
        desk.store.db.execute_unprepared(&sql).await.unwrap();
        let word = format!("INSERT INTO user_words VALUES (LOWER('{name}'), {number})");
        desk.store.db.execute_unprepared(&word).await.unwrap();
    }
    let form = task_form("form[by_leaving]=true&form[leaving_days]=5");
    assert_eq!(desk.post("/do/save_task?page=/tasks/new", form).await.0, StatusCode::SEE_OTHER);
    desk
}

async fn number(desk: &Desk, sql: &str) -> i64 {
    let db = &desk.store.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get_by_index::<Option<i64>>(0).unwrap().unwrap_or_default()
}

async fn get(desk: &Desk, address: &str) -> String {
    let (status, _, page) = desk.get(address).await;
    assert_eq!(status, StatusCode::OK, "{address}");
    page
}

/// Posts a form that redirects. Returns the address.
async fn post(desk: &Desk, function: &str, form: &str) -> String {
    let (status, address, page) = desk.post(&format!("/do/{function}?page=/tasks/1"), form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{function} {form}: {page}");
    without_proof(&address).to_owned()
}

async fn preview(desk: &Desk) -> String {
    post(desk, "make_preview", "form[task]=1").await
}

/// Returns the text of the elements that match, with single spaces.
fn texts(page: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(page);
    let found = Selector::parse(selector).unwrap();
    let text = |one: scraper::ElementRef<'_>| {
        one.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    page.select(&found).map(text).collect()
}

fn names(page: &str) -> Vec<String> {
    texts(page, "[data-live=people] tbody th")
}

async fn the_number_comes_first_then_the_warning_the_actions_and_the_users(desk: Desk) {
    let today = desk.store.clock.today();
    let active = format!("UPDATE users SET last_activity_on = '{today}' WHERE number = 701");
    desk.store.db.execute_unprepared(&active).await.unwrap();
    let first = preview(&desk).await;
    let page = get(&desk, &first).await;
    let places: Vec<usize> = [
        "class=\"headline\"",
        "Warning level",
        "class=\"verdicts\"",
        "nothing to compare with",
        "id=\"run-now\"",
        "Discard preview",
        "id=\"people\"",
    ]
    .map(|part| page.find(part).unwrap_or_else(|| panic!("{part}: {page}")))
    .into();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(texts(&page, ".headline"), ["3 of 6 users will be anonymised (50.0 %)"]);
    let level = texts(&page, ".level");
    assert!(level[0].starts_with("Serious") && level[0].contains("1 user was active"), "{level:?}");
    assert!(page.contains("notice danger level"), "the colour follows the level");
    assert!(texts(&page, "svg desc")[0].contains("Eligible 3"), "the chart has a text alternative");
    assert_eq!(names(&page)[..3], ["Zane", "Abel", "Moss"], "eligible users come first");
    // The preview of a task without runs is compared with nothing; the next one with the last run.
    let run = post(&desk, "start_run", &format!("form[preview]={}&form[confirm]=3", &first[6..])).await;
    for _ in 0..200 {
        if number(&desk, "SELECT COUNT(*) FROM runs WHERE state = 'succeeded' AND kind = 'manual'").await == 1
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let second = preview(&desk).await;
    let page = get(&desk, &second).await;
    let cells = texts(&page, ".beside td, .beside th");
    let comparison = ["To be anonymised", "0", "3", "-3", "All users", "6", "6", "0"];
    assert!(cells.windows(comparison.len()).any(|cells| cells == comparison), "{cells:?}");
    assert!(page.contains(&format!("href=\"{run}\"")));
    let third = preview(&desk).await;
    let page = get(&desk, &second).await;
    assert!(
        page.contains("There is a newer preview of this task") && page.contains(&format!("href=\"{third}\""))
    );
    assert!(!page.contains("Exclude ticked users"), "an older preview offers no change");
    let page = get(&desk, &first).await;
    for part in ["Warning level", "/letters\""] {
        assert!(!page.contains(part), "{part}: a preview that was run warns of nothing");
    }
}

async fn users_are_excluded_with_a_reason_and_included_again(desk: Desk) {
    let page = preview(&desk).await;
    let id = &page[6..];
    let to = format!("/do/exclude_users?page={page}");
    for (form, why) in [
        ("form[reason]=duplicate", "Choose at least one user"),
        ("form[users][]=701", "Choose a reason"),
        ("form[users][]=701&form[reason]=other", "Choose one of the options"),
    ] {
        let (status, _, html) = desk.post(&to, format!("form[preview]={id}&{form}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(html.contains(why), "{form}: {html}");
        let is_ticked = html.contains("value=\"701\" checked");
        assert_eq!(is_ticked, form.contains("701"), "{form}: ticks are kept");
    }
    let form = format!("form[preview]={id}&form[reason]=duplicate&form[users][]=701&form[users][]=703");
    let address = post(&desk, "exclude_users", &form).await;
    assert_eq!(address, format!("{page}?done=users-excluded"));
    let html = get(&desk, &page).await;
    assert_eq!(texts(&html, ".headline"), ["1 of 6 users will be anonymised (16.7 %)"]);
    let excluded = "Staff excluded 2 eligible users. A run that leaves out users does not confirm the settings of the task.";
    assert!(texts(&html, "p").iter().any(|text| text == excluded), "{html}");
    assert!(html.contains("excluded by everything: duplicate record"), "{html}");
    // The number that was shown before no longer starts the run.
    let start = format!("/do/start_run?page={page}");
    assert_eq!(
        desk.post(&start, format!("form[preview]={id}&form[confirm]=3")).await.0,
        StatusCode::SEE_OTHER
    );
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM runs WHERE kind = 'manual'").await, 0);
    post(&desk, "include_users", &format!("form[preview]={id}&form[user]=703")).await;
    assert_eq!(texts(&get(&desk, &page).await, ".headline"), ["2 of 6 users will be anonymised (33.3 %)"]);
    desk.staff("reader", &[Role::Librarian]).await;
    let reader = desk.another("reader").await;
    assert!(!get(&reader, &page).await.contains("Exclude ticked users"));
    assert_eq!(reader.post(&to, form).await.0, StatusCode::FORBIDDEN);
}

async fn the_users_are_exported_by_those_who_may(desk: Desk) {
    let page = preview(&desk).await;
    assert!(get(&desk, &page).await.contains(&format!("href=\"{page}/users.csv\"")));
    let (status, headers, csv) = desk.get(&format!("{page}/users.csv?verdict=eligible&sort=name")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers[CONTENT_TYPE].to_str().unwrap().starts_with("text/csv"));
    let names: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(names, ["Abel", "Moss", "Zane"], "{csv}");
    // A search by name is encrypted in the address of the list, and in that of its file.
    let list = post(&desk, "find_run_users", &format!("form[run]={}&form[q]=moss", &page[6..])).await;
    let html = get(&desk, &list).await;
    let file = html.split("href=\"").find(|link| link.contains("/users.csv?find=")).unwrap();
    let file = file.split('"').next().unwrap();
    assert_eq!(desk.get(file).await.2.lines().count(), 2);
    assert_eq!(desk.get(&format!("{page}/users.csv?verdict=x")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(desk.get(&format!("{page}/users.csv?find=x")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let exports = "SELECT COUNT(*) FROM audit_events WHERE action = 'exported' AND detail = 'run_users'";
    assert_eq!(number(&desk, exports).await, 2);
    desk.staff("reader", &[Role::Librarian]).await;
    let reader = desk.another("reader").await;
    assert!(!get(&reader, &page).await.contains("users.csv"));
    assert_eq!(reader.get(&format!("{page}/users.csv")).await.0, StatusCode::FORBIDDEN);
}

async fn a_search_stays_at_the_list_and_sorts(desk: Desk) {
    let page = preview(&desk).await;
    let html = get(&desk, &page).await;
    let action = html.split("action=\"").find(|action| action.starts_with("/do/find_run_users")).unwrap();
    assert!(action.split('"').next().unwrap().ends_with("#people"), "{action}");
    for (sort, first) in [
        ("sort=name", "Abel"),
        ("sort=number&order=desc", "Stays"),
        ("sort=first_day", "Zane"),
        ("sort=first_day&order=desc", "Later"),
        ("reason=no_leaving_date&sort=name", "Stays"),
    ] {
        let shown = names(&get(&desk, &format!("{page}?{sort}")).await);
        assert_eq!(shown.first().map(String::as_str), Some(first), "{sort}: {shown:?}");
    }
    let html = get(&desk, &format!("{page}?sort=name")).await;
    assert!(
        html.contains("aria-sort=\"ascending\"") && html.contains("sort=name&amp;order=desc#people"),
        "{html}"
    );
    assert_eq!(desk.get(&format!("{page}?sort=x")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let list =
        post(&desk, "find_run_users", &format!("form[run]={}&form[q]=703&form[sort]=name", &page[6..])).await;
    assert_eq!(names(&get(&desk, &list).await), ["Moss"], "found by number");
}

async fn listed_users_are_previewed(desk: Desk) {
    let here = "/tasks/1/listed";
    assert!(get(&desk, "/tasks/1").await.contains(&format!("href=\"{here}\"")));
    let to = format!("/do/preview_listed?page={here}");
    for (list, why) in [
        ("", "Enter at least one user number"),
        ("701%0AZane", "Correct line 2"),
        ("701, 799", "There are no users with these numbers: 799"),
    ] {
        let (status, _, html) = desk.post(&to, format!("form[task]=1&form[users]={list}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{list}");
        assert!(html.contains(why), "{list}: {html}");
        assert!(list.is_empty() || html.contains("701"), "what was typed is shown again");
    }
    let page = post(&desk, "preview_listed", "form[task]=1&form[users]=701+702%0A704").await;
    let html = get(&desk, &page).await;
    assert_eq!(texts(&html, ".headline"), ["2 of 3 listed users will be anonymised (66.7 %)"]);
    assert_eq!(names(&html), ["Zane", "Abel", "Later"]);
    assert!(html.contains("eligible from"), "the page says why a listed user is not eligible");
    assert!(texts(&html, "tfoot th").contains(&"All listed users".to_owned()), "{html}");
    desk.staff("reader", &[Role::Librarian]).await;
    let reader = desk.another("reader").await;
    assert_eq!(reader.get(here).await.0, StatusCode::FORBIDDEN);
    assert_eq!(reader.post(&to, "form[task]=1&form[users]=701").await.0, StatusCode::FORBIDDEN);
}

async fn ticked_and_found_users_are_previewed(desk: Desk) {
    let html = get(&desk, "/users?left_before=2020-01-01").await;
    for part in ["Preview a task for these users", "form=\"listed\"", "name=\"form[search][left_before]\""] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let to = "/do/preview_found?page=/users%3Fleft_before=2020-01-01";
    for (form, why) in [
        ("form[task]=1&form[which]=ticked", "Choose at least one user"),
        ("form[which]=ticked&form[users][]=701", "Choose a task"),
        ("form[task]=1&form[which]=other&form[users][]=701", "Choose one of the options"),
        ("form[task]=1&form[which]=all&form[search][left_before]=x", "Enter a date"),
    ] {
        let (status, _, html) = desk.post(to, form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(html.contains(why), "{form}: {html}");
    }
    let ticked = "form[task]=1&form[which]=ticked&form[users][]=702&form[users][]=705&form[search][left_before]=2020-01-01";
    let page = post(&desk, "preview_found", ticked).await;
    assert_eq!(names(&get(&desk, &page).await), ["Abel", "Stays"]);
    let all = "form[task]=1&form[which]=all&form[users][]=705&form[search][left_before]=2020-01-01";
    let page = post(&desk, "preview_found", all).await;
    assert_eq!(names(&get(&desk, &page).await), ["Zane", "Abel", "Moss"], "all that the search finds");
    desk.staff("reader", &[Role::Librarian]).await;
    let reader = desk.another("reader").await;
    assert!(!get(&reader, "/users?left_before=2020-01-01").await.contains("Preview a task for these users"));
    assert_eq!(reader.post(to, ticked).await.0, StatusCode::FORBIDDEN);
}

/// Sends a file of user numbers. Returns status and address.
async fn send(desk: &Desk, token: &str, list: &str) -> (StatusCode, String) {
    let field = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"users.csv\"\r\nContent-Type: text/csv\r\n\r\n\
         {list}\r\n--b--\r\n"
    );
    let body = format!("{}{}{file}", field("form_token", token), field("task", "1"));
    let request = Request::post("/tasks/preview-of-file")
        .header(HOST, "127.0.0.1:3000")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    let (status, headers, _) = desk.answer(request).await;
    let to = headers.get(LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
    (status, to)
}

async fn a_file_of_users_is_previewed(desk: Desk) {
    let (status, page) = send(&desk, &desk.token, "user_number\r\n\"702\"\r\n703\r\n").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(names(&get(&desk, &page).await), ["Abel", "Moss"]);
    let before = number(&desk, "SELECT COUNT(*) FROM runs").await;
    let large = "1\n".repeat(1 << 20);
    for (token, list, why) in [
        (desk.token.as_str(), "702\r\nAbel\r\n", "Correct line 2"),
        (&desk.token, &large, "The form is too large"),
        (&desk.token, "", "Enter at least one user number"),
        (&desk.token, "799", "There are no users with these numbers: 799"),
        ("other", "702", "another session"),
    ] {
        let (status, page) = send(&desk, token, list).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{list}");
        assert!(page.starts_with("/tasks/1/listed?kept="), "{page}");
        let html = get(&desk, &page).await;
        assert!(html.contains(why), "{list}: {html}");
    }
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM runs").await, before);
}

async fn a_discarded_preview_offers_no_action(desk: Desk) {
    let page = preview(&desk).await;
    post(&desk, "discard_preview", &format!("form[preview]={}", &page[6..])).await;
    let html = get(&desk, &page).await;
    assert!(html.contains("This preview was discarded"), "{html}");
    for part in [
        "id=\"run-now\"",
        "Discard preview",
        "Exclude ticked users",
        "users.csv",
        "Warning level",
        "/letters\"",
    ] {
        assert!(!html.contains(part), "{part}: {html}");
    }
}
