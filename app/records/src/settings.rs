//! What an installation sets besides database and clock.

use policy::Brakes;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What an installation sets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ledger of everybody who was anonymised: a file outside the database and outside its backups.
    pub ledger: PathBuf,
    /// The file of the key that signs certificates.
    pub key: PathBuf,
    /// How far a run may go by itself.
    pub brakes: Brakes,
    /// How long a run may be silent until another process takes it over.
    pub lease: Duration,
}

impl Settings {
    /// The defaults, with the files in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            ledger: folder.join("lethe.ledger"),
            key: folder.join("lethe.key"),
            brakes: Brakes::default(),
            lease: Duration::from_secs(20),
        }
    }
}
