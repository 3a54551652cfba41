//! Import profiles that staff make on a page: from a file, with suggestions, and for further files.

use super::desk::Desk;
use super::imports::{act, send_files};
use super::rendered::{Rendered, form};
use axum::http::StatusCode;
use db::entity::{import_profiles, imports, users};
use policy::import::ImportState;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

on_both!(
    a_profile_is_made_from_a_file_and_used_for_the_next_one,
    a_wrong_mapping_is_explained_at_its_field_and_kept,
    a_file_without_names_of_columns_makes_no_profile,
    a_profile_is_changed_and_deleted,
    a_custom_field_shows_the_profiles_that_fill_it,
);

const PROFILES: &str = "/users/import/profiles";
const FILE: &str = "Matrikelnummer;Nachname;Vorname;Austrittsdatum;Kontakt;Fach\n\
                    E1;Alder;Ann;30.09.2019;a@example.org;Law\n\
                    E2;Birch;Ben;31.03.2019;b@example.org;\n";

/// Uploads a file for a new profile. Returns the address of the page with its rows.
async fn sample(desk: &Desk, content: &str) -> String {
    let page = send_files(desk, &desk.token, "users/+", &[("hr.csv", content)]).await;
    assert!(page.ends_with("/profile"), "{page}");
    page
}

/// Returns the form that creates a profile, with its suggestions and a name.
async fn filled(desk: &Desk, page: &str, name: &str) -> Rendered {
    let (status, _, html) = desk.get(page).await;
    assert_eq!(status, StatusCode::OK, "{html}");
    let mut form = form(&html, "/do/create_import_profile");
    form.set("form[name]", name);
    form
}

