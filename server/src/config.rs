//! Configuration: environment variables `LETHE_*` override `lethe.toml`, which overrides the defaults. Unknown keys are
//! errors.

mod identity_provider;
mod mail;
mod secret_file;
mod source;
#[cfg(test)]
mod tests;

use crate::network::NetworkConfig;
use crate::site::Site;
use app::state::Cookies;
use chrono::NaiveDate;
use chrono_tz::Tz;
use db::{Clock, MailTls, Settings, SignIn};
use http::Uri;
use policy::suppression::{DEFAULT_MONTHS, MAX_MONTHS, MIN_MONTHS};
use policy::{FourEyes, Limits, SafetyLimits};
use serde::Deserialize;
use source::SourceError;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// The configuration file, in the working directory.
const FILE: &str = "lethe.toml";
const LEASE_SECONDS: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
const IDLE_MINUTES: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
/// The minimum length of the monitoring token, in bytes.
const MIN_TOKEN_BYTES: usize = 16;

/// A reason why the configuration cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("{FILE} cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("LETHE_TODAY requires LETHE_DEMO=1")]
    TodayWithoutDemo,
    #[error(
        "LETHE_ADDR is {0}, which other computers can reach, and LETHE_PUBLIC_URL is not an https:// \
         address: passwords would cross the network unencrypted. Put a TLS proxy in front of Lethe and set \
         LETHE_PUBLIC_URL, or listen on 127.0.0.1"
    )]
    WithoutTls(SocketAddr),
    #[error("LETHE_PUBLIC_URL is not an address like https://lethe.example.org")]
    NotAnAddress,
    #[error("LETHE_TRUSTED_PROXIES is not a comma-separated list of IP addresses")]
    NotAProxy,
    #[error(
        "LETHE_OIDC_ISSUER is not an address like https://login.example.org, exactly as the provider states \
         it"
    )]
    NotAnIssuer,
    #[error("LETHE_OIDC_ISSUER and LETHE_OIDC_CLIENT_ID must be set together")]
    IncompleteProvider,
    #[error("The file LETHE_OIDC_SECRET_FILE cannot be read or is empty")]
    NoSecret,
    #[error(
        "The file LETHE_METRICS_TOKEN_FILE cannot be read or has fewer than {MIN_TOKEN_BYTES} characters. Fill it \
         with the output of: openssl rand -hex 32"
    )]
    NoMetricsToken,
    #[error("LETHE_SUPPRESSION_MONTHS is not a number of months from {MIN_MONTHS} to {MAX_MONTHS}")]
    NotMonths,
    #[error(
        "LETHE_SMTP_HOST and LETHE_MAIL_FROM must be set together, and so must LETHE_SMTP_USER and \
         LETHE_SMTP_PASSWORD_FILE"
    )]
    IncompleteMail,
    #[error(
        "LETHE_MAIL_FROM is not a valid sender. Use the form lethe@example.org or Town Library <lethe@example.org>"
    )]
    NotASender,
    #[error("The file LETHE_SMTP_PASSWORD_FILE cannot be read or is empty")]
    NoMailPassword,
    #[error("LETHE_SMTP_TLS=none is for a mail server on this computer only (LETHE_SMTP_HOST=127.0.0.1)")]
    MailWithoutTls,
    #[error("Single sign-on cannot be set up: {0}")]
    Provider(#[from] reqwest::Error),
}

