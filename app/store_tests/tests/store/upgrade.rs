//! Upgrades: a database of an older version gets the missing migrations and keeps its content.
//!
//! The schema has one migration so far. These tests add a second one.

use crate::support::{clock, fresh_postgres};
use db::{Settings, dialect};
use migrations::sea_orm_migration::async_trait::async_trait;
use migrations::sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};
use migrations::{Migrator, UpgradeError, upgrade, upgrade_with};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};
use tokio::sync::Notify;

const FIRST: &str = "m0001_schema";
const LATER: &str = "m0002_later";

/// Signals that the later migration waits.
static WAITING: Notify = Notify::const_new();

/// All migrations and a later one, which ends in one of these ways.
struct Later<const END: u8>;

const COMPLETES: u8 = 0;
const FAILS: u8 = 1;
const WAITS: u8 = 2;

impl<const END: u8> MigratorTrait for Later<END> {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.push(Box::new(LaterMigration { end: END }));
        migrations
    }
}

struct LaterMigration {
    end: u8,
}

impl MigrationName for LaterMigration {
    fn name(&self) -> &'static str {
        LATER
    }
}

#[async_trait]
impl MigrationTrait for LaterMigration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("CREATE TABLE initials (letter TEXT PRIMARY KEY)").await?;
        db.execute_unprepared("ALTER TABLE users ADD COLUMN initial TEXT").await?;
        db.execute_unprepared("UPDATE users SET initial = SUBSTR(last_name, 1, 1)").await?;
        if self.end == FAILS {
            db.execute_unprepared("UPDATE missing SET initial = NULL").await?;
        }
        if self.end == WAITS {
            WAITING.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

/// Runs a test with the URL of an empty SQLite file and of an empty PostgreSQL database.
async fn for_each_url(test: impl AsyncFn(&str)) {
    let folder = tempfile::tempdir().unwrap();
    test(&format!("sqlite://{}/test.db?mode=rwc", folder.path().display())).await;
    if let Some(url) = fresh_postgres().await {
        test(&url).await;
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    Database::connect(url).await.unwrap()
}

/// Creates a database of this version with users and legal holds.
async fn older_database(url: &str) -> DatabaseConnection {
    let db = connect(url).await;
    upgrade(&db).await.unwrap();
    for sql in [
        "INSERT INTO users (uuid, last_name) VALUES ('u1', 'Ng'), ('u2', 'Officer'), ('u3', NULL)",
        "INSERT INTO legal_holds (user_number, reason, placed_by, placed_on, review_on, released_on) VALUES \
         (1, 'dispute', 2, '2018-01-01', '2018-06-01', NULL), \
         (3, 'other', NULL, '2018-01-02', '2018-06-02', '2018-01-03')",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    db
}

/// Returns the first column of the result, as text.
async fn lines(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn recorded(db: &DatabaseConnection) -> Vec<String> {
    lines(db, "SELECT version FROM seaql_migrations ORDER BY version").await
}

async fn remove_record(db: &DatabaseConnection, migration: &str) {
    let sql = format!("DELETE FROM seaql_migrations WHERE version = '{migration}'");
    db.execute_unprepared(&sql).await.unwrap();
}

/// Returns tables, columns, recorded migrations, and the rows of users and legal holds.
async fn state(db: &DatabaseConnection) -> Vec<String> {
    let mut state: Vec<String> = Vec::new();
    for (table, columns) in dialect::schema(db).await.unwrap() {
        state.push(format!("{table}: {}", columns.join(", ")));
        if ["users", "legal_holds", "seaql_migrations"].contains(&table.as_str()) {
            let cells = columns
                .iter()
                .map(|column| format!("COALESCE(CAST({column} AS TEXT), '~')"))
                .collect::<Vec<_>>();
            state.extend(
                lines(db, &format!("SELECT {} FROM {table} ORDER BY 1", cells.join(" || '|' || "))).await,
            );
        }
    }
    state
}

/// Returns the message with which Lethe refuses to open a database.
async fn refusal(url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::in_folder(folder.path());
    operations::open_store(url, clock(), settings).await.err().unwrap().to_string()
}

#[tokio::test]
async fn an_older_database_is_upgraded_and_keeps_its_content() {
    for_each_url(async |url| {
        let db = older_database(url).await;
        let holds = "SELECT CAST(id AS TEXT) || reason || COALESCE(CAST(placed_by AS TEXT), '~') \
                     || COALESCE(CAST(released_on AS TEXT), '~') FROM legal_holds ORDER BY id";
        let before = lines(&db, holds).await;
        assert_eq!(before, ["1dispute2~", "2other~2018-01-03"]);
        assert_eq!(recorded(&db).await, [FIRST]);

        upgrade_with::<Later<COMPLETES>>(&db).await.unwrap();
        assert_eq!(recorded(&db).await, [FIRST, LATER]);
        assert_eq!(lines(&db, holds).await, before);
        let users = "SELECT uuid || COALESCE(initial, '~') FROM users ORDER BY number";
        assert_eq!(lines(&db, users).await, ["u1N", "u2O", "u3~"]);
        // New rows get the next keys.
        for sql in [
            "INSERT INTO users (uuid) VALUES ('u4')",
            "INSERT INTO legal_holds (user_number, reason, placed_on, review_on) \
             VALUES (4, 'other', '2018-01-06', '2018-06-06')",
        ] {
            db.execute_unprepared(sql).await.unwrap();
        }
        assert_eq!(lines(&db, holds).await.last().unwrap(), "3other~~");
    })
    .await;
}

#[tokio::test]
async fn an_empty_database_gets_all_migrations() {
    for_each_url(async |url| {
        let db = connect(url).await;
        upgrade_with::<Later<COMPLETES>>(&db).await.unwrap();
        assert_eq!(recorded(&db).await, [FIRST, LATER]);
        assert!(dialect::schema(&db).await.unwrap()["users"].contains(&"initial".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_recorded_migration_is_not_applied_again() {
    for_each_url(async |url| {
        let db = older_database(url).await;
        upgrade_with::<Later<COMPLETES>>(&db).await.unwrap();
        let before = state(&db).await;
        // The migration would fail now if it was applied.
        upgrade_with::<Later<FAILS>>(&db).await.unwrap();
        assert_eq!(state(&db).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_failed_migration_changes_nothing() {
    for_each_url(async |url| {
        // On an empty database, the first migration has succeeded in the same transaction.
        let empty = connect(url).await;
        let error = upgrade_with::<Later<FAILS>>(&empty).await.unwrap_err();
        assert!(matches!(&error, UpgradeError::Step { step, .. } if step == LATER), "{error:?}");
        assert_eq!(state(&empty).await, Vec::<String>::new());

        let db = older_database(url).await;
        let before = state(&db).await;
        let error = upgrade_with::<Later<FAILS>>(&db).await.unwrap_err();
        assert!(matches!(&error, UpgradeError::Step { step, .. } if step == LATER), "{error:?}");
        assert_eq!(state(&db).await, before);
        upgrade_with::<Later<COMPLETES>>(&db).await.unwrap();
        assert_eq!(recorded(&db).await, [FIRST, LATER]);
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_upgrade_changes_nothing_and_is_repeated() {
    for_each_url(async |url| {
        let db = older_database(url).await;
        let before = state(&db).await;
        tokio::select! {
            result = upgrade_with::<Later<WAITS>>(&db) => panic!("{result:?}"),
            () = WAITING.notified() => {}
        }
        db.close().await.unwrap();
        let db = connect(url).await;
        assert_eq!(state(&db).await, before);
        upgrade_with::<Later<COMPLETES>>(&db).await.unwrap();
        assert_eq!(recorded(&db).await, [FIRST, LATER]);
    })
    .await;
}

#[tokio::test]
async fn concurrent_upgrades_apply_each_migration_once() {
    for_each_url(async |url| {
        older_database(url).await.close().await.unwrap();
        let servers = [connect(url).await, connect(url).await, connect(url).await];
        let [first, second, third] = &servers;
        let results = tokio::join!(
            upgrade_with::<Later<COMPLETES>>(first),
            upgrade_with::<Later<COMPLETES>>(second),
            upgrade_with::<Later<COMPLETES>>(third),
        );
        assert!(matches!(results, (Ok(()), Ok(()), Ok(()))), "{results:?}");
        for db in &servers {
            assert_eq!(recorded(db).await, [FIRST, LATER]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_newer_database_is_refused_and_stays_unchanged() {
    for_each_url(async |url| {
        let db = older_database(url).await;
        upgrade_with::<Later<COMPLETES>>(&db).await.unwrap();
        let before = state(&db).await;
        let error = upgrade(&db).await.unwrap_err();
        assert!(matches!(&error, UpgradeError::Newer(names) if names == &[LATER]), "{error:?}");
        let refusal = refusal(url).await;
        assert!(refusal.contains("newer version of Lethe") && refusal.contains(LATER), "{refusal}");
        assert_eq!(state(&db).await, before);
        // The later migration is reported even if the record of an older one is missing.
        remove_record(&db, FIRST).await;
        let error = upgrade(&db).await.unwrap_err();
        assert!(matches!(&error, UpgradeError::Newer(names) if names == &[LATER]), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn an_applied_migration_without_a_record_is_reported() {
    for_each_url(async |url| {
        let db = older_database(url).await;
        upgrade_with::<Later<COMPLETES>>(&db).await.unwrap();
        remove_record(&db, LATER).await;
        let before = state(&db).await;
        let error = upgrade_with::<Later<COMPLETES>>(&db).await.unwrap_err();
        assert!(matches!(&error, UpgradeError::Unrecorded { step, .. } if step == LATER), "{error:?}");
        assert_eq!(state(&db).await, before);

        remove_record(&db, FIRST).await;
        let before = state(&db).await;
        let error = upgrade(&db).await.unwrap_err();
        assert!(matches!(&error, UpgradeError::Unrecorded { step, .. } if step == FIRST), "{error:?}");
        let refusal = refusal(url).await;
        for part in [FIRST, "already exists", "Restore the last backup"] {
            assert!(refusal.contains(part), "{part}: {refusal}");
        }
        assert_eq!(state(&db).await, before);
    })
    .await;
}
