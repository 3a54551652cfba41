//! Configuration: environment variables `LETHE_*` over `lethe.toml` over defaults. Unknown keys are errors.

use chrono::NaiveDate;
use chrono_tz::Tz;
use policy::Brakes;
use records::{Clock, Settings};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The file that is read where the process starts.
const FILE: &str = "lethe.toml";
const PREFIX: &str = "LETHE_";
/// Keys whose values are whole numbers.
const NUMBERS: [&str; 4] = ["BRAKE_PEOPLE", "BRAKE_PERCENT", "BRAKE_TIMES_MEDIAN", "LEASE_SECONDS"];

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
        "LETHE_ADDR is {0}: as long as there is no sign-in, Lethe listens on a loopback address only \
         (127.0.0.1 or [::1]). Anybody who could reach the address could anonymise everybody"
    )]
    NotLoopback(SocketAddr),
}

/// The configuration of one process. Keys of `lethe.toml`; as environment variables in capitals with `LETHE_`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// `sqlite://…` or `postgres://…`.
    pub(crate) database_url: String,
    /// Where to listen.
    pub(crate) addr: SocketAddr,
    /// The library's IANA time zone.
    pub(crate) time_zone: Tz,
    /// Where the compiled assets are.
    pub(crate) site: PathBuf,
    /// The ledger of everybody who was anonymised; beside an embedded database, else `data/lethe.ledger`.
    ledger: Option<PathBuf>,
    /// The file of the key that signs certificates; beside an embedded database, else `data/lethe.key`.
    key: Option<PathBuf>,
    /// A scheduled run of more people than this waits for a confirmation.
    brake_people: i64,
    /// A scheduled run of more than this many per cent of all users waits for a confirmation.
    brake_percent: i64,
    /// A scheduled run of more than this many times the median of the last runs waits for a confirmation.
    brake_times_median: i64,
    /// How many seconds a run may be silent until another process takes it over.
    lease_seconds: u64,
    /// Whether this is a demonstration.
    demo: bool,
    /// The day that it is, for demonstrations.
    today: Option<NaiveDate>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite://data/lethe.db?mode=rwc".to_owned(),
            addr: SocketAddr::from(([127, 0, 0, 1], 3000)),
            time_zone: Tz::Europe__London,
            site: PathBuf::from("target/site"),
            ledger: None,
            key: None,
            brake_people: Brakes::default().people,
            brake_percent: Brakes::default().percent,
            brake_times_median: Brakes::default().times_median,
            lease_seconds: 20,
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
                ("DEMO", "1") => toml::Value::Boolean(true),
                ("DEMO", "0") => toml::Value::Boolean(false),
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
            ledger: self.ledger.clone().unwrap_or(defaults.ledger),
            key: self.key.clone().unwrap_or(defaults.key),
            brakes: Brakes {
                people: self.brake_people,
                percent: self.brake_percent,
                times_median: self.brake_times_median,
            },
            lease: Duration::from_secs(self.lease_seconds.max(1)),
        }
    }

    /// The clock of the library.
    pub(crate) fn clock(&self) -> Clock {
        self.today.map_or(Clock::new(self.time_zone), |today| Clock::fixed(self.time_zone, today))
    }

    /// The address to listen on; only loopback as long as there is no sign-in.
    pub(crate) fn listen_on(&self) -> Result<SocketAddr, ConfigError> {
        if self.addr.ip().is_loopback() { Ok(self.addr) } else { Err(ConfigError::NotLoopback(self.addr)) }
    }
}

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
        assert!(matches!(of("", &[("LETHE_TODAY", "2018-01-21")]), Err(ConfigError::TodayWithoutDemo)));
        let demo = of("", &[("LETHE_TODAY", "2018-01-21"), ("LETHE_DEMO", "1")]).expect("a demonstration");
        assert_eq!(demo.clock().today().to_string(), "2018-01-21");
    }

    #[test]
    fn it_listens_on_loopback_only() {
        assert!(of("", &[]).is_ok_and(|config| config.listen_on().is_ok()));
        for addr in ["0.0.0.0:3000", "192.0.2.1:80", "[::]:3000"] {
            let refused = of("", &[("LETHE_ADDR", addr)]).expect("a right configuration").listen_on();
            assert!(matches!(refused, Err(ConfigError::NotLoopback(_))), "{addr}");
        }
    }
}
