//! A PostgreSQL server that is restarted, or closes connections, while staff work.

use super::library::{Database, Library};
use super::server::Server;
use super::staff_session;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A PostgreSQL server that a test can stop and start.
struct Postgres {
    folder: TempDir,
    bin: PathBuf,
    port: u16,
}

impl Postgres {
    /// Returns `None` if the tests run without PostgreSQL.
    fn start() -> Option<Self> {
        Database::postgres()?;
        let versions =
            std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path().join("bin"));
        let bin = versions.filter(|bin| bin.join("initdb").exists()).max().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let postgres = Self { folder: tempfile::tempdir().unwrap(), bin, port };
        // PostgreSQL refuses to run as root.
        let _ = Command::new("chown").arg("postgres").arg(postgres.folder.path()).status();
        postgres.execute("initdb", &["-U", "lethe", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        postgres.start_server();
        Some(postgres)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn execute(&self, program: &str, arguments: &[&str]) {
        let path: &Path = &self.bin.join(program);
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| {
            use std::os::unix::fs::MetadataExt;
            own.uid() == 0
        });
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        let log = std::fs::File::create(self.folder.path().join("out")).unwrap();
        let status = command
            .current_dir(self.folder.path())
            .arg("-D")
            .arg(self.data())
            .args(arguments)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    }

    fn start_server(&self) {
        let (port, folder) = (self.port, self.folder.path().display());
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c max_connections=60"
        );
        let log = self.folder.path().join("log");
        self.execute("pg_ctl", &["-l", log.to_str().unwrap(), "-o", &options, "-w", "start"]);
    }

    fn stop_server(&self) {
        self.execute("pg_ctl", &["-m", "immediate", "-w", "stop"]);
    }

    fn database(&self) -> Database {
        Database::Postgres(format!("postgres://lethe@127.0.0.1:{}/postgres", self.port))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.stop_server();
        }
    }
}

async fn serve(database: &Database) -> (Library, Server, String) {
    let library = Library::with_a_queued_run(database, 20).await;
    library.sql("UPDATE runs SET state = 'cancelled' WHERE state = 'queued'").await;
    let mut server = Server::start(library.lethe(&[]));
    server.cookie = staff_session::sign_in(|| library.lethe(&[]), &server.address);
    let token = server.token();
    (library, server, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_down_pages_say_so_at_once_and_work_continues_afterwards() {
    let Some(postgres) = Postgres::start() else { return };
    let (library, server, token) = serve(&postgres.database()).await;
    server.wait_for_health(200);
    let users = library.number("SELECT COUNT(*) FROM users").await;
    for round in 0..2 {
        assert_eq!(server.save(&token, &format!("Before{round}")).status, 303);
        postgres.stop_server();
        server.wait_for_health(503);
        for path in ["/", "/users", "/sign-in", "/nowhere"] {
            let answer = server.get(path);
            assert_eq!(answer.status, 503, "{path}");
            assert!(answer.body.contains("The database does not answer"), "{path}: {}", answer.body);
            assert!(answer.head.contains("retry-after:"), "{path}");
            assert!(answer.took < Duration::from_secs(2), "{path}: {:?}", answer.took);
        }
        let saved = server.save(&token, "Rejected");
        assert_eq!(saved.status, 503);
        assert!(saved.body.contains("Go back in your browser"), "{}", saved.body);
        assert_eq!(server.get("/livez").status, 200, "the process is alive");
        assert_eq!(server.get("/readyz").status, 503);
        postgres.start_server();
        server.wait_for_health(200);
        let saved = server.save(&token, &format!("After{round}"));
        assert_eq!(saved.status, 303, "{}\n{}", saved.body, server.log());
    }
    assert_eq!(library.number("SELECT COUNT(*) FROM users").await, users + 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_connections_are_replaced() {
    let Some(database) = Database::postgres() else { return };
    let (library, server, token) = serve(&database).await;
    let mut refused = 0;
    for round in 0..12 {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        library.sql(end).await;
        for answer in
            [server.get("/users"), server.save(&token, &format!("Cedar{round}")), server.get("/tasks")]
        {
            match answer.status {
                200 | 303 => {}
                503 => refused += 1,
                status => panic!("{status}: {}\n{}", answer.body, server.log()),
            }
        }
    }
    eprintln!("{refused} of 36 requests got status 503");
    server.wait_for_health(200);
    assert_eq!(server.save(&token, "Last").status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_continues_after_the_database_was_restarted() {
    let Some(postgres) = Postgres::start() else { return };
    let library = Library::with_a_queued_run(&postgres.database(), 2_000).await;
    let server = Server::start(library.lethe(&[]));
    let began = std::time::Instant::now();
    while library.number("SELECT COUNT(*) FROM run_members WHERE outcome = 'done'").await == 0 {
        assert!(began.elapsed() < super::server::RECOVERY_TIMEOUT, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    postgres.stop_server();
    tokio::time::sleep(Duration::from_secs(2)).await;
    postgres.start_server();
    let ended = "SELECT COUNT(*) FROM runs WHERE finished_at IS NOT NULL AND done >= 2000 AND failed = 0";
    while library.number(ended).await == 0 {
        assert!(began.elapsed() < 2 * super::server::RECOVERY_TIMEOUT, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(server);
    library.assert_consistent().await;
}
