//! The program is killed at random moments. Afterwards every user is either unchanged or anonymised, the counts
//! agree, and the next start completes the run with the same result.
//!
//! `KILLS` is the number of kills during runs, on each database (default 12). A quarter as many happen during imports.
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

/// Lets the program work for a random time of at most `max`, then kills it. Returns true if the program ended before,
/// with one of these exit codes.
fn kill_at_random(mut program: Child, max: Duration, exit_codes: &[i32]) -> bool {
    let limit = max.mul_f64(rand::rng().random_range(0.0..1.0));
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if let Some(status) = program.try_wait().unwrap() {
            assert!(
                status.code().is_some_and(|code| exit_codes.contains(&code)),
                "the program ended with {status}"
            );
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    program.kill().unwrap();
    program.wait().unwrap();
    false
}

/// Returns the first lines that only one of the states contains.
fn differences(state: &[String], expected: &[String]) -> Vec<String> {
    let more =
        state.iter().filter(|line| expected.binary_search(line).is_err()).map(|line| format!("+ {line}"));
    let less =
        expected.iter().filter(|line| state.binary_search(line).is_err()).map(|line| format!("- {line}"));
    more.chain(less).take(10).collect()
}

async fn kill_runs(database: Database) {
    let template = Library::with_a_queued_run(&database, 2_000).await;
    let undisturbed = template.copy().await;
    let begun = Instant::now();
    let output = undisturbed.lethe(&["runs", "resume"]).output().unwrap();
    let duration = begun.elapsed();
    // A run with open findings exits with 1.
    let findings = undisturbed.number("SELECT COUNT(*) FROM findings WHERE decision IS NULL").await;
    let code = i32::from(findings > 0);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = undisturbed.state().await;
    assert!(expected.iter().any(|line| line.starts_with("runs|") && line.contains("|succeeded|")));

    let (mut killed, mut runs) = (0, 0);
    while killed < kills() {
        let library = template.copy().await;
        runs += 1;
        loop {
            let program = library.lethe(&["runs", "resume"]).stdout(Stdio::null()).spawn().unwrap();
            let ended = kill_at_random(program, duration, &[0, code]);
            library.assert_consistent().await;
            if ended {
                break;
            }
            killed += 1;
            library.expire_lease().await;
        }
        assert_eq!(differences(&library.state().await, &expected), Vec::<String>::new());
        let verified = library.lethe(&["audit", "verify"]).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
    eprintln!(
        "{database:?}: killed {killed} times in {runs} runs; each had the result of the undisturbed run ({duration:?})"
    );
}

async fn kill_imports(database: Database) {
    let (template, file) = Library::with_a_file_to_import(&database, 2_000).await;
    let before = template.state().await;
    let undisturbed = template.copy().await;
    let begun = Instant::now();
    let output = undisturbed.lethe(&["import", "users", file.path().to_str().unwrap()]).output().unwrap();
    let duration = begun.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let after = undisturbed.state().await;
    assert!(before != after);

    let (mut killed, mut imports) = (0, 0);
    while killed < kills().div_ceil(4) {
        let library = template.copy().await;
        imports += 1;
        loop {
            let arguments = ["import", "users", file.path().to_str().unwrap()];
            let program = library.lethe(&arguments).stdout(Stdio::null()).spawn().unwrap();
            let ended = kill_at_random(program, duration.mul_f64(1.2), &[0]);
            let state = library.state().await;
            if ended || state != before {
                assert_eq!(differences(&state, &after), Vec::<String>::new());
                killed += u32::from(!ended);
                break;
            }
            killed += 1;
            library.reset_sequences().await;
        }
    }
    eprintln!("{database:?}: killed {killed} times in {imports} imports; each was complete or had no effect");
}

/// Kills runs of a task that import a file. Each import is complete or has no effect, and the next start completes the
/// run with the same result.
async fn kill_import_runs(database: Database) {
    let (template, file) = Library::with_an_import_run(&database, 2_000).await;
    let content = std::fs::read(&file).unwrap();
    let undisturbed = template.copy().await;
    let place = |library: &Library| library.folder().join("import/users.csv");
    let deliver = |library: &Library| {
        std::fs::create_dir_all(library.folder().join("import")).unwrap();
        std::fs::write(place(library), &content).unwrap();
        let at = std::time::SystemTime::now() - Duration::from_mins(1);
        std::fs::File::options().write(true).open(place(library)).unwrap().set_modified(at).unwrap();
    };
    deliver(&undisturbed);
    let users = "SELECT COUNT(*) FROM users";
    let before = undisturbed.number(users).await;
    let begun = Instant::now();
    let output = undisturbed.lethe(&["runs", "resume"]).output().unwrap();
    let duration = begun.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let after = undisturbed.number(users).await;
    assert!(after > before && !place(&undisturbed).exists());

    let (mut killed, mut runs) = (0, 0);
    while killed < kills().div_ceil(4) {
        let library = template.copy().await;
        deliver(&library);
        runs += 1;
        loop {
            let program = library.lethe(&["runs", "resume"]).stdout(Stdio::null()).spawn().unwrap();
            let ended = kill_at_random(program, duration.mul_f64(1.2), &[0]);
            let now = library.number(users).await;
            assert!(now == before || now == after, "a part of the file was imported: {now}");
            if ended {
                assert_eq!((now, place(&library).exists()), (after, false));
                break;
            }
            assert!(now == after || place(&library).exists(), "the file was deleted before it was imported");
            killed += 1;
            library.expire_lease().await;
        }
        let imported = "SELECT COUNT(*) FROM imports WHERE state = 'imported'";
        assert_eq!(library.number(imported).await, 1, "the file is imported once");
        let under_way = "SELECT COUNT(*) FROM imports WHERE state = 'importing'";
        assert_eq!(library.number(under_way).await, 0, "each killed import is shown as interrupted");
    }
    eprintln!(
        "{database:?}: killed {killed} times in {runs} runs that import; each was complete or had no effect"
    );
}

#[tokio::test]
async fn import_runs_on_sqlite_survive_kills() {
    kill_import_runs(Database::sqlite()).await;
}

#[tokio::test]
async fn import_runs_on_postgres_survive_kills() {
    let Some(database) = Database::postgres() else { return };
    kill_import_runs(database).await;
}

#[tokio::test]
async fn runs_on_sqlite_survive_kills() {
    kill_runs(Database::sqlite()).await;
}

#[tokio::test]
async fn runs_on_postgres_survive_kills() {
    let Some(database) = Database::postgres() else { return };
    kill_runs(database).await;
}

#[tokio::test]
async fn imports_into_sqlite_survive_kills() {
    kill_imports(Database::sqlite()).await;
}

#[tokio::test]
async fn imports_into_postgres_survive_kills() {
    let Some(database) = Database::postgres() else { return };
    kill_imports(database).await;
}
