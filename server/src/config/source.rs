//! Reads `lethe.toml` and the environment with the `config` crate, which parses the types, and message its errors.

use super::FILE;
use ::config::{ConfigError, Environment, File, FileFormat};
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use thiserror::Error;

const PREFIX: &str = "LETHE_";
/// Keys whose values are never shown: they can hold a password.
const SECRET: [&str; 1] = ["database_url"];

/// A reason why the sources cannot be read.
#[derive(Debug, Error)]
pub(crate) enum SourceError {
    #[error("Line {line} of {FILE} cannot be read: {message}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        message: String,
    },
    #[error("{named} is not a known setting. Known settings: {known}")]
    Unknown { named: String, known: String },
    #[error("{named}{shown} is not {expected}")]
    Value { named: String, shown: String, expected: String },
    #[error("{PREFIX}{} is not UTF-8 text", .0.to_ascii_uppercase())]
    NotText(String),
    #[error("The configuration cannot be read: {0}")]
    Other(String),
}

/// The source that contains a key.
enum Origin {
    Environment,
    File,
}

impl Origin {
    /// Names a key as this source spells it.
    fn named(&self, key: &str) -> String {
        match self {
            Self::Environment => format!("{PREFIX}{}", key.to_ascii_uppercase()),
            Self::File => format!("{key} in {FILE}"),
        }
    }
}

/// Reads the text of the file; the environment overrides it.
pub(super) fn read<T: DeserializeOwned>(
    file: &str,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<T, SourceError> {
    let table: toml::Table = toml::from_str(file).map_err(|error| syntax(file, &error))?;
    let mut variables = std::collections::HashMap::new();
    for (name, value) in environment {
        let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let key = key.to_ascii_lowercase();
        let value = value.into_string().map_err(|_| SourceError::NotText(key.clone()))?;
        variables.insert(key, value);
    }
    let text_of = |key: &str| {
        let in_file =
            || table.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        variables.get(key).cloned().or_else(in_file)
    };
    let origin_of = |key: &str| if variables.contains_key(key) { Origin::Environment } else { Origin::File };
    ::config::Config::builder()
        .add_source(File::from_str(file, FileFormat::Toml))
        .add_source(Environment::default().source(Some(variables.clone().into_iter().collect())))
        .build()
        .and_then(::config::Config::try_deserialize)
        .map_err(|error| source_error(error, text_of, origin_of))
}

/// Returns a syntax error without the line itself, which can contain a password.
fn syntax(file: &str, error: &toml::de::Error) -> SourceError {
    let start = error.span().map_or(0, |span| span.start);
    let line = file.get(..start).unwrap_or(file).matches('\n').count() + 1;
    SourceError::Syntax { line, message: error.message().to_owned() }
}

fn source_error(
    error: ConfigError,
    text_of: impl Fn(&str) -> Option<String>,
    origin_of: impl Fn(&str) -> Origin,
) -> SourceError {
    let (key, expected) = match error {
        ConfigError::Type { key: Some(key), expected, .. } => (key, expected.to_owned()),
        ConfigError::At { key: Some(key), error, .. } => (key, error.to_string()),
        ConfigError::Message(message) => return unknown(&message, origin_of),
        other => return SourceError::Other(other.to_string()),
    };
    // The error about a nested value names the part, not the key.
    let key = key.split(['.', '[']).next().unwrap_or(&key).to_owned();
    let shown = match text_of(&key) {
        Some(text) if !SECRET.contains(&&*key) => format!(" is “{text}”, which"),
        _ => String::new(),
    };
    let expected = expected_of(&key).map_or(expected, str::to_owned);
    SourceError::Value { named: origin_of(&key).named(&key), shown, expected }
}

/// Returns an unknown key from the message of serde: "unknown field `a`, expected one of `b`, `c`".
fn unknown(message: &str, origin_of: impl Fn(&str) -> Origin) -> SourceError {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(key) if message.starts_with("unknown field") => {
            let known = quoted.collect::<Vec<_>>().join(", ");
            SourceError::Unknown { named: origin_of(key).named(key), known }
        }
        _ => SourceError::Other(message.to_owned()),
    }
}

/// Describes the values of a key if the message of the crate is not clear enough.
fn expected_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "addr" => "an address and port such as 127.0.0.1:3000",
        "time_zone" => "a time zone such as Europe/London",
        "today" => "a date such as 2018-01-21",
        "log" => "text or json",
        "smtp_tls" => "starttls, tls or none",
        "smtp_port" => "a port from 0 to 65535",
        "four_eyes" => "auto, on or off",
        "demo" | "allow_password_only" | "oidc_second_factor" | "webhook_private_addresses" => "1 or 0",
        "idle_minutes" | "lease_seconds" => "a whole number from 1 to 4294967295",
        "max_upload_mb"
        | "vacuum_up_to_mb"
        | "limit_run_users"
        | "limit_run_percent"
        | "limit_run_times_median" => "a whole number from 0 to 4294967295",
        "database_url" => "text",
        _ => return None,
    })
}
