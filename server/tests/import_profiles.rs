//! Import profiles on the command line: they are carried to another installation as JSON.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

fn lethe(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lethe"));
    command
        .current_dir(folder)
        .env("LETHE_DATABASE_URL", format!("sqlite://{}/test.db?mode=rwc", folder.display()))
        .args(arguments);
    command.output().unwrap()
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = lethe(folder, arguments);
    assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = lethe(folder, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_profile_is_exported_created_used_and_deleted() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (from, to) = (from.path(), to.path());
    let exported = printed(from, &["import-profiles", "export", "users", "koha"]);
    let file = to.join("profile.json");
    std::fs::write(&file, exported.replace("Koha patrons (CSV)", "Town")).unwrap();
    let file = file.to_str().unwrap();
    // A built-in profile has the code.
    assert!(printed(to, &["import-profiles", "import", file]).contains("Import profile koha-2"));
    assert!(refused(to, &["import-profiles", "import", file]).contains("has this name"));
    assert!(printed(to, &["import-profiles", "list"]).contains("users\tkoha-2\tTown"));
    assert!(
        printed(to, &["import-profiles", "show", "users", "koha-2"]).contains("Column surname: last_name")
    );

    let users = to.join("users.csv");
    std::fs::write(&users, "cardnumber,surname\n1,Alder\n").unwrap();
    let users = users.to_str().unwrap();
    assert!(printed(to, &["import", "users", users, "--profile", "koha-2"]).contains("1 user created"));
    assert!(
        refused(to, &["import", "loans", users, "--profile", "koha-2"]).contains("There is no such profile")
    );

    assert!(refused(to, &["import-profiles", "delete", "users", "koha"]).contains("built in"));
    printed(to, &["import-profiles", "delete", "users", "koha-2"]);
    assert!(refused(to, &["import-profiles", "export", "users", "koha-2"]).contains("There is no such"));
    std::fs::write(file, "{}").unwrap();
    assert!(refused(to, &["import-profiles", "import", file]).contains("The file is no import profile"));
}