/// The configuration of one process. A field is a key of `lethe.toml`; the environment variable is the key in capitals
/// with the prefix `LETHE_`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the configuration")]
pub(crate) struct Config {
    /// `sqlite://…` or `postgres://…`.
    pub(crate) database_url: String,
    /// The address to listen on.
    pub(crate) addr: SocketAddr,
    /// The library's IANA time zone.
    pub(crate) time_zone: Tz,
    /// The folder of the compiled assets. It takes precedence over assets in the program.
    assets_dir: Option<PathBuf>,
    /// The ledger file. The default is next to an SQLite database, otherwise `data/lethe.ledger`.
    ledger_file: Option<PathBuf>,
    /// The file of the audit anchors, written daily. The default is next to an SQLite database, otherwise
    /// `data/lethe.audit`.
    audit_anchor_file: Option<PathBuf>,
    /// The file of the key that signs certificates and chains the audit. The default is next to an SQLite database,
    /// otherwise `data/lethe.key`.
    key_file: Option<PathBuf>,
    /// The file of the key of the suppression list. The default is next to an SQLite database, otherwise
    /// `data/lethe.suppression`.
    suppression_key_file: Option<PathBuf>,
    /// The months for which keys of anonymised users stay on the suppression list.
    suppression_months: u32,
    /// The folder of uploaded files. The default is `uploads` next to an SQLite database, otherwise `data/uploads`.
    upload_dir: Option<PathBuf>,
    /// The folder below which tasks find the files that they import. The default is `import` next to an SQLite
    /// database, otherwise `data/import`.
    import_dir: Option<PathBuf>,
    /// The maximum size of an uploaded file, in megabytes.
    max_upload_mb: u32,
    /// A scheduled run of more users than this waits for a confirmation.
    limit_run_users: u32,
    /// A scheduled run of more than this many per cent of all users waits for a confirmation.
    limit_run_percent: u32,
    /// A scheduled run of more than this many times the median of the last runs waits for a confirmation.
    limit_run_times_median: u32,
    /// The number of users that one member of staff may anonymise in an hour without a second person. Removing
    /// identifying fields counts as anonymising.
    limit_anonymise_per_hour: u32,
    /// The same in a day.
    limit_anonymise_per_day: u32,
    /// The number of users that one member of staff may mark for deletion in an hour without a second person. An earlier
    /// leaving date counts as a mark.
    limit_mark_per_hour: u32,
    /// The same in a day.
    limit_mark_per_day: u32,
    /// A run with more users than this whose dates were changed by hand since the last confirmed run waits for a
    /// confirmation.
    limit_manual_per_run: u32,
    /// An import that removes identifying values of more users than this, or makes more users eligible earlier, needs a
    /// confirmation.
    limit_import_users: u32,
    /// The same in per cent of all users.
    limit_import_percent: u32,
    /// Whether a second person must approve policies that were never confirmed or go further, actions that exceed a
    /// safety limit, and releases of legal holds: `auto` (if two people could approve), `on` or `off`.
    four_eyes: FourEyes,
    /// The seconds without a heartbeat after which another process takes over a run.
    lease_seconds: NonZeroU32,
    /// The size in megabytes up to which an SQLite file is vacuumed after a bulk run. 0: never.
    vacuum_up_to_mb: u32,
    /// The address of Lethe in the browser, such as `https://lethe.example.org`. `None` if only this computer uses it.
    public_url: Option<String>,
    /// Comma-separated IP addresses of the proxies whose `X-Forwarded-For` header is trusted.
    trusted_proxies: Option<String>,
    /// The minutes without a request after which a session ends.
    idle_minutes: NonZeroU32,
    /// Whether staff who can anonymise may sign in without a second factor. A single stolen password is then enough to
    /// anonymise all users.
    allow_password_only: bool,
    /// The issuer of the `OpenID` Connect provider by which staff can sign in, exactly as the provider states it.
    oidc_issuer: Option<String>,
    /// The client id of Lethe at the provider.
    oidc_client_id: Option<String>,
    /// The file of the client secret. `None` for a public client.
    oidc_secret_file: Option<PathBuf>,
    /// The name of the provider on the sign-in page.
    oidc_name: String,
    /// Whether a second factor that the provider reports (`amr` contains `mfa`) replaces that of Lethe.
    oidc_second_factor: bool,
    /// A second address to listen on, which serves health and metrics to monitoring without a token.
    pub(crate) metrics_addr: Option<SocketAddr>,
    /// The file of the monitoring token, which gives access to health details and metrics at the main address.
    metrics_token_file: Option<PathBuf>,
    /// The name of the mail server. `None`: Lethe sends no mail.
    smtp_host: Option<String>,
    /// The port of the mail server. The default follows from the encryption.
    smtp_port: Option<u16>,
    /// The encryption of the connection to the mail server.
    smtp_tls: MailTls,
    /// The user name at the mail server.
    smtp_user: Option<String>,
    /// The file with the password at the mail server.
    smtp_password_file: Option<PathBuf>,
    /// The sender of mail, such as `Library <lethe@example.org>`.
    mail_from: Option<String>,
    /// Whether webhooks may be posted to private addresses.
    webhook_private_addresses: bool,
    /// The format of the log.
    pub(crate) log: Log,
    /// Whether this is a demonstration.
    demo: bool,
    /// The current day, for demonstrations.
    today: Option<NaiveDate>,
}

/// The format of the log, which goes to standard error.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Log {
    /// For people.
    Text,
    /// For programs: one object for each line.
    Json,
}

