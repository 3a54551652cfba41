//! Who may read the files: their owner alone.

use std::path::{Path, PathBuf};

/// Rights of the group and of others.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Every file and folder that this process makes is for its own user.
#[cfg(unix)]
pub(super) fn keep_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(OTHERS));
}

#[cfg(not(unix))]
pub(super) const fn keep_private() {}

/// Takes the rights of others away from these files, where there are any. Gives those that were changed.
#[cfg(unix)]
pub(super) fn tighten(files: &[PathBuf]) -> Vec<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let loose = files.iter().filter(|file| {
        let Some(mode) = mode_of(file).filter(|mode| mode & OTHERS != 0) else { return false };
        let tight = std::fs::Permissions::from_mode(mode & !OTHERS & 0o7777);
        std::fs::set_permissions(file, tight).is_ok()
    });
    loose.cloned().collect()
}

#[cfg(not(unix))]
pub(super) const fn tighten(_: &[PathBuf]) -> Vec<PathBuf> {
    Vec::new()
}

/// What somebody should know of who may read a file or folder of Lethe's own.
#[cfg(unix)]
pub(super) fn warning(path: &Path) -> Option<String> {
    // A folder for everybody's files (/tmp) has the bit that protects each one's.
    let mode = mode_of(path).filter(|mode| mode & OTHERS != 0 && mode & 0o1000 == 0)?;
    let is_folder = path.is_dir();
    // Assets are for everybody.
    let is_own =
        !is_folder || std::fs::read_dir(path).is_ok_and(|mut files| files.any(|file| is_lethes(file.ok())));
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
fn is_lethes(file: Option<std::fs::DirEntry>) -> bool {
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

/// A file beside another one, whose name has an end more.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
