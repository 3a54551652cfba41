//! Runs this program again as a child process, to measure the memory of one part alone.

use crate::databases::{Databases, open_url};
use crate::{affected, memory, preview};
use anyhow::Context as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The first argument of the child process.
pub const ARGUMENT: &str = "measure-as-child-process";

/// Measures a part on its database in a child process. Returns the figures.
pub async fn run(databases: &Databases, what: &str) -> anyhow::Result<Vec<(String, f64)>> {
    let [url, folder] = databases.address(what);
    let mut command = Command::new(std::env::current_exe()?);
    command.args([ARGUMENT, what, &url, &folder]).stderr(Stdio::inherit());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    anyhow::ensure!(output.status.success(), "the child process for “{what}” failed");
    serde_json::from_slice(&output.stdout).context("the child process printed invalid figures")
}

/// Measures in the child process, and prints the figures as JSON.
pub async fn measure_as_child(arguments: &[String]) -> anyhow::Result<()> {
    let [what, url, folder] = arguments else { anyhow::bail!("expected a part, a URL and a folder") };
    let store = open_url(url, Path::new(folder)).await?;
    let figures = match what.as_str() {
        "memory" => memory::measured(&store).await?,
        "affected" => affected::measured(&store).await?,
        "preview" => preview::measured(&store).await?,
        _ => anyhow::bail!("there is no part with this name"),
    };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}
