//! The program leaves no old value in its database files, its log or its output.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "../../app/store_tests/tests/store/canary/plant.rs"]
#[allow(dead_code, reason = "the store tests use more of it")]
mod plant;

use chrono::NaiveDate;
use db::{Clock, Settings};
use plant::{Planter, rows_of};
use policy::{Conditions, Days, Field, Policy, Scope, TaskSettings, Treatment, UserNumber};
use sea_orm::{ConnectionTrait, Statement};
use std::path::Path;
use std::process::{Command, Output};
use task_centre::run;
use trail::{Actor, Store};

const TODAY: &str = "2018-01-21";

fn url(folder: &Path) -> String {
    format!("sqlite://{}/test.db?mode=rwc", folder.display())
}

async fn store(folder: &Path) -> Store {
    let today: NaiveDate = TODAY.parse().unwrap();
    let clock = Clock::fixed(chrono_tz::Tz::Europe__London, today);
    operations::open_store(&url(folder), clock, Settings::in_folder(folder)).await.unwrap()
}

/// Runs the program in the folder.
fn lethe(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lethe"))
        .args(arguments)
        .current_dir(folder)
        .envs([("LETHE_DATABASE_URL", url(folder).as_str()), ("LETHE_DEMO", "1"), ("LETHE_TODAY", TODAY)])
        .output()
        .unwrap()
}

/// Inserts a user who stays, and a task that removes all fields of users who left more than five days ago.
async fn library(store: &Store) {
    let policy = Policy {
        fields: Field::ALL.into_iter().map(|field| (field, Treatment::Remove)).collect(),
        scope: Scope::All,
        conditions: Conditions { leaving: Days::new(5), ..Conditions::default() },
        ..Policy::default()
    };
    let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(policy)).unwrap();
    let task = "INSERT INTO tasks (description, active, task_type, visibility, settings, schedule, single_default, \
                created_at, changed_at) VALUES ('Leavers', TRUE, 'anonymise_user_data', 'shared', ?, ?, TRUE, \
                '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')";
    let values = [settings.into(), r#"{"kind":"manual_only"}"#.into()];
    let db = &store.db;
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), task, values)).await.unwrap();
    for sql in [
        "INSERT INTO users (uuid, last_name) VALUES ('of who stays', 'Bystander')",
        "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
}

/// Returns the files of the folder that contain a text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let contains = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| contains(path)).map(|path| path.display().to_string()).collect()
}

#[tokio::test]
async fn every_way_to_anonymise_leaves_the_same_rows_and_prints_no_old_value() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let desk = store(folder).await;
    library(&desk).await;
    let planter = Planter::new(&desk.db, 1).await;
    let [by_hand, by_task, by_command] =
        [planter.plant(2).await, planter.plant(3).await, planter.plant(4).await];
    let done = run::anonymise_one(&desk, Actor::COMMAND_LINE, UserNumber(by_hand.number), "2").await.unwrap();
    assert!(done.is_some());
    desk.db.clone().close().await.unwrap();
    assert!(!files_with(folder, "canary-3-").is_empty(), "the search finds existing values");
    assert_eq!(files_with(folder, "canary-2-"), Vec::<String>::new());

    for arguments in [
        &["users", "anonymise", "4", "--confirm", "4", "--reason", "left"][..],
        &["users", "show", "4", "--json"],
        &["tasks", "preview", "1", "--json"],
        &["tasks", "run", "1", "--confirm", "1", "--json"],
        &["runs", "list"],
        &["runs", "show", "5"],
        &["tasks", "export", "1"],
        &["report", "loans-by-category"],
    ] {
        let output = lethe(folder, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        for bytes in [&output.stdout, &output.stderr] {
            assert!(!String::from_utf8_lossy(bytes).contains("canary"), "{arguments:?}");
        }
    }

    assert_eq!(files_with(folder, "canary"), Vec::<String>::new());
    for value in [&by_hand, &by_task, &by_command].into_iter().flat_map(|person| &person.canaries) {
        assert_eq!(files_with(folder, value), Vec::<String>::new(), "{value}");
    }
    assert!(!files_with(folder, "Bystander").is_empty());
    let desk = store(folder).await;
    let rows = rows_of(&desk.db, by_hand.number).await;
    assert_eq!(rows_of(&desk.db, by_task.number).await, rows);
    assert_eq!(rows_of(&desk.db, by_command.number).await, rows);
}
