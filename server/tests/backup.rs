//! Backups while Lethe serves, and the restore drill.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/installation.rs"]
mod installation;

use installation::{Installation, create_database, number, sql};
use serde_json::Value;
use std::fs;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Returns the arguments of a drill. A PostgreSQL backup needs an empty database.
async fn drill_arguments(installation: &Installation) -> Vec<String> {
    let mut arguments = vec!["drill".to_owned(), "backup".to_owned(), "--json".to_owned()];
    if installation.url.starts_with("postgres") {
        arguments.push("--into".to_owned());
        arguments.push(create_database(&std::env::var("TEST_POSTGRES_URL").unwrap()).await);
    }
    arguments
}

async fn drill(installation: &Installation, passes: bool) -> Value {
    let arguments = drill_arguments(installation).await;
    let output =
        installation.lethe(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    assert_eq!(output.status.success(), passes, "{}", installation::output_text(&output));
    json(&String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_serving_brings_no_user_back() {
    for installation in Installation::both().await {
        installation.run(&["demo", "--users", "120"]);
        installation.run(&["audit", "verify"]);
        let server = installation.serve();
        let made = json(&installation.run(&["backup", "backup", "--json"]));
        assert_eq!(
            made["users"],
            json(&fs::read_to_string(installation.folder().join("backup.manifest.json")).unwrap())["users"]
        );
        assert!(made["audit_sequence"].as_i64().unwrap() > 0, "{made}");
        assert!(installation.run_refused(&["backup", "backup"]).contains("already exists"));
        let fresh = drill(&installation, true).await;
        assert_eq!(
            (&fresh["anonymised_again"], &fresh["as_in_manifest"]),
            (&Value::from(0), &Value::from(true)),
            "{fresh}"
        );

        // A user is anonymised after the backup.
        let number = add_leaver(&installation).await;
        installation.run(&["users", "anonymise", &number, "--confirm", &number, "--reason", "left"]);
        installation.run(&["audit", "verify"]);
        let later = drill(&installation, true).await;
        assert_eq!(later["anonymised_again"], 1, "{later}");
        assert_eq!(
            later["anonymised"].as_i64().unwrap(),
            later["restored"]["anonymised"].as_i64().unwrap() + 1
        );
        // The drill has not changed the library.
        assert!(installation.run(&["ledger", "verify"]).contains("in sync"));
        assert!(installation.run(&["audit", "verify"]).contains("The audit is intact"));
        assert!(installation.run(&["audit", "list", "--action", "backed_up"]).contains("users="));
        drop(server);

        // The drill detects a changed backup.
        let path = installation.folder().join("backup");
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(0);
        fs::write(&path, bytes).unwrap();
        let arguments = drill_arguments(&installation).await;
        let output =
            installation.lethe(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
        assert!(!output.status.success());
    }
}

/// Inserts an eligible user and makes a new backup. Returns the user number.
async fn add_leaver(installation: &Installation) -> String {
    let user = "INSERT INTO users (uuid, user_id, first_name, last_name, imported, created_on, leaving_on) \
               VALUES ('key of the leaver', 'leaver', 'First', 'Leaver', TRUE, '2016-09-01', '2018-01-15')";
    sql(&installation.url, user).await;
    // The row was inserted directly, so the backup must be made again.
    fs::remove_file(installation.folder().join("backup")).unwrap();
    fs::remove_file(installation.folder().join("backup.manifest.json")).unwrap();
    installation.run(&["backup", "backup"]);
    number(&installation.url, "SELECT number FROM users WHERE user_id = 'leaver'").await.to_string()
}

#[tokio::test]
async fn a_postgresql_backup_is_restored_only_into_an_empty_database() {
    let Some(installation) = Installation::postgres().await else { return };
    installation.run(&["demo", "--users", "60"]);
    installation.run(&["backup", "backup"]);
    assert!(installation.run_refused(&["drill", "backup"]).contains("--into"));
    assert!(
        installation.run_refused(&["drill", "backup", "--into", &installation.url]).contains("is not empty")
    );
    let output = installation.lethe(&["backup", "other"]).env("PATH", "/nowhere").output().unwrap();
    let message = installation::output_text(&output);
    assert!(!output.status.success() && message.contains("postgresql-client"), "{message}");
    assert!(!installation.folder().join("other").exists(), "nothing is left behind");
}
