//! Large and strange files, imported by the whole program.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![cfg(target_os = "linux")]

#[path = "common/installation.rs"]
mod installation;

use installation::{Installation, number, output_text};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::process::{Output, Stdio};
use std::time::Duration;

/// The maximum memory of an import in a debug build.
const MAX_MEGABYTES: u64 = 200;

/// Runs a command. Returns its output and its peak memory in megabytes.
fn measured(installation: &Installation, arguments: &[&str]) -> (Output, u64) {
    let mut command = installation.lethe(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or_default() / 1024);
        std::thread::sleep(Duration::from_millis(20));
    }
    (child.wait_with_output().unwrap(), peak)
}

/// Writes a file into the folder of an installation. Returns its path.
fn file(installation: &Installation, write: impl FnOnce(&mut BufWriter<File>)) -> String {
    let path = installation.folder().join("delivered.csv");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    write(&mut file);
    file.flush().unwrap();
    path.display().to_string()
}

#[test]
fn a_file_of_200_megabytes_with_a_wrong_last_line_is_rejected_in_little_memory() {
    let installation = Installation::sqlite();
    let note = "a longer note, ".repeat(260);
    let lines = 200 * 1024 * 1024 / note.len() + 1;
    let path = file(&installation, |file| {
        writeln!(file, "user_id,last_name,notes").unwrap();
        for line in 1..lines {
            writeln!(file, "u{line},Birch,\"{note}\"").unwrap();
        }
        writeln!(file, "v,Birch,x,too much").unwrap();
    });
    assert!(std::fs::metadata(&path).unwrap().len() > 200 * 1024 * 1024);
    let (output, peak) = measured(&installation, &["import", "users", &path]);
    let said = output_text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("line {}", lines + 1)), "{said}");
    assert!((1..MAX_MEGABYTES).contains(&peak), "{peak} MB");
}

#[tokio::test]
async fn long_notes_are_imported_in_little_memory() {
    for installation in Installation::both().await {
        installation.run(&["tasks", "list"]);
        let note = "a longer note, ".repeat(260);
        let path = file(&installation, |file| {
            writeln!(file, "user_id,last_name,notes").unwrap();
            (0..6_000).for_each(|line| writeln!(file, "u{line},Birch,\"{note}\"").unwrap());
        });
        let (output, peak) = measured(&installation, &["import", "users", &path]);
        assert!(output.status.success(), "{}", output_text(&output));
        assert_eq!(
            number(&installation.url, "SELECT COUNT(*) FROM users WHERE LENGTH(notes) > 3800").await,
            6_000
        );
        assert!((1..MAX_MEGABYTES).contains(&peak), "{peak} MB");
    }
}

#[test]
fn a_file_with_ten_thousand_columns_is_explained() {
    let installation = Installation::sqlite();
    let path = file(&installation, |file| {
        let names: Vec<String> = (0..10_000).map(|column| format!("custom.c{column}")).collect();
        writeln!(file, "user_id,last_name,{}", names.join(",")).unwrap();
        writeln!(file, "u,Birch{}", ",x".repeat(10_000)).unwrap();
    });
    let said = installation.run_refused(&["import", "users", &path]);
    assert!(said.contains("line 1") && said.contains("more than 1000 columns"), "{said}");
}

#[test]
fn an_encoding_that_changes_within_a_large_file_is_reported_at_its_cell() {
    let installation = Installation::sqlite();
    let path = file(&installation, |file| {
        writeln!(file, "user_id,last_name").unwrap();
        (0..100_000).for_each(|line| writeln!(file, "u{line},Müller").unwrap());
        (0..3).for_each(|line| writeln!(file, "w{line},M\u{1}ller").unwrap());
    });
    // The last three names are in Windows-1252.
    let bytes: Vec<u8> =
        std::fs::read(&path).unwrap().into_iter().map(|byte| if byte == 1 { 0xFC } else { byte }).collect();
    std::fs::write(&path, bytes).unwrap();
    let said = installation.run_refused(&["import", "users", &path]);
    for line in 100_002..100_005 {
        assert!(said.contains(&format!("line {line}, last_name: This is not UTF-8 text")), "{said}");
    }
}

#[tokio::test]
async fn two_imports_of_the_same_file_at_once_have_one_outcome() {
    for installation in Installation::both().await {
        installation.run(&["tasks", "list"]);
        let path = file(&installation, |file| {
            writeln!(file, "user_id,last_name").unwrap();
            (0..3_000).for_each(|line| writeln!(file, "u{line},Birch").unwrap());
        });
        assert!(
            at_once(&installation, &["import", "users", &path]).iter().any(|output| output.status.success())
        );
        assert_eq!(number(&installation.url, "SELECT COUNT(*) FROM users").await, 3_000);
        let path = file(&installation, |file| {
            writeln!(file, "user_id,item_barcode,branch,issued_on,due_on").unwrap();
            for line in 0..3_000 {
                writeln!(file, "u{line},i{},MAIN,2018-01-01,2018-02-01", line % 100).unwrap();
            }
        });
        assert!(
            at_once(&installation, &["import", "loans", &path]).iter().any(|output| output.status.success())
        );
        assert_eq!(number(&installation.url, "SELECT COUNT(*) FROM loans").await, 3_000);
        assert_eq!(number(&installation.url, "SELECT COUNT(*) FROM items").await, 100);
    }
}

/// Runs a command twice at the same time. If one fails, it says that the database is busy.
fn at_once(installation: &Installation, arguments: &[&str]) -> Vec<Output> {
    let start =
        || installation.lethe(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let running = [start(), start()];
    let outputs: Vec<Output> = running.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    for output in &outputs {
        eprintln!("{arguments:?}: {:?} {}", output.status.code(), output_text(output));
        let said = output_text(output);
        assert!(output.status.success() || said.contains("busy"), "{said}");
    }
    outputs
}
