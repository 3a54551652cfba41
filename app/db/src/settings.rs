//! The settings of an installation, apart from database and clock.

use policy::{FourEyes, Limits, SafetyLimits};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default maximum size of an uploaded file, in bytes.
pub const MAX_UPLOAD_BYTES: u64 = 500_000_000;

/// The settings of an installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ledger file, which names every anonymised user. It lies outside the database and its backups.
    pub ledger: PathBuf,
    /// The file with the key that signs certificates and chains the audit.
    pub key: PathBuf,
    /// The file with the key of the suppression list. It is separate from `key`, so that it can be destroyed alone.
    pub suppression_key: PathBuf,
    /// The months for which suppressed keys are kept.
    pub suppression_months: u32,
    /// The anchor file, to which the end of the audit chain is written once a day. It lies outside the database
    /// and its backups.
    pub anchor: PathBuf,
    /// The folder with the private copies of uploaded files, until their import is over.
    pub uploads: PathBuf,
    /// The folder below which tasks find the files that they import. Lethe erases imported files in it.
    pub imports: PathBuf,
    /// Maximum size of an uploaded file in bytes.
    pub max_upload: u64,
    /// The safety limits of scheduled runs.
    pub safety_limits: SafetyLimits,
    /// The limits on manual changes and imports by one person alone.
    pub limits: Limits,
    /// Whether a second person must approve a new or extended policy, exceeding a safety limit, and releasing a
    /// legal hold.
    pub four_eyes: FourEyes,
    /// Time without a heartbeat after which another process takes over a run.
    pub lease: Duration,
    /// Maximum size in bytes of an SQLite file that is vacuumed after a bulk run.
    pub vacuum_up_to: u64,
    /// The requirements on staff sign-in.
    pub sign_in: SignIn,
    /// The address of Lethe in the browser, if it is configured.
    pub public_url: Option<String>,
    /// The mail server. None if Lethe sends no mail.
    pub mail: Option<MailSettings>,
    /// Whether webhooks may be posted to private addresses.
    pub webhooks_to_private: bool,
}

/// The mail server to which Lethe gives its mail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MailSettings {
    /// The name of the server.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The encryption of the connection.
    pub tls: MailTls,
    /// The user name at the server, and the file with the password. None if the server requires none.
    pub login: Option<(String, PathBuf)>,
    /// The sender, such as `Library <lethe@example.org>`.
    pub from: String,
}

/// The encryption of the connection to the mail server.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// The connection is encrypted after its start. A server without `STARTTLS` gets no mail.
    Starttls,
    /// The connection is encrypted from its start.
    Tls,
    /// The connection is not encrypted: for a mail server on this computer.
    None,
}

/// The requirements on staff sign-in, and the session lifetimes.
#[derive(Clone, Copy, Debug)]
pub struct SignIn {
    /// Whether a password alone suffices even for roles that can anonymise. One stolen password then suffices to
    /// anonymise every user.
    pub allow_password_only: bool,
    /// Time without a request after which a session ends.
    pub idle: Duration,
    /// Maximum lifetime of a session.
    pub longest: Duration,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { allow_password_only: false, idle: Duration::from_mins(20), longest: Duration::from_hours(10) }
    }
}

impl Settings {
    /// Returns the defaults, with the files in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            ledger: folder.join("lethe.ledger"),
            key: folder.join("lethe.key"),
            suppression_key: folder.join("lethe.suppression"),
            suppression_months: policy::suppression::DEFAULT_MONTHS,
            anchor: folder.join("lethe.audit"),
            uploads: folder.join("uploads"),
            imports: folder.join("import"),
            max_upload: MAX_UPLOAD_BYTES,
            safety_limits: SafetyLimits::default(),
            limits: Limits::default(),
            four_eyes: FourEyes::default(),
            lease: Duration::from_secs(20),
            vacuum_up_to: 2 << 30,
            sign_in: SignIn::default(),
            public_url: None,
            mail: None,
            webhooks_to_private: false,
        }
    }
}
