//! `lethe ledger`: the file outside the database that names every anonymised record.

use super::{Output, with_field_problems};
use clap::Subcommand;
use erasure::ledger::{self, Overview, Receipt};
use policy::numbers::{counted, grouped};
use serde_json::json;
use std::process::ExitCode;
use task_centre::replay;
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Show the ledger file, its contents, and past replays.
    Show,
    /// Read the whole ledger and compare it with the database.
    Verify,
    /// After a restore: anonymise again the users in the ledger who were anonymised after the backup was made.
    Replay,
    /// Reset the ledger if the old file is permanently lost. The current file is kept next to the new one.
    Reset {
        /// The word LOST. Restoring an older backup will bring back users who are only in the old ledger.
        #[arg(long, value_name = "LOST")]
        confirm: String,
    },
}

impl Ledger {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show => show(store, output).await,
            Self::Verify => {
                let overview = ledger::overview(store).await?;
                output.print(&overview, |overview| overview.status.label())?;
                Ok(if overview.status.is_level() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Self::Replay => {
                let receipt = replay::replay(store, |_| ()).await?;
                output.print(&receipt, |receipt| match receipt {
                    Some(receipt) => receipt_text(receipt),
                    None => "There is nothing to replay: the ledger and the database are in sync".to_owned(),
                })?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Reset { confirm } => {
                let status =
                    ledger::reset(store, Actor::COMMAND_LINE, &confirm).await.map_err(with_field_problems)?;
                output.print(&status, |_| {
                    "Ledger reset: it now begins at the current state of the database. Keep a copy of it outside the \
                     database backups"
                        .to_owned()
                })?;
                status.refuse_unless_level()?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

async fn show(store: &Store, output: Output) -> anyhow::Result<ExitCode> {
    let overview = ledger::overview(store).await?;
    let receipts = ledger::receipts(store).await?;
    let file = store.settings.ledger.display().to_string();
    let result = json!({ "file": file, "ledger": overview, "replays": receipts });
    output.print(&result, |_| {
        let mut lines = vec![format!("file\t{file}")];
        lines.extend(overview_lines(&overview));
        lines.extend(receipts.iter().map(receipt_text));
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn overview_lines(overview: &Overview) -> Vec<String> {
    let number = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), grouped);
    // The entry that confirms a transaction is written after its commit, so the database never contains it.
    let is_confirmed = overview.status.is_level() && overview.last > overview.mark;
    let note = if is_confirmed { " (later entries only confirm it)" } else { "" };
    vec![
        format!("library\t{}", overview.library.as_deref().unwrap_or("–")),
        format!(
            "users\t{} in {}",
            grouped(overview.people),
            counted(overview.entries, "transaction", "transactions")
        ),
        format!("last entry\t{}", number(overview.last)),
        format!("last entry in the database\t{}{note}", number(overview.mark)),
        overview.status.label(),
    ]
}

/// Returns the receipt of a replay as one line.
fn receipt_text(receipt: &Receipt) -> String {
    format!(
        "Replay {} of {}: {} in entries {} to {}; {} anonymised again, {} already, {} not in this copy of the \
         database; {}",
        receipt.id,
        super::output::instant(receipt.at),
        counted(receipt.people, "user", "users"),
        receipt.from_sequence,
        receipt.to_sequence,
        grouped(receipt.anonymised),
        grouped(receipt.already),
        grouped(receipt.absent),
        if receipt.verified { "verified" } else { "not verified yet" },
    )
}
