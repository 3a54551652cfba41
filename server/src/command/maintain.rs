//! `lethe maintain`: making removed values vanish from the database files.

use super::Output;
use records::maintenance::{self, Maintenance};
use records::{Actor, Store};
use std::process::ExitCode;

/// Make removed values vanish from the database files, as after each run.
#[derive(Debug, clap::Args)]
pub(crate) struct Maintain {
    /// Write the tables of users anew, so that no byte of an old row is left. Others wait meanwhile.
    #[arg(long)]
    full: bool,
}

impl Maintain {
    pub(crate) async fn carry_out(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let done = if self.full {
            maintenance::full(store, Actor::COMMAND_LINE).await?
        } else {
            maintenance::ordinary(store, Actor::COMMAND_LINE).await?
        };
        output.print(&done, |done| {
            let words = match done {
                Maintenance::Done => "The database files are clean as after a run",
                Maintenance::Full => {
                    "The tables of users are written anew: no old row is left in their files"
                }
                Maintenance::Busy => {
                    "Not all was done: others were at work, or read what stood there before. Try again later"
                }
            };
            words.to_owned()
        })?;
        Ok(if done == Maintenance::Busy { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
