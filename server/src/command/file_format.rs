//! The options that describe the file of an import.

use anyhow::{Context as _, bail};
use clap::Args;
use policy::import_options::{EmptyCells, ImportMode, ImportOptions};
use policy::import_profile::{DateFormat, FileKind, ImportProfile};
use std::collections::BTreeMap;
use std::path::PathBuf;
use trail::Store;
use transfer::profile;

/// Describes the file.
#[derive(Debug, Default, Args)]
pub(super) struct FileFormat {
    /// The import profile: lethe, koha, folio, evergreen, or one that staff made (lethe import-profiles list).
    #[arg(long, value_name = "CODE")]
    profile: Option<String>,
    /// An additional table of the export, like card=card.csv. Can be repeated.
    #[arg(long = "table", value_name = "NAME=FILE", value_parser = table)]
    tables: Vec<(String, PathBuf)>,
    /// The format of all dates: iso, `day_month_year`, `month_day_year`, `day_month_year_dots`, `day_month_year_hyphens`,
    /// compact or `excel_serial`.
    #[arg(long, value_name = "FORMAT", value_parser = date_format)]
    date_format: Option<DateFormat>,
}

impl FileFormat {
    /// Returns the profile of a kind of files, with the chosen format of dates.
    pub(super) async fn profile(&self, store: &Store, kind: FileKind) -> anyhow::Result<ImportProfile> {
        let code = self.profile.as_deref().unwrap_or("lethe");
        let all = profile::all(&store.db).await?;
        let of_kind = all.into_iter().filter(|profile| profile.kind == kind);
        let (found, others): (Vec<_>, Vec<_>) = of_kind.partition(|profile| profile.code == code);
        let profile = found.into_iter().next().with_context(|| {
            let codes: Vec<&str> = others.iter().map(|profile| profile.code.as_str()).collect();
            format!("There is no such profile. Choose one of: {}", codes.join(", "))
        })?;
        Ok(match self.date_format {
            Some(dates) => ImportProfile { dates, ..profile },
            None => profile,
        })
    }

    /// Returns the additional tables. Rejects a table that the profile doesn't have.
    pub(super) fn tables(&self, profile: &ImportProfile) -> anyhow::Result<BTreeMap<String, PathBuf>> {
        let known: Vec<&str> = profile.format.tables().iter().map(|(name, _)| *name).collect();
        for (name, _) in &self.tables {
            if !known.contains(&name.as_str()) {
                bail!("The profile has no table {name}. Its tables: {}", known.join(", "));
            }
        }
        Ok(self.tables.iter().cloned().collect())
    }
}

/// The effects of wrong lines and empty cells.
#[derive(Debug, Default, Args)]
pub(super) struct ImportOptionArgs {
    /// Import the other lines if some are wrong. Without this option, a file with a wrong line changes nothing.
    #[arg(long)]
    valid_lines_only: bool,
    /// Treatment of empty cells: keep or clear. By default, an empty cell empties its field only in Lethe's own format.
    #[arg(long, value_name = "CHOICE", value_parser = empty_cells)]
    empty_cells: Option<EmptyCells>,
}

impl ImportOptionArgs {
    /// Returns the options of an import with this profile.
    pub(super) fn import_options(&self, profile: &ImportProfile) -> ImportOptions {
        let mode = if self.valid_lines_only { ImportMode::ValidLinesOnly } else { ImportMode::AllOrNothing };
        let defaults = profile.default_options();
        let empty_cells = self.empty_cells.unwrap_or(defaults.empty_cells);
        ImportOptions { mode, empty_cells, ..defaults }
    }
}

/// Parses a kind of files.
pub(super) fn kind(code: &str) -> Result<FileKind, String> {
    let codes = || FileKind::ALL.map(FileKind::code).join(", ");
    FileKind::from_code(code).ok_or_else(|| format!("choose one of: {}", codes()))
}

fn empty_cells(code: &str) -> Result<EmptyCells, String> {
    EmptyCells::from_code(code)
        .ok_or_else(|| format!("choose one of: {}", EmptyCells::ALL.map(EmptyCells::code).join(", ")))
}

fn table(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("write NAME=FILE, like card=card.csv")?;
    Ok((name.to_owned(), file.into()))
}

fn date_format(text: &str) -> Result<DateFormat, String> {
    let codes = || DateFormat::ALL.map(DateFormat::code).join(", ");
    DateFormat::from_code(&text.replace('-', "_")).ok_or_else(|| format!("choose one of: {}", codes()))
}
