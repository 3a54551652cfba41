//! The bulk load of the database: `.import` of `sqlite3`, or `COPY`.
//!
//! `.import` stores an empty text instead of NULL. The replacement of users who are not anonymised would then not be
//! unique, so that its index allows duplicates; it has as many entries. `sqlite3` checks no foreign keys.

use crate::child::Part;
use crate::databases::Databases;
use crate::files::Files;
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Returns the tables that the import of a file fills, in the order of their foreign keys.
const fn tables(part: Part) -> &'static [&'static str] {
    match part {
        Part::Users => &["terms", "users", "user_words"],
        Part::Loans => &["catalogue_records", "catalogue_words", "items", "loans"],
    }
}

/// Settings of an installation. Lethe enlarges the cache to 64 MiB while it imports.
const SETTINGS: &str = "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192; PRAGMA secure_delete = ON;";

/// Returns whether the programs for bulk loads are installed.
pub fn is_possible() -> bool {
    let runs = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    runs("sqlite3") && runs("psql")
}

/// Writes the rows that an import has created to files.
pub fn dump(databases: &Databases, part: Part, files: &Files) -> anyhow::Result<()> {
    for table in tables(part) {
        let file = dumped(files, table).display().to_string();
        if is_sqlite(databases) {
            let (once, select) = (format!(".once {file}"), format!("SELECT * FROM {table};"));
            sqlite(databases, "import", &[".mode csv", &once, &select])?;
        } else {
            psql(databases, "import", &[&format!("\\copy {table} to '{file}'")])?;
        }
    }
    Ok(())
}

/// Loads these rows into the tables of an empty database.
pub fn load(databases: &Databases, part: Part, files: &Files) -> anyhow::Result<Duration> {
    let mut commands = Vec::new();
    if is_sqlite(databases) {
        commands.push(SETTINGS.to_owned());
        let index = "DROP INDEX users_replacement; CREATE INDEX users_replacement ON users (replacement);";
        if part == Part::Users {
            sqlite(databases, "bulk", &[index])?;
        }
    }
    for table in tables(part) {
        let file = dumped(files, table).display().to_string();
        commands.push(if is_sqlite(databases) {
            format!(".import --csv {file} {table}")
        } else {
            format!("\\copy {table} from '{file}'")
        });
    }
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let started = Instant::now();
    if is_sqlite(databases) {
        sqlite(databases, "bulk", &commands)?;
    } else {
        psql(databases, "bulk", &commands)?;
    }
    let took = started.elapsed();
    for table in tables(part) {
        std::fs::remove_file(dumped(files, table))?;
    }
    Ok(took)
}

fn is_sqlite(databases: &Databases) -> bool {
    databases.name() == "SQLite"
}

fn dumped(files: &Files, table: &str) -> PathBuf {
    files.folder().join(table).with_extension("rows")
}

fn sqlite(databases: &Databases, name: &str, commands: &[&str]) -> anyhow::Result<()> {
    let [_, folder] = databases.address(name);
    let mut command = Command::new("sqlite3");
    command.arg("-bail").arg(format!("{folder}/lethe.db")).args(commands);
    finish(command)
}

fn psql(databases: &Databases, name: &str, commands: &[&str]) -> anyhow::Result<()> {
    let [url, _] = databases.address(name);
    let mut command = Command::new("psql");
    command.args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", &url]);
    command.args(commands.iter().flat_map(|one| ["--command", one]));
    finish(command)
}

fn finish(mut command: Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdout(Stdio::null()).status().with_context(|| format!("{program} is missing"))?;
    anyhow::ensure!(status.success(), "{program} failed");
    Ok(())
}
