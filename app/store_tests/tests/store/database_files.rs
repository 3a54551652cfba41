//! No removed value stays in the database files, where SQLite and PostgreSQL keep old pages and old rows.

use crate::anonymising::run_all;
use crate::canary::{library, removes_everything};
use crate::support::{add_task, execute, for_each_database};
use erasure::certificate;
use erasure::maintenance::{self, Maintenance};
use policy::{NoteTreatment, UserNumber};
use sea_orm::{AccessMode, ConnectionTrait, DatabaseBackend, IsolationLevel, Statement, TransactionTrait};
use std::path::{Path, PathBuf};
use task_centre::run;
use trail::{Actor, Store};

async fn text(store: &Store, sql: &str, column: &str) -> Vec<String> {
    let db = &store.db;
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", column).unwrap()).collect()
}

/// Returns the files that contain the tables: the database's folder on PostgreSQL, the file and its logs on SQLite.
async fn files(store: &Store) -> Vec<PathBuf> {
    let in_folder = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_file()).collect()
    };
    if store.db.get_database_backend() == DatabaseBackend::Postgres {
        execute(store, "CHECKPOINT").await;
        let folder = "SELECT current_setting('data_directory') || '/base/' || oid AS folder FROM pg_database \
                      WHERE datname = current_database()";
        return in_folder(Path::new(&text(store, folder, "folder").await[0]));
    }
    let file = text(store, "SELECT file FROM pragma_database_list WHERE name = 'main'", "file").await;
    let folder = Path::new(&file[0]).parent().unwrap().to_owned();
    let is_database = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("test.db");
    in_folder(&folder).into_iter().filter(is_database).collect()
}

/// Counts the canaries in the files.
async fn canaries(store: &Store) -> usize {
    let mut found = 0;
    for file in files(store).await {
        let bytes = std::fs::read(&file).unwrap_or_default();
        // The hyphen matters: `pg_description` of PostgreSQL itself contains the word “canary”.
        found += bytes.windows(7).filter(|part| part.eq_ignore_ascii_case(b"canary-")).count();
    }
    found
}

/// Counts the statistics of PostgreSQL's planner that contain a canary.
async fn statistics(store: &Store) -> usize {
    if store.db.get_database_backend() != DatabaseBackend::Postgres {
        return 0;
    }
    let sql = "SELECT concat(most_common_vals::text, histogram_bounds::text, most_common_elems::text) AS kept \
               FROM pg_stats WHERE schemaname = current_schema()";
    text(store, sql, "kept").await.iter().filter(|kept| kept.to_lowercase().contains("canary")).count()
}

#[tokio::test]
async fn no_file_contains_a_removed_value_after_a_run() {
    for_each_database(async |store| {
        library(&store, 40).await;
        let task = add_task(&store, &removes_everything(NoteTreatment::Empty)).await;
        let postgres = store.db.get_database_backend() == DatabaseBackend::Postgres;
        execute(&store, "ANALYZE").await;
        assert!(canaries(&store).await > 0, "the search finds planted values");
        if postgres {
            assert!(statistics(&store).await > 0, "the statistics contain values");
        }

        let (id, _) = run_all(&store, task).await;
        run::background_scans().await;
        let maintenance = run::read(&store, id).await.unwrap().maintenance;
        assert_eq!(maintenance, Some(if postgres { Maintenance::Done } else { Maintenance::Full }));
        assert_eq!(statistics(&store).await, 0, "the statistics were recalculated");
        let left = canaries(&store).await;
        eprintln!("{:?}: {left} canaries after the run", store.db.get_database_backend());
        if !postgres {
            assert_eq!(left, 0);
        }
        assert_eq!(maintenance::full(&store, Actor::COMMAND_LINE).await.unwrap(), Maintenance::Full);
        assert_eq!(canaries(&store).await, 0, "after VACUUM");
        assert_eq!(statistics(&store).await, 0);
    })
    .await;
}

/// Pages of thousands of users are split while the users are added. Without VACUUM, old copies of single values stay
/// in the file.
#[tokio::test]
async fn split_pages_contain_no_removed_value_after_a_run() {
    for_each_database(async |store| {
        if store.db.get_database_backend() == DatabaseBackend::Postgres {
            return;
        }
        execute(
            &store,
            "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 6000) \
             INSERT INTO users (number, uuid, created_on, leaving_on, user_id, first_name, last_name, email, notes) \
             SELECT n * 7919 % 6007, 'uuid-' || n, '2010-01-01', '2017-01-01', 'canary-' || (n * 31 % 6007), \
             'Canary-' || n, 'Canary-' || n, 'canary-' || n || '@example.org', \
             substr(replace(hex(zeroblob(300)), '00', 'canary-'), 1, n % 700) FROM series",
        )
        .await;
        execute(&store, "UPDATE users SET notes = notes || notes || 'canary-' WHERE number % 3 = 0").await;
        let task = add_task(&store, &removes_everything(NoteTreatment::Empty)).await;
        let (id, _) = run_all(&store, task).await;
        let run = run::read(&store, id).await.unwrap();
        assert!(run.done >= 5_999, "{}", run.done);
        assert_eq!(canaries(&store).await, 0);
        assert_eq!(run.maintenance, Some(Maintenance::Full));
    })
    .await;
}

