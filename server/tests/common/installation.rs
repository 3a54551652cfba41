//! An installation with an empty database in a temporary folder, for tests of the whole program.
#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Time limit for the start of a server.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The installation.
pub struct Installation {
    folder: TempDir,
    pub url: String,
}

impl Installation {
    /// Uses an SQLite file in the folder.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/data/lethe.db?mode=rwc", folder.path().display());
        Self { folder, url }
    }

    /// Creates a database on the server at `TEST_POSTGRES_URL`. Returns `None` if that is not set.
    pub async fn postgres() -> Option<Self> {
        let server = std::env::var("TEST_POSTGRES_URL").ok();
        assert!(server.is_some() || std::env::var("CI").is_err(), "TEST_POSTGRES_URL is not set");
        let url = create_database(&server?).await;
        Some(Self { folder: tempfile::tempdir().unwrap(), url })
    }

    /// Returns an installation for each database system.
    pub async fn both() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres().await].into_iter().flatten().collect()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file of the installation.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder().join("data").join(name)
    }

    pub fn lethe(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lethe"));
        command
            .args(arguments)
            .current_dir(self.folder())
            .envs([("LETHE_DATABASE_URL", self.url.as_str()), ("LETHE_ADDR", "127.0.0.1:0")])
            .stdin(Stdio::null());
        command
    }

    /// Runs a command that must succeed. Returns its standard output.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.lethe(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail. Returns its output.
    pub fn run_refused(&self, arguments: &[&str]) -> String {
        let output = self.lethe(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", output_text(&output));
        output_text(&output)
    }

    /// Starts a server, and waits until it listens.
    pub fn serve(&self) -> Server {
        let log = tempfile::NamedTempFile::new().unwrap();
        let errors = log.reopen().unwrap();
        let process = self.lethe(&["serve"]).stderr(errors).spawn().unwrap();
        let mut server = Server { process, log };
        let began = Instant::now();
        while !server.log().contains("Lethe is at") {
            assert!(server.process.try_wait().unwrap().is_none(), "{}", server.log());
            assert!(began.elapsed() < TIMEOUT, "{}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

/// A server that ends with the test.
pub struct Server {
    pub process: Child,
    log: tempfile::NamedTempFile,
}

impl Server {
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn output_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Creates a database on a server. Returns its URL.
pub async fn create_database(server: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("installation{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let admin = sea_orm::Database::connect(server).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(&admin, &format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await.unwrap();
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}

/// Changes a database directly.
pub async fn sql(url: &str, sql: &str) {
    let db = sea_orm::Database::connect(url).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(&db, sql).await.unwrap();
    db.close().await.unwrap();
}

/// Returns the result of a query for one number.
pub async fn number(url: &str, sql: &str) -> i64 {
    use sea_orm::ConnectionTrait as _;
    let db = sea_orm::Database::connect(url).await.unwrap();
    let query = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(query).await.unwrap().unwrap();
    db.close().await.unwrap();
    row.try_get_by_index(0).unwrap()
}
