//! `lethe import-profiles`: the profiles that describe import files, and their transfer to another installation.

use super::{Output, with_field_problems};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use policy::import_profile::{DateFormat, FileKind, ImportProfile};
use policy::numbers::counted;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use trail::{Actor, Store};
use transfer::{custom_profile, profile};

#[derive(Debug, Subcommand)]
pub(crate) enum ImportProfiles {
    /// List all profiles.
    List,
    /// Show one profile.
    Show(Named),
    /// Print a profile as a file for another installation.
    Export(Named),
    /// Create a profile from a file.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Delete a profile that no task uses. Built-in profiles stay.
    Delete(Named),
}

/// The profile.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The lines of its files: users, loans, requests or charges.
    #[arg(value_parser = super::file_format::kind)]
    kind: FileKind,
    /// The code.
    code: String,
}

impl ImportProfiles {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let actor = Actor::COMMAND_LINE;
        match self {
            Self::List => output.print(&profile::all(&store.db).await?, |all| listed(all))?,
            Self::Show(named) => output.print(&named.find(store).await?, profile_text)?,
            Self::Export(named) => {
                let profile = named.find(store).await?;
                Output { json: true }.print(&profile, |_| String::new())?;
            }
            Self::Import { file } => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("The file {} cannot be read", file.display()))?;
                let read: ImportProfile =
                    serde_json::from_str(&text).context("The file is no import profile")?;
                let id = custom_profile::add(store, actor, read).await.map_err(with_field_problems)?;
                let added = custom_profile::read(store, actor, id).await?.profile;
                let result = json!({ "kind": added.kind, "code": added.code, "result": "created" });
                output.print(&result, |_| {
                    format!("Import profile {} for files of {} created", added.code, added.kind.code())
                })?;
            }
            Self::Delete(Named { kind, code }) => {
                let all = custom_profile::list(store, actor).await?;
                let found = all.iter().find(|one| (one.profile.kind, &one.profile.code) == (kind, &code));
                let found = found.context("There is no such import profile, or it is built in")?;
                custom_profile::delete(store, actor, found.id).await?;
                let result = json!({ "kind": kind, "code": code, "result": "deleted" });
                output.print(&result, |_| {
                    format!("Import profile {code} for files of {} deleted", kind.code())
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Named {
    async fn find(&self, store: &Store) -> anyhow::Result<ImportProfile> {
        let found = profile::find(&store.db, &self.code, self.kind).await?;
        found.context("There is no such import profile")
    }
}

fn listed(profiles: &[ImportProfile]) -> String {
    let line =
        |profile: &ImportProfile| format!("{}\t{}\t{}", profile.kind.code(), profile.code, profile.name);
    let mut lines: Vec<String> = profiles.iter().map(line).collect();
    let count = i64::try_from(profiles.len()).unwrap_or(i64::MAX);
    lines.push(counted(count, "import profile", "import profiles"));
    lines.join("\n")
}

fn profile_text(profile: &ImportProfile) -> String {
    let mut lines = vec![
        format!("Name: {}", profile.name),
        format!("Lines of the file: {}", profile.kind.label()),
        format!("Code: {}", profile.code),
        format!("Date format: {}", profile.dates.label()),
        format!("Amounts: {}", profile.decimals.label()),
        format!("Other columns: {}", profile.other_columns.label()),
    ];
    if !profile.never.is_empty() {
        lines.push(format!("Never: {}", profile.never.join(", ")));
    }
    for column in &profile.columns {
        let target = column.target.as_deref().unwrap_or("ignored");
        let dates = column.dates.map(DateFormat::label).map(|label| format!(", dates as {label}"));
        lines.push(format!("Column {}: {target}{}", column.source, dates.unwrap_or_default()));
    }
    lines.join("\n")
}
