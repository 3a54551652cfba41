//! Certificates, findings and requests on the command line.
#![allow(clippy::unwrap_used, reason = "tests")]

use chrono_tz::Tz;
use db::{Clock, Settings};
use erasure::certificate;
use policy::RunId;
use sea_orm::ConnectionTrait;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use trail::Store;

fn url(folder: &Path) -> String {
    format!("sqlite://{}/test.db?mode=rwc", folder.display())
}

fn lethe(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lethe"));
    command
        .current_dir(folder)
        .env("LETHE_DATABASE_URL", url(folder))
        .env("LETHE_FOUR_EYES", "on")
        .args(arguments)
        .output()
        .unwrap()
}

/// Runs a command that must succeed. Returns its standard output.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = lethe(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(folder, &[arguments, &["--json"]].concat())).unwrap()
}

async fn open(folder: &Path) -> Store {
    let clock = Clock::new(Tz::Europe__London);
    operations::open_store(&url(folder), clock, Settings::in_folder(folder)).await.unwrap()
}

#[tokio::test]
async fn a_run_shows_its_open_findings_and_its_certificate_is_verified_without_a_database() {
    let library = tempfile::tempdir().unwrap();
    let folder = library.path();
    printed(folder, &["demo", "--users", "60"]);
    printed(folder, &["library", "set", "--name", "Town Library"]);
    let store = open(folder).await;
    let users = "INSERT INTO users (number, uuid, last_name, email, imported, fictitious, notes) VALUES \
                 (9001, 'leaves', 'Quibblewick', 'quibblewick@example.org', TRUE, FALSE, NULL), \
                 (9002, 'stays', 'Stays', 'stays@example.org', TRUE, FALSE, 'write to quibblewick@example.org')";
    store.db.execute_unprepared(users).await.unwrap();
    let done = json(folder, &["users", "anonymise", "9001", "--confirm", "9001", "--reason", "left"]);
    let run = done["run"].as_i64().unwrap();
    let id = run.to_string();

    let shown = json(folder, &["runs", "show", &id]);
    assert_eq!((&shown["state"], &shown["open_findings"]), (&"succeeded".into(), &1.into()));
    let listed = json(folder, &["runs", "list"]);
    let listed = listed.as_array().unwrap().iter().find(|one| one["id"] == run).unwrap();
    assert_eq!(listed["open_findings"], 1);
    for text in [printed(folder, &["runs", "show", &id]), printed(folder, &["runs", "list"])] {
        assert!(text.contains("Succeeded, 1 finding to decide"), "{text}");
    }

    let checked = json(folder, &["runs", "verify", &id]);
    assert_eq!((&checked["version"], &checked["supersedes"]), (&2.into(), &1.into()));
    let earlier = printed(folder, &["runs", "verify", &id, "--certificate-version", "1"]);
    assert!(earlier.contains("Version 2 supersedes it"), "{earlier}");
    let signed = certificate::read(&store, RunId(run)).await.unwrap();
    assert_eq!(signed.certificate.library.as_deref(), Some("Town Library"));

    // Verify the file alone, without a database.
    let elsewhere = tempfile::tempdir().unwrap();
    let text = certificate::file(&store, RunId(run), None).await.unwrap();
    let key = ["--public-key", signed.public_key.as_str()];
    for (name, text, holds) in
        [("good.json", text.clone(), true), ("bad.json", text.replace("\"done\":1", "\"done\":0"), false)]
    {
        std::fs::write(elsewhere.path().join(name), text).unwrap();
        let verify = [&["runs", "verify", name], &key[..]].concat();
        assert_eq!(lethe(elsewhere.path(), &verify).status.success(), holds, "{name}");
    }
    let files: Vec<_> = std::fs::read_dir(elsewhere.path()).unwrap().collect();
    assert_eq!(files.len(), 2, "no database was created");
}

#[tokio::test]
async fn the_command_line_can_withdraw_its_own_request() {
    let library = tempfile::tempdir().unwrap();
    let folder = library.path();
    printed(folder, &["demo", "--users", "60"]);
    let store = open(folder).await;
    store.db.execute_unprepared("UPDATE tasks SET confirmed_settings = NULL").await.unwrap();
    let preview = json(folder, &["tasks", "preview", "1"])["id"].to_string();
    let request = json(folder, &["approvals", "request", &preview])["approval"].to_string();
    let text = printed(folder, &["approvals", "withdraw", &request]);
    assert_eq!(text.trim(), format!("Approval request {request} withdrawn"));
    assert!(printed(folder, &["approvals", "list", "--all"]).contains("Withdrawn by command line"));
    let events = json(folder, &["audit", "list", "--action", "approval_withdrawn"]);
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert!(
        !lethe(folder, &["approvals", "withdraw", &request]).status.success(),
        "the request is already decided"
    );
}
