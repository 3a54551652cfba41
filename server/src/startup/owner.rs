//! The owner of the files. The service cannot use files that root writes.

use std::path::{Path, PathBuf};

/// Returns the refusal if Lethe runs as root but the files belong to another user. It contains the command to run as
/// that user.
#[cfg(unix)]
pub(super) fn refusal(paths: &[PathBuf]) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let (path, user, group) = paths.iter().find_map(|path| {
        // Before the first start only the folder of the service exists.
        let existing = path.ancestors().map(above_of).find(|above| above.exists())?;
        let (user, group) = owner(existing)?;
        (user != 0).then_some((existing, user, group))
    })?;
    let command: Vec<String> = std::env::args().map(|word| quoted(&word)).collect();
    Some(format!(
        "{} belongs to {}, but Lethe runs as root here: that user could not use the files that root writes. \
         Run as that user: setpriv --reuid={user} --regid={group} --clear-groups {}",
        path.display(),
        name(user),
        command.join(" ")
    ))
}

#[cfg(not(unix))]
pub(super) const fn refusal(_: &[PathBuf]) -> Option<String> {
    None
}

/// Returns the remedy for a missing permission.
#[cfg(unix)]
pub(super) fn remedy(path: &Path) -> String {
    let own = rustix::process::geteuid().as_raw();
    let above = path.ancestors().find(|above| above.exists()).unwrap_or(path);
    match owner(above) {
        Some((user, _)) if user != own => format!(
            "{} belongs to {}, but Lethe runs as {}: start Lethe as that user, or run: chown {own} {}",
            above.display(),
            name(user),
            name(own),
            above.display()
        ),
        _ => format!("Give {} access to it: chmod u+rwX {}", name(own), above.display()),
    }
}

#[cfg(not(unix))]
pub(super) fn remedy(path: &Path) -> String {
    format!("Give the user that runs Lethe access to {}", path.display())
}

/// Returns `.` for the empty parent of a relative path.
#[cfg(unix)]
fn above_of(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

#[cfg(unix)]
fn owner(path: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|found| (found.uid(), found.gid()))
}

/// Returns the name of a user, or the number if the computer knows no name.
#[cfg(unix)]
fn name(user: u32) -> String {
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = known.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(user)).then(|| name.to_owned())
    });
    name.map_or_else(|| format!("user {user}"), |name| format!("user {name} ({user})"))
}

/// Quotes an argument for a shell.
#[cfg(unix)]
fn quoted(word: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_./=:,@+".contains(sign);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
