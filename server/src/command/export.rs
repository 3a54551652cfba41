//! `lethe export`: users and loans as CSV.

use super::{Output, ReaderGone};
use clap::{Args, Subcommand};
use policy::numbers::counted;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use trail::{Actor, Store};
use transfer::{ExportSummary, TransferError, export_loans, export_users};

/// The kinds of exports.
#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// Users.
    Users(Target),
    /// Loans.
    Loans(Target),
}

/// The destination of an export.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The new file (default: standard output). It contains personal data: keep it safe, and delete it after use.
    file: Option<PathBuf>,
}

impl Export {
    /// Writes the export. Prints the number of lines, unless the export goes to standard output.
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<()> {
        let (Self::Users(target) | Self::Loans(target)) = &self;
        let Some(file) = &target.file else {
            return match self.write(store, io::stdout()).await {
                Err(TransferError::Io(error)) => Err(ReaderGone::or(error)),
                written => Ok(_ = written?),
            };
        };
        let summary = self.write(store, BufWriter::new(create(file)?)).await?;
        output.print(&summary, |summary| {
            let lines = i64::try_from(summary.lines).unwrap_or(i64::MAX);
            format!("{} written.", counted(lines, "line", "lines"))
        })
    }

    async fn write(&self, store: &Store, out: impl Write) -> Result<ExportSummary, TransferError> {
        match self {
            Self::Users(_) => export_users(store, Actor::COMMAND_LINE, out).await,
            Self::Loans(_) => export_loans(store, Actor::COMMAND_LINE, out).await,
        }
    }
}

/// Creates a file that only its owner can read. Rejects a file that exists.
pub(super) fn create(file: &Path) -> anyhow::Result<File> {
    use anyhow::Context as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).context("the file cannot be created; it may already exist")
}
