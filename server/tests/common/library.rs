//! Libraries for tests of the whole program: created once, copied for each attempt, and compared afterwards.
#![allow(dead_code, reason = "each test uses a part")]

use chrono_tz::Tz;
use db::{Clock, Settings, dialect};
use policy::{Conditions, Days, Policy, Scope, TaskSettings};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use task_centre::run;
use tempfile::{NamedTempFile, TempDir};
use trail::{Actor, Store};

const TODAY: &str = "2026-11-24";

/// The database system of a library.
#[derive(Clone, Debug)]
pub enum Database {
    Sqlite,
    Postgres(String),
}

impl Database {
    pub fn sqlite() -> Self {
        Self::Sqlite
    }

    /// Returns the server at `TEST_POSTGRES_URL`, if it is set.
    pub fn postgres() -> Option<Self> {
        let server = std::env::var("TEST_POSTGRES_URL").ok();
        assert!(server.is_some() || std::env::var("CI").is_err(), "TEST_POSTGRES_URL is not set");
        server.map(Self::Postgres)
    }
}

/// A library in a temporary folder: database, ledger and key.
pub struct Library {
    database: Database,
    name: String,
    folder: TempDir,
}

impl Library {
    fn new(database: &Database) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("kills{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { database: database.clone(), name, folder: tempfile::tempdir().unwrap() }
    }

    pub fn url(&self) -> String {
        match &self.database {
            Database::Sqlite => format!("sqlite://{}/lethe.db?mode=rwc", self.folder.path().display()),
            Database::Postgres(server) => {
                format!("{}/{}", server.rsplit_once('/').unwrap().0, self.name)
            }
        }
    }

    async fn empty(database: &Database) -> (Self, Store) {
        let library = Self::new(database);
        if let Database::Postgres(server) = database {
            execute_on(server, &format!("CREATE DATABASE {}", library.name)).await;
        }
        let clock = Clock::fixed(Tz::Europe__London, TODAY.parse().unwrap());
        let store = operations::open_store(&library.url(), clock, Settings::in_folder(library.folder.path()))
            .await
            .unwrap();
        (library, store)
    }

