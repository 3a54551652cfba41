//! `lethe check`: whether Lethe can do its work here.

use super::Output;
use crate::config::Config;
use crate::startup::{self, Check};
use records::store::Opening;
use records::{RecordsError, Store, ledger};
use std::process::ExitCode;

/// Looks at files, rights, assets and clock, then at the database: its pages, its schema, its key and its ledger.
pub(crate) async fn carry_out(config: &Config, output: Output) -> anyhow::Result<ExitCode> {
    let mut checks = startup::checks(config, true);
    if checks.iter().all(|check| check.problem.is_none()) {
        checks.extend(database(config).await);
    }
    output.print(&checks, |checks| checks.iter().map(words).collect::<Vec<_>>().join("\n"))?;
    let is_ready = checks.iter().all(|check| check.problem.is_none());
    Ok(if is_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn database(config: &Config) -> Vec<Check> {
    // A database that does not exist yet is not made by looking.
    if config.database_file().is_some_and(|file| !file.exists()) {
        return Vec::new();
    }
    let opening = Opening { check_up_to: u64::MAX, ..Opening::default() };
    let opened = Store::open_with(&config.database_url, config.clock(), config.settings(), opening).await;
    let store = match opened {
        Ok(store) => store,
        Err(error) => return vec![Check::of("database", Some(crate::causes::of_records(&error)))],
    };
    let status = async {
        ledger::status(&store).await?.refuse_unless_level()?;
        Ok::<_, RecordsError>(())
    };
    let ledger = status.await.err().map(|error| crate::causes::of_records(&error));
    vec![Check::of("schema_and_key", None), Check::of("ledger_and_database", ledger)]
}

fn words(check: &Check) -> String {
    let path = check.path.as_ref().map_or_else(String::new, |path| format!("\t{}", path.display()));
    match (&check.problem, &check.warning) {
        (Some(problem), _) => format!("problem\t{}{path}\t{problem}", check.what),
        (None, Some(warning)) => format!("warning\t{}{path}\t{warning}", check.what),
        (None, None) => format!("ok\t{}{path}", check.what),
    }
}
