//! `lethe suppression`: shows the suppression list and destroys its key.

use super::{Output, with_field_problems};
use clap::Subcommand;
use policy::dates::iso;
use policy::numbers::counted;
use safeguards::suppression::key::KeyStatus;
use safeguards::suppression::list::ListFigures;
use safeguards::suppression::{destroy, key, list};
use serde::Serialize;
use std::process::ExitCode;
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum Suppression {
    /// Show the number of keys, when they leave the list, and the state of the key file. Succeeds only if the list is
    /// usable.
    Show,
    /// Destroy the key of the list, empty the list and make a new key. Imports can then create the users of the old list
    /// again. This cannot be undone.
    Destroy {
        /// The word DESTROY.
        #[arg(long, value_name = "DESTROY")]
        confirm: String,
    },
}

/// The state of the list.
#[derive(Serialize)]
struct State {
    #[serde(flatten)]
    figures: ListFigures,
    months: u32,
    usable: bool,
    key: KeyStatus,
}

impl Suppression {
    /// Executes the command. It works even if the key is lost.
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show => {
                let key = key::status(store).await?;
                let state = State {
                    figures: list::figures(store).await?,
                    months: store.settings.suppression_months,
                    usable: key.is_usable(),
                    key,
                };
                output.print(&state, state_text)?;
                Ok(if state.usable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Self::Destroy { confirm } => {
                let done = destroy::destroy(store, Actor::COMMAND_LINE, &confirm).await;
                output.print(&done.map_err(with_field_problems)?, |done| {
                    format!(
                        "Key destroyed. {} and {} were deleted. The new key has the fingerprint {}. Delete the copies \
                         of the old key file, too",
                        counted(i64::try_from(done.keys).unwrap_or(i64::MAX), "key", "keys"),
                        counted(
                            i64::try_from(done.held_lines).unwrap_or(i64::MAX),
                            "held line",
                            "held lines"
                        ),
                        done.fingerprint
                    )
                })?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn state_text(state: &State) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let mut lines = vec![
        format!("keys\t{}", state.figures.keys),
        format!("months\t{}", state.months),
        format!("first expires\t{}", or_none(state.figures.first_expires_on.map(iso))),
        format!("last expires\t{}", or_none(state.figures.last_expires_on.map(iso))),
        format!("key file\t{}", state.key.file.display()),
        format!("fingerprint\t{}", or_none(state.key.found.clone())),
        format!("fingerprint in the database\t{}", or_none(state.key.expected.clone())),
    ];
    lines.extend(state.key.problem().map(|problem| problem.to_string()));
    lines.join("\n")
}
