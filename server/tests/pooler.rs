//! Debian's pgbouncer before PostgreSQL: in session mode the main job works; in transaction mode it works, or the start is
//! refused with the reason.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/place.rs"]
mod place;

use place::{Place, fresh_database, said};
use serde_json::Value;

/// A new database, seen through the pooler at the address in this variable (`.ci/with-pgbouncer` starts one).
async fn behind(variable: &str) -> Option<Place> {
    let pooler = std::env::var(variable).ok();
    assert!(pooler.is_some() || std::env::var("CI").is_err(), "{variable} is not set");
    let direct = fresh_database(&std::env::var("TEST_POSTGRES_URL").ok()?).await;
    let name = direct.rsplit_once('/').unwrap().1;
    let mut place = Place::sqlite();
    place.url = format!("{}/{name}", pooler?);
    Some(place)
}

/// Import, preview, run, verify.
fn main_job(place: &Place) {
    place.done(&["demo", "--users", "300"]);
    place.done(&["export", "users", "users.csv"]);
    place.done(&["import", "users", "users.csv"]);
    let preview: Value = serde_json::from_str(&place.done(&["tasks", "preview", "1", "--json"])).unwrap();
    let people = preview["previewed"].as_i64().unwrap();
    assert!(people > 0, "{preview}");
    let server = place.serve();
    let output = place.lethe(&["tasks", "run", "1", "--confirm", &people.to_string()]).output().unwrap();
    let words = said(&output);
    // The demo library has two who could approve: the run waits for one of them.
    assert!(output.status.success() || words.contains("approv"), "{words}");
    place.done(&["users", "find", "a"]);
    place.done(&["audit", "verify"]);
    place.done(&["ledger", "verify"]);
    place.done(&["residue"]);
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_works_through_a_pooler_of_sessions() {
    let Some(place) = behind("TEST_PGBOUNCER_SESSION_URL").await else { return };
    main_job(&place);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_of_transactions_works_or_is_refused_with_the_reason() {
    let Some(place) = behind("TEST_PGBOUNCER_TRANSACTION_URL").await else { return };
    let output = place.lethe(&["tasks", "list"]).output().unwrap();
    if output.status.success() {
        return main_job(&place);
    }
    for arguments in [&["serve"][..], &["tasks", "list"], &["check"]] {
        let words = place.refused(arguments);
        for said in ["transaction mode", "pool_mode = session", "LETHE_DATABASE_URL"] {
            assert!(words.contains(said), "{said}: {words}");
        }
    }
}
