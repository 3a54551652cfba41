//! The audit on the command line: verifying, listing, and detecting changes.
#![allow(clippy::unwrap_used, reason = "tests")]

use chrono_tz::Tz;
use db::{Clock, Settings};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

fn url(folder: &Path) -> String {
    format!("sqlite://{}/test.db?mode=rwc", folder.display())
}

fn lethe(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lethe"));
    command.current_dir(folder).env("LETHE_DATABASE_URL", url(folder)).args(arguments).output().unwrap()
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

async fn sql(folder: &Path, statements: &[&str]) {
    let clock = Clock::new(Tz::Europe__London);
    let store = operations::open_store(&url(folder), clock, Settings::in_folder(folder)).await.unwrap();
    for statement in statements {
        store.db.execute_unprepared(statement).await.unwrap();
    }
    store.db.clone().close().await.unwrap();
}

#[tokio::test]
async fn verify_fails_if_an_event_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(lethe(folder, &["demo", "--users", "60"]).status.success());
    let intact = lethe(folder, &["audit", "verify"]);
    assert!(intact.status.success(), "{}", text(&intact.stderr));
    assert!(text(&intact.stdout).starts_with("The audit is intact: "), "{}", text(&intact.stdout));
    let anchors = std::fs::read_to_string(folder.join("lethe.audit")).unwrap();
    assert_eq!(anchors.lines().count(), 1);

    sql(
        folder,
        &["DROP TRIGGER audit_events_changed", "UPDATE audit_events SET detail = 'x' WHERE sequence = 2"],
    )
    .await;
    let changed = lethe(folder, &["audit", "verify"]);
    assert!(!changed.status.success());
    assert!(text(&changed.stdout).contains("Event 2 was changed"), "{}", text(&changed.stdout));
    let changed = lethe(folder, &["audit", "verify", "--json"]);
    assert!(!changed.status.success());
    let verdict: Value = serde_json::from_slice(&changed.stdout).unwrap();
    assert_eq!(verdict["findings"], json!([{ "finding": "changed", "sequence": 2 }]));
    assert_eq!(
        std::fs::read_to_string(folder.join("lethe.audit")).unwrap(),
        anchors,
        "only an intact audit is anchored"
    );
}

#[tokio::test]
async fn verify_names_a_probably_wrong_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(lethe(folder, &["demo", "--users", "60"]).status.success());
    let replaced = lethe(folder, &["key", "replace", "--confirm", "REPLACE", "--json"]);
    assert!(replaced.status.success(), "{}", text(&replaced.stderr));
    let replaced: Value = serde_json::from_slice(&replaced.stdout).unwrap();
    let other = lethe(folder, &["audit", "verify"]);
    assert!(!other.status.success());
    assert!(text(&other.stdout).contains("LETHE_KEY_FILE is probably not"), "{}", text(&other.stdout));
    let kept = folder.join(replaced["kept"].as_str().unwrap());
    std::fs::copy(kept, folder.join("lethe.key")).unwrap();
    let old = lethe(folder, &["audit", "verify"]);
    let findings = text(&old.stdout);
    assert_eq!(
        findings.matches("was changed").count(),
        1,
        "the old key verifies all but the last: {findings}"
    );
    let refused = lethe(folder, &["users", "find", "a"]);
    assert!(
        !refused.status.success() && text(&refused.stderr).contains("another key"),
        "{}",
        text(&refused.stderr)
    );
}

#[tokio::test]
async fn list_applies_its_filters() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(lethe(folder, &["demo", "--users", "60"]).status.success());
    let list = |filters: &[&str]| -> Vec<Value> {
        let listed = lethe(folder, &[&["audit", "list", "--json"], filters].concat());
        assert!(listed.status.success(), "{}", text(&listed.stderr));
        serde_json::from_slice(&listed.stdout).unwrap()
    };
    let all = list(&[]);
    let imported = list(&["--action", "imported"]);
    assert_eq!(imported.len(), 1);
    assert!(imported[0]["detail"].as_str().unwrap().starts_with("demo,users=60,seed="));
    assert!(all.len() > 1 && list(&["--last", "1"]) == all[..1]);
    let user = all.iter().find(|event| event["action"] == "user_anonymised").unwrap();
    let (number, run) = (user["subject"].to_string(), user["run"].to_string());
    assert!(list(&["--kind", "user", "--id", &number, "--action", "user_anonymised"]).iter().eq([user]));
    assert!(list(&["--run", &run]).contains(user));
    assert!(list(&["--to", "2001-01-01"]).is_empty() && list(&["--from", "2001-01-01"]) == all);
    assert!(list(&["--staff", "7"]).is_empty());
    for (filters, problem) in [
        (["--action", "forgotten"], "--action: Choose one of"),
        (["--from", "soon"], "from: Enter a date"),
        (["--id", "x"], "id: Enter a number"),
    ] {
        let wrong = lethe(folder, &[&["audit", "list"], &filters[..]].concat());
        assert!(!wrong.status.success());
        assert!(text(&wrong.stderr).contains(problem), "{}", text(&wrong.stderr));
    }
}
