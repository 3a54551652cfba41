//! Checks before a start: files and their permissions, assets, the clock. A problem is reported with path, cause and
//! remedy before anything is changed.

mod access;
mod modes;
mod owner;
#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::site::{self, Site};
use access::FileUse;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The clock of a computer that shows an earlier time was never set.
const MIN_CLOCK: &str = "2025-01-01T00:00:00Z";

/// One check and its result.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    /// The code of the check.
    pub(crate) what: &'static str,
    /// The path that was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
    /// The problem and its remedy. `None` if the check passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
    /// A risk that the administrator should know, although Lethe can start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<String>,
}

impl Check {
    pub(crate) fn new(what: &'static str, problem: Option<String>) -> Self {
        Self { what, path: None, problem, warning: None }
    }

    fn at(what: &'static str, path: &Path, problem: Option<String>) -> Self {
        Self { path: Some(path.to_owned()), ..Self::new(what, problem) }
    }
}

/// Sets the umask, so that only the user of this process can read the files that it creates.
pub(crate) fn keep_files_private() {
    modes::keep_private();
}

/// Creates the folder of database, ledger and key, rejects a start with problems, and removes the permissions of other
/// users from the files. `serves` is true if pages are to be served.
pub(crate) fn prepare(config: &Config, serves: bool) -> anyhow::Result<()> {
    if let Some(refusal) = owner::refusal(&paths(config)) {
        anyhow::bail!(refusal);
    }
    // The checks report a folder that cannot be created.
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

/// Checks everything and changes nothing.
pub(crate) fn checks(config: &Config, serves: bool) -> Vec<Check> {
    let settings = config.settings();
    let mut checks = database(config);
    checks.push(file("ledger", &settings.ledger, FileUse::ReadAndWrite, "LETHE_LEDGER_FILE"));
    checks.push(file("key", &settings.key, FileUse::Read, "LETHE_KEY_FILE"));
    let suppression = &settings.suppression_key;
    checks.push(file("suppression_key", suppression, FileUse::Read, "LETHE_SUPPRESSION_KEY_FILE"));
    checks.push(file("audit_anchor", &settings.anchor, FileUse::Append, "LETHE_AUDIT_ANCHOR_FILE"));
    let temporary = std::env::temp_dir();
    checks.push(Check::at("temporary_files", &temporary, access::folder(&temporary, "TMPDIR")));
    checks.push(clock(Utc::now()));
    if serves {
        let site = config.site();
        checks.push(Check { path: site.folder().map(Path::to_owned), ..Check::new("assets", assets(&site)) });
    }
    for check in &mut checks {
        check.warning = check.path.as_deref().and_then(modes::warning);
    }
    checks
}

/// Checks the file of an SQLite database, its `-wal` and `-shm` files, and their folder.
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
        file("database", &path, FileUse::ReadAndWrite, NAME)
    } else {
        let problem = format!(
            "The database file {} does not exist. Correct {NAME}, or use mode=rwc to create an empty \
             database",
            path.display()
        );
        Check::at("database", &path, Some(problem))
    }];
    for end in ["-wal", "-shm"] {
        let companion = modes::with_ending(&path, end);
        if companion.exists() {
            checks.push(file("database", &companion, FileUse::ReadAndWrite, NAME));
        }
    }
    let folder = access::folder_of(&path);
    if folder.is_dir() {
        checks.push(Check::at("database_folder", folder, access::folder(folder, NAME)));
    }
    checks
}

fn file(what: &'static str, path: &Path, file_use: FileUse, name: &str) -> Check {
    Check::at(what, path, access::file(path, file_use, name))
}

fn clock(now: DateTime<Utc>) -> Check {
    let is_wrong = MIN_CLOCK.parse().is_ok_and(|earliest: DateTime<Utc>| now < earliest);
    let problem =
        || format!("The computer's clock shows {}. Set it (timedatectl set-ntp true)", now.to_rfc3339());
    Check::new("clock", is_wrong.then(problem))
}

/// Returns the problem with the compiled assets: style sheet, script and WebAssembly.
fn assets(site: &Site) -> Option<String> {
    let path = |name: &str| site.folder().unwrap_or(Path::new("")).join(name);
    let files = match site.files() {
        Ok(files) => files,
        Err(error) => {
            return Some(access::problem(&path(site::HASH_FILE), "read", &error, "LETHE_ASSETS_DIR"));
        }
    };
    let mut missing = String::new();
    for name in &files {
        if let Err(error) = site.read(name) {
            let _ = write!(
                missing,
                "{}{}: {}",
                if missing.is_empty() { "" } else { ", " },
                path(name).display(),
                access::cause(&error)
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

/// Returns the files that only the user of Lethe may read.
fn files(config: &Config) -> Vec<PathBuf> {
    let settings = config.settings();
    let mut files = vec![settings.ledger, settings.key, settings.suppression_key, settings.anchor];
    if let Some(database) = config.database_file() {
        files.extend(["-wal", "-shm", "-journal"].map(|end| modes::with_ending(&database, end)));
        files.push(database);
    }
    files
}

/// Returns these files and their folders.
fn paths(config: &Config) -> Vec<PathBuf> {
    let mut paths = files(config);
    let folders: Vec<PathBuf> = paths.iter().map(|path| access::folder_of(path).to_owned()).collect();
    paths.extend(folders);
    paths
}
