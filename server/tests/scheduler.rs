//! The scheduler: two servers on one database start a due task once, and stop on SIGTERM.
#![allow(clippy::unwrap_used, reason = "tests")]

use db::entity::runs;
use db::{Clock, Settings};
use policy::task_form::TaskForm;
use policy::{Channel, RunKind};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use task_centre::task;
use trail::{Actor, Store};

fn url(folder: &Path) -> String {
    format!("sqlite://{}/test.db?mode=rwc", folder.display())
}

/// A server that ends with the test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_lethe"))
            .arg("serve")
            .current_dir(folder)
            .envs([("LETHE_DATABASE_URL", url(folder).as_str()), ("LETHE_ADDR", "127.0.0.1:0")])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let mut lines = log.lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("http://")?.1.trim().to_owned())).unwrap();
        // The log must be read, or the full pipe would block the server.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Stops the server as a service manager does.
    fn stop(&mut self) -> ExitStatus {
        let sent = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(15), "the server does not stop");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn scheduled(store: &Store) -> Vec<runs::Model> {
    let find = runs::Entity::find().filter(runs::Column::Kind.eq(RunKind::Scheduled));
    find.all(&store.db).await.unwrap()
}

#[tokio::test]
async fn two_servers_start_a_due_task_once_and_stop_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new(chrono_tz::Tz::Europe__London);
    let settings = Settings::in_folder(folder.path());
    let store = operations::open_store(&url(folder.path()), clock, settings).await.unwrap();
    let form = TaskForm {
        description: "Leavers".to_owned(),
        by_leaving: true,
        leaving_days: "5".to_owned(),
        schedule: "cron".to_owned(),
        // New Year's Day, so that only the update below makes the task due.
        cron: "0 0 1 1 *".to_owned(),
        ..TaskForm::new_task()
    };
    task::save(&store, Actor::COMMAND_LINE, &form).await.unwrap();
    let mut servers = [Server::start(folder.path()), Server::start(folder.path())];

    let due = format!("UPDATE tasks SET next_due_at = '{}'", chrono::Utc::now().to_rfc3339());
    store.db.execute_unprepared(&due).await.unwrap();
    let began = Instant::now();
    while scheduled(&store).await.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "no server starts the task");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Wait for another tick of both servers.
    tokio::time::sleep(Duration::from_secs(7)).await;
    let runs = scheduled(&store).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(runs[0].channel, Channel::Schedule);
    for server in &mut servers {
        assert!(server.get("/healthz").starts_with("HTTP/1.1 200 "));
        assert!(server.get("/metrics").starts_with("HTTP/1.1 404 "), "metrics require a token");
        assert!(server.stop().success());
    }
}
