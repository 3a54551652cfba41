//! Lists of user numbers: from a file, or from standard input.

use anyhow::Context as _;
use policy::UserNumber;
use policy::listed_users;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

/// Maximum size of a list, in bytes. The longest list has far fewer.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads a list of user numbers. `-` is standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<BTreeSet<UserNumber>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    }
    .context("The list of users cannot be read")?;
    if bytes.len() as u64 > MAX_BYTES {
        anyhow::bail!("The list of users is too long");
    }
    // Bytes that are no text are no digits either, so that their line is rejected.
    listed_users::read(&String::from_utf8_lossy(&bytes))
        .map_err(|problem| anyhow::anyhow!("The list of users: {problem}"))
}
