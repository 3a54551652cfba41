//! The files of an installation: who may read them, what a start says when one cannot be used, and damaged pages.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![cfg(unix)]

#[path = "common/place.rs"]
mod place;

use place::{Place, said};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output};

/// A user that owns nothing.
const NOBODY: u32 = 65_534;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The same command under the umask that most systems have, so that what is private is so by Lethe.
fn under_usual_umask(place: &Place, arguments: &[&str]) -> Command {
    let lethe = place.lethe(arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 022; exec \"$0\" \"$@\""]).arg(lethe.get_program()).args(lethe.get_args());
    shell.current_dir(place.folder());
    for (name, value) in lethe.get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
}

/// The same command as another user; none where the tests are not run by root.
fn as_nobody(place: &Place, arguments: &[&str]) -> Option<Output> {
    let lethe = place.lethe(arguments);
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(lethe.get_program())
        .args(lethe.get_args());
    command.current_dir(place.folder());
    for (name, value) in lethe.get_envs() {
        command.env(name, value.unwrap());
    }
    is_root().then(|| command.output().unwrap())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[test]
fn everything_that_is_written_is_for_its_owner_alone() {
    let place = Place::sqlite();
    let run = |arguments: &[&str]| {
        let output = under_usual_umask(&place, arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    };
    run(&["demo", "--users", "60"]);
    run(&["export", "users", "data/users.csv"]);
    run(&["audit", "verify"]);
    run(&["backup", "data/backup.db"]);
    let mut server = under_usual_umask(&place, &["serve"]).spawn().unwrap();
    let wal = place.file("lethe.db-shm");
    for _ in 0..500 {
        if wal.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let modes: BTreeMap<_, _> = fs::read_dir(place.folder().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), mode(&path)))
        .collect();
    server.kill().unwrap();
    server.wait().unwrap();
    for name in [
        "lethe.db",
        "lethe.db-wal",
        "lethe.db-shm",
        "lethe.ledger",
        "lethe.key",
        "lethe.audit",
        "users.csv",
        "backup.db",
        "backup.db.manifest.json",
    ] {
        assert!(modes.contains_key(name), "{name}: {modes:?}");
    }
    for (name, mode) in &modes {
        assert_eq!(*mode, 0o600, "{name}: {mode:o}");
    }
    assert_eq!(mode(&place.folder().join("data")), 0o700);
}

#[test]
fn rights_of_others_are_taken_away_and_folders_are_told() {
    let place = Place::sqlite();
    place.done(&["tasks", "list"]);
    let names = ["lethe.db", "lethe.ledger", "lethe.key"];
    for name in names {
        set_mode(&place.file(name), 0o664);
    }
    set_mode(&place.folder().join("data"), 0o755);
    let checked = place.done(&["check"]);
    assert!(checked.contains("chmod 600") && checked.contains("chmod 700"), "{checked}");
    let server = place.serve();
    assert!(
        server.log().contains("was readable by other users") && server.log().contains("chmod 700"),
        "{}",
        server.log()
    );
    for name in names {
        assert_eq!(mode(&place.file(name)), 0o600, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_cause_and_remedy() {
    let folders = [
        ("lethe.ledger", "LETHE_LEDGER"),
        ("lethe.key", "LETHE_KEY_FILE"),
        ("lethe.audit", "LETHE_AUDIT_ANCHOR_FILE"),
        ("lethe.db", "LETHE_DATABASE_URL"),
    ];
    for (name, setting) in folders {
        let place = Place::sqlite();
        fs::create_dir_all(place.file(name)).unwrap();
        for arguments in [&["serve"][..], &["tasks", "list"]] {
            let words = place.refused(arguments);
            assert!(
                words.contains(name) && words.contains("is a folder") && words.contains(setting),
                "{words}"
            );
            assert!(!words.contains("reset"), "{words}");
        }
        fs::remove_dir(place.file(name)).unwrap();
        place.done(&["tasks", "list"]);
    }
}

#[test]
fn a_database_that_is_only_read_is_refused() {
    let mut place = Place::sqlite();
    place.done(&["tasks", "list"]);
    place.url = place.url.replace("mode=rwc", "mode=ro");
    let words = place.refused(&["serve"]);
    assert!(words.contains("mode=ro") && words.contains("mode=rwc"), "{words}");
    place.url = place.url.replace("mode=ro", "mode=rw");
    place.done(&["tasks", "list"]);
    fs::rename(place.file("lethe.db"), place.file("moved.db")).unwrap();
    let words = place.refused(&["tasks", "list"]);
    assert!(words.contains("lethe.db does not exist") && words.contains("mode=rwc"), "{words}");
    assert!(!place.file("lethe.db").exists());
}

#[test]
fn without_assets_no_page_is_served() {
    let place = Place::sqlite();
    let output = place.lethe(&["serve"]).env("LETHE_ASSETS_DIR", "nowhere").output().unwrap();
    let words = said(&output);
    assert!(!output.status.success(), "{words}");
    assert!(words.contains("nowhere/pkg/lethe.css") && words.contains("LETHE_ASSETS_DIR"), "{words}");
    let listed = place.lethe(&["tasks", "list"]).env("LETHE_ASSETS_DIR", "nowhere").output().unwrap();
    assert!(listed.status.success(), "the command line needs none: {}", said(&listed));
}

#[test]
fn rights_that_are_missing_are_named_before_anything_is_changed() {
    if !is_root() {
        eprintln!("not tested: only root can start Lethe as another user");
        return;
    }
    let place = Place::sqlite();
    set_mode(place.folder(), 0o755);
    place.done(&["demo", "--users", "60"]);
    let data = place.folder().join("data");
    let all = |user: u32, group: u32| {
        chown(&data, Some(user), Some(group)).unwrap();
        for entry in fs::read_dir(&data).unwrap() {
            chown(entry.unwrap().path(), Some(user), Some(group)).unwrap();
        }
    };
    all(NOBODY, NOBODY);
    let works = as_nobody(&place, &["tasks", "list"]).unwrap();
    assert!(works.status.success(), "{}", said(&works));

    for (name, mode) in [
        ("lethe.db", 0o400),
        ("lethe.ledger", 0o400),
        ("lethe.ledger", 0o200),
        ("lethe.key", 0o200),
        (".", 0o500),
    ] {
        let path = if name == "." { data.clone() } else { data.join(name) };
        let before = fs::metadata(&path).unwrap().permissions();
        set_mode(&path, mode);
        for arguments in [&["serve"][..], &["tasks", "list"], &["check"]] {
            let output = as_nobody(&place, arguments).unwrap();
            let answer = said(&output);
            assert_eq!(output.status.code(), Some(1), "{name} {mode:o}: {answer}");
            assert!(
                answer.contains("permission denied") && answer.contains("chmod u+rwX"),
                "{name} {mode:o}: {answer}"
            );
            assert!(
                answer.contains(name) && !answer.contains("reset") && !answer.contains("damaged"),
                "{answer}"
            );
        }
        fs::set_permissions(&path, before).unwrap();
    }
    // A file of another user.
    chown(data.join("lethe.ledger"), Some(0), Some(0)).unwrap();
    let refusal = said(&as_nobody(&place, &["serve"]).unwrap());
    assert!(refusal.contains("belongs to user root") && refusal.contains("chown 65534"), "{refusal}");
    chown(data.join("lethe.ledger"), Some(NOBODY), Some(NOBODY)).unwrap();
    let works = as_nobody(&place, &["audit", "verify"]).unwrap();
    assert!(works.status.success(), "nothing was lost: {}", said(&works));
}

#[test]
fn root_leaves_the_files_of_the_service_alone() {
    if !is_root() {
        eprintln!("not tested: only root can give files away");
        return;
    }
    let place = Place::sqlite();
    set_mode(place.folder(), 0o755);
    let data = place.folder().join("data");
    fs::create_dir(&data).unwrap();
    chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    for arguments in
        [&["staff", "add", "Ann O'Neil", "--role", "administrator"][..], &["serve"], &["key", "show"]]
    {
        let words = place.refused(arguments);
        assert!(words.contains("setpriv --reuid=65534 --regid=65534 --clear-groups"), "{words}");
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "nothing is written");
    }
    assert!(
        place
            .refused(&["staff", "add", "Ann O'Neil", "--role", "dpo"])
            .contains(r"'Ann O'\''Neil' --role dpo")
    );
    let works = as_nobody(&place, &["staff", "add", "ann", "--role", "administrator"]).unwrap();
    assert!(works.status.success(), "{}", said(&works));

    // Before the first start the service has an empty folder, and the data folder is still to be made.
    let place = Place::sqlite();
    chown(place.folder(), Some(NOBODY), Some(NOBODY)).unwrap();
    let first = ("LETHE_DATABASE_URL", "sqlite://data/lethe.db?mode=rwc");
    let refused =
        place.lethe(&["staff", "add", "ann", "--role", "administrator"]).env(first.0, first.1).output();
    assert!(said(&refused.unwrap()).contains("setpriv --reuid=65534"));
    assert!(!place.folder().join("data").exists());
}

#[test]
fn a_damaged_page_is_seen_at_the_start() {
    let place = Place::sqlite();
    place.done(&["demo", "--users", "300"]);
    let path = place.file("lethe.db");
    let whole = fs::read(&path).unwrap();
    assert!(place.done(&["check"]).contains("ok\tledger_and_database"));
    // Rows of users, in the middle of the file.
    let mut file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    for page in [whole.len() / 4096 / 3, whole.len() / 4096 / 2, whole.len() / 4096 * 2 / 3] {
        file.seek(SeekFrom::Start(u64::try_from(page * 4096).unwrap())).unwrap();
        file.write_all(&[0xa5; 4096]).unwrap();
    }
    drop(file);
    for arguments in [&["serve"][..], &["check"]] {
        let words = place.refused(arguments);
        assert!(
            words.contains("The database file is damaged") && words.contains("restore the last backup"),
            "{words}"
        );
    }
    fs::write(&path, &whole).unwrap();
    drop(place.serve());
    // A file that is no database. The log of the server that was killed would give it a first page.
    for log in ["lethe.db-wal", "lethe.db-shm"] {
        let _ = fs::remove_file(place.file(log));
    }
    fs::write(&path, "no database at all, but long enough to be looked at as one".repeat(100)).unwrap();
    let words = place.refused(&["tasks", "list"]);
    assert!(words.contains("not a database") && words.contains("Restore the last backup"), "{words}");
}

#[test]
fn a_check_tells_all_for_machines() {
    let place = Place::sqlite();
    let before: serde_json::Value = serde_json::from_str(&place.done(&["check", "--json"])).unwrap();
    assert!(before.as_array().unwrap().iter().all(|check| check.get("problem").is_none()), "{before}");
    assert!(!place.file("lethe.db").exists(), "looking makes nothing");
    place.done(&["tasks", "list"]);
    let codes = |json: &str| -> Vec<String> {
        let checks: serde_json::Value = serde_json::from_str(json).unwrap();
        checks.as_array().unwrap().iter().map(|check| check["what"].as_str().unwrap().to_owned()).collect()
    };
    let told = codes(&place.done(&["check", "--json"]));
    for code in [
        "database",
        "database_folder",
        "ledger",
        "key",
        "audit_anchor",
        "temporary_files",
        "clock",
        "assets",
        "schema_and_key",
        "ledger_and_database",
    ] {
        assert!(told.iter().any(|told| told == code), "{code}: {told:?}");
    }
    let temporary = place.lethe(&["check"]).env("TMPDIR", "/nowhere").output().unwrap();
    assert!(!temporary.status.success() && said(&temporary).contains("TMPDIR"), "{}", said(&temporary));
    let mut ledger = String::new();
    fs::File::open(place.file("lethe.ledger")).unwrap().read_to_string(&mut ledger).unwrap();
    fs::write(place.file("lethe.ledger"), ledger.replace("library", "l1brary")).unwrap();
    assert!(place.refused(&["check"]).contains("ledger"), "a damaged ledger is told");
}

/// A small disk in memory, which goes with the test.
struct Disk(std::path::PathBuf);

impl Disk {
    /// None where the tests may mount nothing.
    fn at(path: &Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m,mode=0700", "tmpfs"])
            .arg(path)
            .output();
        mount.is_ok_and(|done| done.status.success()).then(|| Self(path.to_owned()))
    }

    fn remount(&self, option: &str) {
        let option = format!("remount,{option}");
        assert!(Command::new("mount").args(["-o", &option]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_or_read_only_disk_is_told_and_nothing_is_lost() {
    let place = Place::sqlite();
    let data = place.folder().join("data");
    fs::create_dir(&data).unwrap();
    let Some(disk) = Disk::at(&data) else {
        eprintln!("not tested: no disk can be mounted here");
        return;
    };
    place.done(&["demo", "--users", "60"]);
    let full = data.join("full");
    let mut file = fs::File::create(&full).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    for arguments in [&["serve"][..], &["tasks", "list"], &["check"]] {
        let words = place.refused(arguments);
        assert!(words.contains("Make room on the disk") && !words.contains("reset"), "{words}");
    }
    fs::remove_file(&full).unwrap();
    assert!(place.done(&["audit", "verify"]).contains("The audit is intact"));
    assert!(place.done(&["ledger", "verify"]).contains("in sync"));

    disk.remount("ro");
    for arguments in [&["serve"][..], &["tasks", "list"], &["check"]] {
        let words = place.refused(arguments);
        assert!(words.contains("Mount its file system read-write") && !words.contains("reset"), "{words}");
    }
    disk.remount("rw");
    drop(place.serve());
}