impl Log {
    /// Installs the log subscriber.
    pub(crate) fn init(self) {
        let log = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new("info,sea_orm_migration=warn,sqlx=warn"))
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        match self {
            Self::Text => log.init(),
            Self::Json => log.json().init(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite://data/lethe.db?mode=rwc".to_owned(),
            addr: SocketAddr::from(([127, 0, 0, 1], 3000)),
            time_zone: Tz::Europe__London,
            assets_dir: None,
            ledger_file: None,
            audit_anchor_file: None,
            key_file: None,
            suppression_key_file: None,
            suppression_months: DEFAULT_MONTHS,
            upload_dir: None,
            import_dir: None,
            max_upload_mb: 500,
            limit_run_users: 5_000,
            limit_run_percent: 10,
            limit_run_times_median: 3,
            limit_anonymise_per_hour: 20,
            limit_anonymise_per_day: 60,
            limit_mark_per_hour: 100,
            limit_mark_per_day: 300,
            limit_manual_per_run: 100,
            limit_import_users: 1_000,
            limit_import_percent: 10,
            four_eyes: FourEyes::default(),
            lease_seconds: LEASE_SECONDS,
            vacuum_up_to_mb: 2_048,
            public_url: None,
            trusted_proxies: None,
            idle_minutes: IDLE_MINUTES,
            allow_password_only: false,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_secret_file: None,
            oidc_name: "single sign-on".to_owned(),
            oidc_second_factor: false,
            metrics_addr: None,
            metrics_token_file: None,
            smtp_host: None,
            smtp_port: None,
            smtp_tls: MailTls::Starttls,
            smtp_user: None,
            smtp_password_file: None,
            mail_from: None,
            webhook_private_addresses: false,
            log: Log::Text,
            demo: false,
            today: None,
        }
    }
}

