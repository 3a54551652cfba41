//! Restoring a backup: back up, anonymise fifty users, restore, start.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/staff_session.rs"]
mod staff_session;

use db::{Clock, Settings};
use policy::{Conditions, Days, Policy, Scope, TaskSettings};
use sea_orm::{ConnectionTrait, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use trail::Store;

const TODAY: &str = "2018-01-21";

fn url(folder: &Path) -> String {
    format!("sqlite://{}/test.db?mode=rwc", folder.display())
}

fn lethe(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lethe"));
    command.current_dir(folder).envs([
        ("LETHE_DATABASE_URL", url(folder).as_str()),
        ("LETHE_ADDR", "127.0.0.1:0"),
        ("LETHE_DEMO", "1"),
        ("LETHE_ALLOW_PASSWORD_ONLY", "1"),
        ("LETHE_TODAY", TODAY),
    ]);
    command
}

fn output_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command that must succeed. Returns its output.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = lethe(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
    output_text(&output)
}

/// Runs a command that must fail. Returns its output.
fn run_refused(folder: &Path, arguments: &[&str]) -> String {
    let output = lethe(folder).args(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}: {}", output_text(&output));
    output_text(&output)
}

async fn store(folder: &Path) -> Store {
    let clock = Clock::fixed(chrono_tz::Tz::Europe__London, TODAY.parse().unwrap());
    operations::open_store(&url(folder), clock, Settings::in_folder(folder)).await.unwrap()
}

async fn close(store: Store) {
    store.db.clone().close().await.unwrap();
}

async fn add_leavers(store: &Store, which: std::ops::RangeInclusive<i32>) {
    for n in which {
        let sql = format!(
            "INSERT INTO users (uuid, user_id, first_name, last_name, imported, created_on, leaving_on) \
             VALUES ('key {n}', 'login-{n}', 'First', 'Leaver{n}', TRUE, '2016-09-01', '2018-01-15')"
        );
        store.db.execute_unprepared(&sql).await.unwrap();
    }
}

async fn add_task(store: &Store) {
    let policy = Policy {
        scope: Scope::All,
        conditions: Conditions { leaving: Days::new(5), ..Conditions::default() },
        ..Policy::default()
    };
    let task = "INSERT INTO tasks (description, active, task_type, visibility, settings, schedule, single_default, \
                created_at, changed_at) VALUES ('Leavers', TRUE, 'anonymise_user_data', 'shared', ?, ?, TRUE, \
                '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')";
    let settings = serde_json::to_string(&TaskSettings::AnonymiseUserData(policy)).unwrap();
    let values = [settings.into(), r#"{"kind":"manual_only"}"#.into()];
    let db = &store.db;
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), task, values)).await.unwrap();
}

