//! The error messages of the command line: what is wrong, and what to enter instead.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn lethe(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lethe"));
    command
        .current_dir(folder)
        .env("LETHE_DATABASE_URL", format!("sqlite://{}/test.db?mode=rwc", folder.display()))
        .env("LETHE_FOUR_EYES", "on")
        .args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    lethe(folder, arguments).output().unwrap()
}

/// Returns the standard error of a command that must fail.
fn problem(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    assert_ne!(output.status.code(), Some(101), "{arguments:?} panicked");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_error_says_what_to_enter() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(run(folder, &["demo", "--users", "60"]).status.success());
    std::fs::write(folder.join("other.json"), "{\"users\": 1}").unwrap();
    std::fs::write(folder.join("users.csv"), "user_id,last_name,leaving_on\nx1,Ng,soon\n").unwrap();
    for (arguments, expected) in [
        (&["tasks", "run", "abc"][..], &["enter a number, digits only"][..]),
        (&["tasks", "reassign", "1", "--owner", "ana"], &["enter a number, digits only"]),
        (&["tasks", "import", "other.json"], &["This is not a task file. Line 1: unknown field `users`"]),
        (&["tasks", "import", "none.json"], &["The task file cannot be read"]),
        (&["staff", "add", "", "--role", "librarian"], &["Enter a UserID"]),
        (&["audit", "list", "--action", "nope"], &["--action: Choose one of signed_in, ", "user_anonymised"]),
        (&["audit", "list", "--kind", "nope"], &["--kind: Choose one of user, "]),
        (&["report", "loans-per-month", "--by", "nope"], &["--by: Choose one of ", "branch"]),
        (&["approvals", "request", "--import", "users.csv"], &["line 2", "The file has 1 problem"]),
        (&["tasks", "run", "1", "--confirm", "99999"], &["99999 is not ", "Nothing was changed"]),
    ] {
        let text = problem(folder, arguments);
        for part in expected {
            assert!(text.contains(part), "{arguments:?}: {text}");
        }
        assert!(!text.contains("at line"), "{arguments:?}: {text}");
    }
    let without_number = String::from_utf8(run(folder, &["tasks", "run", "1"]).stdout).unwrap();
    assert!(without_number.contains("Request approval: lethe approvals request "), "{without_number}");
    let runs = String::from_utf8(run(folder, &["runs", "list"]).stdout).unwrap();
    let time = runs.split('\t').nth(3).unwrap();
    assert_eq!(time.len(), "2018-01-15T12:00:00Z".len(), "{runs}");
}

#[test]
fn a_closed_output_ends_the_command_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(run(folder, &["tasks", "list"]).status.success());
    // The error cannot be printed.
    let mut failing = lethe(folder, &["tasks", "show", "1"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(failing.stderr.take());
    assert_eq!(failing.wait().unwrap().code(), Some(1));
    // The result cannot be printed: `lethe … | true`.
    let mut command = lethe(folder, &["report", "loans-per-month"]);
    let mut listing = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(listing.stdout.take());
    let output = listing.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// A limit that counts lines applies to every kind of files, and every kind takes the number that confirms it.
#[test]
fn a_file_of_loans_beyond_a_limit_is_confirmed_or_approved_like_one_of_users() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("users.csv"), "user_id,last_name\nx1,Ng\n").unwrap();
    let mut loans = "user_id,item_barcode,branch,issued_on,due_on\n".to_owned();
    for at in 0..30 {
        let user = if at < 3 { "2.9001E+13" } else { "x1" };
        writeln!(loans, "{user},I{at},MAIN,2018-01-02,2018-01-09").unwrap();
    }
    std::fs::write(folder.join("loans.csv"), loans).unwrap();
    assert!(run(folder, &["import", "users", "users.csv"]).status.success());
    let import = ["import", "loans", "loans.csv", "--valid-lines-only"];
    let refused = problem(folder, &import);
    assert!(refused.contains("3 of 30 lines have a damaged key"), "{refused}");
    assert!(refused.contains("lethe approvals request --import FILE --kind loans"), "{refused}");
    let request = ["approvals", "request", "--import", "loans.csv", "--kind", "loans", "--valid-lines-only"];
    let requested = run(folder, &request);
    assert!(requested.status.success(), "{}", String::from_utf8_lossy(&requested.stderr));
    assert!(String::from_utf8_lossy(&requested.stdout).starts_with("Approval requested"));
    let wrong = problem(folder, &["approvals", "request", "--import", "loans.csv", "--kind", "nope"]);
    assert!(wrong.contains("choose one of: users, loans, requests, charges"), "{wrong}");

    let other = tempfile::tempdir().unwrap();
    let other = other.path();
    for name in ["users.csv", "loans.csv"] {
        std::fs::copy(folder.join(name), other.join(name)).unwrap();
    }
    let alone = |arguments: &[&str]| lethe(other, arguments).env("LETHE_FOUR_EYES", "off").output().unwrap();
    assert!(alone(&["import", "users", "users.csv"]).status.success());
    let refused = String::from_utf8(alone(&import).stderr).unwrap();
    assert!(refused.contains("--confirm 3"), "{refused}");
    let done = alone(&[&import[..], &["--confirm", "3"]].concat());
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains("27 loans created") && text.contains("3 lines with problems rejected"), "{text}");
}
