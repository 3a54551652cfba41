//! Starting: on an empty database, killed on the way, several at once, with another schema or another key.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/place.rs"]
mod place;

use place::{Place, said, sql};
use std::time::Duration;

/// At how many moments of its first start a program is killed.
const KILLS: u64 = 10;
/// How far these moments lie apart. A first start takes a few hundred milliseconds.
const APART: Duration = Duration::from_millis(31);

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_was_killed_is_repeated() {
    for signal in ["-TERM", "-KILL"] {
        for kill in 0..KILLS {
            for place in Place::both().await {
                let mut process = place.lethe(&["serve"]).spawn().unwrap();
                tokio::time::sleep(APART * u32::try_from(kill).unwrap()).await;
                let id = process.id().to_string();
                std::process::Command::new("kill").args([signal, &id]).status().unwrap();
                process.wait().unwrap();
                place.done(&["tasks", "list"]);
                place.done(&["ledger", "verify"]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_first_starts_at_once_all_work() {
    for place in Place::both().await {
        std::fs::create_dir(place.folder().join("data")).unwrap();
        let processes: Vec<_> = (0..4)
            .map(|_| {
                let mut command = place.lethe(&["tasks", "list"]);
                command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for process in processes {
            let output = process.wait_with_output().unwrap();
            assert!(output.status.success(), "{}: {}", place.url, said(&output));
        }
        place.done(&["ledger", "verify"]);
        place.done(&["audit", "verify"]);
    }
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused_by_name() {
    for place in Place::both().await {
        place.done(&["tasks", "list"]);
        sql(&place.url, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)").await;
        let words = place.refused(&["serve"]);
        assert!(words.contains("newer version of Lethe") && words.contains("m9999_later"), "{words}");
        sql(&place.url, "DELETE FROM seaql_migrations WHERE version = 'm9999_later'").await;
        place.done(&["tasks", "list"]);

        // A step that was applied and is not recorded.
        sql(&place.url, "DELETE FROM seaql_migrations WHERE version = 'm0016_installation_keys'").await;
        let words = place.refused(&["serve"]);
        for said in ["m0016_installation_keys", "already exists", "Restore the last backup"] {
            assert!(words.contains(said), "{said}: {words}");
        }
        assert!(!words.contains("LETHE_DATABASE_URL"), "{words}");
        let again =
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m0016_installation_keys', 0)";
        sql(&place.url, again).await;
        place.done(&["tasks", "list"]);
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_said_with_its_cause() {
    for (url, expected) in [
        ("postgres://lethe:s3cret@127.0.0.1:port/lethe", "LETHE_DATABASE_URL"),
        ("mysql://lethe:s3cret@127.0.0.1/lethe", "LETHE_DATABASE_URL"),
    ] {
        let mut place = Place::sqlite();
        url.clone_into(&mut place.url);
        let words = place.refused(&["tasks", "list"]);
        assert!(words.contains(expected) && !words.contains("s3cret"), "{words}");
    }
    let Some(place) = Place::postgres().await else { return };
    let missing = format!("{}_missing", place.url);
    let output = place.lethe(&["tasks", "list"]).env("LETHE_DATABASE_URL", missing).output().unwrap();
    let words = said(&output);
    assert!(
        words.contains("does not exist (code 3D000)") && words.contains("Create the database"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_own_key_a_database_is_refused() {
    for place in Place::both().await {
        place.done(&["demo", "--users", "60"]);
        let key = place.file("lethe.key");
        let shown = place.done(&["key", "show"]);
        let fingerprint = shown.lines().nth(1).unwrap().split('\t').nth(1).unwrap().to_owned();
        let kept = place.file("kept.key");
        std::fs::rename(&key, &kept).unwrap();
        for arguments in
            [&["serve"][..], &["users", "find", "a"], &["audit", "verify"], &["tasks", "run", "1"]]
        {
            let words = place.refused(arguments);
            for said in [
                "lethe.key is missing",
                fingerprint.as_str(),
                "LETHE_KEY_FILE",
                "key replace --confirm REPLACE",
            ] {
                assert!(words.contains(said), "{arguments:?}: {words}");
            }
            assert!(!key.exists(), "no new key is made");
        }

        // The key of another installation.
        let other = Place::sqlite();
        other.done(&["tasks", "list"]);
        std::fs::copy(other.file("lethe.key"), &key).unwrap();
        for arguments in [&["serve"][..], &["audit", "verify"], &["tasks", "list"]] {
            let words = place.refused(arguments);
            assert!(words.contains("holds another key") && words.contains(&fingerprint), "{words}");
        }
        assert!(place.refused(&["key", "show"]).contains(&fingerprint));
        std::fs::write(&key, "no key").unwrap();
        assert!(place.refused(&["serve"]).contains("not an Ed25519 key"));

        std::fs::rename(&kept, &key).unwrap();
        assert!(
            place.done(&["audit", "verify"]).contains("The audit is intact"),
            "nothing was written meanwhile"
        );
        drop(place.serve());
    }
}

#[tokio::test]
async fn a_key_that_is_lost_can_be_replaced() {
    for place in Place::both().await {
        place.done(&["demo", "--users", "60"]);
        std::fs::remove_file(place.file("lethe.key")).unwrap();
        assert!(place.refused(&["key", "replace", "--confirm", "yes"]).contains("REPLACE"));
        assert!(!place.file("lethe.key").exists());
        assert!(place.done(&["key", "replace", "--confirm", "REPLACE"]).contains("Key replaced"));
        assert!(place.done(&["audit", "list", "--action", "key_replaced"]).contains("fingerprint="));
        drop(place.serve());
    }
}

#[tokio::test]
async fn a_key_that_was_made_before_its_database_is_used() {
    let place = Place::sqlite();
    place.done(&["tasks", "list"]);
    let key = std::fs::read(place.file("lethe.key")).unwrap();
    for name in ["lethe.db", "lethe.ledger"] {
        std::fs::remove_file(place.file(name)).unwrap();
    }
    place.done(&["tasks", "list"]);
    assert_eq!(std::fs::read(place.file("lethe.key")).unwrap(), key);
}
