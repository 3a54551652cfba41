//! The disks that Lethe writes to.

use std::io;
use std::path::Path;

/// Returns the free space on the disk of a folder, in bytes.
#[cfg(unix)]
pub fn free_space(folder: &Path) -> io::Result<u64> {
    let space = rustix::fs::statvfs(folder)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Returns an error: the free space is known on Unix only.
#[cfg(not(unix))]
pub fn free_space(_: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
