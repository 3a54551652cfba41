//! Backups while Lethe serves, and the drill that proves that they are of use.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/place.rs"]
mod place;

use place::{Place, fresh_database, number, sql};
use serde_json::Value;
use std::fs;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The address of an empty database for the drill, where the backup needs one.
async fn arguments(place: &Place) -> Vec<String> {
    let mut arguments = vec!["drill".to_owned(), "backup".to_owned(), "--json".to_owned()];
    if place.url.starts_with("postgres") {
        arguments.push("--into".to_owned());
        arguments.push(fresh_database(&std::env::var("TEST_POSTGRES_URL").unwrap()).await);
    }
    arguments
}

async fn drilled(place: &Place, passes: bool) -> Value {
    let arguments = arguments(place).await;
    let output = place.lethe(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    assert_eq!(output.status.success(), passes, "{}", place::said(&output));
    json(&String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_serving_library_brings_back_nobody() {
    for place in Place::both().await {
        place.done(&["demo", "--users", "120"]);
        place.done(&["audit", "verify"]);
        let server = place.serve();
        let made = json(&place.done(&["backup", "backup", "--json"]));
        assert_eq!(
            made["users"],
            json(&fs::read_to_string(place.folder().join("backup.manifest.json")).unwrap())["users"]
        );
        assert!(made["audit_sequence"].as_i64().unwrap() > 0, "{made}");
        assert!(place.refused(&["backup", "backup"]).contains("already exists"));
        let fresh = drilled(&place, true).await;
        assert_eq!(
            (&fresh["anonymised_again"], &fresh["as_in_manifest"]),
            (&Value::from(0), &Value::from(true)),
            "{fresh}"
        );

        // Somebody is anonymised after the backup.
        let number = number_of_somebody(&place).await;
        place.done(&["users", "anonymise", &number, "--confirm", &number]);
        place.done(&["audit", "verify"]);
        let later = drilled(&place, true).await;
        assert_eq!(later["anonymised_again"], 1, "{later}");
        assert_eq!(
            later["anonymised"].as_i64().unwrap(),
            later["restored"]["anonymised"].as_i64().unwrap() + 1
        );
        // The library itself is as it was.
        assert!(place.done(&["ledger", "verify"]).contains("in sync"));
        assert!(place.done(&["audit", "verify"]).contains("The audit is intact"));
        assert!(place.done(&["audit", "list", "--action", "backed_up"]).contains("users="));
        drop(server);

        // A backup that was changed is seen.
        let path = place.folder().join("backup");
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(0);
        fs::write(&path, bytes).unwrap();
        let arguments = arguments(&place).await;
        let output = place.lethe(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
        assert!(!output.status.success());
    }
}

/// A user whom nothing keeps from being anonymised.
async fn number_of_somebody(place: &Place) -> String {
    let fit = "INSERT INTO users (uuid, user_id, first_name, last_name, imported, created_on, leaving_on) \
               VALUES ('key of the leaver', 'leaver', 'First', 'Leaver', TRUE, '2016-09-01', '2018-01-15')";
    sql(&place.url, fit).await;
    // The row came by other hands, and has no backup yet.
    fs::remove_file(place.folder().join("backup")).unwrap();
    fs::remove_file(place.folder().join("backup.manifest.json")).unwrap();
    place.done(&["backup", "backup"]);
    number(&place.url, "SELECT number FROM users WHERE user_id = 'leaver'").await.to_string()
}

#[tokio::test]
async fn a_backup_of_postgresql_is_restored_into_an_empty_database_only() {
    let Some(place) = Place::postgres().await else { return };
    place.done(&["demo", "--users", "60"]);
    place.done(&["backup", "backup"]);
    assert!(place.refused(&["drill", "backup"]).contains("--into"));
    assert!(place.refused(&["drill", "backup", "--into", &place.url]).contains("is not empty"));
    let without = place.lethe(&["backup", "other"]).env("PATH", "/nowhere").output().unwrap();
    let words = place::said(&without);
    assert!(!without.status.success() && words.contains("postgresql-client"), "{words}");
    assert!(!place.folder().join("other").exists(), "nothing is left behind");
}