/// Makes a profile from [`FILE`]. Returns the address of its import.
async fn create(desk: &Desk, name: &str) -> String {
    let page = sample(desk, FILE).await;
    let form = filled(desk, &page, name).await;
    let (status, location, html) = desk.post(&form.action, form.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    location
}

async fn a_profile_is_made_from_a_file_and_used_for_the_next_one(desk: Desk) {
    let (_, _, list) = desk.get(PROFILES).await;
    assert!(list.contains("There are no custom profiles") && list.contains("Koha patrons (CSV)"), "{list}");
    let page = sample(&desk, FILE).await;
    let (_, _, html) = desk.get(&page).await;
    for text in [
        "Alder",
        "a@example.org",
        "Suggested from the name: Last name",
        "Suggested from the content: E-mail",
        "Field for Matrikelnummer",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    let form = filled(&desk, &page, "Studierende").await;
    let value = |name: &str| {
        let field = form.fields.iter().find(|field| field.name == name);
        field.map(|field| field.value.as_str()).unwrap_or_default().to_owned()
    };
    let targets: Vec<String> =
        (0..6).map(|place| value(&format!("form[columns][{place}][target]"))).collect();
    assert_eq!(targets, ["external_id", "last_name", "first_name", "leaving_on", "email", ""]);
    assert_eq!(value("form[dates]"), "day_month_year_dots");

    let (status, location, html) = desk.post(&form.action, form.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    let (_, _, shown) = desk.get(&location).await;
    assert!(shown.contains("Import profile created.") && shown.contains("Users: Studierende"), "{shown}");
    assert!(
        shown.contains("day.month.year") && shown.contains("Check file"),
        "what was detected is shown again"
    );
    let import = page.trim_end_matches("/profile");
    act(&desk, "check_import", import).await;
    act(&desk, "start_import", import).await;
    let ann = users::Entity::find().filter(users::Column::ExternalId.eq("E1")).one(&desk.store.db).await;
    let ann = ann.expect("users").expect("the user");
    assert_eq!((ann.email.as_deref(), ann.department), (Some("a@example.org"), None));
    assert_eq!(ann.leaving_on.map(|date| date.to_string()).as_deref(), Some("2019-09-30"));

    // The next file is uploaded with the profile.
    let (_, _, list) = desk.get("/users/import").await;
    assert!(list.contains("value=\"users/studierende\""), "{list}");
    let (_, _, tasks) = desk.get("/tasks/new").await;
    assert!(tasks.contains("Studierende (Users)"), "{tasks}");
    let next = send_files(&desk, &desk.token, "users/studierende", &[("hr.csv", FILE)]).await;
    let (_, _, shown) = desk.get(&next).await;
    assert!(shown.contains("Users: Studierende"), "{shown}");
    let (_, _, audit) = desk.get("/audit").await;
    assert!(audit.contains("Import profile created") && !audit.contains("Alder"), "{audit}");
}

async fn a_wrong_mapping_is_explained_at_its_field_and_kept(desk: Desk) {
    let page = sample(&desk, FILE).await;
    let mut form = filled(&desk, &page, "").await;
    form.set("form[columns][1][target]", "first_name");
    form.set("form[never]", "31.12.9999");
    let (status, _, html) = desk.post(&form.action, form.body()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{html}");
    for text in [
        "Enter a name",
        "Choose another field: a column already fills this one",
        "Choose a column for the field Last name",
        "31.12.9999",
        "Alder",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    assert!(html.contains("id=\"columns.2.target-problem\""), "the second one is wrong");
    let again = super::rendered::form(&html, "/do/create_import_profile");
    assert_eq!(again.entered(), form.entered(), "what was typed");
    let rows = import_profiles::Entity::find().all(&desk.store.db).await.expect("profiles");
    assert!(rows.is_empty());
    let imports = imports::Entity::find().all(&desk.store.db).await.expect("imports");
    assert_eq!((imports[0].state, imports[0].profile.code.as_str()), (ImportState::Uploaded, "lethe"));
}

async fn a_file_without_names_of_columns_makes_no_profile(desk: Desk) {
    let page = sample(&desk, "E1;Alder;a@example.org\nE2;Birch;b@example.org\n").await;
    let (status, _, html) = desk.get(&page).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("Upload another file") && !html.contains("Save profile"), "{html}");
    assert!(!html.contains("Alder"), "{html}");
    let (status, _, _) = desk.get("/users/import/999/profile").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let imported = create(&desk, "HR").await;
    let import = imported.split('?').next().expect("an address").to_owned();
    act(&desk, "cancel_import", &import).await;
    let (status, _, html) = desk.get(&format!("{import}/profile")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{html}");
}

async fn a_profile_is_changed_and_deleted(desk: Desk) {
    create(&desk, "HR").await;
    let page = format!("{PROFILES}/1");
    let mut opened = form(&desk.get(&page).await.2, "/do/change_import_profile");
    opened.set("form[name]", "HR of the university");
    let (status, location, html) = desk.post(&opened.action, opened.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    let (_, _, list) = desk.get(&location).await;
    assert!(list.contains("Import profile saved.") && list.contains("HR of the university"), "{list}");
    opened.set("form[name]", "Lost");
    let (status, _, html) = desk.post(&opened.action, opened.body()).await;
    assert_eq!(status, StatusCode::CONFLICT, "{html}");
    assert!(html.contains("This was changed after you opened it"), "{html}");

    let (status, location, html) =
        desk.post(&format!("/do/delete_import_profile?page={PROFILES}"), "form[profile]=1").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    let (_, _, list) = desk.get(&location).await;
    assert!(list.contains("Import profile deleted.") && !list.contains("HR of the university"), "{list}");
    assert_eq!(desk.get(&page).await.0, StatusCode::NOT_FOUND);
}

async fn a_custom_field_shows_the_profiles_that_fill_it(desk: Desk) {
    let field = "form[key]=course&form[label]=Course&form[class]=not_personal";
    assert_eq!(desk.post("/do/add_custom_field?page=/custom-fields", field).await.0, StatusCode::SEE_OTHER);
    let page = sample(&desk, FILE).await;
    let mut form = filled(&desk, &page, "HR of the university").await;
    form.set("form[columns][5][target]", "custom.course");
    let (status, _, html) = desk.post(&form.action, form.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    let (_, _, html) = desk.get("/custom-fields").await;
    assert!(html.contains("<a href=\"/users/import/profiles/1\">HR of the university</a>"), "{html}");
    let remove = "/do/remove_custom_field?page=/custom-fields";
    let (status, _, html) = desk.post(remove, "form[key]=course").await;
    assert_eq!(status, StatusCode::CONFLICT, "{html}");
    assert!(html.contains("Import profiles fill this field: “HR of the university”"), "{html}");
}