async fn count(store: &Store, what: &str) -> i64 {
    let db = &store.db;
    let sql = Statement::from_string(db.get_database_backend(), format!("SELECT COUNT(*) AS n FROM {what}"));
    db.query_one_raw(sql).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// Restores the database file from its copy, as an administrator would.
fn restore(folder: &Path) {
    for file in ["test.db-wal", "test.db-shm"] {
        let _ = std::fs::remove_file(folder.join(file));
    }
    std::fs::copy(folder.join("backup.db"), folder.join("test.db")).unwrap();
}

/// A server that ends with the test.
struct Server {
    process: Child,
    address: String,
    log: Arc<Mutex<String>>,
    /// The cookie of the session.
    cookie: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut process = lethe(folder).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut log_start = Vec::new();
        let address = lines.find_map(|line| {
            log_start.push(line);
            Some(log_start.last()?.split_once("http://")?.1.trim().to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("the server does not start: {log_start:#?}"));
        let log = Arc::new(Mutex::new(String::new()));
        let written = log.clone();
        std::thread::spawn(move || lines.for_each(|line| *written.lock().unwrap() += &line));
        Self { process, address, log, cookie: String::new() }
    }

    fn sign_in(&mut self, folder: &Path) {
        self.cookie = staff_session::sign_in(|| lethe(folder), &self.address);
    }

    /// Returns the head and the body of a response.
    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let Self { address, cookie, .. } = self;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    fn wait_until_open(&self) {
        let began = Instant::now();
        while self.get("/users").0.starts_with("http/1.1 503 ") {
            assert!(began.elapsed() < Duration::from_mins(1), "{}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_brings_no_user_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let library = store(folder).await;
    add_task(&library).await;
    add_leavers(&library, 1..=48).await;
    close(library).await;
    std::fs::copy(folder.join("test.db"), folder.join("backup.db")).unwrap();
    let library = store(folder).await;
    add_leavers(&library, 49..=50).await;
    close(library).await;
    run(folder, &["tasks", "run", "1", "--confirm", "50"]);

    restore(folder);
    let library = store(folder).await;
    let fresh = "INSERT INTO users (uuid, user_id, last_name) VALUES ('fresh key', 'fresh-login', 'Fresh')";
    library.db.execute_unprepared(fresh).await.unwrap();
    assert_eq!(
        count(&library, "users WHERE number = 49 AND last_name = 'Fresh'").await,
        1,
        "a reused number"
    );

    // Only the commands of the ledger work.
    for arguments in [&["users", "show", "1"][..], &["tasks", "list"], &["demo"], &["export", "users"]] {
        let message = run_refused(folder, arguments);
        assert!(message.contains("A backup was restored") && message.contains("50 users"), "{message}");
    }
    assert!(run(folder, &["ledger", "show"]).contains("A backup was restored"));
    assert!(run_refused(folder, &["ledger", "verify"]).contains("ahead of the database"));

    // The replay waits while another connection has the write lock. Meanwhile the maintenance page is checked.
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let other = library.db.begin_with_options(immediate).await.unwrap();
    let mut server = Server::start(folder);
    for path in ["/", "/users/1", "/runs/1", "/api/anything", "/pkg/lethe.css"] {
        let (head, body) = server.get(path);
        assert!(head.starts_with("http/1.1 503 ") && head.contains("\r\nretry-after: "), "{path}: {head}");
        assert!(
            body.contains("A backup of the database was restored") && body.contains("50 users"),
            "{path}: {body}"
        );
        assert!(!body.contains("Leaver"), "{path}");
    }
    other.rollback().await.unwrap();
    server.wait_until_open();
    server.sign_in(folder);

    let (_, page) = server.get("/users/1");
    assert!(page.contains("Anonymised user") && !page.contains("Leaver1"), "{page}");
    assert_eq!(count(&library, "users WHERE anonymised_on IS NOT NULL").await, 48);
    let untouched = "users WHERE number = 49 AND user_id = 'fresh-login' AND anonymised_on IS NULL";
    assert_eq!(count(&library, untouched).await, 1);
    let receipt = "replays WHERE people = 50 AND anonymised = 48 AND absent = 2 AND already = 0 AND verified";
    assert_eq!(count(&library, receipt).await, 1);
    let cookie = server.cookie.clone();
    drop(server);

    let mut again = Server::start(folder);
    again.cookie = cookie;
    assert!(again.get("/users").0.starts_with("http/1.1 200 "), "the second start needs no replay");
    assert!(run(folder, &["ledger", "verify"]).contains("in sync"));
    assert!(run(folder, &["ledger", "show"]).contains("48 anonymised again"));
    assert!(run(folder, &["ledger", "replay"]).contains("nothing to replay"));
    assert_eq!(count(&library, "replays").await, 1);
    close(library).await;
}

#[tokio::test]
async fn no_command_works_with_a_missing_or_damaged_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let library = store(folder).await;
    add_task(&library).await;
    add_leavers(&library, 1..=2).await;
    close(library).await;
    run(folder, &["users", "anonymise", "1", "--confirm", "1", "--reason", "left"]);
    let ledger = folder.join("lethe.ledger");
    let whole = std::fs::read_to_string(&ledger).unwrap();
    std::fs::remove_file(&ledger).unwrap();
    for arguments in [
        &["serve"][..],
        &[],
        &["users", "anonymise", "2", "--confirm", "2", "--reason", "left"],
        &["ledger", "replay"],
    ] {
        let message = run_refused(folder, arguments);
        assert!(message.contains("missing") && message.contains("reset --confirm LOST"), "{message}");
    }
    std::fs::write(&ledger, whole.replacen("key 1", "key 2", 1)).unwrap();
    assert!(run_refused(folder, &["serve"]).contains("damaged: entry 2"));
    assert!(run_refused(folder, &["ledger", "reset", "--confirm", "lost"]).contains("LOST"));
    run(folder, &["ledger", "reset", "--confirm", "LOST"]);
    run(folder, &["users", "anonymise", "2", "--confirm", "2", "--reason", "left"]);
    assert!(run(folder, &["ledger", "verify"]).contains("in sync"));
}

#[tokio::test]
async fn a_certificate_can_be_shown_downloaded_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let library = store(folder).await;
    add_task(&library).await;
    add_leavers(&library, 1..=3).await;
    close(library).await;
    run(folder, &["tasks", "run", "1", "--confirm", "3"]);
    assert!(run(folder, &["runs", "verify", "2"]).contains("The certificate of run 2, version 1, is valid"));

    let mut server = Server::start(folder);
    server.sign_in(folder);
    let (head, page) = server.get("/runs/2/certificate");
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    for message in
        ["Certificate of manual run 2", "3 users were anonymised", "is valid", "/runs/2/certificate.json"]
    {
        assert!(page.contains(message), "{message}: {page}");
    }
    // Only the description of the task contains the word.
    let without_task = page.replace("Leavers", "");
    assert!(!page.contains("style=") && !without_task.contains("Leaver"));
    assert!(server.get("/runs/1/certificate").0.starts_with("http/1.1 404 "), "a preview has no certificate");
    assert!(server.get("/runs/1/certificate.json").0.starts_with("http/1.1 404 "));
    let (head, body) = server.get("/runs/2/certificate.json");
    assert!(head.contains("attachment; filename=\"certificate-2.json\""), "{head}");
    let file = folder.join("certificate.json");
    std::fs::write(&file, &body).unwrap();
    let file = file.to_str().unwrap();
    assert!(run(folder, &["runs", "verify", file]).contains("is valid"));
    std::fs::write(file, body.replace("\"done\":3", "\"done\":4")).unwrap();
    assert!(run_refused(folder, &["runs", "verify", file]).contains("changed after it was signed"));
    let library = store(folder).await;
    library.db.execute_unprepared("UPDATE runs SET done = 4 WHERE id = 2").await.unwrap();
    assert!(run_refused(folder, &["runs", "verify", "2"]).contains("counts of the run"));
    let (_, page) = server.get("/runs/2/certificate");
    assert!(page.contains("is not valid"), "the page detects the change");
    close(library).await;
}
