//! Configuration: environment variables `LETHE_*` over `lethe.toml` over defaults. Unknown keys are errors.

use crate::provider::{self, Provider};
use crate::web::{Outside, RETURN};
use app::state::Cookies;
use chrono::NaiveDate;
use chrono_tz::Tz;
use openidconnect::{IssuerUrl, RedirectUrl};
use policy::{Brakes, FourEyes};
use records::{Clock, Settings, SignIn};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// The file that is read where the process starts.
const FILE: &str = "lethe.toml";
const PREFIX: &str = "LETHE_";
/// Keys whose values are whole numbers.
const NUMBERS: [&str; 5] =
    ["BRAKE_PEOPLE", "BRAKE_PERCENT", "BRAKE_TIMES_MEDIAN", "LEASE_SECONDS", "IDLE_MINUTES"];
/// Keys that are yes (1) or no (0).
const SWITCHES: [&str; 3] = ["DEMO", "PASSWORD_ALONE", "OIDC_SECOND_FACTOR"];

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("{FILE} cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("The configuration is wrong: {0}")]
    Wrong(#[from] toml::de::Error),
    #[error("LETHE_TODAY is only honoured together with LETHE_DEMO=1")]
    TodayWithoutDemo,
    #[error(
        "LETHE_ADDR is {0}, which others can reach, and LETHE_PUBLIC_URL is no https:// address: passwords would go \
         over the network as they are. Put a proxy with TLS before it and set LETHE_PUBLIC_URL, or listen on 127.0.0.1"
    )]
    WithoutTls(SocketAddr),
    #[error("LETHE_PUBLIC_URL is not an address like https://lethe.example.org")]
    NotAnAddress,
    #[error("LETHE_TRUSTED_PROXIES is not a list of IP addresses with commas between them")]
    NotAProxy,
    #[error(
        "LETHE_OIDC_ISSUER is not an address like https://login.example.org, as the provider itself names it"
    )]
    NotAnIssuer,
    #[error("LETHE_OIDC_ISSUER and LETHE_OIDC_CLIENT_ID are needed together")]
    HalfAProvider,
    #[error("The file LETHE_OIDC_SECRET_FILE cannot be read, or is empty")]
    NoSecret,
    #[error("Single sign-on cannot be made ready: {0}")]
    Provider(#[from] reqwest::Error),
}

/// The configuration of one process. Keys of `lethe.toml`; as environment variables in capitals with `LETHE_`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// `sqlite://…` or `postgres://…`.
    pub(crate) database_url: String,
    /// The name of the library, as certificates and printed pages state it.
    library_name: Option<String>,
    /// Where to listen.
    pub(crate) addr: SocketAddr,
    /// The library's IANA time zone.
    pub(crate) time_zone: Tz,
    /// Where the compiled assets are.
    pub(crate) site: PathBuf,
    /// The ledger of everybody who was anonymised; beside an embedded database, else `data/lethe.ledger`.
    ledger: Option<PathBuf>,
    /// The file into which the end of the audit is written once a day; beside an embedded database, else
    /// `data/lethe.audit`.
    audit_anchor: Option<PathBuf>,
    /// The file of the key that signs certificates and chains the audit; beside an embedded database, else `data/lethe.key`.
    key: Option<PathBuf>,
    /// A scheduled run of more people than this waits for a confirmation.
    brake_people: i64,
    /// A scheduled run of more than this many per cent of all users waits for a confirmation.
    brake_percent: i64,
    /// A scheduled run of more than this many times the median of the last runs waits for a confirmation.
    brake_times_median: i64,
    /// Whether a second person approves what arms, widens or goes over a brake, and what releases a legal hold: `auto`
    /// (as soon as two people could), `on` or `off`.
    four_eyes: FourEyes,
    /// How many seconds a run may be silent until another process takes it over.
    lease_seconds: u64,
    /// Up to how many megabytes an SQLite file is written anew after a run for many people. 0: never.
    vacuum_up_to_mb: u64,
    /// The address under which the browser asks for it, `https://lethe.example.org`; none where it is this computer only.
    public_url: Option<String>,
    /// The addresses of proxies before it that say the truth about from where a request comes, with commas between.
    trusted_proxies: Option<String>,
    /// After how many minutes without a request a session ends.
    idle_minutes: u64,
    /// Whether a password alone is enough even for those who can anonymise people: whoever learns one password can then
    /// anonymise everybody.
    password_alone: bool,
    /// The identity provider that staff can sign in by (`OpenID` Connect), as it names itself.
    oidc_issuer: Option<String>,
    /// Under what name the provider knows Lethe.
    oidc_client_id: Option<String>,
    /// The file with what shows the provider that it is Lethe; none for a public client.
    oidc_secret_file: Option<PathBuf>,
    /// What the provider is called on the sign-in page.
    oidc_name: String,
    /// Whether the provider is believed when it says (`amr` has `mfa`) that it has asked for a second factor: Lethe then
    /// asks for none.
    oidc_second_factor: bool,
    /// How the log is written.
    pub(crate) log: Log,
    /// Whether this is a demonstration.
    demo: bool,
    /// The day that it is, for demonstrations.
    today: Option<NaiveDate>,
}

