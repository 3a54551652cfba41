//! The error messages of the command line: what is wrong, and what to enter instead.
#![allow(clippy::unwrap_used, reason = "tests")]

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
        (&["tasks", "import", "other.json"], &["This is not a task file, line 1: unknown field `users`"]),
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
