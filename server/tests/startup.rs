//! Starts: on an empty database, killed, concurrent, with another schema or another key.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/installation.rs"]
mod installation;

use installation::{Installation, output_text, sql};
use std::time::Duration;

/// The number of moments of a first start at which the program is killed.
const KILLS: u64 = 10;
/// The time between these moments. A first start takes a few hundred milliseconds.
const KILL_INTERVAL: Duration = Duration::from_millis(31);

#[tokio::test(flavor = "multi_thread")]
async fn a_start_works_after_a_killed_first_start() {
    for signal in ["-TERM", "-KILL"] {
        for kill in 0..KILLS {
            for installation in Installation::both().await {
                let mut process = installation.lethe(&["serve"]).spawn().unwrap();
                tokio::time::sleep(KILL_INTERVAL * u32::try_from(kill).unwrap()).await;
                let id = process.id().to_string();
                std::process::Command::new("kill").args([signal, &id]).status().unwrap();
                process.wait().unwrap();
                installation.run(&["tasks", "list"]);
                installation.run(&["ledger", "verify"]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_first_starts_all_work() {
    for installation in Installation::both().await {
        std::fs::create_dir(installation.folder().join("data")).unwrap();
        let processes: Vec<_> = (0..4)
            .map(|_| {
                let mut command = installation.lethe(&["tasks", "list"]);
                command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for process in processes {
            let output = process.wait_with_output().unwrap();
            assert!(output.status.success(), "{}: {}", installation.url, output_text(&output));
        }
        installation.run(&["ledger", "verify"]);
        installation.run(&["audit", "verify"]);
    }
}

#[tokio::test]
async fn a_schema_of_another_version_is_rejected_with_the_migration() {
    for installation in Installation::both().await {
        installation.run(&["tasks", "list"]);
        sql(
            &installation.url,
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)",
        )
        .await;
        let message = installation.run_refused(&["serve"]);
        assert!(message.contains("newer version of Lethe") && message.contains("m9999_later"), "{message}");
        sql(&installation.url, "DELETE FROM seaql_migrations WHERE version = 'm9999_later'").await;
        installation.run(&["tasks", "list"]);

        // A migration that was applied but is not recorded.
        sql(&installation.url, "DELETE FROM seaql_migrations WHERE version = 'm0001_schema'").await;
        let message = installation.run_refused(&["serve"]);
        for part in ["m0001_schema", "already exists", "Restore the last backup"] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(!message.contains("LETHE_DATABASE_URL"), "{message}");
        let again = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m0001_schema', 0)";
        sql(&installation.url, again).await;
        installation.run(&["tasks", "list"]);
    }
}

#[tokio::test]
async fn the_cause_is_reported_if_the_database_cannot_be_opened() {
    for (url, expected) in [
        ("postgres://lethe:s3cret@127.0.0.1:port/lethe", "LETHE_DATABASE_URL"),
        ("mysql://lethe:s3cret@127.0.0.1/lethe", "LETHE_DATABASE_URL"),
    ] {
        let mut installation = Installation::sqlite();
        url.clone_into(&mut installation.url);
        let message = installation.run_refused(&["tasks", "list"]);
        assert!(message.contains(expected) && !message.contains("s3cret"), "{message}");
    }
    let Some(installation) = Installation::postgres().await else { return };
    let missing = format!("{}_missing", installation.url);
    let output = installation.lethe(&["tasks", "list"]).env("LETHE_DATABASE_URL", missing).output().unwrap();
    let message = output_text(&output);
    assert!(
        message.contains("does not exist (code 3D000)") && message.contains("Create the database"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_rejected_without_its_own_key() {
    for installation in Installation::both().await {
        installation.run(&["demo", "--users", "60"]);
        let key = installation.file("lethe.key");
        let shown = installation.run(&["key", "show"]);
        let fingerprint = shown.lines().nth(1).unwrap().split('\t').nth(1).unwrap().to_owned();
        let kept = installation.file("kept.key");
        std::fs::rename(&key, &kept).unwrap();
        for arguments in
            [&["serve"][..], &["users", "find", "a"], &["audit", "verify"], &["tasks", "run", "1"]]
        {
            let message = installation.run_refused(arguments);
            for part in [
                "lethe.key is missing",
                fingerprint.as_str(),
                "LETHE_KEY_FILE",
                "key replace --confirm REPLACE",
            ] {
                assert!(message.contains(part), "{arguments:?}: {message}");
            }
            assert!(!key.exists(), "no new key is created");
        }

        // The key of another installation.
        let other = Installation::sqlite();
        other.run(&["tasks", "list"]);
        std::fs::copy(other.file("lethe.key"), &key).unwrap();
        for arguments in [&["serve"][..], &["audit", "verify"], &["tasks", "list"]] {
            let message = installation.run_refused(arguments);
            assert!(message.contains("holds another key") && message.contains(&fingerprint), "{message}");
        }
        assert!(installation.run_refused(&["key", "show"]).contains(&fingerprint));
        std::fs::write(&key, "no key").unwrap();
        assert!(installation.run_refused(&["serve"]).contains("not an Ed25519 key"));

        std::fs::rename(&kept, &key).unwrap();
        assert!(
            installation.run(&["audit", "verify"]).contains("The audit is intact"),
            "no event was written meanwhile"
        );
        drop(installation.serve());
    }
}

#[tokio::test]
async fn a_lost_key_can_be_replaced() {
    for installation in Installation::both().await {
        installation.run(&["demo", "--users", "60"]);
        std::fs::remove_file(installation.file("lethe.key")).unwrap();
        assert!(installation.run_refused(&["key", "replace", "--confirm", "yes"]).contains("REPLACE"));
        assert!(!installation.file("lethe.key").exists());
        assert!(installation.run(&["key", "replace", "--confirm", "REPLACE"]).contains("Key replaced"));
        assert!(installation.run(&["audit", "list", "--action", "key_replaced"]).contains("fingerprint="));
        drop(installation.serve());
    }
}

#[tokio::test]
async fn an_existing_key_is_used_for_a_new_database() {
    let installation = Installation::sqlite();
    installation.run(&["tasks", "list"]);
    let key = std::fs::read(installation.file("lethe.key")).unwrap();
    for name in ["lethe.db", "lethe.ledger"] {
        std::fs::remove_file(installation.file(name)).unwrap();
    }
    installation.run(&["tasks", "list"]);
    assert_eq!(std::fs::read(installation.file("lethe.key")).unwrap(), key);
}

#[test]
fn a_log_in_a_file_has_no_colour_codes() {
    let log = Installation::sqlite().serve().log();
    assert!(log.contains("INFO") && !log.contains('\u{1b}'), "{log:?}");
}