    /// Creates a library with a queued run of at least this many users.
    pub async fn with_a_queued_run(database: &Database, people: u32) -> Self {
        let (library, store) = Self::empty(database).await;
        demo::fill(&store, Actor::COMMAND_LINE, people + 100, 11).await.unwrap();
        let policy = Policy {
            scope: Scope::All,
            conditions: Conditions { leaving: Days::new(5), ..Conditions::default() },
            ..Policy::default()
        };
        let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(policy)).unwrap();
        for sql in [
            // No second person can approve the run.
            "DELETE FROM credentials WHERE user_number < 10",
            "UPDATE users SET leaving_on = '2020-01-01', guarantor_number = NULL",
            "UPDATE loans SET returned_on = due_on WHERE returned_on IS NULL",
            "UPDATE requests SET closed_on = '2026-01-01' WHERE closed_on IS NULL",
            "UPDATE charges SET settled_on = '2026-01-01' WHERE settled_on IS NULL",
            "UPDATE legal_holds SET released_on = '2026-01-01' WHERE released_on IS NULL",
            &format!("UPDATE tasks SET settings = '{settings}' WHERE id = 1"),
        ] {
            store.db.execute_unprepared(sql).await.unwrap();
        }
        let preview = run::preview(&store, Actor::COMMAND_LINE, policy::TaskId(1)).await.unwrap();
        let previewed = run::read(&store, preview).await.unwrap().previewed;
        assert!(previewed >= i64::from(people), "{previewed}");
        run::start(&store, Actor::COMMAND_LINE, preview, &previewed.to_string()).await.unwrap();
        store.db.clone().close().await.unwrap();
        library
    }

    /// Creates a library with some users, and a file that changes these and adds many new ones.
    pub async fn with_a_file_to_import(database: &Database, people: u32) -> (Self, NamedTempFile) {
        let (_elsewhere, other) = Self::empty(&Database::Sqlite).await;
        demo::fill(&other, Actor::COMMAND_LINE, people, 5).await.unwrap();
        let mut file = NamedTempFile::new().unwrap();
        transfer::export_users(&other, Actor::COMMAND_LINE, &mut file).await.unwrap();
        let (library, store) = Self::empty(database).await;
        // The new users are within the safety limit.
        demo::fill(&store, Actor::COMMAND_LINE, people * 9 / 10, 5).await.unwrap();
        store.db.clone().close().await.unwrap();
        (library, file)
    }

    /// Creates a library with a queued run of a task that imports `import/users.csv`, and that file elsewhere.
    pub async fn with_an_import_run(database: &Database, people: u32) -> (Self, NamedTempFile) {
        let (library, file) = Self::with_a_file_to_import(database, people).await;
        let clock = Clock::fixed(Tz::Europe__London, TODAY.parse().unwrap());
        let store = operations::open_store(&library.url(), clock, Settings::in_folder(library.folder.path()))
            .await
            .unwrap();
        let form = policy::task_form::TaskForm {
            description: "Users".to_owned(),
            task_type: "import_users".to_owned(),
            schedule: "daily".to_owned(),
            ..policy::task_form::TaskForm::new_task()
        };
        let task = task_centre::task::save(&store, Actor::COMMAND_LINE, &form).await.unwrap();
        // Confirmed, and without limits: the file has many new users.
        let mut settings = policy::ImportSettings::default();
        for limit in policy::import_limits::ImportLimit::ALL {
            *settings.limits.of_mut(limit) = None;
        }
        let settings = serde_json::to_string(&TaskSettings::ImportUsers(settings)).unwrap();
        for sql in [
            format!(
                "UPDATE tasks SET settings = '{settings}', confirmed_settings = '{settings}' WHERE id = {task}"
            ),
            format!(
                "INSERT INTO runs (task_id, task_version, kind, state, today, settings, rules_version, channel, created_at, due_at) \
                 VALUES ({task}, 1, 'scheduled', 'queued', '{TODAY}', '{settings}', 1, 'schedule', '{TODAY} 02:00:00+00:00', '{TODAY} 02:00:00+00:00')"
            ),
        ] {
            store.db.execute_unprepared(&sql).await.unwrap();
        }
        store.db.clone().close().await.unwrap();
        (library, file)
    }

    /// Creates another library with the same content.
    pub async fn copy(&self) -> Self {
        let copy = Self::new(&self.database);
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            // The folder of the demo's import task is not copied.
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), copy.folder.path().join(entry.file_name())).unwrap();
            }
        }
        if let Database::Postgres(server) = &self.database {
            execute_on(server, &format!("CREATE DATABASE {} TEMPLATE {}", copy.name, self.name)).await;
        }
        copy
    }

    /// Returns the program with the settings of this library.
    pub fn lethe(&self, arguments: &[&str]) -> Command {
        let folder: &Path = self.folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lethe"));
        command.args(arguments).current_dir(folder).envs([
            ("LETHE_DATABASE_URL", self.url().as_str()),
            ("LETHE_LEDGER_FILE", folder.join("lethe.ledger").to_str().unwrap()),
            ("LETHE_KEY_FILE", folder.join("lethe.key").to_str().unwrap()),
            ("LETHE_SUPPRESSION_KEY_FILE", folder.join("lethe.suppression").to_str().unwrap()),
            ("LETHE_IMPORT_DIR", folder.join("import").to_str().unwrap()),
            ("LETHE_DEMO", "1"),
            ("LETHE_TODAY", TODAY),
        ]);
        command
    }

    /// Returns the folder of ledger and key.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes the database directly.
    pub async fn sql(&self, sql: &str) {
        let db = sea_orm::Database::connect(self.url()).await.unwrap();
        db.execute_unprepared(sql).await.unwrap();
        db.close().await.unwrap();
    }

    /// Returns the result of a query for one number, also while programs run.
    pub async fn number(&self, sql: &str) -> i64 {
        let db = sea_orm::Database::connect(self.url()).await.unwrap();
        let found = number(&db, sql).await;
        db.close().await.unwrap();
        found
    }

    /// Connects after all connections of the killed program have ended.
    async fn connect(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.url());
        options.max_connections(1).sqlx_logging(false);
        let db = sea_orm::Database::connect(options).await.unwrap();
        if db.get_database_backend() == DatabaseBackend::Postgres {
            let others = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                          AND pid <> pg_backend_pid()";
            while number(&db, others).await > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        db
    }

    /// Asserts that no user is half anonymised and that all counts agree.
    pub async fn assert_consistent(&self) {
        let db = self.connect().await;
        let half = "SELECT COUNT(*) FROM users u WHERE (u.anonymised_on IS NOT NULL) AND (u.user_id IS NOT NULL \
                    OR u.last_name IS NOT NULL OR u.first_name IS NOT NULL OR u.email IS NOT NULL \
                    OR u.barcode IS NOT NULL OR u.replacement IS NULL \
                    OR EXISTS (SELECT 1 FROM user_words w WHERE w.user_number = u.number) \
                    OR EXISTS (SELECT 1 FROM credentials c WHERE c.user_number = u.number) \
                    OR EXISTS (SELECT 1 FROM loans l WHERE l.user_number = u.number AND l.note IS NOT NULL) \
                    OR EXISTS (SELECT 1 FROM messages m WHERE m.user_number = u.number AND m.body IS NOT NULL)) \
                    OR u.anonymised_on IS NULL AND (u.replacement IS NOT NULL OR u.last_name IS NULL)";
        assert_eq!(number(&db, half).await, 0, "users that are half anonymised");
        let anonymised = number(&db, "SELECT COUNT(*) FROM users WHERE rules_version IS NOT NULL").await;
        for (label, sql) in [
            ("users with an outcome", "SELECT COUNT(*) FROM run_members WHERE outcome = 'done'"),
            ("audit events", "SELECT COUNT(*) FROM audit_events WHERE action = 'user_anonymised'"),
            ("counts of the run", "SELECT CAST(SUM(done) AS BIGINT) FROM runs"),
        ] {
            assert_eq!(number(&db, sql).await, anonymised, "{label}");
        }
        db.close().await.unwrap();
    }

    /// Lets the lease of the killed process expire.
    pub async fn expire_lease(&self) {
        let db = self.connect().await;
        db.execute_unprepared(
            "UPDATE runs SET heartbeat_at = '2020-01-01 00:00:00+00:00' WHERE holder IS NOT NULL",
        )
        .await
        .unwrap();
        db.close().await.unwrap();
    }

    /// Resets sequences, because a killed program may have drawn keys that it never used. Otherwise libraries could
    /// not be compared.
    pub async fn reset_sequences(&self) {
        if matches!(self.database, Database::Sqlite) {
            return;
        }
        let db = self.connect().await;
        for (table, columns) in dialect::schema(&db).await.unwrap() {
            for key in ["id", "number"].into_iter().filter(|key| columns.iter().any(|column| column == key)) {
                let sequence = format!("pg_get_serial_sequence('{table}', '{key}')");
                let reset =
                    format!("SELECT setval({sequence}, COALESCE(MAX({key}), 0) + 1, FALSE) FROM {table}");
                let drawn = format!("SELECT COUNT(*) FROM (SELECT {sequence} AS s) x WHERE s IS NOT NULL");
                if number(&db, &drawn).await > 0 {
                    db.execute_unprepared(&reset).await.unwrap();
                }
            }
        }
        db.close().await.unwrap();
    }

    /// Returns the content of the database, without random values, times and numbers of interruptions.
    pub async fn state(&self) -> Vec<String> {
        let db = self.connect().await;
        let mut lines: Vec<String> = Vec::new();
        for (table, columns) in dialect::schema(&db).await.unwrap() {
            // A process that ends before the residue search leaves no findings, and no notification of them.
            let ignored = [
                "audit_head",
                "ledger_mark",
                "certificates",
                "findings",
                "notifications",
                "seaql_migrations",
                "photos",
            ];
            if ignored.contains(&table.as_str()) {
                continue;
            }
            let is_ignored = |column: &str| {
                column.ends_with("_at")
                    || matches!(
                        (table.as_str(), column),
                        ("audit_events", "id" | "at" | "sequence" | "mac")
                            | ("users", "uuid" | "scim_id")
                            | ("runs", "holder" | "phase" | "interruptions" | "maintenance")
                            | ("run_members", "residue")
                    )
            };
            let shown: Vec<String> = columns
                .iter()
                .filter(|column| !is_ignored(column))
                .map(|column| match column.as_str() {
                    "replacement" => {
                        "CASE WHEN replacement IS NULL THEN '' ELSE 'a random name' END".to_owned()
                    }
                    column => format!("COALESCE(CAST({column} AS TEXT), '')"),
                })
                .collect();
            let filter = match table.as_str() {
                "audit_events" => " WHERE action <> 'run_taken_up'",
                "run_counts" => " WHERE kind <> 'residue'",
                _ => "",
            };
            let sql = format!("SELECT {} AS line FROM {table}{filter}", shown.join(" || '|' || "));
            for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap()
            {
                let mut line = format!("{table}|");
                write!(line, "{}", row.try_get::<String>("", "line").unwrap()).unwrap();
                lines.push(line);
            }
        }
        db.close().await.unwrap();
        lines.sort();
        lines
    }
}

async fn execute_on(server: &str, sql: &str) {
    let admin = sea_orm::Database::connect(server).await.unwrap();
    admin.execute_unprepared(sql).await.unwrap();
    admin.close().await.unwrap();
}

async fn number(db: &DatabaseConnection, sql: &str) -> i64 {
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index::<Option<i64>>(0).unwrap().unwrap_or_default()
}
