//! Several servers on one PostgreSQL: a run that is due starts once; when the server that carries it out dies, another
//! one brings it to its end; runs that were missed are made up for once, or not at all.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/library.rs"]
mod library;

use library::{Database, Library};
use std::fs::File;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

/// How long anything may take. A killed server is to be replaced within a minute.
const PATIENCE: Duration = Duration::from_mins(1);

struct Server {
    process: Child,
    log: PathBuf,
}

impl Server {
    fn start(library: &Library, name: &str) -> Self {
        let log = library.folder().join(name);
        let mut command = library.lethe(&["serve"]);
        // The day is the real one: what is due is due by the clock.
        command.env_remove("LETHE_TODAY").env_remove("LETHE_DEMO");
        command.envs([
            ("LETHE_ADDR", "127.0.0.1:0"),
            ("LETHE_LEASE_SECONDS", "5"),
            ("LETHE_LIMIT_RUN_PERCENT", "100"),
        ]);
        let process = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { process, log }
    }

    fn has_said(&self, words: &str) -> bool {
        std::fs::read_to_string(&self.log).unwrap().contains(words)
    }

    async fn is_up(&self) {
        let begun = Instant::now();
        while !self.has_said("Lethe is at") {
            assert!(begun.elapsed() < PATIENCE, "{}", std::fs::read_to_string(&self.log).unwrap());
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

/// A library whose task is switched on and confirmed.
async fn library(people: u32) -> Option<Library> {
    let library = Library::with_a_queued_run(&Database::postgres()?, people).await;
    library.sql("UPDATE runs SET state = 'cancelled' WHERE state = 'queued'").await;
    library
        .sql(
            "UPDATE tasks SET active = (id = 1), confirmed_policy = policy, next_due_at = NULL, \
             schedule = '{\"kind\":\"daily\",\"time\":\"03:00:00\"}'",
        )
        .await;
    Some(library)
}

async fn eventually(library: &Library, sql: &str, expected: i64) {
    let begun = Instant::now();
    loop {
        let found = library.number(sql).await;
        if found == expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{found} instead of {expected}: {sql}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_run_that_is_due_starts_once_and_survives_its_server() {
    let Some(library) = library(2_000).await else { return };
    let [mut one, mut two] = [Server::start(&library, "one"), Server::start(&library, "two")];
    one.is_up().await;
    two.is_up().await;
    // The first look of a server sets the next time of a task that has none.
    eventually(&library, "SELECT COUNT(*) FROM tasks WHERE id = 1 AND next_due_at IS NOT NULL", 1).await;
    // A server that starts calculates times that lie ahead again, but not one that has come.
    library.sql("UPDATE tasks SET next_due_at = now() WHERE id = 1").await;

    eventually(&library, "SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND done > 0", 1).await;
    let holder = if one.has_said("run taken up") { &mut one } else { &mut two };
    assert!(holder.has_said("run taken up"));
    holder.process.kill().unwrap();
    holder.process.wait().unwrap();
    let killed = Instant::now();
    let unfinished = "SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND state = 'running'";
    assert_eq!(library.number(unfinished).await, 1, "it was killed in the middle of the run");

    let ended =
        "SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND state = 'succeeded' AND interruptions = 1";
    eventually(&library, ended, 1).await;
    eprintln!("taken over and brought to its end {:?} after the kill", killed.elapsed());
    drop((one, two));
    library.is_consistent().await;
    assert_eq!(library.number("SELECT COUNT(*) FROM runs WHERE kind = 'scheduled'").await, 1);
    assert_eq!(
        library.number("SELECT COUNT(*) FROM runs WHERE previewed <> done AND kind = 'scheduled'").await,
        0
    );
}

#[tokio::test]
async fn thirty_missed_runs_are_one_or_none() {
    for (rule, runs, missed) in [("once", 1, 0), ("skip", 0, 1)] {
        let Some(library) = library(20).await else { return };
        library
            .sql(&format!(
                "UPDATE tasks SET missed = '{rule}', next_due_at = now() - interval '30 days' WHERE id = 1"
            ))
            .await;
        let [one, two] = [Server::start(&library, "one"), Server::start(&library, "two")];
        one.is_up().await;
        two.is_up().await;
        let seen = "SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND finished_at IS NOT NULL";
        eventually(&library, seen, 1).await;
        // Both have looked at the schedule again by then.
        tokio::time::sleep(Duration::from_secs(8)).await;
        let of_state =
            |state: &str| format!("SELECT COUNT(*) FROM runs WHERE kind = 'scheduled' AND state = '{state}'");
        assert_eq!(library.number(&of_state("succeeded")).await, runs, "{rule}");
        assert_eq!(library.number(&of_state("missed")).await, missed, "{rule}");
        assert_eq!(library.number("SELECT COUNT(*) FROM runs WHERE kind = 'scheduled'").await, 1, "{rule}");
        let coming = "SELECT COUNT(*) FROM tasks WHERE id = 1 AND next_due_at > now()";
        assert_eq!(library.number(coming).await, 1, "{rule}");
    }
}
