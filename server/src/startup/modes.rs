//! File modes: only the owner may read the files of Lethe.

use std::path::{Path, PathBuf};

/// The permission bits of the group and of others.
#[cfg(unix)]
const GROUP_AND_OTHERS: u32 = 0o077;

/// Sets the umask, so that only the user of this process can use its new files and folders.
#[cfg(unix)]
pub(super) fn keep_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(GROUP_AND_OTHERS));
}

#[cfg(not(unix))]
pub(super) const fn keep_private() {}

/// Removes the permissions of group and others from the files that exist. Returns the files that were changed.
#[cfg(unix)]
pub(super) fn tighten(files: &[PathBuf]) -> Vec<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let loose = files.iter().filter(|file| {
        let Some(mode) = mode_of(file).filter(|mode| mode & GROUP_AND_OTHERS != 0) else { return false };
        let tight = std::fs::Permissions::from_mode(mode & !GROUP_AND_OTHERS & 0o7777);
        std::fs::set_permissions(file, tight).is_ok()
    });
    loose.cloned().collect()
}

#[cfg(not(unix))]
pub(super) const fn tighten(_: &[PathBuf]) -> Vec<PathBuf> {
    Vec::new()
}

/// Returns a warning if group or others may use a file or folder of Lethe.
#[cfg(unix)]
pub(super) fn warning(path: &Path) -> Option<String> {
    // A shared folder such as /tmp has the sticky bit, which protects the files of each user.
    let mode = mode_of(path).filter(|mode| mode & GROUP_AND_OTHERS != 0 && mode & 0o1000 == 0)?;
    let is_folder = path.is_dir();
    // A folder without files of Lethe, such as that of the assets, may be readable.
    let is_own = !is_folder
        || std::fs::read_dir(path).is_ok_and(|mut files| files.any(|file| is_lethe_file(file.ok())));
    let right = if is_folder { "700" } else { "600" };
    let name = path.display();
    is_own.then(|| {
        format!("{name} is accessible to other users (mode {:o}). Run: chmod {right} {name}", mode & 0o777)
    })
}

#[cfg(not(unix))]
pub(super) const fn warning(_: &Path) -> Option<String> {
    None
}

#[cfg(unix)]
fn is_lethe_file(file: Option<std::fs::DirEntry>) -> bool {
    file.is_some_and(|file| {
        file.path()
            .extension()
            .is_some_and(|end| ["db", "ledger", "key", "audit"].iter().any(|own| end == *own))
    })
}

#[cfg(unix)]
fn mode_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).ok().map(|found| found.permissions().mode())
}

/// Appends an ending such as `-wal` to the name of a file.
pub(super) fn with_ending(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
