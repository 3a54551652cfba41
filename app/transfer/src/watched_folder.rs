//! The folders in which tasks find files. They lie below one folder of the installation.

use super::{file_digest, upload};
use chrono::{DateTime, SubsecRound as _, Utc};
use db::RecordsError;
use policy::file_pattern::matches;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Duration without changes after which a file is read.
const QUIET: Duration = Duration::from_secs(5);
/// Maximum time for which a run waits for a file that is still being written. Then the next run takes it.
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
    /// Its size in bytes, with its tables.
    pub bytes: u64,
    /// When it or one of its tables was last changed.
    pub changed_at: DateTime<Utc>,
    /// The additional tables of the export that lie beside it, by name.
    pub tables: BTreeMap<String, PathBuf>,
}

/// Which files of which folder a task imports.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    /// The folder of imports.
    pub imports: &'a Path,
    /// The folder below it.
    pub folder: &'a str,
    /// The pattern of the file names.
    pub pattern: &'a str,
    /// The names of the additional tables of the export. The table `card` is the file `card.csv` beside the other ones.
    pub tables: &'a [&'static str],
}

/// Returns the files of a folder whose names match, oldest first, with their additional tables.
///
/// Rejects a folder that lies outside of the folder of imports, also behind a symbolic link. Links and other entries
/// that are no regular files are left out.
pub fn files(watched: Watched<'_>) -> Result<Vec<WatchedFile>, RecordsError> {
    let Watched { imports, folder, pattern, tables } = watched;
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
        return Err(refused("This folder is a link to a folder outside the folder of imports"));
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| missing(&error))? {
        let entry = entry.map_err(|error| missing(&error))?;
        // A name in another encoding is shown with replacement characters.
        let name = entry.file_name().to_string_lossy().into_owned();
        // Does not follow a link. The file may be gone already.
        let Ok(metadata) = entry.metadata() else { continue };
        let path = entry.path();
        let is_table = path.file_stem().is_some_and(|stem| tables.iter().any(|table| stem == *table));
        if matches(pattern, &name) && metadata.is_file() && !is_table {
            let tables = tables_beside(&path, tables);
            let file = WatchedFile { path, name, bytes: 0, changed_at: DateTime::UNIX_EPOCH, tables };
            files.extend(as_now(&file));
        }
    }
    files.sort_by(|a, b| (a.changed_at, &a.name).cmp(&(b.changed_at, &b.name)));
    Ok(files)
}

/// Returns the tables with these names and the extension of a file that lie beside it.
fn tables_beside(file: &Path, names: &[&'static str]) -> BTreeMap<String, PathBuf> {
    let with_name = |name: &&'static str| {
        let mut path = file.with_file_name(name);
        path.set_extension(file.extension().unwrap_or_default());
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        is_file.then(|| ((*name).to_owned(), path))
    };
    names.iter().filter_map(with_name).collect()
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

/// Returns a file with its current size and time, or `None` if it or one of its tables is gone.
pub fn as_now(file: &WatchedFile) -> Option<WatchedFile> {
    let (mut bytes, mut changed_at) = (0, DateTime::UNIX_EPOCH);
    for path in std::iter::once(&file.path).chain(file.tables.values()) {
        let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        bytes += metadata.len();
        changed_at = changed_at.max(instant(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)));
    }
    Some(WatchedFile { bytes, changed_at, ..file.clone() })
}

/// Returns the SHA-256 of a file with its tables.
pub async fn sha256(file: &WatchedFile) -> io::Result<String> {
    let file = file.clone();
    let summed = tokio::task::spawn_blocking(move || {
        file_digest::with_tables(file_digest::of_file(&file.path)?, &file.tables)
    });
    summed.await.map_err(io::Error::other)?
}

/// Overwrites an imported file with zeros and deletes it, with its tables unless another file of the folder needs them. A
/// file that has been delivered again since it was read stays.
pub async fn erase(file: &WatchedFile, watched: Watched<'_>) -> io::Result<()> {
    if as_now(file).as_ref() != Some(file) {
        return Ok(());
    }
    erase_files(vec![file.path.clone()]).await?;
    // Another task can import other files of the folder.
    let others = files(Watched { pattern: "*", ..watched }).unwrap_or_default();
    if others.iter().any(|other| other.path.extension() == file.path.extension()) {
        return Ok(());
    }
    erase_files(file.tables.values().cloned().collect()).await
}

