//! The files of an installation: their modes, the messages if one cannot be used, and damaged pages.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![cfg(unix)]

#[path = "common/installation.rs"]
mod installation;

use installation::{Installation, output_text};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output};

/// The id of a user that owns no file.
const OTHER_USER: u32 = 65_534;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs the command under the usual umask, so that only Lethe can make files private.
fn under_usual_umask(installation: &Installation, arguments: &[&str]) -> Command {
    let lethe = installation.lethe(arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 022; exec \"$0\" \"$@\""]).arg(lethe.get_program()).args(lethe.get_args());
    shell.current_dir(installation.folder());
    for (name, value) in lethe.get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
}

/// Runs the command as another user. Returns `None` if the tests do not run as root.
fn as_other_user(installation: &Installation, arguments: &[&str]) -> Option<Output> {
    let lethe = installation.lethe(arguments);
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(lethe.get_program())
        .args(lethe.get_args());
    command.current_dir(installation.folder());
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
fn only_the_owner_can_read_the_files_that_lethe_writes() {
    let installation = Installation::sqlite();
    let run = |arguments: &[&str]| {
        let output = under_usual_umask(&installation, arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
    };
    run(&["demo", "--users", "60"]);
    run(&["export", "users", "data/users.csv"]);
    run(&["audit", "verify"]);
    run(&["backup", "data/backup.db"]);
    let mut server = under_usual_umask(&installation, &["serve"]).spawn().unwrap();
    let wal = installation.file("lethe.db-shm");
    for _ in 0..500 {
        if wal.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let modes: BTreeMap<_, _> = fs::read_dir(installation.folder().join("data"))
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
        "lethe.suppression",
        "lethe.audit",
        "users.csv",
        "backup.db",
        "backup.db.manifest.json",
    ] {
        assert!(modes.contains_key(name), "{name}: {modes:?}");
    }
    for (name, mode) in &modes {
        let is_folder = installation.folder().join("data").join(name).is_dir();
        assert_eq!(*mode, if is_folder { 0o700 } else { 0o600 }, "{name}: {mode:o}");
    }
    assert_eq!(mode(&installation.folder().join("data")), 0o700);
}

#[test]
fn permissions_of_other_users_on_files_are_removed_and_those_on_folders_reported() {
    let installation = Installation::sqlite();
    installation.run(&["tasks", "list"]);
    let names = ["lethe.db", "lethe.ledger", "lethe.key", "lethe.suppression"];
    for name in names {
        set_mode(&installation.file(name), 0o664);
    }
    set_mode(&installation.folder().join("data"), 0o755);
    let checked = installation.run(&["check"]);
    assert!(checked.contains("chmod 600") && checked.contains("chmod 700"), "{checked}");
    let server = installation.serve();
    assert!(
        server.log().contains("was readable by other users") && server.log().contains("chmod 700"),
        "{}",
        server.log()
    );
    for name in names {
        assert_eq!(mode(&installation.file(name)), 0o600, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_cause_and_remedy() {
    let folders = [
        ("lethe.ledger", "LETHE_LEDGER_FILE"),
        ("lethe.key", "LETHE_KEY_FILE"),
        ("lethe.suppression", "LETHE_SUPPRESSION_KEY_FILE"),
        ("lethe.audit", "LETHE_AUDIT_ANCHOR_FILE"),
        ("lethe.db", "LETHE_DATABASE_URL"),
    ];
    for (name, setting) in folders {
        let installation = Installation::sqlite();
        fs::create_dir_all(installation.file(name)).unwrap();
        for arguments in [&["serve"][..], &["tasks", "list"]] {
            let message = installation.run_refused(arguments);
            assert!(
                message.contains(name) && message.contains("is a folder") && message.contains(setting),
                "{message}"
            );
            assert!(!message.contains("reset"), "{message}");
        }
        fs::remove_dir(installation.file(name)).unwrap();
        installation.run(&["tasks", "list"]);
    }
}

#[test]
fn a_read_only_or_missing_database_is_rejected() {
    let mut installation = Installation::sqlite();
    installation.run(&["tasks", "list"]);
    installation.url = installation.url.replace("mode=rwc", "mode=ro");
    let message = installation.run_refused(&["serve"]);
    assert!(message.contains("mode=ro") && message.contains("mode=rwc"), "{message}");
    installation.url = installation.url.replace("mode=ro", "mode=rw");
    installation.run(&["tasks", "list"]);
    fs::rename(installation.file("lethe.db"), installation.file("moved.db")).unwrap();
    let message = installation.run_refused(&["tasks", "list"]);
    assert!(message.contains("lethe.db does not exist") && message.contains("mode=rwc"), "{message}");
    assert!(!installation.file("lethe.db").exists());
}

#[test]
fn the_server_does_not_start_without_assets() {
    let installation = Installation::sqlite();
    let output = installation.lethe(&["serve"]).env("LETHE_ASSETS_DIR", "nowhere").output().unwrap();
    let message = output_text(&output);
    assert!(!output.status.success(), "{message}");
    assert!(message.contains("nowhere/pkg/lethe.css") && message.contains("LETHE_ASSETS_DIR"), "{message}");
    let listed = installation.lethe(&["tasks", "list"]).env("LETHE_ASSETS_DIR", "nowhere").output().unwrap();
    assert!(listed.status.success(), "the command line needs no assets: {}", output_text(&listed));
}

#[test]
fn missing_permissions_are_reported_before_anything_is_changed() {
    if !is_root() {
        eprintln!("not tested: only root can start Lethe as another user");
        return;
    }
    let installation = Installation::sqlite();
    set_mode(installation.folder(), 0o755);
    installation.run(&["demo", "--users", "60"]);
    let data = installation.folder().join("data");
    let all = |user: u32, group: u32| {
        chown(&data, Some(user), Some(group)).unwrap();
        for entry in fs::read_dir(&data).unwrap() {
            chown(entry.unwrap().path(), Some(user), Some(group)).unwrap();
        }
    };
    all(OTHER_USER, OTHER_USER);
    let works = as_other_user(&installation, &["tasks", "list"]).unwrap();
    assert!(works.status.success(), "{}", output_text(&works));

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
            let output = as_other_user(&installation, arguments).unwrap();
            let answer = output_text(&output);
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
    let refusal = output_text(&as_other_user(&installation, &["serve"]).unwrap());
    assert!(refusal.contains("belongs to user root") && refusal.contains("chown 65534"), "{refusal}");
    chown(data.join("lethe.ledger"), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let works = as_other_user(&installation, &["audit", "verify"]).unwrap();
    assert!(works.status.success(), "no data was lost: {}", output_text(&works));
}

#[test]
fn root_does_not_write_files_of_the_service() {
    if !is_root() {
        eprintln!("not tested: only root can give files away");
        return;
    }
    let installation = Installation::sqlite();
    set_mode(installation.folder(), 0o755);
    let data = installation.folder().join("data");
    fs::create_dir(&data).unwrap();
    chown(&data, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    for arguments in
        [&["staff", "add", "Ann O'Neil", "--role", "administrator"][..], &["serve"], &["key", "show"]]
    {
        let message = installation.run_refused(arguments);
        assert!(message.contains("setpriv --reuid=65534 --regid=65534 --clear-groups"), "{message}");
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "nothing is written");
    }
    assert!(
        installation
            .run_refused(&["staff", "add", "Ann O'Neil", "--role", "dpo"])
            .contains(r"'Ann O'\''Neil' --role dpo")
    );
    let works = as_other_user(&installation, &["staff", "add", "ann", "--role", "administrator"]).unwrap();
    assert!(works.status.success(), "{}", output_text(&works));

    // Before the first start the service has an empty folder, without the data folder.
    let installation = Installation::sqlite();
    chown(installation.folder(), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let first = ("LETHE_DATABASE_URL", "sqlite://data/lethe.db?mode=rwc");
    let refused = installation
        .lethe(&["staff", "add", "ann", "--role", "administrator"])
        .env(first.0, first.1)
        .output();
    assert!(output_text(&refused.unwrap()).contains("setpriv --reuid=65534"));
    assert!(!installation.folder().join("data").exists());
}

#[test]
fn a_start_detects_a_damaged_page() {
    let installation = Installation::sqlite();
    installation.run(&["demo", "--users", "300"]);
    let path = installation.file("lethe.db");
    let whole = fs::read(&path).unwrap();
    assert!(installation.run(&["check"]).contains("ok\tledger_and_database"));
    // Pages with rows of users, in the middle of the file.
    let mut file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    for page in [whole.len() / 4096 / 3, whole.len() / 4096 / 2, whole.len() / 4096 * 2 / 3] {
        file.seek(SeekFrom::Start(u64::try_from(page * 4096).unwrap())).unwrap();
        file.write_all(&[0xa5; 4096]).unwrap();
    }
    drop(file);
    for arguments in [&["serve"][..], &["check"]] {
        let message = installation.run_refused(arguments);
        assert!(
            message.contains("The database file is damaged") && message.contains("restore the last backup"),
            "{message}"
        );
    }
    fs::write(&path, &whole).unwrap();
    drop(installation.serve());
    // A file that is not a database. The write-ahead log of the killed server would repair its first page.
    for log in ["lethe.db-wal", "lethe.db-shm"] {
        let _ = fs::remove_file(installation.file(log));
    }
    fs::write(&path, "no database at all, but long enough to be looked at as one".repeat(100)).unwrap();
    let message = installation.run_refused(&["tasks", "list"]);
    assert!(message.contains("not a database") && message.contains("Restore the last backup"), "{message}");
}

#[test]
fn check_lists_every_check_as_json() {
    let installation = Installation::sqlite();
    let before: serde_json::Value = serde_json::from_str(&installation.run(&["check", "--json"])).unwrap();
    assert!(before.as_array().unwrap().iter().all(|check| check.get("problem").is_none()), "{before}");
    assert!(!installation.file("lethe.db").exists(), "check creates no file");
    installation.run(&["tasks", "list"]);
    let codes = |json: &str| -> Vec<String> {
        let checks: serde_json::Value = serde_json::from_str(json).unwrap();
        checks.as_array().unwrap().iter().map(|check| check["what"].as_str().unwrap().to_owned()).collect()
    };
    let listed = codes(&installation.run(&["check", "--json"]));
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
        assert!(listed.iter().any(|listed| listed == code), "{code}: {listed:?}");
    }
    let temporary = installation.lethe(&["check"]).env("TMPDIR", "/nowhere").output().unwrap();
    assert!(
        !temporary.status.success() && output_text(&temporary).contains("TMPDIR"),
        "{}",
        output_text(&temporary)
    );
    let mut ledger = String::new();
    fs::File::open(installation.file("lethe.ledger")).unwrap().read_to_string(&mut ledger).unwrap();
    fs::write(installation.file("lethe.ledger"), ledger.replace("library", "l1brary")).unwrap();
    assert!(installation.run_refused(&["check"]).contains("ledger"), "a damaged ledger is reported");
}

/// A small disk in memory, which is unmounted after the test.
struct Disk(std::path::PathBuf);

impl Disk {
    /// Mounts the disk. Returns `None` if mounting is not allowed.
    fn mount(path: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m,mode=0700", "tmpfs"])
            .arg(path)
            .output();
        mounted.is_ok_and(|done| done.status.success()).then(|| Self(path.to_owned()))
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
fn a_full_or_read_only_disk_is_reported_and_no_data_is_lost() {
    let installation = Installation::sqlite();
    let data = installation.folder().join("data");
    fs::create_dir(&data).unwrap();
    let Some(disk) = Disk::mount(&data) else {
        eprintln!("not tested: no disk can be mounted here");
        return;
    };
    installation.run(&["demo", "--users", "60"]);
    let full = data.join("full");
    let mut file = fs::File::create(&full).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    for arguments in [&["serve"][..], &["tasks", "list"], &["check"]] {
        let message = installation.run_refused(arguments);
        assert!(message.contains("Make room on the disk") && !message.contains("reset"), "{message}");
    }
    fs::remove_file(&full).unwrap();
    assert!(installation.run(&["audit", "verify"]).contains("The audit is intact"));
    assert!(installation.run(&["ledger", "verify"]).contains("in sync"));

    disk.remount("ro");
    for arguments in [&["serve"][..], &["tasks", "list"], &["check"]] {
        let message = installation.run_refused(arguments);
        assert!(
            message.contains("Mount its file system read-write") && !message.contains("reset"),
            "{message}"
        );
    }
    disk.remount("rw");
    drop(installation.serve());
}
