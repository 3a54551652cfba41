//! `lethe key`: the key of the installation, and a new one in its place.

use super::{Output, in_words};
use crate::config::Config;
use clap::Subcommand;
use records::key::{self, KeyStanding};
use records::{Actor, Store};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Show the key file, its fingerprint and the one that the database expects. Success only when they are the same.
    Show,
    /// Make a new key, where the old one is lost or known to others. The old file is kept beside it.
    Replace {
        /// The word REPLACE. Older events and certificates fit the old key only; authenticator apps are set up again.
        #[arg(long, value_name = "REPLACE")]
        confirm: String,
    },
}

impl Key {
    /// Works without the right key.
    pub(crate) async fn carry_out(self, config: &Config, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show => {
                let standing = Store::key_standing(&config.database_url, &config.settings()).await?;
                output.print(&standing, shown)?;
                Ok(if standing.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Self::Replace { confirm } => {
                let (clock, settings) = (config.clock(), config.settings());
                let actor = Actor::COMMAND_LINE;
                let replaced = key::replace(&config.database_url, clock, settings, actor, &confirm).await;
                output.print(&replaced.map_err(in_words)?, |replaced| {
                    let kept = replaced.kept.as_ref().map_or_else(String::new, |kept| {
                        format!(
                            ". The old key is kept in {0}: LETHE_KEY={0} lethe audit verify verifies what was written with it",
                            kept.display()
                        )
                    });
                    format!(
                        "A new key (fingerprint {}) is in use. Members of staff with an authenticator app sign in with a \
                         recovery code and set it up again{kept}",
                        replaced.fingerprint
                    )
                })?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn shown(standing: &KeyStanding) -> String {
    let or_none = |fingerprint: &Option<String>| fingerprint.clone().unwrap_or_else(|| "–".to_owned());
    let mut lines = vec![
        format!("file\t{}", standing.file.display()),
        format!("fingerprint\t{}", or_none(&standing.found)),
        format!("fingerprint in the database\t{}", or_none(&standing.expected)),
    ];
    lines.extend(standing.replaced.iter().map(|replaced| format!("replaced\t{replaced}")));
    lines.join("\n")
}
