//! `lethe library`: the settings of the library.

use super::{Output, with_field_problems};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use db::RecordsError;
use policy::currency::Currency;
use std::path::PathBuf;
use std::process::ExitCode;
use trail::library::{self, Library, LogoChange};
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum LibraryCommand {
    /// Show the settings.
    Show,
    /// Change settings. Options that are not given stay as they are; an empty text removes a setting.
    Set(Changes),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Changes {
    /// The name.
    #[arg(long)]
    name: Option<String>,
    /// The currency, by its ISO 4217 code such as EUR.
    #[arg(long)]
    currency: Option<String>,
    /// The postal address, in several lines.
    #[arg(long)]
    address: Option<String>,
    /// The contact for users, in several lines.
    #[arg(long)]
    contact: Option<String>,
    /// A PNG, JPEG or WebP file with the logo.
    #[arg(long, value_name = "FILE", conflicts_with = "remove_logo")]
    logo: Option<PathBuf>,
    /// Remove the logo.
    #[arg(long)]
    remove_logo: bool,
}

impl LibraryCommand {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        if let Self::Set(changes) = self {
            change(store, changes).await?;
        }
        output.print(&library::read(&store.db).await.map_err(RecordsError::from)?, shown)?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn change(store: &Store, changes: Changes) -> anyhow::Result<()> {
    let actor = Actor::COMMAND_LINE;
    let Changes { name, currency, address, contact, logo, remove_logo } = changes;
    let logo = match logo {
        Some(file) => {
            let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            LogoChange::Set(bytes)
        }
        None if remove_logo => LogoChange::Remove,
        None => LogoChange::Keep,
    };
    let mut form = library::form(store, actor).await?;
    let mut is_changed = false;
    for (field, value) in [
        (&mut form.name, name),
        (&mut form.currency, currency),
        (&mut form.address, address),
        (&mut form.contact, contact),
    ] {
        if let Some(value) = value {
            *field = value;
            is_changed = true;
        }
    }
    let form = is_changed.then_some(&form);
    library::change(store, actor, form, logo).await.map_err(with_field_problems)
}

fn shown(library: &Library) -> String {
    let text =
        |text: &Option<String>| text.as_deref().map_or("–".to_owned(), |text| text.replace('\n', ", "));
    let logo = if library.logo_digest.is_some() { "yes" } else { "no" };
    format!(
        "Name: {}\nCurrency: {}\nAddress: {}\nContact: {}\nLogo: {logo}",
        text(&library.name),
        currency(library.currency),
        text(&library.address),
        text(&library.contact)
    )
}

fn currency(currency: Currency) -> String {
    format!("{} ({})", currency.code(), currency.name())
}