impl Config {
    /// Reads the environment, and `lethe.toml` if it exists.
    pub(crate) fn read() -> Result<Self, ConfigError> {
        let file = match std::fs::read_to_string(FILE) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConfigError::Unreadable(error)),
        };
        Self::from_sources(&file, std::env::vars_os())
    }

    fn from_sources(
        file: &str,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let config: Self = source::read(file, environment)?;
        if config.today.is_some() && !config.demo {
            return Err(ConfigError::TodayWithoutDemo);
        }
        if !(MIN_MONTHS..=MAX_MONTHS).contains(&config.suppression_months) {
            return Err(ConfigError::NotMonths);
        }
        let is_address = |url: &str| url.starts_with(HTTPS) || url.starts_with("http://");
        if config.public_url.as_deref().is_some_and(|url| !is_address(url))
            || config.public_url.is_some() && config.public_name().is_none()
        {
            return Err(ConfigError::NotAnAddress);
        }
        if config.proxies().is_none() {
            return Err(ConfigError::NotAProxy);
        }
        config.issuer()?;
        config.mail()?;
        Ok(config)
    }

    /// Returns the folder of an SQLite database, or `data` for PostgreSQL.
    fn folder(&self) -> PathBuf {
        let file = self.database_file();
        file.and_then(|file| file.parent().map(Path::to_owned)).unwrap_or_else(|| PathBuf::from("data"))
    }

    /// Returns the file of an SQLite database, or `None` for PostgreSQL.
    pub(crate) fn database_file(&self) -> Option<PathBuf> {
        let path = self.database_url.strip_prefix("sqlite:")?.split('?').next()?;
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
        Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty() && path != Path::new(":memory:"))
    }

    /// Returns the mode in the URL of an SQLite database.
    pub(crate) fn database_mode(&self) -> Option<&str> {
        let (_, query) = self.database_url.strip_prefix("sqlite:")?.split_once('?')?;
        let is_fixed = query.split('&').any(|part| part == "immutable=true");
        if is_fixed { Some("ro") } else { query.split('&').find_map(|part| part.strip_prefix("mode=")) }
    }

    /// Creates the folder of database, ledger and key if it is missing, so that a first start needs no preparation.
    pub(crate) fn make_folder(&self) -> std::io::Result<()> {
        let folder = self.folder();
        if folder.as_os_str().is_empty() { Ok(()) } else { std::fs::create_dir_all(folder) }
    }

    /// Returns the settings of the store.
    pub(crate) fn settings(&self) -> Settings {
        let defaults = Settings::in_folder(&self.folder());
        Settings {
            ledger: self.ledger_file.clone().unwrap_or(defaults.ledger),
            key: self.key_file.clone().unwrap_or(defaults.key),
            suppression_key: self.suppression_key_file.clone().unwrap_or(defaults.suppression_key),
            suppression_months: self.suppression_months,
            anchor: self.audit_anchor_file.clone().unwrap_or(defaults.anchor),
            uploads: self.upload_dir.clone().unwrap_or(defaults.uploads),
            imports: self.import_dir.clone().unwrap_or(defaults.imports),
            max_upload: u64::from(self.max_upload_mb) * 1_000_000,
            safety_limits: SafetyLimits {
                people: self.limit_run_users.into(),
                percent: self.limit_run_percent.into(),
                times_median: self.limit_run_times_median.into(),
            },
            limits: Limits {
                anonymise_per_hour: self.limit_anonymise_per_hour.into(),
                anonymise_per_day: self.limit_anonymise_per_day.into(),
                mark_per_hour: self.limit_mark_per_hour.into(),
                mark_per_day: self.limit_mark_per_day.into(),
                manual_per_run: self.limit_manual_per_run.into(),
                import_users: self.limit_import_users.into(),
                import_percent: self.limit_import_percent.into(),
            },
            four_eyes: self.four_eyes,
            lease: Duration::from_secs(u64::from(self.lease_seconds.get())),
            vacuum_up_to: u64::from(self.vacuum_up_to_mb) << 20,
            sign_in: SignIn {
                allow_password_only: self.allow_password_only,
                idle: Duration::from_secs(u64::from(self.idle_minutes.get()) * 60),
                ..SignIn::default()
            },
            public_url: self.public_url.clone(),
            // It was checked when the configuration was read.
            mail: self.mail().ok().flatten(),
            webhooks_to_private: self.webhook_private_addresses,
        }
    }

    /// Reads the monitoring token. Returns `None` if no file is set.
    pub(crate) fn metrics_token(&self) -> Result<Option<Arc<str>>, ConfigError> {
        let Some(file) = &self.metrics_token_file else { return Ok(None) };
        let token = secret_file::read(file).filter(|token| token.len() >= MIN_TOKEN_BYTES);
        token.map(|token| Some(token.into())).ok_or(ConfigError::NoMetricsToken)
    }

    /// Returns the place of the compiled assets.
    pub(crate) fn site(&self) -> Site {
        Site::new(self.assets_dir.as_deref())
    }

    /// Returns the clock in the time zone of the library.
    pub(crate) fn clock(&self) -> Clock {
        self.today.map_or(Clock::new(self.time_zone), |today| Clock::fixed(self.time_zone, today))
    }

    /// Returns the address to listen on. Rejects an address that other computers can reach if TLS is missing.
    pub(crate) fn listen_on(&self) -> Result<SocketAddr, ConfigError> {
        let is_safe = self.addr.ip().is_loopback() || self.cookies() == Cookies::Secure;
        if is_safe { Ok(self.addr) } else { Err(ConfigError::WithoutTls(self.addr)) }
    }

    /// Returns whether cookies are sent over TLS only: if the public address has TLS.
    pub(crate) fn cookies(&self) -> Cookies {
        let is_secure = self.public_url.as_deref().is_some_and(|url| url.starts_with(HTTPS));
        if is_secure { Cookies::Secure } else { Cookies::Plain }
    }

    /// Returns the public name and the trusted proxies.
    pub(crate) fn network(&self) -> NetworkConfig {
        let proxies = self.proxies().unwrap_or_default();
        NetworkConfig { name: self.public_name(), proxies, ..NetworkConfig::default() }
    }

    /// Returns the address of Lethe in the browser.
    pub(crate) fn address(&self, listening: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{listening}"))
    }

    fn proxies(&self) -> Option<Vec<IpAddr>> {
        let listed = self.trusted_proxies.as_deref().unwrap_or_default();
        listed
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(|one| one.parse().ok().map(|proxy: IpAddr| proxy.to_canonical()))
            .collect()
    }

    /// Returns the host name in the public address. An IPv6 address keeps its brackets, as in the Host header.
    fn public_name(&self) -> Option<String> {
        let url: Uri = self.public_url.as_deref()?.parse().ok()?;
        url.host().filter(|name| !name.is_empty()).map(str::to_owned)
    }
}

/// The start of an address with TLS.
const HTTPS: &str = "https://";
