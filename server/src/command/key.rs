//! `lethe key`: shows and replaces the key of the installation.

use super::{Output, with_field_problems};
use crate::config::Config;
use clap::Subcommand;
use operations::key_replacement;
use std::process::ExitCode;
use trail::Actor;
use trail::key::KeyStatus;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Show the key file, its fingerprint and the fingerprint in the database. Succeeds only if they match.
    Show,
    /// Replace the key if it is lost or known to others. The old file is kept next to it.
    Replace {
        /// The word REPLACE. Older events and certificates can be verified only with the old key; authenticator apps
        /// must be set up again.
        #[arg(long, value_name = "REPLACE")]
        confirm: String,
    },
}

impl Key {
    /// Executes the command. It works even if the key file does not match the database.
    pub(crate) async fn execute(self, config: &Config, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show => {
                let status = operations::key_status(&config.database_url, &config.settings()).await?;
                output.print(&status, status_text)?;
                Ok(if status.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Self::Replace { confirm } => {
                let (clock, settings) = (config.clock(), config.settings());
                let actor = Actor::COMMAND_LINE;
                let replaced =
                    key_replacement::replace(&config.database_url, clock, settings, actor, &confirm).await;
                output.print(&replaced.map_err(with_field_problems)?, |replaced| {
                    let kept = replaced.kept.as_ref().map_or_else(String::new, |kept| {
                        format!(
                            ". The old key is kept in {0}. To verify events written with it: \
                             LETHE_KEY_FILE={0} lethe audit verify",
                            kept.display()
                        )
                    });
                    format!(
                        "Key replaced. The new key has the fingerprint {}. Members of staff with an \
                         authenticator app must sign in with a recovery code and set up the app again{kept}",
                        replaced.fingerprint
                    )
                })?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn status_text(status: &KeyStatus) -> String {
    let or_none = |fingerprint: &Option<String>| fingerprint.clone().unwrap_or_else(|| "–".to_owned());
    let mut lines = vec![
        format!("file\t{}", status.file.display()),
        format!("fingerprint\t{}", or_none(&status.found)),
        format!("fingerprint in the database\t{}", or_none(&status.expected)),
    ];
    lines.extend(status.replaced.iter().map(|replaced| format!("replaced\t{replaced}")));
    lines.join("\n")
}
