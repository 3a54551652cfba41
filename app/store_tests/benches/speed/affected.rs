//! The numbers of affected users that the task form shows, for libraries of three sizes. The first answer reads the
//! users; the following ones are those for a member of staff who edits a task.

use crate::child;
use crate::databases::Databases;
use crate::library::Library;
use crate::report::{Report, Target, milliseconds};
use crate::sizes::Sizes;
use anyhow::Context as _;
use policy::task_form::TaskForm;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use task_centre::affected;
use trail::{Actor, Store};

const FIRST: &str = "engine: the first answer, which reads the users";
const P50: &str = "engine: an answer while editing, p50";
const P95: &str = "engine: an answer while editing, p95";

/// Number of changes of the form.
const CHANGES: usize = 60;
/// The time between two changes. The users are read again in the meantime.
const BETWEEN_CHANGES: Duration = Duration::from_millis(250);

/// Creates each library and measures in a child process.
pub async fn measure(databases: &Databases, sizes: &Sizes, report: &mut Report) -> anyhow::Result<()> {
    for users in sizes.affected {
        let library = Library::of_many(users);
        report.begin(databases.name(), "Users affected", &library.label());
        databases.make("affected", &library).await?;
        let figures: BTreeMap<String, f64> = child::run(databases, "affected").await?.into_iter().collect();
        databases.delete("affected").await?;
        let figure = |name: &str| figures.get(name).copied().with_context(|| format!("no figure “{name}”"));
        report.line(FIRST, figure(FIRST)?, "ms");
        report.line(P50, figure(P50)?, "ms");
        report.target(P95, figure(P95)?, "ms", Target::AtMost(300.0));
    }
    Ok(())
}

/// Measures in the child process.
pub async fn measured(store: &Store) -> anyhow::Result<Vec<(String, f64)>> {
    let started = Instant::now();
    count(store, 0).await?;
    let first = started.elapsed();
    let mut took = Vec::new();
    for days in 0..CHANGES {
        tokio::time::sleep(BETWEEN_CHANGES).await;
        let started = Instant::now();
        count(store, days * 30).await?;
        took.push(started.elapsed());
    }
    took.sort();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
    Ok(vec![
        (FIRST.to_owned(), milliseconds(first)),
        (P50.to_owned(), milliseconds(at(50))),
        (P95.to_owned(), milliseconds(at(95))),
    ])
}

async fn count(store: &Store, days: usize) -> anyhow::Result<()> {
    let form = TaskForm {
        by_leaving: true,
        leaving_days: days.to_string(),
        scope: "all".to_owned(),
        ..TaskForm::new_task()
    };
    let texts = affected::count(store, Actor::COMMAND_LINE, &form).await?.context("the rule is complete")?;
    anyhow::ensure!(texts.days.len() == 3, "three days are counted");
    Ok(())
}
