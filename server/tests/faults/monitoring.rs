//! Monitoring: up or down for all clients, details with the token or at the separate address.

use super::library::{Database, Library};
use super::server::{Server, send};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn get_with_token(address: &str, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n");
    write!(stream, "{head}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn details_require_the_token_or_the_separate_address() {
    let library = Library::with_a_queued_run(&Database::Sqlite, 20).await;
    let overdue =
        "UPDATE tasks SET active = TRUE, next_due_at = '2020-01-01T00:00:00+00:00', schedule = 'unreadable'";
    library.sql(overdue).await;
    let file = library.folder().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let metrics_address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut lethe: Command = library.lethe(&[]);
    lethe.env("LETHE_METRICS_ADDR", &metrics_address).env("LETHE_METRICS_TOKEN_FILE", &file);
    let server = Server::start(lethe);
    server.wait_for_health(200);
    for path in ["/healthz", "/readyz", "/livez"] {
        assert_eq!(server.get(path).body, "{\"status\":\"up\"}", "{path}");
    }
    assert_eq!(server.get("/metrics").status, 401);
    assert_eq!(
        get_with_token(&server.address, "/healthz", "wrong").rsplit("\r\n").next(),
        Some("{\"status\":\"up\"}")
    );
    assert!(get_with_token(&server.address, "/healthz", TOKEN).contains("\"code\":\"overdue\""));
    assert!(get_with_token(&server.address, "/metrics", TOKEN).contains("lethe_database_up 1"));
    let get_metrics = |path: &str| send(&metrics_address, "", &format!("GET {path}"), "");
    assert!(get_metrics("/healthz").body.contains("\"code\":\"overdue\""));
    assert!(get_metrics("/metrics").body.contains("lethe_database_up 1"));
    assert_eq!(get_metrics("/users").status, 404, "pages are not served there");
    drop(server);

    let server = Server::start(library.lethe(&[]));
    assert_eq!(server.get("/metrics").status, 404);
    let missing = server.get("/pkg/missing.0123abcd.wasm");
    assert_eq!(missing.status, 404);
    assert!(missing.head.contains("cache-control: no-store"), "{}", missing.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_clock_is_an_hour_fast_starts_no_task() {
    if Command::new("faketime").arg("--version").output().is_err() {
        eprintln!(
            "NOT TESTED: a server with another clock. faketime is not installed (apt-get install faketime)"
        );
        return;
    }
    let library = Library::with_a_queued_run(&Database::Sqlite, 20).await;
    library.sql("UPDATE runs SET state = 'cancelled' WHERE state = 'queued'").await;
    let at = chrono::Utc::now() + chrono::TimeDelta::minutes(30);
    let (local, at) =
        (at.with_timezone(&chrono_tz::Europe::London).format("%Y-%m-%dT%H:%M:%S"), at.to_rfc3339());
    let due = format!(
        "UPDATE tasks SET active = (id = 1), next_due_at = CASE WHEN id = 1 THEN '{at}' END, confirmed_settings = settings, \
         schedule = '{{\"kind\":\"once\",\"at\":\"{local}\"}}'"
    );
    library.sql(&due).await;
    let real = || {
        let mut lethe = library.lethe(&[]);
        lethe.env_remove("LETHE_TODAY").env_remove("LETHE_DEMO");
        lethe
    };
    let first = Server::start(real());
    first.wait_for_health(200);
    let mut fast = Command::new("faketime");
    let lethe = real();
    fast.args(["-f", "+1h"]).arg(lethe.get_program()).current_dir(library.folder());
    for (name, value) in lethe.get_envs() {
        if let Some(value) = value {
            fast.env(name, value);
        }
    }
    let second = Server::start(fast);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(
        library.number("SELECT COUNT(*) FROM runs WHERE kind = 'scheduled'").await,
        0,
        "{}",
        second.log()
    );
}
