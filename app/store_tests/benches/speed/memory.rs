//! The memory of a run, each measured in a separate process so that the peak is that of the run.

use crate::child;
use crate::databases::Databases;
use crate::library::{self, Library};
use crate::peak::peak;
use crate::report::{Report, Target};
use crate::sizes::Sizes;
use anyhow::Context as _;
use policy::RunState;
use task_centre::run;
use trail::{Actor, Store};

/// Compares the peak memory of a small run with that of a large one.
pub async fn measure(databases: &Databases, sizes: &Sizes, report: &mut Report) -> anyhow::Result<()> {
    let [small, large] = sizes.memory;
    report.begin(
        databases.name(),
        "Memory of a run",
        &format!("a library of {small} users and one of {large}"),
    );
    let mut peaks = Vec::new();
    for users in sizes.memory {
        databases.make("memory", &Library::light(users)).await?;
        let figures = child::run(databases, "memory").await?;
        databases.delete("memory").await?;
        let peak = figures.first().context("the process measured nothing")?.1;
        report.line(&format!("peak with {users} users"), peak, "MB");
        peaks.push(peak);
    }
    report.target("difference", peaks[1] - peaks[0], "MB", Target::AtMost(50.0));
    Ok(())
}

/// Executes a run in the child process, and returns the peak memory of the process.
pub async fn measured(store: &Store) -> anyhow::Result<Vec<(String, f64)>> {
    let task = library::add_task(store).await?;
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await?;
    let previewed = run::read(store, preview).await?.previewed;
    let id = run::start(store, Actor::COMMAND_LINE, preview, &previewed.to_string()).await?;
    anyhow::ensure!(run::execute(store, id).await? == RunState::Succeeded, "the run failed");
    Ok(vec![("peak".to_owned(), peak()?)])
}
