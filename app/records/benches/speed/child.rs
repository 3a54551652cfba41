//! This program again, as another process whose memory is that of one thing alone.

use crate::place::{Place, open_url};
use crate::{memory, preview};
use anyhow::Context as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The first argument of such a process.
pub const ARGUMENT: &str = "measure-in-a-process-of-its-own";

/// Measures `what` on the database of this name; gives its figures.
pub async fn run(place: &Place, what: &str) -> anyhow::Result<Vec<(String, f64)>> {
    let [url, folder] = place.address(what);
    let mut command = Command::new(std::env::current_exe()?);
    command.args([ARGUMENT, what, &url, &folder]).stderr(Stdio::inherit());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    anyhow::ensure!(output.status.success(), "the process that measures “{what}” failed");
    serde_json::from_slice(&output.stdout).context("the process that measures answered nonsense")
}

/// In the other process: measures and prints the figures as JSON.
pub async fn carry_out(arguments: &[String]) -> anyhow::Result<()> {
    let [what, url, folder] = arguments else { anyhow::bail!("what, URL and folder") };
    let store = open_url(url, Path::new(folder)).await?;
    let figures = match what.as_str() {
        "memory" => memory::measured(&store).await?,
        "preview" => preview::measured(&store).await?,
        _ => anyhow::bail!("nothing is measured by this name"),
    };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}
