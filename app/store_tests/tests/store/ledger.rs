//! The ledger file: its content, and the errors about a damaged one.

use crate::restore::{Library, for_each_library};
use crate::support::{add, add_task, clock, execute, five_days, leaver};
use db::{RecordsError, Settings};
use erasure::ledger::{LedgerStatus, overview, reset, status};
use policy::UserNumber;
use sea_orm::DatabaseBackend;
use std::path::PathBuf;
use task_centre::replay::replay;
use task_centre::run;
use trail::{Actor, Store};

/// Opens a library in which the first users are anonymised one by one.
async fn library_with(library: &Library, users: i64, anonymised: i64) -> Store {
    let store = library.open().await;
    for n in 1..=users {
        add(&store, leaver(&format!("N{n}"))).await;
    }
    add_task(&store, &five_days()).await;
    for n in 1..=anonymised {
        anonymise(&store, n).await.unwrap();
    }
    store
}

async fn anonymise(store: &Store, number: i64) -> Result<(), RecordsError> {
    run::anonymise_one(store, Actor::COMMAND_LINE, UserNumber(number), &number.to_string()).await.map(|_| ())
}

fn path(store: &Store) -> PathBuf {
    store.settings.ledger.clone()
}

fn text(store: &Store) -> String {
    std::fs::read_to_string(path(store)).unwrap()
}

fn put(store: &Store, text: &str) {
    std::fs::write(path(store), text).unwrap();
}

/// Returns why anonymising is refused. Asserts the same refusal at the start and while running.
async fn refusal(store: &Store, number: i64) -> String {
    let status = status(store).await.unwrap();
    let refused = status.refuse_unless_level().unwrap_err().to_string();
    assert!(refused.contains("lethe ledger reset"), "{refused}");
    assert_eq!(anonymise(store, number).await.unwrap_err().code(), "ledger", "{refused}");
    refused
}

#[tokio::test]
async fn the_file_identifies_users_by_random_keys_only() {
    for_each_library(async |library| {
        let store = library_with(&library, 3, 2).await;
        let text = text(&store);
        assert_eq!(text.lines().count(), 6, "header, policy, and two entries each of users and done: {text}");
        assert!(text.starts_with("{\"format\":\"lethe-ledger-1\",\"library\":\""));
        assert!(text.contains("[\"uuid of N1\",\"") && !text.contains("N1-id") && !text.contains("First"));
        assert!(text.contains("\"day\":\"2018-01-21\",\"rules\":1,\"mode\":\"single\""));
        let seen = overview(&store).await.unwrap();
        assert_eq!((seen.entries, seen.people, seen.last, seen.mark), (2, 2, Some(5), Some(4)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path(&store)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "only its owner can read the file");
        }
        // An anonymised user gets no further entry.
        anonymise(&store, 1).await.unwrap();
        assert_eq!(overview(&store).await.unwrap().entries, 2);
    })
    .await;
}

#[tokio::test]
async fn an_incomplete_last_line_is_removed() {
    for_each_library(async |library| {
        let store = library_with(&library, 4, 1).await;
        let whole = text(&store);
        for torn in ["{\"sequence\":4,\"kind\":\"people\",\"after\":2,\"poli", "{", "\0\0\0\0"] {
            put(&store, &format!("{whole}{torn}"));
            let later = store.as_another_process(clock());
            assert_eq!(status(&later).await.unwrap(), LedgerStatus::Level);
            assert_eq!(text(&store), whole, "{torn}");
        }
        // A running process detects it when it writes the next entry.
        put(&store, &format!("{whole}{{\"sequence\":4,"));
        anonymise(&store, 2).await.unwrap();
        anonymise(&store, 3).await.unwrap();
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        assert_eq!(overview(&store).await.unwrap().people, 3);
    })
    .await;
}

#[tokio::test]
async fn an_incomplete_last_line_known_to_the_database_is_kept() {
    for_each_library(async |library| {
        let store = library_with(&library, 2, 1).await;
        let whole = text(&store);
        let people = whole.lines().nth(2).unwrap();
        let at = whole.find(people).unwrap();
        let torn = &whole[..at + people.len() / 2];
        put(&store, torn);
        assert!(refusal(&store, 2).await.contains("ends within entry 2"));
        assert_eq!(text(&store), torn, "the file is unchanged");
    })
    .await;
}

