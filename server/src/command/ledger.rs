//! `lethe ledger`: the file outside the database that names everybody who was anonymised.

use super::{Output, in_words};
use clap::Subcommand;
use policy::numbers::{counted, grouped};
use records::ledger::{self, Overview, Receipt};
use records::{Actor, Store};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Show where the ledger is, what it holds, and what was replayed.
    Show,
    /// Read all of the ledger and compare it with the database.
    Verify,
    /// After a backup was restored: anonymise again everybody whom the ledger names beyond it.
    Replay,
    /// Begin a new ledger, when the old one is lost for good. What stands in the file is kept beside it.
    StartOver {
        /// The word LOST. People whom only the old ledger names come back with an older backup.
        #[arg(long, value_name = "LOST")]
        confirm: String,
    },
}

impl Ledger {
    pub(crate) async fn carry_out(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show => show(store, output).await,
            Self::Verify => {
                let overview = ledger::overview(store).await?;
                output.print(&overview, |overview| overview.standing.words())?;
                Ok(if overview.standing.is_level() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Self::Replay => {
                let receipt = ledger::replay(store, |_| ()).await?;
                output.print(&receipt, |receipt| match receipt {
                    Some(receipt) => receipt_words(receipt),
                    None => "There is nothing to replay: the ledger and the database say the same".to_owned(),
                })?;
                Ok(ExitCode::SUCCESS)
            }
            Self::StartOver { confirm } => {
                let standing =
                    ledger::start_over(store, Actor::COMMAND_LINE, &confirm).await.map_err(in_words)?;
                output.print(&standing, |_| {
                    "A new ledger begins where the database stands. Copy it outside the backups of the database"
                        .to_owned()
                })?;
                standing.refuse_unless_level()?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

async fn show(store: &Store, output: Output) -> anyhow::Result<ExitCode> {
    let overview = ledger::overview(store).await?;
    let receipts = ledger::receipts(store).await?;
    let file = store.settings().ledger.display().to_string();
    let result = json!({ "file": file, "ledger": overview, "replays": receipts });
    output.print(&result, |_| {
        let mut lines = vec![format!("file\t{file}")];
        lines.extend(overview_words(&overview));
        lines.extend(receipts.iter().map(receipt_words));
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn overview_words(overview: &Overview) -> Vec<String> {
    let number = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), grouped);
    vec![
        format!("library\t{}", overview.library.as_deref().unwrap_or("–")),
        format!(
            "people\t{} in {}",
            grouped(overview.people),
            counted(overview.entries, "transaction", "transactions")
        ),
        format!("last entry\t{}", number(overview.last)),
        format!("last entry that the database holds\t{}", number(overview.mark)),
        overview.standing.words(),
    ]
}

/// A receipt in words.
pub(crate) fn receipt_words(receipt: &Receipt) -> String {
    format!(
        "Replay {} of {}: {} in entries {} to {}; {} anonymised again, {} already, {} not in this copy of the \
         database; {}",
        receipt.id,
        receipt.at.to_rfc3339(),
        counted(receipt.people, "person", "people"),
        receipt.from_sequence,
        receipt.to_sequence,
        grouped(receipt.anonymised),
        grouped(receipt.already),
        grouped(receipt.absent),
        if receipt.verified { "verified" } else { "not verified yet" },
    )
}
