//! `lethe backup` and `lethe drill`.

use super::{Output, in_words};
use crate::config::Config;
use clap::Args;
use policy::numbers::{counted, grouped};
use records::backup::{self, Drill, manifest_beside};
use records::{Actor, Store};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a backup while others work. It holds personal data, also of users who are anonymised later.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The file, which may not exist yet. A manifest goes beside it.
    file: PathBuf,
}

impl Backup {
    pub(crate) async fn carry_out(
        self,
        config: &Config,
        store: &Store,
        output: Output,
    ) -> anyhow::Result<ExitCode> {
        let made = backup::make(store, Actor::COMMAND_LINE, &config.database_url, &self.file).await;
        output.print(&made.map_err(in_words)?, |manifest| {
            let positions = &manifest.positions;
            format!(
                "{} written, with {} ({} bytes). Ledger entry {}, audit event {}: {}. Ledger, key and anchors are not in \
                 it: keep copies of them elsewhere",
                self.file.display(),
                counted(positions.users, "user", "users"),
                grouped(i64::try_from(manifest.bytes).unwrap_or(i64::MAX)),
                positions.ledger_sequence,
                positions.audit_sequence,
                manifest_beside(&self.file).display(),
            )
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Restore a backup elsewhere, replay the ledger and verify the audit there. Success only when all of it holds.
#[derive(Args, Debug)]
pub(crate) struct RestoreDrill {
    /// The backup.
    file: PathBuf,
    /// For a backup of PostgreSQL: an empty database, to be dropped afterwards.
    #[arg(long, value_name = "URL")]
    into: Option<String>,
}

impl RestoreDrill {
    pub(crate) async fn carry_out(self, config: &Config, output: Output) -> anyhow::Result<ExitCode> {
        let (clock, settings) = (config.clock(), config.settings());
        let into = self.into.as_deref();
        let drill = backup::drill(clock, &settings, Actor::COMMAND_LINE, &self.file, into).await;
        let drill = drill.map_err(in_words)?;
        output.print(&drill, words)?;
        Ok(if drill.is_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn words(drill: &Drill) -> String {
    let manifest = match (&drill.manifest, drill.as_in_manifest) {
        (None, _) => "There is no manifest beside the backup",
        (Some(_), true) => "The backup is as its manifest says",
        (Some(_), false) => "The backup is not as its manifest says: it was changed or cut off",
    };
    let ledger = if drill.ledger_level {
        "The ledger and the restored database say the same"
    } else {
        "The ledger and the restored database do not go together"
    };
    let audit =
        if drill.audit.is_whole() { "The audit is whole" } else { "The audit is not as Lethe left it" };
    let passed = if drill.is_passed() { "The backup is of use" } else { "The backup is of no use as it is" };
    format!(
        "{manifest}\nRestored: {}, {} of them anonymised; {} anonymised again by the ledger\n{ledger}\n{audit}: {}\n\
         {passed} ({:.1} s)",
        counted(drill.restored.users, "user", "users"),
        grouped(drill.restored.anonymised),
        grouped(drill.anonymised_again),
        counted(drill.audit.events, "event", "events"),
        drill.seconds,
    )
}
