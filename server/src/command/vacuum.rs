//! `lethe vacuum`: cleans removed values from the database files.

use super::Output;
use erasure::maintenance::{self, Maintenance};
use std::process::ExitCode;
use trail::{Actor, Store};

/// Clean removed values from the database files, as after each run.
#[derive(Debug, clap::Args)]
pub(crate) struct Vacuum {
    /// Rewrite the user tables, so that no byte of an old row remains. Other changes wait meanwhile.
    #[arg(long)]
    full: bool,
}

impl Vacuum {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let done = if self.full {
            maintenance::full(store, Actor::COMMAND_LINE).await?
        } else {
            maintenance::ordinary(store, Actor::COMMAND_LINE).await?
        };
        output.print(&done, |done| {
            let text = match done {
                Maintenance::Done => "Database files cleaned, as after a run",
                Maintenance::Full => {
                    "Database files cleaned: the user tables were rewritten and contain no old rows"
                }
                Maintenance::Busy => {
                    "The database files are not completely clean: other changes or readers were active. Try \
                     again later"
                }
            };
            text.to_owned()
        })?;
        Ok(if done == Maintenance::Busy { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
