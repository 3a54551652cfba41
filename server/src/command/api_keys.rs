//! `lethe api-keys`: creates, lists and revokes the keys of identity systems.

use super::{Output, with_field_problems};
use clap::Subcommand;
use identity::api_key::{self, ApiKeyRow};
use policy::api_key::{ApiKeyForm, DEFAULT_DAYS};
use policy::dates::iso;
use policy::numbers::counted;
use policy::{ApiKeyId, ApiScope};
use serde_json::json;
use std::process::ExitCode;
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeys {
    /// Create a key and print it once.
    Create {
        /// The program that uses the key, for example the identity system.
        name: String,
        /// A scope of the key; repeatable.
        #[arg(long, value_parser = scope, required = true)]
        scope: Vec<ApiScope>,
        /// The number of days for which the key is valid.
        #[arg(long, default_value_t = DEFAULT_DAYS)]
        days: i64,
    },
    /// List keys, without the keys themselves.
    List,
    /// Revoke a key. Programs that use it are rejected from the next request on.
    Revoke {
        /// Id of the key, as the list shows it.
        id: i64,
    },
}

fn scope(code: &str) -> Result<ApiScope, String> {
    ApiScope::from_code(&code.replace('-', "_")).ok_or_else(|| {
        let known: Vec<String> = ApiScope::ALL.iter().map(|scope| scope.code().replace('_', "-")).collect();
        format!("unknown scope; the scopes are {}", known.join(", "))
    })
}

impl ApiKeys {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create { name, scope, days } => {
                let form = ApiKeyForm {
                    name,
                    read_users: scope.contains(&ApiScope::ReadUsers),
                    write_users: scope.contains(&ApiScope::WriteUsers),
                    days: days.to_string(),
                };
                let new =
                    api_key::create(store, Actor::COMMAND_LINE, &form).await.map_err(with_field_problems)?;
                let expires_on = iso(new.expires_at.date_naive());
                let printed = json!({ "id": new.id, "key": new.key.as_str(), "expires_at": new.expires_at });
                output.print(&printed, |_| {
                    format!(
                        "API key {} created, valid until {expires_on}. Copy it now; it will not be shown \
                         again:\n{}",
                        new.id,
                        new.key.as_str()
                    )
                })?;
            }
            Self::List => {
                let keys = api_key::list(store, Actor::COMMAND_LINE).await?;
                output.print(&keys, |keys| listed(keys))?;
            }
            Self::Revoke { id } => {
                let revoked = api_key::revoke(store, Actor::COMMAND_LINE, ApiKeyId(id)).await?;
                output.print(&json!({ "id": id, "revoked": revoked }), |_| {
                    if revoked {
                        format!("API key {id} revoked")
                    } else {
                        format!("API key {id} was already revoked; nothing was changed")
                    }
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn listed(keys: &[ApiKeyRow]) -> String {
    let mut lines: Vec<String> = keys
        .iter()
        .map(|key| {
            let used = key.last_used_on.map_or_else(|| "never used".to_owned(), iso);
            let until = iso(key.expires_at.date_naive());
            let (id, name, state) = (key.id, &key.name, key.state.label());
            format!("{id}\t{name}\t{}\t{until}\t{used}\t{state}", key.scopes.join(","))
        })
        .collect();
    lines.push(counted(i64::try_from(keys.len()).unwrap_or(i64::MAX), "API key", "API keys"));
    lines.join("\n")
}
