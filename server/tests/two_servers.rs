//! Several servers on one PostgreSQL database: a due run starts once, and another server takes over the run of a
//! killed server. Missed runs are made up for once or not at all.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/library.rs"]
mod library;

use library::{Database, Library};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

/// The limit for every step. Another server must take over within a minute.
const TIMEOUT: Duration = Duration::from_mins(1);

struct Server {
    process: Child,
    log: PathBuf,
}

impl Server {
    fn start(library: &Library, name: &str) -> Self {
        let log = library.folder().join(name);
        let mut command = library.lethe(&["serve"]);
        // Use the real clock, because due times depend on it.
        command.env_remove("LETHE_TODAY").env_remove("LETHE_DEMO");
        command.envs([
            ("LETHE_ADDR", "127.0.0.1:0"),
            ("LETHE_LEASE_SECONDS", "5"),
            ("LETHE_LIMIT_RUN_PERCENT", "100"),
        ]);
        let process = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { process, log }
    }

    fn has_logged(&self, message: &str) -> bool {
        std::fs::read_to_string(&self.log).unwrap().contains(message)
    }

    async fn wait_until_up(&self) {
        let begun = Instant::now();
        while !self.has_logged("Lethe is at") {
            assert!(begun.elapsed() < TIMEOUT, "{}", std::fs::read_to_string(&self.log).unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Creates a library with an active, confirmed task.
async fn library(people: u32) -> Option<Library> {
    let library = Library::with_a_queued_run(&Database::postgres()?, people).await;
    library.sql("UPDATE runs SET state = 'cancelled' WHERE state = 'queued'").await;
    library
        .sql(
            "UPDATE tasks SET active = (id = 1), confirmed_settings = settings, next_due_at = now() + interval '9 years', \
             schedule = '{\"kind\":\"daily\",\"time\":\"03:00:00\"}'",
        )
        .await;
    Some(library)
}

/// Returns the state of the scheduler and the logs of the servers, for the message of a failed test.
async fn report(library: &Library) -> String {
    let db = sea_orm::Database::connect(library.url()).await.unwrap();
    let mut report = String::new();
    for table in ["tasks", "runs", "servers", "pg_stat_activity"] {
        let rows =
            format!("SELECT COALESCE(string_agg(CAST(row_to_json(t) AS TEXT), E'\\n'), '') FROM {table} t");
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, rows)).await.unwrap().unwrap();
        writeln!(report, "{table}:\n{}", row.try_get_by_index::<String>(0).unwrap()).unwrap();
    }
    for server in ["one", "two"] {
        let log = std::fs::read_to_string(library.folder().join(server)).unwrap();
        writeln!(report, "server {server}:\n{log}").unwrap();
    }
    report
}

async fn wait_for(library: &Library, sql: &str, expected: i64) {
    let begun = Instant::now();
    loop {
        let found = library.number(sql).await;
        if found == expected {
            return;
        }
        let is_late = begun.elapsed() > TIMEOUT;
        assert!(!is_late, "{found} instead of {expected}: {sql}\n{}", report(library).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_due_run_starts_once_and_another_server_completes_it() {
    let Some(library) = library(2_000).await else { return };
    let [mut one, mut two] = [Server::start(&library, "one"), Server::start(&library, "two")];
    one.wait_until_up().await;
    two.wait_until_up().await;
    // A starting server recalculates future due times, but not past ones.
    let recalculated = "SELECT COUNT(*) FROM tasks WHERE id = 1 AND next_due_at < now() + interval '2 days'";
    wait_for(&library, recalculated, 1).await;
    // A minute ago, because a server that is about to recalculate may have read its clock before.
    library.sql("UPDATE tasks SET next_due_at = now() - interval '1 minute' WHERE id = 1").await;

    wait_for(&library, "SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND done > 0", 1).await;
    let holder = if one.has_logged("run taken up") { &mut one } else { &mut two };
    assert!(holder.has_logged("run taken up"));
    holder.process.kill().unwrap();
    holder.process.wait().unwrap();
    let killed = Instant::now();
    let unfinished = "SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND state = 'running'";
    assert_eq!(library.number(unfinished).await, 1, "the server was killed during the run");

    let ended =
        "SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND state = 'succeeded' AND interruptions = 1";
    wait_for(&library, ended, 1).await;
    eprintln!("the run was completed {:?} after the kill", killed.elapsed());
    drop((one, two));
    library.assert_consistent().await;
    assert_eq!(library.number("SELECT COUNT(*) FROM runs WHERE kind = 'scheduled'").await, 1);
    assert_eq!(
        library.number("SELECT COUNT(*) FROM runs WHERE previewed <> done AND kind = 'scheduled'").await,
        0
    );
}

#[tokio::test]
async fn thirty_missed_runs_are_made_up_for_once_or_not_at_all() {
    for (rule, runs, missed) in [("once", 1, 0), ("skip", 0, 1)] {
        let Some(library) = library(20).await else { return };
        library
            .sql(&format!(
                "UPDATE tasks SET missed = '{rule}', next_due_at = now() - interval '30 days' WHERE id = 1"
            ))
            .await;
        let [one, two] = [Server::start(&library, "one"), Server::start(&library, "two")];
        one.wait_until_up().await;
        two.wait_until_up().await;
        let finished = "SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND finished_at IS NOT NULL";
        wait_for(&library, finished, 1).await;
        // Wait for another tick of both servers.
        tokio::time::sleep(Duration::from_secs(8)).await;
        let of_state =
            |state: &str| format!("SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND state = '{state}'");
        assert_eq!(library.number(&of_state("succeeded")).await, runs, "{rule}");
        assert_eq!(library.number(&of_state("missed")).await, missed, "{rule}");
        assert_eq!(library.number("SELECT COUNT(*) FROM runs WHERE kind = 'scheduled'").await, 1, "{rule}");
        let next = "SELECT COUNT(*) FROM tasks WHERE id = 1 AND next_due_at > now()";
        assert_eq!(library.number(next).await, 1, "{rule}");
    }
}
