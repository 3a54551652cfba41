//! The folders in which tasks find files. They lie below one folder of the installation.

use super::upload;
use chrono::{DateTime, SubsecRound as _, Utc};
use db::RecordsError;
use db::checksum::Summed;
use policy::file_pattern::matches;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long a file must not have changed before it is read.
const QUIET: Duration = Duration::from_secs(5);
/// How long a run waits for a file that is still being written. Then the next run takes it.
const MAX_WAIT: Duration = Duration::from_secs(20);
/// The interval at which a file is looked at while it is being written.
const INTERVAL: Duration = Duration::from_millis(500);

/// A file in a watched folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WatchedFile {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last changed.
    pub changed_at: DateTime<Utc>,
}

/// Returns the files of a folder whose names match, oldest first.
///
/// Rejects a folder that lies outside of the folder of imports, also behind a symbolic link. Links and other entries
/// that are no regular files are left out.
pub fn files(imports: &Path, folder: &str, pattern: &str) -> Result<Vec<WatchedFile>, RecordsError> {
    let place =
        if folder.is_empty() { "the folder of imports".to_owned() } else { format!("the folder {folder}") };
    let refused =
        |why: &str| RecordsError::Refused(format!("{why}: {place} (LETHE_IMPORT_DIR). Nothing was changed"));
    let missing = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => refused("This folder does not exist"),
        io::ErrorKind::PermissionDenied => refused("The server may not read this folder"),
        _ => refused("This folder cannot be read"),
    };
    policy::file_pattern::folder(folder).map_err(|_| refused("This folder is not allowed"))?;
    let base = imports.canonicalize().map_err(|error| missing(&error))?;
    let folder = base.join(folder).canonicalize().map_err(|error| missing(&error))?;
    if !folder.starts_with(&base) {
        return Err(refused("This folder is a link that leads out of the folder of imports"));
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| missing(&error))? {
        let entry = entry.map_err(|error| missing(&error))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // Does not follow a link. The file may be gone already.
        let Ok(metadata) = entry.metadata() else { continue };
        if matches(pattern, &name) && metadata.is_file() {
            let changed_at = instant(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
            files.push(WatchedFile { path: folder.join(&name), name, bytes: metadata.len(), changed_at });
        }
    }
    files.sort_by(|a, b| (a.changed_at, &a.name).cmp(&(b.changed_at, &b.name)));
    Ok(files)
}

/// Returns a time as precisely as both databases store it.
fn instant(time: SystemTime) -> DateTime<Utc> {
    DateTime::from(time).trunc_subsecs(6)
}

/// Waits until a file has not changed for some seconds. Returns it as it is then, or `None` if it is still being
/// written, or gone.
pub async fn when_complete(file: &WatchedFile) -> Option<WatchedFile> {
    let began = Instant::now();
    let mut seen = as_now(file)?;
    let mut since = Instant::now();
    let is_old =
        |file: &WatchedFile| (Utc::now() - file.changed_at).to_std().is_ok_and(|silent| silent >= QUIET);
    while !is_old(&seen) && since.elapsed() < QUIET {
        if began.elapsed() > MAX_WAIT {
            return None;
        }
        tokio::time::sleep(INTERVAL).await;
        let now = as_now(file)?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
    Some(seen)
}

/// Returns a file with its present size and time, or `None` if it is gone.
pub fn as_now(file: &WatchedFile) -> Option<WatchedFile> {
    let metadata = fs::symlink_metadata(&file.path).ok().filter(fs::Metadata::is_file)?;
    let changed_at = instant(metadata.modified().ok()?);
    Some(WatchedFile { bytes: metadata.len(), changed_at, ..file.clone() })
}

/// Returns the SHA-256 of a file.
pub async fn sha256(file: &WatchedFile) -> io::Result<String> {
    let path = file.path.clone();
    let summed = tokio::task::spawn_blocking(move || {
        let mut summed = Summed::new(File::open(path)?);
        io::copy(&mut summed, &mut io::sink())?;
        Ok(summed.sha256())
    });
    summed.await.map_err(io::Error::other)?
}

/// Overwrites an imported file with zeros and deletes it.
pub async fn erase(file: &WatchedFile) -> io::Result<()> {
    let path = file.path.clone();
    tokio::task::spawn_blocking(move || upload::erase_file(&path)).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn write(path: &Path, age_seconds: u64) {
        fs::write(path, b"last_name\n").expect("written");
        let at = SystemTime::now() - Duration::from_secs(age_seconds);
        File::options().write(true).open(path).expect("opened").set_modified(at).expect("its time");
    }

    fn names(found: Result<Vec<WatchedFile>, RecordsError>) -> Vec<String> {
        found.expect("the files").into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn the_oldest_file_comes_first_and_only_regular_files_count() {
        let base = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(base.path().join("hr/sub.csv")).expect("folders");
        for (name, age) in [("b.csv", 10), ("a.csv", 5), ("old.csv", 90), ("c.txt", 1), (".d.csv", 1)] {
            write(&base.path().join("hr").join(name), age);
        }
        std::os::unix::fs::symlink("/etc/passwd", base.path().join("hr/link.csv")).expect("a link");
        assert_eq!(names(files(base.path(), "hr", "*.csv")), ["old.csv", "b.csv", "a.csv"]);
        assert!(names(files(base.path(), "", "*.csv")).is_empty());
    }

    #[test]
    fn a_folder_outside_of_the_folder_of_imports_is_rejected() {
        let base = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        let imports = base.path().join("import");
        fs::create_dir(&imports).expect("a folder");
        fs::create_dir(imports.join("inside")).expect("a folder");
        std::os::unix::fs::symlink(outside.path(), imports.join("out")).expect("a link");
        std::os::unix::fs::symlink(imports.join("inside"), imports.join("in")).expect("a link");
        for folder in ["out", "..", "../import", "/etc", "inside/../..", "missing"] {
            assert!(matches!(files(&imports, folder, "*"), Err(RecordsError::Refused(_))), "{folder}");
        }
        assert!(names(files(&imports, "in", "*")).is_empty());
        assert!(matches!(files(&base.path().join("none"), "", "*"), Err(RecordsError::Refused(_))));
    }

    #[tokio::test]
    async fn a_file_is_read_when_it_is_no_longer_written() {
        let base = tempfile::tempdir().expect("a folder");
        let path = base.path().join("a.csv");
        write(&path, 60);
        let file = files(base.path(), "", "*").expect("found").remove(0);
        assert_eq!(when_complete(&file).await.as_ref(), Some(&file), "an old file is not waited for");
        let mut writer = File::options().append(true).open(&path).expect("opened");
        writer.write_all(b"Alder\n").expect("written");
        let growing = tokio::spawn(async move {
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_millis(700)).await;
                writer.write_all(b"Alder\n").expect("written");
            }
        });
        let complete = when_complete(&file).await.expect("complete");
        growing.await.expect("written");
        assert_eq!(complete.bytes, 10 + 3 * 6);
        erase(&complete).await.expect("erased");
        assert_eq!(when_complete(&complete).await, None);
    }
}