/// How the log is written. It goes to the standard error output.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Log {
    /// For people.
    Text,
    /// For programs: one object for each line.
    Json,
}

impl Log {
    /// Begins to write it.
    pub(crate) fn begin(self) {
        let log = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new("info,sea_orm_migration=warn"))
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
            library_name: None,
            addr: SocketAddr::from(([127, 0, 0, 1], 3000)),
            time_zone: Tz::Europe__London,
            site: PathBuf::from("target/site"),
            ledger: None,
            audit_anchor: None,
            key: None,
            brake_people: Brakes::default().people,
            brake_percent: Brakes::default().percent,
            brake_times_median: Brakes::default().times_median,
            four_eyes: FourEyes::default(),
            lease_seconds: 20,
            vacuum_up_to_mb: 2_048,
            public_url: None,
            trusted_proxies: None,
            idle_minutes: 20,
            password_alone: false,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_secret_file: None,
            oidc_name: "single sign-on".to_owned(),
            oidc_second_factor: false,
            log: Log::Text,
            demo: false,
            today: None,
        }
    }
}

impl Config {
    /// Reads `lethe.toml`, where there is one, and the environment.
    pub(crate) fn read() -> Result<Self, ConfigError> {
        let file = match std::fs::read_to_string(FILE) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConfigError::Unreadable(error)),
        };
        Self::of(&file, std::env::vars())
    }

    fn of(file: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut table: toml::Table = toml::from_str(file)?;
        for (name, value) in environment {
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            let value = match (key, value.as_str()) {
                (key, "1") if SWITCHES.contains(&key) => toml::Value::Boolean(true),
                (key, "0") if SWITCHES.contains(&key) => toml::Value::Boolean(false),
                (key, number) if NUMBERS.contains(&key) => number
                    .parse()
                    .map_or_else(|_| toml::Value::String(number.to_owned()), toml::Value::Integer),
                _ => toml::Value::String(value),
            };
            table.insert(key.to_ascii_lowercase(), value);
        }
        let config: Self = table.try_into()?;
        if config.today.is_some() && !config.demo {
            return Err(ConfigError::TodayWithoutDemo);
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
        Ok(config)
    }

    /// The folder of an embedded database; `data` for any other.
    fn folder(&self) -> &Path {
        let file = self.database_url.strip_prefix("sqlite://").and_then(|url| url.split('?').next());
        file.and_then(|file| Path::new(file).parent()).unwrap_or(Path::new("data"))
    }

    /// Makes the folder of database, ledger and key where there is none, so that a first start needs nothing before.
    pub(crate) fn make_folder(&self) -> std::io::Result<()> {
        let folder = self.folder();
        if folder.as_os_str().is_empty() { Ok(()) } else { std::fs::create_dir_all(folder) }
    }

    /// What the records need to know.
    pub(crate) fn settings(&self) -> Settings {
        let defaults = Settings::in_folder(self.folder());
        Settings {
            library_name: self.library_name.clone(),
            ledger: self.ledger.clone().unwrap_or(defaults.ledger),
            key: self.key.clone().unwrap_or(defaults.key),
            anchor: self.audit_anchor.clone().unwrap_or(defaults.anchor),
            brakes: Brakes {
                people: self.brake_people,
                percent: self.brake_percent,
                times_median: self.brake_times_median,
            },
            four_eyes: self.four_eyes,
            lease: Duration::from_secs(self.lease_seconds.max(1)),
            vacuum_up_to: self.vacuum_up_to_mb.saturating_mul(1 << 20),
            sign_in: SignIn {
                password_alone: self.password_alone,
                idle: Duration::from_secs(self.idle_minutes.max(1) * 60),
                ..SignIn::default()
            },
        }
    }

    /// The clock of the library.
    pub(crate) fn clock(&self) -> Clock {
        self.today.map_or(Clock::new(self.time_zone), |today| Clock::fixed(self.time_zone, today))
    }

    /// The address to listen on. One that others can reach only behind TLS.
    pub(crate) fn listen_on(&self) -> Result<SocketAddr, ConfigError> {
        let is_safe = self.addr.ip().is_loopback() || self.cookies() == Cookies::Secure;
        if is_safe { Ok(self.addr) } else { Err(ConfigError::WithoutTls(self.addr)) }
    }

    /// Cookies go over TLS only, where there is TLS.
    pub(crate) fn cookies(&self) -> Cookies {
        let is_secure = self.public_url.as_deref().is_some_and(|url| url.starts_with(HTTPS));
        if is_secure { Cookies::Secure } else { Cookies::Plain }
    }

    /// What is known of the outside.
    pub(crate) fn outside(&self) -> Outside {
        let proxies = self.proxies().unwrap_or_default();
        Outside { name: self.public_name().map(str::to_owned), proxies, provider: None }
    }

    /// The identity provider, where there is one. `address` is where the browser finds Lethe.
    pub(crate) fn provider(&self, address: &str) -> Result<Option<Arc<Provider>>, ConfigError> {
        let (Some(issuer), Some(client_id)) = (self.issuer()?, self.oidc_client_id.clone()) else {
            return Ok(None);
        };
        let settings = provider::Settings {
            issuer,
            client_id,
            secret: self.oidc_secret_file.as_deref().map(secret_in).transpose()?,
            name: self.oidc_name.clone(),
            proves_second_factor: self.oidc_second_factor,
        };
        let return_to = format!("{}{RETURN}", address.trim_end_matches('/'));
        let return_to = RedirectUrl::new(return_to).map_err(|_| ConfigError::NotAnAddress)?;
        Ok(Some(Arc::new(Provider::new(settings, return_to)?)))
    }

    /// Who the provider is. Without TLS only on this computer, for tests.
    fn issuer(&self) -> Result<Option<IssuerUrl>, ConfigError> {
        match (&self.oidc_issuer, &self.oidc_client_id) {
            (None, None) => Ok(None),
            (Some(issuer), Some(_)) => {
                let issuer = IssuerUrl::new(issuer.clone()).map_err(|_| ConfigError::NotAnIssuer)?;
                let is_here = matches!(issuer.url().host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
                let is_safe = issuer.url().scheme() == "https" || issuer.url().scheme() == "http" && is_here;
                if is_safe { Ok(Some(issuer)) } else { Err(ConfigError::NotAnIssuer) }
            }
            _ => Err(ConfigError::HalfAProvider),
        }
    }

    /// The address to type into the browser.
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

    /// The name in the public address, without the port.
    fn public_name(&self) -> Option<&str> {
        let (_, rest) = self.public_url.as_deref()?.split_once("://")?;
        let host = rest.split('/').next()?;
        Some(host.rsplit_once(':').map_or(host, |(name, _)| name)).filter(|name| !name.is_empty())
    }
}

/// The secret in a file, without the line end after it.
fn secret_in(file: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|_| ConfigError::NoSecret)?;
    let secret = text.trim();
    if secret.is_empty() { Err(ConfigError::NoSecret) } else { Ok(secret.to_owned()) }
}

