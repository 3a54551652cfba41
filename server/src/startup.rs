//! What a start needs: files that can be read and written, by whom, assets, the clock. What is wrong is named with its
//! path, its cause and what to do, before anything is changed.

mod access;
mod modes;
mod owner;
#[cfg(test)]
mod tests;

use crate::config::Config;
use access::Need;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A computer whose clock is earlier than this does not know the time.
const EARLIEST: &str = "2025-01-01T00:00:00Z";

/// What was looked at, and what is wrong with it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    /// What it is, as a code.
    pub(crate) what: &'static str,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
    /// What is wrong, and what to do; none where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
    /// What somebody should know, although Lethe can work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<String>,
}

impl Check {
    pub(crate) fn of(what: &'static str, problem: Option<String>) -> Self {
        Self { what, path: None, problem, warning: None }
    }

    fn at(what: &'static str, path: &Path, problem: Option<String>) -> Self {
        Self { path: Some(path.to_owned()), ..Self::of(what, problem) }
    }
}

/// Makes every file that this process writes readable for its own user alone.
pub(crate) fn keep_files_private() {
    modes::keep_private();
}

/// Makes the folder of database, ledger and key where there is none, refuses what cannot be worked with, and takes the
/// rights of other users away from the files. `serves` tells whether pages are to be served.
pub(crate) fn prepare(config: &Config, serves: bool) -> anyhow::Result<()> {
    if let Some(refusal) = owner::refusal(&paths(config)) {
        anyhow::bail!(refusal);
    }
    // What cannot be made is named by the checks.
    let _ = config.make_folder();
    let checks = checks(config, serves);
    let problems: Vec<&str> = checks.iter().filter_map(|check| check.problem.as_deref()).collect();
    if !problems.is_empty() {
        anyhow::bail!(problems.join("\n"));
    }
    for path in modes::tighten(&files(config)) {
        tracing::warn!("{} was readable by other users; now only its owner can read it", path.display());
    }
    for warning in checks.iter().filter_map(|check| check.warning.as_deref()).filter(|_| serves) {
        tracing::warn!("{warning}");
    }
    Ok(())
}

/// Looks at everything, and changes nothing.
pub(crate) fn checks(config: &Config, serves: bool) -> Vec<Check> {
    let settings = config.settings();
    let mut checks = database(config);
    checks.push(file("ledger", &settings.ledger, Need::ReadAndWrite, "LETHE_LEDGER"));
    checks.push(file("key", &settings.key, Need::Read, "LETHE_KEY_FILE"));
    checks.push(file("audit_anchor", &settings.anchor, Need::Append, "LETHE_AUDIT_ANCHOR_FILE"));
    let temporary = std::env::temp_dir();
    checks.push(Check::at("temporary_files", &temporary, access::folder(&temporary, "TMPDIR")));
    checks.push(clock(Utc::now()));
    if serves {
        checks.push(Check::at("assets", &config.assets_dir, assets(&config.assets_dir)));
    }
    for check in &mut checks {
        check.warning = check.path.as_deref().and_then(modes::warning);
    }
    checks
}

/// The database file, what SQLite writes beside it, and the folder of all that.
fn database(config: &Config) -> Vec<Check> {
    const NAME: &str = "LETHE_DATABASE_URL";
    let Some(path) = config.database_file() else { return Vec::new() };
    let mode = config.database_mode();
    if matches!(mode, Some("ro" | "memory")) {
        let problem =
            format!("{NAME} contains mode={}, but Lethe must write. Use mode=rwc", mode.unwrap_or_default());
        return vec![Check::at("database", &path, Some(problem))];
    }
    let mut checks = vec![if path.exists() || mode == Some("rwc") {
        file("database", &path, Need::ReadAndWrite, NAME)
    } else {
        let problem = format!(
            "The database file {} does not exist. Correct {NAME}, or use mode=rwc to create an empty \
             database",
            path.display()
        );
        Check::at("database", &path, Some(problem))
    }];
    for end in ["-wal", "-shm"] {
        let beside = modes::beside(&path, end);
        if beside.exists() {
            checks.push(file("database", &beside, Need::ReadAndWrite, NAME));
        }
    }
    let folder = access::folder_of(&path);
    if folder.is_dir() {
        checks.push(Check::at("database_folder", folder, access::folder(folder, NAME)));
    }
    checks
}

fn file(what: &'static str, path: &Path, need: Need, name: &str) -> Check {
    Check::at(what, path, access::file(path, need, name))
}

fn clock(now: DateTime<Utc>) -> Check {
    let wrong = EARLIEST.parse().is_ok_and(|earliest: DateTime<Utc>| now < earliest);
    let problem =
        || format!("The computer's clock shows {}. Set it (timedatectl set-ntp true)", now.to_rfc3339());
    Check::of("clock", wrong.then(problem))
}

/// The compiled assets: style sheet, script and WebAssembly, under the names in `hash.txt`.
fn assets(site: &Path) -> Option<String> {
    let hashes = match std::fs::read_to_string(site.join("hash.txt")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Some(access::words(&site.join("hash.txt"), "read", &error, "LETHE_ASSETS_DIR")),
    };
    let hash = |kind: &str| hashes.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(": "));
    let mut missing = String::new();
    for kind in ["css", "js", "wasm"] {
        let hash = hash(kind).map_or(String::new(), |hash| format!(".{hash}"));
        let path = site.join("pkg").join(format!("lethe{hash}.{kind}"));
        if let Err(error) = std::fs::File::open(&path) {
            let _ = write!(
                missing,
                "{}{}: {}",
                if missing.is_empty() { "" } else { ", " },
                path.display(),
                access::plain(&error)
            );
        }
    }
    (!missing.is_empty()).then(|| {
        format!(
            "The compiled assets cannot be read ({missing}). Run make site, or set LETHE_ASSETS_DIR to their \
             folder"
        )
    })
}

/// The files that hold what nobody else is to read.
fn files(config: &Config) -> Vec<PathBuf> {
    let settings = config.settings();
    let mut files = vec![settings.ledger, settings.key, settings.anchor];
    if let Some(database) = config.database_file() {
        files.extend(["-wal", "-shm", "-journal"].map(|end| modes::beside(&database, end)));
        files.push(database);
    }
    files
}

/// The files and their folders.
fn paths(config: &Config) -> Vec<PathBuf> {
    let mut paths = files(config);
    let folders: Vec<PathBuf> = paths.iter().map(|path| access::folder_of(path).to_owned()).collect();
    paths.extend(folders);
    paths
}
