//! Sample users of other systems, converted to Lethe's CSV format. Skipped if the data is missing.

use crate::support::{day, for_each_database, import_loans, import_users};
use crate::transfer::{file, problems};
use chrono_tz::Tz;
use db::Clock;
use db::entity::users;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use trail::{Actor, Store};

fn data(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(path);
    if !file.exists() {
        // The test runner shows the output of a passing test only if it bypasses the capture.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "NOT TESTED: the sample data {path} is missing at {}", file.display()).unwrap();
        return None;
    }
    Some(file)
}

/// Returns the store on a day after the last date in the sample data.
fn after_the_samples(store: &Store) -> Store {
    store.as_another_process(Clock::fixed(Tz::Europe__London, day("2026-06-01")))
}

fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

async fn by_barcode(store: &Store, barcode: &str) -> users::Model {
    let query = users::Entity::find().filter(users::Column::Barcode.eq(barcode));
    query.one(&store.db).await.unwrap().unwrap()
}

fn folio() -> Option<String> {
    let text = std::fs::read_to_string(data("folio/users.json")?).unwrap();
    let users: Value = serde_json::from_str(&text).unwrap();
    let header = [
        "external_id",
        "user_id",
        "barcode",
        "last_name",
        "first_name",
        "middle_name",
        "email",
        "phone",
        "mobile",
        "birth_date",
        "street",
        "postcode",
        "city",
        "country",
        "category",
        "created_on",
        "leaving_on",
    ];
    let rows = users["users"].as_array().unwrap().iter().map(|user| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let date = |value: &Value| text(value).chars().take(10).collect::<String>();
        let (personal, address) = (&user["personal"], &user["personal"]["addresses"][0]);
        vec![
            text(&user["id"]),
            text(&user["username"]),
            text(&user["barcode"]),
            text(&personal["lastName"]),
            text(&personal["firstName"]),
            text(&personal["middleName"]),
            text(&personal["email"]),
            text(&personal["phone"]),
            text(&personal["mobilePhone"]),
            date(&personal["dateOfBirth"]),
            text(&address["addressLine1"]),
            text(&address["postalCode"]),
            text(&address["city"]),
            text(&address["countryId"]),
            text(&user["patronGroup"]),
            date(&user["enrollmentDate"]),
            date(&user["expirationDate"]),
        ]
    });
    Some(csv(&header, rows))
}

#[tokio::test]
async fn the_sample_users_of_folio_are_imported() {
    let Some(content) = folio() else { return };
    for_each_database(async |store| {
        let store = after_the_samples(&store);
        let content = file(&content);
        let summary = import_users(&store, Actor::COMMAND_LINE, content.path(), false).await.unwrap();
        assert_eq!((summary.lines, summary.created), (303, 303));
        assert!(summary.new_terms > 0, "unknown groups get their codes as names");
        let janae = by_barcode(&store, "344058867767195").await;
        assert_eq!(janae.user_id.as_deref(), Some("janae"));
        assert_eq!(
            (janae.first_name.as_deref(), janae.last_name.as_deref()),
            (Some("Justen"), Some("Hilll"))
        );
        assert_eq!(janae.birth_date.unwrap().to_string(), "1951-03-17");
        assert_eq!(janae.leaving_on.unwrap().to_string(), "2019-11-27");
        assert_eq!(janae.city.as_deref(), Some("Florence"));
        let again = import_users(&store, Actor::COMMAND_LINE, content.path(), false).await.unwrap();
        assert_eq!((again.created, again.changed, again.unchanged), (0, 0, 303));
    })
    .await;
}

fn rows(path: &str) -> Option<Vec<BTreeMap<String, String>>> {
    let mut reader = csv::Reader::from_path(data(path)?).unwrap();
    Some(reader.deserialize().map(Result::unwrap).collect())
}

fn date(text: &str) -> String {
    text.chars().take(10).collect()
}

#[tokio::test]
async fn the_sample_users_and_loans_of_evergreen_are_imported() {
    let (Some(all), Some(cards)) = (rows("evergreen/usr.csv"), rows("evergreen/card.csv")) else { return };
    let Some(circulation) = rows("evergreen/circulation.csv") else { return };
    let barcodes: BTreeMap<&str, &str> =
        cards.iter().map(|card| (card["id"].as_str(), card["barcode"].as_str())).collect();
    let header = [
        "external_id",
        "user_id",
        "barcode",
        "last_name",
        "first_name",
        "middle_name",
        "email",
        "phone",
        "birth_date",
        "category",
        "branch",
        "created_on",
        "leaving_on",
    ];
    let users = csv(
        &header,
        all.iter().map(|row| {
            let barcode = barcodes.get(row["card"].as_str()).copied().unwrap_or_default();
            [
                &row["id"],
                &row["usrname"],
                barcode,
                &row["family_name"],
                &row["first_given_name"],
                &row["second_given_name"],
                &row["email"],
                &row["day_phone"],
                &date(&row["dob"]),
                &format!("profile {}", row["profile"]),
                &format!("branch {}", row["home_ou"]),
                &date(&row["create_date"]),
                &date(&row["expire_date"]),
            ]
            .map(ToOwned::to_owned)
            .to_vec()
        }),
    );
    let loans = csv(
        &["external_id", "item_barcode", "branch", "issued_on", "due_on", "returned_on"],
        circulation.iter().map(|row| {
            vec![
                row["usr"].clone(),
                format!("copy {}", row["target_copy"]),
                format!("branch {}", row["circ_lib"]),
                date(&row["xact_start"]),
                date(&row["due_date"]),
                date(&row["checkin_time"]),
            ]
        }),
    );
    let wrong = date(&all[259]["dob"]);
    for_each_database(async |store| {
        let store = after_the_samples(&store);
        // One user was born in the wrong century. The import names the line, and the librarian corrects the file.
        let messages = problems(import_users(&store, Actor::COMMAND_LINE, file(&users).path(), false).await);
        assert_eq!(messages, ["line 261, birth_date: Enter a date from 1900 to 2100"]);
        let right = users.replace(&wrong, "");
        let summary = import_users(&store, Actor::COMMAND_LINE, file(&right).path(), false).await.unwrap();
        assert_eq!((summary.lines, summary.created), (378, 378));
        let terri = by_barcode(&store, "99999395390").await;
        assert_eq!(
            (terri.first_name.as_deref(), terri.last_name.as_deref()),
            (Some("Terri"), Some("Brooks"))
        );
        assert_eq!(terri.leaving_on.unwrap().to_string(), "2008-01-01");
        assert!(terri.imported);
        let summary = import_loans(&store, Actor::COMMAND_LINE, file(&loans).path(), false).await.unwrap();
        assert_eq!((summary.lines, summary.created), (486, 486));
        let written = db::entity::loans::Entity::find().count(&store.db).await.unwrap();
        assert_eq!(written, 486);
    })
    .await;
}
