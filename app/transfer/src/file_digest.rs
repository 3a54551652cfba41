//! The SHA-256 by which a file is recognised: of its bytes, or of its bytes and those of its additional tables.

use db::checksum::{Summed, sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Returns the SHA-256 of a file.
pub(super) fn of_file(path: &Path) -> io::Result<String> {
    let mut summed = Summed::new(File::open(path)?);
    io::copy(&mut summed, &mut io::sink())?;
    Ok(summed.sha256())
}

/// Returns the SHA-256 of a file and its tables. Without tables, it is that of the file.
pub(super) fn with_tables(main: String, tables: &BTreeMap<String, PathBuf>) -> io::Result<String> {
    if tables.is_empty() {
        return Ok(main);
    }
    let mut all = vec![main];
    for (name, path) in tables {
        all.push(format!("{name} {}", of_file(path)?));
    }
    Ok(sha256(&[all.join("\n").as_bytes()]))
}
