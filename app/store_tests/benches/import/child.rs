//! Imports in a child process, to measure the memory of an import alone.

use crate::Sizes;
use crate::databases::{Databases, open_url};
use crate::files::Files;
use crate::peak::peak;
use anyhow::Context as _;
use policy::import_profile::{FileKind, ImportProfile};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use trail::Actor;
use transfer::{ImportOrder, Watch};

/// The first argument of the child process.
pub const ARGUMENT: &str = "import-as-child-process";

/// A file that is imported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    Users,
    Loans,
}

impl Part {
    pub const ALL: [Self; 2] = [Self::Users, Self::Loans];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Loans => "loans",
        }
    }

    pub const fn lines(self, sizes: Sizes) -> u64 {
        match self {
            Self::Users => sizes.users,
            Self::Loans => sizes.loans,
        }
    }

    const fn kind(self) -> FileKind {
        match self {
            Self::Users => FileKind::Users,
            Self::Loans => FileKind::Loans,
        }
    }
}

/// The figures of an import.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Took {
    pub seconds: f64,
    /// The peak memory, in megabytes.
    pub peak: f64,
}

/// Imports a file in a child process.
pub async fn run(databases: &Databases, name: &str, part: Part, files: &Files) -> anyhow::Result<Took> {
    let [url, folder] = databases.address(name);
    let file = files.path(part).display().to_string();
    let mut command = Command::new(std::env::current_exe()?);
    command.args([ARGUMENT, part.label(), &url, &folder, &file]).stderr(Stdio::inherit());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    anyhow::ensure!(output.status.success(), "the import of {} failed", part.label());
    serde_json::from_slice(&output.stdout).context("the child process printed invalid figures")
}

/// Imports in the child process, and prints the figures as JSON.
pub async fn import_as_child(arguments: &[String]) -> anyhow::Result<()> {
    let [part, url, folder, file] = arguments else {
        anyhow::bail!("expected a part, a URL, a folder and a file")
    };
    let part = Part::ALL.into_iter().find(|one| one.label() == part).context("no such part")?;
    let store = open_url(url, Path::new(folder)).await?;
    let watch = Watch::default();
    let order = ImportOrder::on_command_line(Path::new(file), ImportProfile::own_format(part.kind()), &watch);
    let started = Instant::now();
    let imported = transfer::import(&store, Actor::COMMAND_LINE, &order).await?;
    let seconds = started.elapsed().as_secs_f64();
    let summary = imported.summary;
    anyhow::ensure!(summary.lines == summary.created, "not every line was imported: {summary:?}");
    println!("{}", serde_json::to_string(&Took { seconds, peak: peak()? })?);
    Ok(())
}
