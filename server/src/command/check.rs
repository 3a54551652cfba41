//! `lethe check`: checks whether Lethe can run on this computer.

use super::Output;
use crate::config::Config;
use crate::startup::{self, Check};
use db::RecordsError;
use erasure::ledger;
use operations::OpenOptions;
use std::process::ExitCode;

/// Checks files, permissions, assets and clock; if they are right, the database with its schema, key and ledger.
pub(crate) async fn execute(config: &Config, output: Output) -> anyhow::Result<ExitCode> {
    let mut checks = startup::checks(config, true);
    if checks.iter().all(|check| check.problem.is_none()) {
        checks.extend(database(config).await);
    }
    output.print(&checks, |checks| checks.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    let is_ready = checks.iter().all(|check| check.problem.is_none());
    Ok(if is_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn database(config: &Config) -> Vec<Check> {
    // Opening would create a database that does not exist yet.
    if config.database_file().is_some_and(|file| !file.exists()) {
        return Vec::new();
    }
    let opening = OpenOptions { check_up_to: u64::MAX, ..OpenOptions::default() };
    let opened =
        operations::open_store_with(&config.database_url, config.clock(), config.settings(), opening).await;
    let store = match opened {
        Ok(store) => store,
        Err(error) => return vec![Check::new("database", Some(crate::causes::describe_records(&error)))],
    };
    let status = async {
        ledger::status(&store).await?.refuse_unless_level()?;
        Ok::<_, RecordsError>(())
    };
    let ledger = status.await.err().map(|error| crate::causes::describe_records(&error));
    vec![Check::new("schema_and_key", None), Check::new("ledger_and_database", ledger)]
}

fn line(check: &Check) -> String {
    let path = check.path.as_ref().map_or_else(String::new, |path| format!("\t{}", path.display()));
    match (&check.problem, &check.warning) {
        (Some(problem), _) => format!("problem\t{}{path}\t{problem}", check.what),
        (None, Some(warning)) => format!("warning\t{}{path}\t{warning}", check.what),
        (None, None) => format!("ok\t{}{path}", check.what),
    }
}
