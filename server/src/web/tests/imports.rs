//! Imports on the page: upload, check, import, report, cancelling.

use super::desk::Desk;
use crate::network::NetworkConfig;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{Request, StatusCode};
use db::entity::{imports, users};
use db::{Settings, SignIn};
use policy::import::ImportState;
use policy::{FourEyes, Role};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use std::fmt::Write as _;
use std::time::Duration;

on_both!(
    a_file_is_uploaded_checked_and_imported,
    a_rejected_file_changes_nothing_and_its_lines_are_reported,
    a_cancelled_import_deletes_its_file,
    an_upload_that_is_not_a_file_of_this_session_is_not_stored,
    only_staff_who_may_import_see_imports,
    an_import_is_started_once,
    what_was_detected_is_shown_and_ambiguous_dates_are_asked,
    the_tables_of_an_export_are_uploaded_together,
    the_chosen_options_decide_about_wrong_lines_and_empty_cells,
    a_check_shows_changed_fields_without_values,
    the_page_of_a_waiting_file_does_not_read_it_again,
);

const BOUNDARY: &str = "boundary-of-the-form";

/// Returns the request that uploads these files. Those after the first one are additional tables.
fn upload(token: &str, profile: &str, files: &[(&str, &str)]) -> Request<Body> {
    let mut body = String::new();
    for (name, value) in [("form_token", token), ("form_key", "a key"), ("profile", profile)] {
        write!(body, "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            .expect("text");
    }
    for (place, (name, content)) in files.iter().enumerate() {
        let field = if place == 0 { "file" } else { "tables" };
        write!(
            body,
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: text/csv\r\n\r\n{content}\r\n"
        )
        .expect("text");
    }
    write!(body, "--{BOUNDARY}--\r\n").expect("text");
    Request::post("/users/import/upload")
        .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(Body::from(body))
        .expect("a request")
}

/// Uploads a file of users in Lethe's format. Returns the address of the next page.
async fn send(desk: &Desk, content: &str) -> String {
    send_files(desk, &desk.token, "users/lethe", &[("users.csv", content)]).await
}

pub(super) async fn send_files(desk: &Desk, token: &str, kind: &str, files: &[(&str, &str)]) -> String {
    let (status, headers, page) = desk.answer(upload(token, kind, files)).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    headers[LOCATION].to_str().expect("an address").to_owned()
}

/// Posts a form of an import and waits until no process is working on the import. Returns its page.
pub(super) async fn act(desk: &Desk, function: &str, page: &str) -> String {
    let id = page.rsplit('/').next().expect("a number");
    let form = format!("form[import]={id}");
    let (status, _, body) = desk.post(&format!("/do/{function}?page={page}"), form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
    settled(desk, page).await
}

/// Posts the form with the options of an import, and returns its page after the check.
async fn check(desk: &Desk, page: &str, form: &str) -> String {
    let (status, _, body) = desk.post(&format!("/do/check_import?page={page}"), form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
    settled(desk, page).await
}

async fn settled(desk: &Desk, page: &str) -> String {
    for _ in 0..200 {
        let (status, _, shown) = desk.get(page).await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        if !shown.contains("data-pending") {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the import does not end");
}

async fn imported_users(desk: &Desk) -> Vec<String> {
    let found = users::Entity::find().filter(users::Column::Imported.eq(true)).all(&desk.store.db).await;
    found.expect("users").into_iter().filter_map(|user| user.last_name).collect()
}

/// Returns the number of private copies of uploaded files.
fn copies(desk: &Desk) -> usize {
    std::fs::read_dir(&desk.store.settings.uploads).map_or(0, Iterator::count)
}

async fn a_file_is_uploaded_checked_and_imported(desk: Desk) {
    assert_eq!(
        field_names(&desk).await,
        ["form_token", "form_key", "profile", "file", "tables"],
        "as `upload` sends them"
    );
    let page = send(&desk, "user_id,last_name\nb1a,Alder\nb1b,Birch\n").await;
    assert_eq!((page.as_str(), copies(&desk)), ("/users/import/1", 1));
    let (_, _, shown) = desk.get(&page).await;
    assert!(shown.contains("Check file") && !shown.contains(">Import file<"), "{shown}");

    let shown = act(&desk, "check_import", &page).await;
    assert!(shown.contains("Nothing has been changed yet"), "{shown}");
    assert!(shown.contains("<dt>new</dt><dd>2</dd>"), "{shown}");
    assert!(imported_users(&desk).await.is_empty(), "a check changes nothing");

    let shown = act(&desk, "start_import", &page).await;
    assert!(shown.contains("The import is complete"), "{shown}");
    assert_eq!(imported_users(&desk).await, ["Alder", "Birch"]);
    assert_eq!(copies(&desk), 0, "the private copy is deleted");
    let (_, _, list) = desk.get("/users/import").await;
    assert!(list.contains("Imported") && list.contains("Users: Lethe"), "{list}");
    let (_, _, audit) = desk.get("/audit").await;
    assert!(audit.contains("File imported"), "{audit}");
    assert!(!audit.contains("Alder") && !list.contains("Alder"));
}

async fn a_rejected_file_changes_nothing_and_its_lines_are_reported(desk: Desk) {
    let page = send(&desk, "user_id,last_name,email\nb1a,Alder,none\nb1b,,b@example.org\n").await;
    let shown = act(&desk, "check_import", &page).await;
    assert!(shown.contains("The file has 2 problems. Nothing was changed"), "{shown}");
    assert!(shown.contains("Lines to check") && !shown.contains(">Import file<"), "{shown}");
    let (status, headers, csv) = desk.get(&format!("{page}/lines.csv")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers[CONTENT_TYPE].to_str().expect("text").starts_with("text/csv"));
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[1].starts_with("2,rejected,email,") && lines[2].starts_with("3,rejected,last_name,"),
        "{csv}"
    );
    assert!(imported_users(&desk).await.is_empty());
    let id = page.rsplit('/').next().expect("a number");
    let (status, _, _) =
        desk.post("/do/start_import?page=/users/import/1", format!("form[import]={id}")).await;
    assert_eq!(status, StatusCode::CONFLICT, "a rejected file is not imported");
}

async fn a_cancelled_import_deletes_its_file(desk: Desk) {
    let page = send(&desk, "user_id,last_name\nb1a,Alder\n").await;
    let shown = act(&desk, "cancel_import", &page).await;
    assert!(shown.contains("Cancelled. Nothing was changed"), "{shown}");
    assert_eq!(copies(&desk), 0);
    assert!(imported_users(&desk).await.is_empty());
}

/// Returns the names of the fields of the rendered form, in their order.
async fn field_names(desk: &Desk) -> Vec<String> {
    let (_, _, page) = desk.get("/users/import").await;
    let (_, form) = page.split_once("action=\"/users/import/upload\"").expect("the form");
    let form = form.split("</form>").next().expect("its end");
    form.split(" name=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
}

async fn an_upload_that_is_not_a_file_of_this_session_is_not_stored(mut desk: Desk) {
    let content = "user_id,last_name\nb1a,Alder\n";
    assert_eq!(
        send_files(&desk, "other", "users/lethe", &[("a.csv", content)]).await,
        "/users/import?failed=other-session"
    );
    for (kind, files, code) in [
        ("users/lethe", &[][..], "no-file"),
        ("users/lethe", &[("", "")], "no-file"),
        ("users/lethe", &[("a.csv", "")], "empty"),
        ("nothing", &[("a.csv", content)], "unknown-profile"),
        ("loans/koha", &[("a.csv", content)], "unknown-profile"),
        ("users/lethe", &[("a.csv", content), ("card.csv", "id\n1\n")], "unknown-table"),
        (
            "users/evergreen",
            &[("usr.csv", content), ("card.csv", "id\n1\n"), ("CARD.csv", "id\n")],
            "unknown-table",
        ),
    ] {
        let next = send_files(&desk, &desk.token, kind, files).await;
        assert_eq!(next, format!("/users/import?failed={code}"), "{kind} {files:?}");
        let (_, _, shown) = desk.get(&next).await;
        assert!(shown.contains("role=\"alert\""), "{shown}");
    }
    desk.cookie.clear();
    let (status, _, _) = desk.answer(upload(&desk.token, "users/lethe", &[("a.csv", content)])).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(copies(&desk), 0, "no copy is kept");
}

async fn only_staff_who_may_import_see_imports(desk: Desk) {
    let page = send(&desk, "user_id,last_name\nb1a,Alder\n").await;
    for role in Role::ALL {
        let name = format!("only-{}", role.code());
        desk.staff(&name, &[role]).await;
        let other = desk.another(&name).await;
        let may = matches!(role, Role::SystemsLibrarian | Role::Administrator);
        let expected = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
        for address in ["/users/import", &page, &format!("{page}/lines.csv")] {
            assert_eq!(other.get(address).await.0, expected, "{role:?} {address}");
        }
        if !may {
            let request = upload(&other.token, "users/lethe", &[("a.csv", "user_id,last_name\n")]);
            assert_eq!(other.answer(request).await.0, StatusCode::FORBIDDEN, "{role:?}");
        }
    }
    assert_eq!(copies(&desk), 1);
}

async fn an_import_is_started_once(desk: Desk) {
    let page = send(&desk, "user_id,last_name\nb1a,Alder\n").await;
    act(&desk, "check_import", &page).await;
    let post = || desk.post("/do/start_import?page=/users/import/1", "form[import]=1");
    let (first, second) = tokio::join!(post(), post());
    let statuses = [first.0, second.0];
    assert!(statuses.contains(&StatusCode::SEE_OTHER), "{statuses:?}");
    settled(&desk, &page).await;
    assert_eq!(imported_users(&desk).await, ["Alder"]);
    let rows = imports::Entity::find().all(&desk.store.db).await.expect("imports");
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [ImportState::Imported]);
}

async fn what_was_detected_is_shown_and_ambiguous_dates_are_asked(desk: Desk) {
    let page = send(&desk, "User_ID;Nachname;leaving date\nb1a;Alder;03/04/2018\n").await;
    let (_, _, shown) = desk.get(&page).await;
    for text in ["UTF-8", "Semicolon", "User_ID", "Nachname", "Alder", "03/04/2018", "have two meanings"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let form = "form[import]=1&form[dates]=day_month_year&form[mode]=all_or_nothing&form[empty_cells]=keep";
    let shown = check(&desk, &page, form).await;
    assert!(!shown.contains("have two meanings"), "{shown}");
    act(&desk, "start_import", &page).await;
    let found = users::Entity::find().filter(users::Column::UserId.eq("b1a")).one(&desk.store.db).await;
    let leaving = found.expect("users").expect("the user").leaving_on.map(|date| date.to_string());
    assert_eq!(leaving.as_deref(), Some("2018-04-03"));
    let (status, _, _) = desk.post(&format!("/do/check_import?page={page}"), form).await;
    assert_eq!(status, StatusCode::CONFLICT, "the import is over");
}

async fn the_page_of_a_waiting_file_does_not_read_it_again(desk: Desk) {
    let content = "user_id,last_name,leaving_on\nb1a,Alder,03/04/2018\n";
    let page = send(&desk, content).await;
    let uploads = std::fs::read_dir(&desk.store.settings.uploads).expect("uploads");
    let folder = uploads.map(|entry| entry.expect("an upload").path()).next().expect("the upload");
    let main = folder.join("main");
    let replace = |content: &str| std::fs::write(&main, content).expect("written");
    let shown_without_the_file = async |page: String| {
        replace("another file");
        let (_, _, shown) = desk.get(&page).await;
        replace(content);
        shown
    };
    let shown = shown_without_the_file(page.clone()).await;
    assert!(shown.contains("Alder") && shown.contains("have two meanings"), "{shown}");
    let form = "form[import]=1&form[dates]=day_month_year&form[mode]=all_or_nothing&form[empty_cells]=keep";
    check(&desk, &page, form).await;
    let shown = shown_without_the_file(page.clone()).await;
    assert!(shown.contains("Alder") && !shown.contains("have two meanings"), "{shown}");
    let of_profile = format!("{page}/profile");
    desk.get(&of_profile).await;
    assert!(shown_without_the_file(of_profile).await.contains("Alder"));
    act(&desk, "start_import", &page).await;
    assert!(!folder.exists(), "what was detected is erased with the file");
}

async fn the_chosen_options_decide_about_wrong_lines_and_empty_cells(desk: Desk) {
    let page = send(&desk, "user_id,last_name,city\nb1a,Alder,Bern\n").await;
    act(&desk, "check_import", &page).await;
    act(&desk, "start_import", &page).await;
    let page = send(&desk, "user_id,last_name,city\nb1a,Alders,\nb1b,,\n").await;
    let shown = act(&desk, "check_import", &page).await;
    assert!(shown.contains("Enter a last name") && !shown.contains("Import file"), "{shown}");
    let choose = async |mode: &str, empty_cells: &str| {
        let form = format!("form[import]=2&form[mode]={mode}&form[empty_cells]={empty_cells}");
        desk.post(&format!("/do/check_import?page={page}"), &form).await
    };
    let (status, _, shown) = choose("some_lines", "keep").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!shown.contains(r#"<p id="mode-problem" class="problem"></p>"#), "{shown}");
    let form = "form[import]=2&form[mode]=valid_lines_only&form[empty_cells]=keep";
    let shown = check(&desk, &page, form).await;
    assert!(shown.contains(r#"<option value="valid_lines_only" selected"#), "{shown}");
    assert!(shown.contains("Import file"), "the check used the choice: {shown}");
    act(&desk, "start_import", &page).await;
    let found = users::Entity::find().filter(users::Column::UserId.eq("b1a")).one(&desk.store.db).await;
    let user = found.expect("users").expect("the user");
    assert_eq!((user.last_name.as_deref(), user.city.as_deref()), (Some("Alders"), Some("Bern")));
    assert_eq!(choose("valid_lines_only", "clear").await.0, StatusCode::CONFLICT, "the import is over");
}

async fn a_check_shows_changed_fields_without_values(desk: Desk) {
    let page = send(&desk, "user_id,last_name,city\nb1a,Alder,Bern\n").await;
    act(&desk, "check_import", &page).await;
    act(&desk, "start_import", &page).await;
    let page = send(&desk, "user_id,last_name,city\nb1a,Birch,Basel\nb1b,Cedar,Chur\n").await;
    let shown = act(&desk, "check_import", &page).await;
    let (_, differences) = shown.split_once("First differences").expect("the table");
    let (differences, _) = differences.split_once("</table>").expect("its end");
    for text in ["New", "Changed", "Last name, City"] {
        assert!(differences.contains(text), "{text}: {differences}");
    }
    for value in ["Birch", "Basel", "Cedar", "Alder"] {
        assert!(!differences.contains(value), "{value}: {differences}");
    }
    let (_, fields) = shown.split_once("Changed fields, most frequent first").expect("the numbers");
    assert!(fields.contains("City"), "{fields}");
}

async fn with_four_eyes(four_eyes: FourEyes) -> (Desk, String) {
    let set = |settings: &mut Settings| {
        settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() };
        settings.four_eyes = four_eyes;
    };
    let mut desk = Desk::with(set, |_| (), NetworkConfig::default()).await;
    for user_id in ["ana", "ben"] {
        desk.staff(user_id, &Role::ALL).await;
    }
    desk.sign_in("ana").await;
    let lines = |email: fn(u32) -> String| {
        let mut lines = "user_id,last_name,email\n".to_owned();
        (0..60).for_each(|at| writeln!(lines, "u{at},Last{at},{}", email(at)).expect("text"));
        lines
    };
    let page = send(&desk, &lines(|at| format!("u{at}@example.org"))).await;
    act(&desk, "check_import", &page).await;
    act(&desk, "start_import", &page).await;
    let page = send(&desk, &lines(|_| String::new())).await;
    (desk, page)
}

#[tokio::test]
async fn a_second_person_approves_a_file_beyond_the_limits_on_its_page() {
    let (desk, page) = with_four_eyes(FourEyes::On).await;
    let shown = act(&desk, "check_import", &page).await;
    for text in ["Safety limit reached", "Second person required", "Request approval"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("Import file"), "{shown}");
    let form = "form[import]=2";
    let (status, ..) = desk.post(&format!("/do/request_import_approval?page={page}"), form).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, _, shown) = desk.get(&page).await;
    assert!(shown.contains("Waiting") && !shown.contains("Request approval</button>"), "{shown}");
    let approve = "form[approval]=1&form[confirm]=60";
    let own = desk.post("/do/approve_request?page=/approvals", approve).await;
    assert_eq!(own.0, StatusCode::CONFLICT);
    let ben = desk.another("ben").await;
    let (status, _, body) = ben.post("/do/approve_request?page=/approvals", approve).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
    let (_, _, shown) = ben.get(&page).await;
    assert!(!shown.contains("Import file"), "the approver does not start it: {shown}");
    let (_, _, shown) = desk.get(&page).await;
    assert!(shown.contains("Import file"), "{shown}");
    act(&desk, "start_import", &page).await;
    let left = users::Entity::find().filter(users::Column::Email.is_not_null()).all(&desk.store.db).await;
    assert_eq!(left.expect("users").len(), 0);
}

#[tokio::test]
async fn without_four_eyes_the_typed_number_confirms_a_file_beyond_the_limits() {
    let (desk, page) = with_four_eyes(FourEyes::Off).await;
    let shown = act(&desk, "check_import", &page).await;
    assert!(shown.contains("Number of users that the file touches"), "{shown}");
    assert!(!shown.contains("Second person required"), "{shown}");
    let (status, _, body) =
        desk.post(&format!("/do/request_import_approval?page={page}"), "form[import]=2").await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    let start = async |number: &str| {
        let form = format!("form[import]=2&form[confirm]={number}");
        desk.post(&format!("/do/start_import?page={page}"), &form).await;
        settled(&desk, &page).await
    };
    let shown = start("59").await;
    assert!(shown.contains("confirm the number 60"), "{shown}");
    let shown = start("60").await;
    assert!(shown.contains("The import is complete"), "{shown}");
}

#[tokio::test]
async fn the_number_that_confirms_a_file_of_loans_counts_its_damaged_lines() {
    let set = |settings: &mut Settings| {
        settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() };
        settings.four_eyes = FourEyes::Off;
    };
    let mut desk = Desk::with(set, |_| (), NetworkConfig::default()).await;
    desk.staff("ana", &Role::ALL).await;
    desk.sign_in("ana").await;
    let page = send(&desk, "user_id,last_name\nb1a,Alder\n").await;
    act(&desk, "check_import", &page).await;
    act(&desk, "start_import", &page).await;
    let mut loans = "user_id,item_barcode,branch,issued_on,due_on\n".to_owned();
    for at in 0..40 {
        let borrower = if at < 30 { "2.9001E+13" } else { "b1a" };
        writeln!(loans, "{borrower},i{at},MAIN,2018-01-02,2018-01-09").expect("text");
    }
    let page = send_files(&desk, &desk.token, "loans/lethe", &[("loans.csv", &loans)]).await;
    let form = "form[import]=2&form[mode]=valid_lines_only&form[empty_cells]=keep";
    let shown = check(&desk, &page, form).await;
    assert!(shown.contains("Number of lines with a damaged key"), "{shown}");
    assert!(!shown.contains("Number of users that the file touches"), "{shown}");
    desk.post(&format!("/do/start_import?page={page}"), "form[import]=2&form[confirm]=30").await;
    let shown = settled(&desk, &page).await;
    assert!(shown.contains("The import is complete"), "{shown}");
}

async fn the_tables_of_an_export_are_uploaded_together(desk: Desk) {
    let main = "id,card,usrname,family_name,mailing_address\n2,12,ana,Alder,31\n";
    let files = [
        ("usr.csv", main),
        ("card.csv", "id,usr,barcode\n12,2,999\n"),
        ("usr_address.csv", "id,street1,street2,city,country,post_code\n31,1 High St,,Bern,CH,3000\n"),
    ];
    let page = send_files(&desk, &desk.token, "users/evergreen", &files).await;
    assert_eq!(copies(&desk), 1, "one folder");
    act(&desk, "check_import", &page).await;
    act(&desk, "start_import", &page).await;
    let found = users::Entity::find().filter(users::Column::UserId.eq("ana")).one(&desk.store.db).await;
    let user = found.expect("users").expect("the user");
    assert_eq!((user.barcode.as_deref(), user.city.as_deref()), (Some("999"), Some("Bern")));
    assert_eq!(copies(&desk), 0);
}