async fn erase_files(paths: Vec<PathBuf>) -> io::Result<()> {
    let erased =
        tokio::task::spawn_blocking(move || paths.iter().try_for_each(|path| upload::erase_file(path)));
    erased.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write as _;

    fn write(path: &Path, age_seconds: u64) {
        fs::write(path, b"last_name\n").expect("written");
        let at = SystemTime::now() - Duration::from_secs(age_seconds);
        File::options().write(true).open(path).expect("opened").set_modified(at).expect("its time");
    }

    fn files_of(imports: &Path, folder: &str, pattern: &str) -> Result<Vec<WatchedFile>, RecordsError> {
        files(Watched { imports, folder, pattern, tables: &[] })
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
        let latin_1 = std::os::unix::ffi::OsStrExt::from_bytes(b"\xFCsers.csv");
        write(&base.path().join("hr").join::<&std::ffi::OsStr>(latin_1), 2);
        std::os::unix::fs::symlink("/etc/passwd", base.path().join("hr/link.csv")).expect("a link");
        assert_eq!(
            names(files_of(base.path(), "hr", "*.csv")),
            ["old.csv", "b.csv", "a.csv", "\u{FFFD}sers.csv"]
        );
        assert!(names(files_of(base.path(), "", "*.csv")).is_empty());
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
            assert!(matches!(files_of(&imports, folder, "*"), Err(RecordsError::Refused(_))), "{folder}");
        }
        assert!(names(files_of(&imports, "in", "*")).is_empty());
        assert!(matches!(files_of(&base.path().join("none"), "", "*"), Err(RecordsError::Refused(_))));
    }

    #[tokio::test]
    async fn a_file_is_read_when_it_is_no_longer_written() {
        let base = tempfile::tempdir().expect("a folder");
        let path = base.path().join("a.csv");
        write(&path, 60);
        let file = files_of(base.path(), "", "*").expect("found").remove(0);
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
        erase(&complete, Watched { imports: base.path(), folder: "", pattern: "*", tables: &[] })
            .await
            .expect("erased");
        assert_eq!(when_complete(&complete).await, None);
    }

    #[tokio::test]
    async fn the_tables_of_an_export_belong_to_its_file() {
        let base = tempfile::tempdir().expect("a folder");
        for (name, age) in [("usr.csv", 90), ("card.csv", 20), ("card.json", 1), ("later.csv", 10)] {
            write(&base.path().join(name), age);
        }
        let watched =
            Watched { imports: base.path(), folder: "", pattern: "*.csv", tables: &["card", "usr_address"] };
        let mut found = files(watched).expect("files");
        assert_eq!(found.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["usr.csv", "later.csv"]);
        let file = found.remove(0);
        let card = base.path().join("card.csv");
        assert_eq!(file.tables, BTreeMap::from([("card".to_owned(), card.clone())]));
        let before = sha256(&file).await.expect("a digest");
        let without = WatchedFile { tables: BTreeMap::new(), ..file.clone() };
        assert_ne!(before, sha256(&without).await.expect("a digest"));
        fs::write(&card, b"id\n1\n").expect("written");
        assert_ne!(before, sha256(&file).await.expect("a digest"), "a changed table is another export");
        assert!(as_now(&file).is_some_and(|now| now.changed_at > file.changed_at));
        erase(&file, watched).await.expect("nothing to erase");
        assert!(file.path.exists() && card.exists(), "it was delivered again");

        let mut found = files(watched).expect("files");
        let (later, file) = (found.remove(0), found.remove(0));
        erase(&file, watched).await.expect("erased");
        assert!(!file.path.exists() && card.exists(), "the other file needs the table");
        erase(&later, watched).await.expect("erased");
        assert!(!later.path.exists() && !card.exists());
    }
}