#[tokio::test]
async fn maintenance_after_a_single_user_runs_in_the_background() {
    for_each_database(async |store| {
        library(&store, 1).await;
        add_task(&store, &removes_everything(NoteTreatment::Empty)).await;
        let number = text(&store, "SELECT CAST(MAX(number) AS TEXT) AS n FROM users", "n").await.remove(0);
        let user = UserNumber(number.parse().unwrap());
        let id = run::anonymise_one(&store, Actor::COMMAND_LINE, user, &number).await.unwrap().unwrap();
        run::background_scans().await;
        assert_eq!(run::read(&store, id).await.unwrap().maintenance, Some(Maintenance::Done));
        let signed = certificate::read(&store, id).await.unwrap();
        assert_eq!(signed.certificate.maintenance.as_deref(), Some("done"), "the certificate states it");
        assert_eq!(certificate::verify_run(&store, id).await.unwrap().doubts, []);
    })
    .await;
}

/// PostgreSQL keeps old rows for a transaction that began before the run. Maintenance then ends as busy.
#[tokio::test]
async fn a_transaction_from_before_the_run_keeps_old_rows() {
    for_each_database(async |store| {
        if store.db.get_database_backend() != DatabaseBackend::Postgres {
            return;
        }
        library(&store, 2).await;
        let task = add_task(&store, &removes_everything(NoteTreatment::Empty)).await;
        let isolation = Some(IsolationLevel::RepeatableRead);
        let reader = store.db.begin_with_config(isolation, Some(AccessMode::ReadOnly)).await.unwrap();
        reader.execute_unprepared("SELECT COUNT(*) FROM users").await.unwrap();
        let (id, _) = run_all(&store, task).await;
        assert_eq!(run::read(&store, id).await.unwrap().maintenance, Some(Maintenance::Busy));
        reader.rollback().await.unwrap();
        // A transaction that began after the run keeps none of them.
        let reader = store.db.begin_with_config(isolation, Some(AccessMode::ReadOnly)).await.unwrap();
        reader.execute_unprepared("SELECT COUNT(*) FROM users").await.unwrap();
        assert_eq!(maintenance::ordinary(&store, Actor::COMMAND_LINE).await.unwrap(), Maintenance::Done);
    })
    .await;
}

/// Removing the statistics of an emptied table takes no lock that blocks readers or writers.
#[tokio::test]
async fn statistics_of_an_emptied_table_are_removed_without_blocking() {
    for_each_database(async |store| {
        if store.db.get_database_backend() != DatabaseBackend::Postgres {
            return;
        }
        library(&store, 5).await;
        execute(&store, "ANALYZE").await;
        let emptied =
            ["user_words", "credentials", "sessions", "photos", "custom_values", "messages", "charges"];
        for table in ["renewals"].iter().chain(&emptied) {
            execute(&store, &format!("DELETE FROM {table}")).await;
        }
        let kept = format!(
            "SELECT attname::text AS kept FROM pg_stats WHERE tablename IN ('{}') AND schemaname = current_schema() \
             AND concat(most_common_vals::text, histogram_bounds::text) ILIKE '%canary%'",
            emptied.join("', '")
        );
        assert!(!text(&store, &kept, "kept").await.is_empty());
        // These transactions have read and written, and are still open.
        let mut others = Vec::new();
        for table in ["user_words", "sessions"] {
            let other = store.db.begin().await.unwrap();
            other.execute_unprepared(&format!("LOCK TABLE {table} IN ROW EXCLUSIVE MODE")).await.unwrap();
            others.push(other);
        }
        let began = std::time::Instant::now();
        assert_eq!(maintenance::ordinary(&store, Actor::COMMAND_LINE).await.unwrap(), Maintenance::Done);
        // (VACUUM tries for five seconds to truncate a file.)
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
        assert!(text(&store, &kept, "kept").await.is_empty());
        for table in emptied {
            let rows = text(&store, &format!("SELECT CAST(COUNT(*) AS TEXT) AS n FROM {table}"), "n").await;
            assert_eq!(rows, ["0"], "{table}");
        }
    })
    .await;
}

/// A reader keeps the write-ahead log of SQLite in use. Maintenance then ends as busy, which isn't an error.
#[tokio::test]
async fn a_reader_makes_vacuum_busy_without_an_error() {
    for_each_database(async |store| {
        if store.db.get_database_backend() == DatabaseBackend::Postgres {
            return;
        }
        library(&store, 2).await;
        let reader = store.db.begin().await.unwrap();
        reader
            .query_all_raw(Statement::from_string(DatabaseBackend::Sqlite, "SELECT number FROM users"))
            .await
            .unwrap();
        assert_eq!(maintenance::full(&store, Actor::COMMAND_LINE).await.unwrap(), Maintenance::Busy);
        reader.rollback().await.unwrap();
        assert_eq!(maintenance::full(&store, Actor::COMMAND_LINE).await.unwrap(), Maintenance::Full);
    })
    .await;
}
