//! `lethe backup` and `lethe drill`.

use super::{Output, with_field_problems};
use crate::config::Config;
use clap::Args;
use operations::backup::{self, Drill, manifest_beside};
use policy::numbers::{counted, grouped};
use std::path::PathBuf;
use std::process::ExitCode;
use trail::{Actor, Store};

/// Create a backup while Lethe is in use. It contains personal data, including that of users anonymised later.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The new file. A manifest is written next to it.
    file: PathBuf,
}

impl Backup {
    pub(crate) async fn execute(
        self,
        config: &Config,
        store: &Store,
        output: Output,
    ) -> anyhow::Result<ExitCode> {
        let made = backup::make(store, Actor::COMMAND_LINE, &config.database_url, &self.file).await;
        output.print(&made.map_err(with_field_problems)?, |manifest| {
            let positions = &manifest.positions;
            format!(
                "Backup created: {}, with {} ({} bytes). Ledger entry {}, audit event {}: {}. It does not \
                 contain ledger, key and anchors: keep copies of them elsewhere",
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

/// Restore a backup elsewhere, replay the ledger and verify the audit there. Succeeds only if all checks pass.
#[derive(Args, Debug)]
pub(crate) struct RestoreDrill {
    /// The backup.
    file: PathBuf,
    /// For a PostgreSQL backup: an empty database, to be dropped afterwards.
    #[arg(long, value_name = "URL")]
    into: Option<String>,
}

impl RestoreDrill {
    pub(crate) async fn execute(self, config: &Config, output: Output) -> anyhow::Result<ExitCode> {
        let (clock, settings) = (config.clock(), config.settings());
        let into = self.into.as_deref();
        let drill = backup::drill(clock, &settings, Actor::COMMAND_LINE, &self.file, into).await;
        let drill = drill.map_err(with_field_problems)?;
        record(config, &drill).await;
        output.print(&drill, drill_text)?;
        Ok(if drill.is_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Records the result in the audit of the library, if this computer has its database.
async fn record(config: &Config, drill: &Drill) {
    // Opening a file that does not exist would create an empty library.
    if config.database_file().is_some_and(|file| !file.exists()) {
        return;
    }
    let store = operations::open_store(&config.database_url, config.clock(), config.settings()).await;
    let recorded = match store {
        Ok(store) => backup::record(&store, Actor::COMMAND_LINE, drill).await,
        Err(error) => Err(error),
    };
    if let Err(error) = recorded {
        eprintln!("The result was not recorded in the audit of the library: {error}");
    }
}

fn drill_text(drill: &Drill) -> String {
    let manifest = match (&drill.manifest, drill.as_in_manifest) {
        (None, _) => "There is no manifest next to the backup",
        (Some(_), true) => "The backup matches its manifest",
        (Some(_), false) => "The backup does not match its manifest: it was changed or is incomplete",
    };
    let ledger = if drill.ledger_level {
        "The ledger and the restored database are in sync"
    } else {
        "The ledger and the restored database do not match"
    };
    let audit = if drill.audit.is_whole() { "The audit is intact" } else { "The audit was altered" };
    let passed = if drill.is_passed() { "The backup is usable" } else { "The backup is not usable" };
    format!(
        "{manifest}\nRestored: {}, {} of them anonymised; {} anonymised again from the \
         ledger\n{ledger}\n{audit}: {}\n{passed} ({:.1} s)",
        counted(drill.restored.users, "user", "users"),
        grouped(drill.restored.anonymised),
        grouped(drill.anonymised_again),
        counted(drill.audit.events, "event", "events"),
        drill.seconds,
    )
}
