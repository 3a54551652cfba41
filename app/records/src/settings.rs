//! What an installation sets besides database and clock.

use policy::{Brakes, FourEyes, Limits};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What an installation sets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the library, as certificates and printed pages state it.
    pub library_name: Option<String>,
    /// The ledger of everybody who was anonymised: a file outside the database and outside its backups.
    pub ledger: PathBuf,
    /// The file of the key that signs certificates and chains the audit.
    pub key: PathBuf,
    /// The file into which the end of the audit is written once a day: outside the database and its backups.
    pub anchor: PathBuf,
    /// How far a run may go by itself.
    pub brakes: Brakes,
    /// How far manual changes and imports go without a second person.
    pub limits: Limits,
    /// Whether a second person is needed to arm, to widen, to go over a brake, to release a legal hold.
    pub four_eyes: FourEyes,
    /// How long a run may be silent until another process takes it over.
    pub lease: Duration,
    /// Up to how many bytes the file of an SQLite database is written anew after a run for many people.
    pub vacuum_up_to: u64,
    /// What is asked of staff who sign in.
    pub sign_in: SignIn,
}

/// What is asked of staff who sign in, and how long it holds.
#[derive(Clone, Copy, Debug)]
pub struct SignIn {
    /// Whether a password alone is enough even for those who can anonymise. Whoever learns one password can then
    /// anonymise everybody.
    pub password_alone: bool,
    /// After how long without a request a session ends.
    pub idle: Duration,
    /// After how long a session ends in any case.
    pub longest: Duration,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { password_alone: false, idle: Duration::from_mins(20), longest: Duration::from_hours(10) }
    }
}

impl Settings {
    /// The defaults, with the files in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            library_name: None,
            ledger: folder.join("lethe.ledger"),
            key: folder.join("lethe.key"),
            anchor: folder.join("lethe.audit"),
            brakes: Brakes::default(),
            limits: Limits::default(),
            four_eyes: FourEyes::default(),
            lease: Duration::from_secs(20),
            vacuum_up_to: 2 << 30,
            sign_in: SignIn::default(),
        }
    }
}