#[tokio::test]
async fn a_change_in_the_middle_is_damage() {
    for_each_library(async |library| {
        let store = library_with(&library, 4, 3).await;
        let whole = text(&store);
        let lines: Vec<&str> = whole.lines().collect();
        let without = |left_out: usize| -> String {
            let kept = lines.iter().enumerate().filter(|(place, _)| *place != left_out);
            kept.flat_map(|(_, line)| [*line, "\n"]).collect()
        };
        for (changed, words) in [
            (whole.replace("uuid of N2", "uuid of N4"), "entry 4 or something before it was changed"),
            (whole.replacen("\"rules\":1", "\"rules\":2", 1), "entry 2 or something before it was changed"),
            (without(4), "entry 4 or something before it was changed"),
            (without(1), "entry 1 or something before it was changed"),
            (without(0), "its first line cannot be read"),
            (whole.replacen("lethe-ledger-1", "lethe-ledger-2", 1), "written by another version"),
            (whole.replacen("{\"sequence\":3,", "{\"sequence\":3 ", 1), "entry 3 or something"),
            (whole.replacen('\n', "\nrubbish\n", 1), "entry 1 cannot be read"),
            (String::new(), "its first line cannot be read"),
        ] {
            assert_ne!(changed, whole, "{words}");
            put(&store, &changed);
            let later = store.as_another_process(clock());
            let refused = refusal(&later, 4).await;
            assert!(refused.contains(words), "{words}: {refused}");
            assert_eq!(text(&store), changed, "the file is unchanged");
        }
        put(&store, &whole);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        anonymise(&store, 4).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_missing_foreign_or_older_ledger_is_rejected_with_a_reason() {
    for_each_library(async |library| {
        let store = library_with(&library, 4, 1).await;
        let older = text(&store);
        anonymise(&store, 2).await.unwrap();
        let whole = text(&store);

        std::fs::remove_file(path(&store)).unwrap();
        assert!(refusal(&store, 3).await.contains("is missing"));
        assert!(!path(&store).exists(), "no empty file replaces it");
        put(&store, &older);
        assert!(refusal(&store, 3).await.contains("older than the database"));
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Behind);

        let other = operations::open_store(
            &format!("sqlite://{}/other.db?mode=rwc", library.folder.path().display()),
            clock(),
            db::Settings { ledger: library.folder.path().join("other"), ..Settings::clone(&store.settings) },
        )
        .await
        .unwrap();
        std::fs::copy(&other.settings.ledger, path(&store)).unwrap();
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Foreign);
        assert!(refusal(&store, 3).await.contains("another library"));
        put(&store, &whole);
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
    })
    .await;
}

#[tokio::test]
async fn a_new_database_rejects_the_ledger_of_another() {
    for_each_library(async |library| {
        let store = library_with(&library, 2, 1).await;
        let url = format!("sqlite://{}/new.db?mode=rwc", library.folder.path().display());
        let new = operations::open_store(&url, clock(), Settings::clone(&store.settings)).await.unwrap();
        assert_eq!(status(&new).await.unwrap(), LedgerStatus::Foreign);
        add(&new, leaver("Ng")).await;
        add_task(&new, &five_days()).await;
        assert!(refusal(&new, 1).await.contains("another library"));
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
    })
    .await;
}

#[tokio::test]
async fn two_processes_share_one_ledger() {
    for_each_library(async |library| {
        let store = library_with(&library, 80, 0).await;
        let (one, two) = (store.as_another_process(clock()), store.as_another_process(clock()));
        let work = async |store: &Store, first: i64| {
            for n in (first..=80).step_by(2) {
                anonymise(store, n).await.unwrap();
            }
        };
        tokio::join!(work(&one, 1), work(&two, 2));
        let seen = overview(&store).await.unwrap();
        assert_eq!((seen.status, seen.entries, seen.people), (LedgerStatus::Level, 80, 80));
        assert_eq!(text(&store).matches("\"kind\":\"policy\"").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_reset_starts_a_new_ledger_and_keeps_the_old_file() {
    for_each_library(async |mut library| {
        let store = library_with(&library, 3, 1).await;
        let backup = library.backup(store).await;
        let store = library.open().await;
        anonymise(&store, 2).await.unwrap();
        let refused = reset(&store, Actor::COMMAND_LINE, "LOST").await.unwrap_err();
        assert!(refused.to_string().contains("file is intact"), "{refused}");

        let whole = text(&store);
        let damaged = whole.replacen("uuid of N1", "uuid of N9", 1);
        put(&store, &damaged);
        assert_eq!(reset(&store, Actor::COMMAND_LINE, "yes").await.unwrap_err().code(), "invalid");
        assert_eq!(reset(&store, Actor::COMMAND_LINE, "LOST").await.unwrap(), LedgerStatus::Level);
        let kept = std::fs::read_dir(library.folder.path()).unwrap().find_map(|file| {
            let path = file.unwrap().path();
            path.display()
                .to_string()
                .contains(".ledger.kept-")
                .then(|| std::fs::read_to_string(path).unwrap())
        });
        assert_eq!(kept.unwrap(), damaged);
        anonymise(&store, 3).await.unwrap();
        assert_eq!(
            overview(&store).await.unwrap().people,
            1,
            "the new ledger has only users anonymised since"
        );
        let events = crate::support::dump(&store).await;
        assert!(events.contains("|ledger_reset|library|"));

        // Neither the old ledger nor a backup from before the reset is accepted with the new one.
        let new = text(&store);
        put(&store, &whole);
        assert!(status(&store).await.unwrap().refuse_unless_level().is_err());
        put(&store, &new);
        store.db.clone().close().await.unwrap();
        let restored = library.restore(backup).await;
        assert!(refusal(&restored, 3).await.contains("starts after entry"));
        assert!(replay(&restored, |_| ()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn no_user_is_changed_if_the_ledger_cannot_be_written() {
    for_each_library(async |library| {
        let store = library_with(&library, 2, 1).await;
        let whole = text(&store);
        std::fs::remove_file(path(&store)).unwrap();
        std::fs::create_dir(path(&store)).unwrap();
        assert_eq!(anonymise(&store, 2).await.unwrap_err().code(), "ledger");
        execute(&store, "UPDATE users SET city = city").await;
        std::fs::remove_dir(path(&store)).unwrap();
        put(&store, &whole);
        let user = records::user::read(&store, UserNumber(2)).await.unwrap();
        assert_eq!(user.anonymised_on, None);
        anonymise(&store, 2).await.unwrap();
    })
    .await;
}

/// Makes the database reject every commit with an audit event. PostgreSQL answers with this error code.
async fn refuse_commits(store: &Store, code: &str) {
    if store.db.get_database_backend() == DatabaseBackend::Postgres {
        let function = format!(
            "CREATE OR REPLACE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE 'refused' USING ERRCODE = '{code}'; END $$"
        );
        execute(store, &function).await;
        let trigger = "CREATE CONSTRAINT TRIGGER refuses_commits AFTER INSERT ON audit_events \
                       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_commit()";
        execute(store, trigger).await;
    } else {
        let table =
            "CREATE TABLE refused (number BIGINT REFERENCES users (number) DEFERRABLE INITIALLY DEFERRED)";
        execute(store, table).await;
        let trigger = "CREATE TRIGGER refuses_commits AFTER INSERT ON audit_events \
                       BEGIN INSERT INTO refused VALUES (-1); END";
        execute(store, trigger).await;
    }
}

async fn allow_commits(store: &Store) {
    let on = match store.db.get_database_backend() {
        DatabaseBackend::Postgres => " ON audit_events",
        _ => "",
    };
    execute(store, &format!("DROP TRIGGER refuses_commits{on}")).await;
}

#[tokio::test]
async fn a_failed_commit_leaves_an_entry_that_is_void_or_in_doubt() {
    for_each_library(async |library| {
        let store = library_with(&library, 2, 1).await;
        // 23514: a constraint is violated, so nothing was changed. P0001: it is unknown whether anything was changed.
        for (code, at_once) in [("23514", true), ("P0001", false)] {
            if !at_once && store.db.get_database_backend() != DatabaseBackend::Postgres {
                continue;
            }
            let voids = text(&store).matches("\"void\"").count();
            refuse_commits(&store, code).await;
            assert_eq!(anonymise(&store, 2).await.unwrap_err().code(), "database");
            assert_eq!(text(&store).matches("\"void\"").count() == voids + 1, at_once, "{code}");
            allow_commits(&store).await;
            let user = records::user::read(&store, UserNumber(2)).await.unwrap();
            assert_eq!(user.anonymised_on, None);
        }
        anonymise(&store, 2).await.unwrap();
        assert_eq!(status(&store).await.unwrap(), LedgerStatus::Level);
        assert_eq!(overview(&store).await.unwrap().people, 2);
    })
    .await;
}