/// How an address with TLS begins.
const HTTPS: &str = "https://";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::of(file, environment)
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let config = of("addr = '127.0.0.1:1'\ntime_zone = 'Asia/Kathmandu'", &[("LETHE_ADDR", "[::1]:2")]);
        let config = config.expect("a right configuration");
        assert_eq!(config.addr.to_string(), "[::1]:2");
        assert_eq!(config.time_zone, Tz::Asia__Kathmandu);
        assert_eq!(config.database_url, "sqlite://data/lethe.db?mode=rwc");
    }

    #[test]
    fn what_is_not_known_or_not_right_is_refused() {
        assert!(of("adress = 'x'", &[]).is_err());
        assert!(of("", &[("LETHE_TIMEZONE", "Europe/London")]).is_err());
        assert!(of("", &[("LETHE_TIME_ZONE", "Europe/Londn")]).is_err());
        assert!(of("", &[("LETHE_BRAKE_PEOPLE", "many")]).is_err());
        let brakes =
            of("brake_percent = 5", &[("LETHE_BRAKE_PEOPLE", "70")]).expect("right").settings().brakes;
        assert_eq!((brakes.people, brakes.percent), (70, 5));
        assert_eq!(of("", &[]).expect("right").settings().four_eyes, FourEyes::Auto);
        let on = of("four_eyes = 'off'", &[("LETHE_FOUR_EYES", "on")]).expect("right");
        assert_eq!(on.settings().four_eyes, FourEyes::On);
        assert!(of("", &[("LETHE_FOUR_EYES", "yes")]).is_err());
        assert!(matches!(of("", &[("LETHE_TODAY", "2018-01-21")]), Err(ConfigError::TodayWithoutDemo)));
        let demo = of("", &[("LETHE_TODAY", "2018-01-21"), ("LETHE_DEMO", "1")]).expect("a demonstration");
        assert_eq!(demo.clock().today().to_string(), "2018-01-21");
    }

    #[test]
    fn others_reach_it_over_tls_only() {
        assert!(of("", &[]).is_ok_and(|config| config.listen_on().is_ok()));
        for addr in ["0.0.0.0:3000", "192.0.2.1:80", "[::]:3000"] {
            for more in [&[][..], &[("LETHE_PUBLIC_URL", "http://lethe.example.org")][..]] {
                let environment = [&[("LETHE_ADDR", addr)][..], more].concat();
                let refused = of("", &environment).expect("a right configuration").listen_on();
                assert!(matches!(refused, Err(ConfigError::WithoutTls(_))), "{addr}");
            }
            let https = [("LETHE_ADDR", addr), ("LETHE_PUBLIC_URL", "https://lethe.example.org:8443/")];
            let config = of("", &https).expect("a right configuration");
            assert!(config.listen_on().is_ok());
            assert_eq!(config.outside().name.as_deref(), Some("lethe.example.org"));
            assert_eq!(config.cookies(), Cookies::Secure);
        }
        assert!(matches!(of("", &[("LETHE_PUBLIC_URL", "lethe")]), Err(ConfigError::NotAnAddress)));
        assert!(matches!(of("", &[("LETHE_TRUSTED_PROXIES", "proxy")]), Err(ConfigError::NotAProxy)));
        let proxies = of("", &[("LETHE_TRUSTED_PROXIES", "10.0.0.1, ::1")]).expect("right").outside().proxies;
        assert_eq!(proxies.len(), 2);
    }

    const PROVIDER: [(&str, &str); 2] =
        [("LETHE_OIDC_ISSUER", "https://login.example.org"), ("LETHE_OIDC_CLIENT_ID", "lethe")];

    #[test]
    fn a_provider_has_both_names_and_tls() {
        let [issuer, client_id] = PROVIDER;
        assert!(of("", &[]).expect("right").provider("http://localhost").expect("right").is_none());
        assert!(of("", &PROVIDER).expect("right").provider("http://localhost").expect("right").is_some());
        assert!(matches!(of("", &[issuer]), Err(ConfigError::HalfAProvider)));
        assert!(matches!(of("", &[client_id]), Err(ConfigError::HalfAProvider)));
        for (issuer, is_right) in [
            ("https://login.example.org/realms/staff", true),
            ("http://localhost:8080", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://login.example.org", false),
            ("http://localhost.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("ftp://localhost", false),
            ("login.example.org", false),
            ("", false),
        ] {
            let read = of("", &[("LETHE_OIDC_ISSUER", issuer), client_id]);
            let is_taken = match read {
                Ok(_) => true,
                Err(ConfigError::NotAnIssuer) => false,
                Err(other) => panic!("{issuer}: {other}"),
            };
            assert_eq!(is_taken, is_right, "{issuer}");
        }
    }

    #[test]
    fn a_secret_is_the_text_of_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        let with_file = || {
            let file = file.to_str().expect("a path");
            of("", &[&PROVIDER[..], &[("LETHE_OIDC_SECRET_FILE", file)]].concat()).expect("right")
        };
        let read = || with_file().provider("https://lethe.example.org/").map(|provider| provider.is_some());
        assert!(matches!(read(), Err(ConfigError::NoSecret)), "no file");
        for (text, secret) in
            [("", None), (" \r\n", None), ("s3cret\n", Some("s3cret")), ("a b", Some("a b"))]
        {
            std::fs::write(&file, text).expect("written");
            assert_eq!(secret_in(&file).ok().as_deref(), secret, "{text:?}");
            assert_eq!(read().is_ok(), secret.is_some(), "{text:?}");
        }
        std::fs::write(&file, [0xff, 0xfe]).expect("written");
        assert!(matches!(read(), Err(ConfigError::NoSecret)), "no text");
    }
}
