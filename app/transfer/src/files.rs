//! The files of an import.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The files of an import.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// The main file.
    pub main: PathBuf,
    /// The additional tables of an export, by name.
    pub tables: BTreeMap<String, PathBuf>,
}
