//! PostgreSQL behind pgbouncer of Debian. The main commands work in session mode. In transaction mode they work, or the
//! start is rejected with the reason.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/installation.rs"]
mod installation;

use installation::{Installation, create_database, output_text};
use serde_json::Value;

/// Creates a database behind the pooler at the address in this variable (`.ci/with-pgbouncer` starts one).
async fn behind_pooler(variable: &str) -> Option<Installation> {
    let pooler = std::env::var(variable).ok();
    assert!(pooler.is_some() || std::env::var("CI").is_err(), "{variable} is not set");
    let direct = create_database(&std::env::var("TEST_POSTGRES_URL").ok()?).await;
    let name = direct.rsplit_once('/').unwrap().1;
    let mut installation = Installation::sqlite();
    installation.url = format!("{}/{name}", pooler?);
    Some(installation)
}

/// Imports, previews, runs and verifies.
fn run_main_commands(installation: &Installation) {
    installation.run(&["demo", "--users", "300"]);
    installation.run(&["export", "users", "users.csv"]);
    installation.run(&["import", "users", "users.csv"]);
    let preview: Value =
        serde_json::from_str(&installation.run(&["tasks", "preview", "1", "--json"])).unwrap();
    let people = preview["previewed"].as_i64().unwrap();
    assert!(people > 0, "{preview}");
    let server = installation.serve();
    let output =
        installation.lethe(&["tasks", "run", "1", "--confirm", &people.to_string()]).output().unwrap();
    let message = output_text(&output);
    // In the demo library two members of staff can approve, so the run may need an approval.
    assert!(output.status.success() || message.contains("approv"), "{message}");
    installation.run(&["users", "find", "a"]);
    installation.run(&["audit", "verify"]);
    installation.run(&["ledger", "verify"]);
    installation.run(&["residue"]);
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_commands_work_in_session_mode() {
    let Some(installation) = behind_pooler("TEST_PGBOUNCER_SESSION_URL").await else { return };
    run_main_commands(&installation);
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_mode_works_or_is_rejected_with_the_reason() {
    let Some(installation) = behind_pooler("TEST_PGBOUNCER_TRANSACTION_URL").await else { return };
    let output = installation.lethe(&["tasks", "list"]).output().unwrap();
    if output.status.success() {
        return run_main_commands(&installation);
    }
    for arguments in [&["serve"][..], &["tasks", "list"], &["check"]] {
        let message = installation.run_refused(arguments);
        for part in ["transaction mode", "pool_mode = session", "LETHE_DATABASE_URL"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
