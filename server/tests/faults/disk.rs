//! A full disk, for the database, the ledger and the anchors, while staff work and during a run.

use super::library::{Database, Library};
use super::server::{RECOVERY_TIMEOUT, Server};
use super::small_disk::SmallDisk;
use super::staff_session;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Returns the program with all its files on this disk.
fn on_disk(library: &Library, disk: &Path) -> Command {
    let mut lethe = library.lethe(&[]);
    lethe.envs([
        ("LETHE_DATABASE_URL", format!("sqlite://{}/lethe.db?mode=rwc", disk.display())),
        ("LETHE_LEDGER_FILE", disk.join("lethe.ledger").display().to_string()),
        ("LETHE_KEY_FILE", disk.join("lethe.key").display().to_string()),
        ("LETHE_SUPPRESSION_KEY_FILE", disk.join("lethe.suppression").display().to_string()),
        ("LETHE_AUDIT_ANCHOR_FILE", disk.join("lethe.audit").display().to_string()),
    ]);
    lethe
}

fn move_to(library: &Library, disk: &Path) {
    for entry in std::fs::read_dir(library.folder()).unwrap() {
        let entry = entry.unwrap();
        // The folder of the demo's import task stays where it is.
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), disk.join(entry.file_name())).unwrap();
        }
    }
}

async fn number(disk: &Path, sql: &str) -> i64 {
    use sea_orm::{ConnectionTrait, Statement};
    let db = sea_orm::Database::connect(format!("sqlite://{}/lethe.db", disk.display())).await.unwrap();
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    db.close().await.unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_reported_and_work_continues_when_there_is_space() {
    let Some(disk) = SmallDisk::mount(48) else { return };
    let library = Library::with_a_queued_run(&Database::Sqlite, 20).await;
    library.sql("UPDATE runs SET state = 'cancelled' WHERE state = 'queued'").await;
    move_to(&library, disk.path());
    let mut server = Server::start(on_disk(&library, disk.path()));
    server.cookie = staff_session::sign_in(|| on_disk(&library, disk.path()), &server.address);
    let token = server.token();
    server.wait_for_health(200);
    let users = number(disk.path(), "SELECT COUNT(*) FROM users").await;

    disk.fill();
    server.wait_for_health(503);
    let mut saved = 0;
    let mut refused = 0;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        let answer = server.save(&token, &format!("Alder{}", saved + refused));
        match answer.status {
            303 => saved += 1,
            503 => {
                refused += 1;
                assert!(answer.body.contains("The disk that holds"), "{}", answer.body);
                assert!(answer.head.contains("retry-after:"), "{}", answer.head);
                assert!(answer.body.contains("typed by hand"), "the form is shown again with the entries");
            }
            status => panic!("{status}: {}", server.log()),
        }
        let form = "form[user_id]=tester&form[password]=plum%2Btractor%2Bseventeen";
        let sign_in = server.post("/do/sign_in?page=/sign-in", form);
        assert!(![500, 0].contains(&sign_in.status), "{sign_in:?}");
        assert_eq!(server.get("/healthz").status, 503, "health is down while writes fail");
        assert_eq!(server.get("/livez").status, 200);
    }
    disk.empty();
    server.wait_for_health(200);
    for one in 0..18 {
        let answer = server.save(&token, &format!("Birch{one}"));
        assert_eq!(answer.status, 303, "{}\n{}", answer.body, server.log());
        saved += 1;
    }
    eprintln!("{refused} rejected on the full disk, {saved} saved");
    assert!(refused > 0, "the disk was full for the database");
    assert_eq!(number(disk.path(), "SELECT COUNT(*) FROM users").await, users + saved, "no data is lost");
    drop(server);
    let verified = on_disk(&library, disk.path()).args(["audit", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// The files on the full disk.
#[derive(Clone, Copy, Debug)]
enum OnFullDisk {
    Everything,
    Ledger,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_disk_space_and_no_user_fails() {
    for full in [OnFullDisk::Everything, OnFullDisk::Ledger] {
        let Some(disk) = SmallDisk::mount(48) else { return };
        let library = Library::with_a_queued_run(&Database::Sqlite, 1_500).await;
        move_to(&library, disk.path());
        let lethe = || match full {
            OnFullDisk::Everything => on_disk(&library, disk.path()),
            OnFullDisk::Ledger => {
                let mut lethe = library.lethe(&[]);
                lethe.env("LETHE_LEDGER_FILE", disk.path().join("lethe.ledger"));
                lethe
            }
        };
        disk.fill();
        disk.empty();
        let server = Server::start(lethe());
        disk.fill();
        server.wait_for_health(503);
        tokio::time::sleep(Duration::from_secs(7)).await;
        disk.empty();
        server.wait_for_health(200);
        let folder = match full {
            OnFullDisk::Everything => disk.path(),
            OnFullDisk::Ledger => library.folder(),
        };
        let began = Instant::now();
        let ended = "SELECT COUNT(*) FROM runs WHERE finished_at IS NOT NULL AND done > 0 AND failed = 0";
        while number(folder, ended).await == 0 {
            assert!(began.elapsed() < RECOVERY_TIMEOUT, "{full:?}\n{}", server.log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        drop(server);
        let failed = number(folder, "SELECT COUNT(*) FROM run_members WHERE outcome = 'failed'").await;
        assert_eq!(failed, 0, "{full:?}");
        for arguments in [["ledger", "verify"], ["audit", "verify"]] {
            let verified = lethe().args(arguments).output().unwrap();
            assert!(verified.status.success(), "{full:?} {}", String::from_utf8_lossy(&verified.stdout));
        }
    }
}
