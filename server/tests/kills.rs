//! Whatever the moment at which the program is killed, everybody is untouched or done, the counts are true, and the
//! next start brings the run to the end that it would have had.
//!
//! `KILLS` says how often the program is killed in runs, on each database (12 without it); a quarter as often it is
//! killed while it imports.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "common/library.rs"]
mod library;

use library::{Database, Library};
use rand::RngExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

fn kills() -> u32 {
    std::env::var("KILLS").ok().map_or(12, |kills| kills.parse().unwrap())
}

/// Lets the program work for a random time of at most `most`, then kills it. Tells whether it had ended before by itself,
/// with one of these exit codes.
fn kill_at_random(mut program: Child, most: Duration, ends_with: &[i32]) -> bool {
    let patience = most.mul_f64(rand::rng().random_range(0.0..1.0));
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if let Some(status) = program.try_wait().unwrap() {
            assert!(status.code().is_some_and(|code| ends_with.contains(&code)), "it ended with {status}");
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    program.kill().unwrap();
    program.wait().unwrap();
    false
}

/// The first lines that stand in one state and not in the other.
fn differences(state: &[String], expected: &[String]) -> Vec<String> {
    let more =
        state.iter().filter(|line| expected.binary_search(line).is_err()).map(|line| format!("+ {line}"));
    let less =
        expected.iter().filter(|line| state.binary_search(line).is_err()).map(|line| format!("- {line}"));
    more.chain(less).take(10).collect()
}

async fn runs_survive(database: Database) {
    let template = Library::with_a_queued_run(&database, 2_000).await;
    let undisturbed = template.copy().await;
    let begun = Instant::now();
    let said = undisturbed.lethe(&["runs", "resume"]).output().unwrap();
    let whole = begun.elapsed();
    // A run that leaves findings to decide ends with 1.
    let findings = undisturbed.number("SELECT COUNT(*) FROM residue_hits WHERE decision IS NULL").await;
    let code = i32::from(findings > 0);
    assert_eq!(said.status.code(), Some(code), "{}", String::from_utf8_lossy(&said.stderr));
    let expected = undisturbed.state().await;
    assert!(expected.iter().any(|line| line.starts_with("runs|") && line.contains("|succeeded|")));

    let (mut killed, mut runs) = (0, 0);
    while killed < kills() {
        let library = template.copy().await;
        runs += 1;
        loop {
            let program = library.lethe(&["runs", "resume"]).stdout(Stdio::null()).spawn().unwrap();
            let ended = kill_at_random(program, whole, &[0, code]);
            library.is_consistent().await;
            if ended {
                break;
            }
            killed += 1;
            library.time_passes().await;
        }
        assert_eq!(differences(&library.state().await, &expected), Vec::<String>::new());
        let verified = library.lethe(&["audit", "verify"]).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
    eprintln!(
        "{database:?}: killed {killed} times in {runs} runs; each ended like the undisturbed one ({whole:?})"
    );
}

async fn imports_survive(database: Database) {
    let (template, file) = Library::with_a_file_to_import(&database, 2_000).await;
    let before = template.state().await;
    let undisturbed = template.copy().await;
    let begun = Instant::now();
    let said = undisturbed.lethe(&["import", "users", file.path().to_str().unwrap()]).output().unwrap();
    let whole = begun.elapsed();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let after = undisturbed.state().await;
    assert!(before != after);

    let (mut killed, mut imports) = (0, 0);
    while killed < kills().div_ceil(4) {
        let library = template.copy().await;
        imports += 1;
        loop {
            let arguments = ["import", "users", file.path().to_str().unwrap()];
            let program = library.lethe(&arguments).stdout(Stdio::null()).spawn().unwrap();
            let ended = kill_at_random(program, whole.mul_f64(1.2), &[0]);
            let state = library.state().await;
            if ended || state != before {
                assert_eq!(differences(&state, &after), Vec::<String>::new());
                killed += u32::from(!ended);
                break;
            }
            killed += 1;
            library.keys_go_back().await;
        }
    }
    eprintln!("{database:?}: killed {killed} times in {imports} imports; each was done wholly or not at all");
}

#[tokio::test]
async fn runs_on_sqlite_survive_kills() {
    runs_survive(Database::sqlite()).await;
}

#[tokio::test]
async fn runs_on_postgres_survive_kills() {
    let Some(database) = Database::postgres() else { return };
    runs_survive(database).await;
}

#[tokio::test]
async fn imports_into_sqlite_survive_kills() {
    imports_survive(Database::sqlite()).await;
}

#[tokio::test]
async fn imports_into_postgres_survive_kills() {
    let Some(database) = Database::postgres() else { return };
    imports_survive(database).await;
}
