//! Backups of PostgreSQL, made by `pg_dump` and `pg_restore`.

use super::manifest::Positions;
use db::{RecordsError, dialect};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};
use std::path::Path;
use std::process::{Command, Stdio};

/// Dumps the database to a file. Returns its positions in the same snapshot.
pub(super) async fn dump(db: &DatabaseConnection, url: &str, file: &Path) -> Result<Positions, RecordsError> {
    let tx = dialect::begin_reading(db).await?;
    // Raw SQL: a function of PostgreSQL.
    let sql = Statement::from_string(DatabaseBackend::Postgres, "SELECT pg_export_snapshot() AS snapshot");
    let row = tx.query_one_raw(sql).await?.ok_or(RecordsError::Corrupt("snapshot"))?;
    let snapshot: String = row.try_get("", "snapshot")?;
    let positions = Positions::read(&tx).await?;
    let mut command = program("pg_dump", url)?;
    command.arg("--format=custom").arg("--snapshot").arg(snapshot).arg("--file").arg(file);
    run(command).await?;
    tx.rollback().await?;
    Ok(positions)
}

/// Restores a dump into an empty database.
pub(super) async fn restore(file: &Path, into: &str) -> Result<(), RecordsError> {
    let mut command = program("pg_restore", into)?;
    command.args(["--no-owner", "--no-privileges", "--exit-on-error"]).arg(file);
    run(command).await
}

/// Returns a command of a PostgreSQL program. The password is passed in the environment, because other users can
/// read command lines.
fn program(name: &'static str, url: &str) -> Result<Command, RecordsError> {
    let mut address = url::Url::parse(url)
        .map_err(|_| RecordsError::Refused("The database URL is not valid".to_owned()))?;
    let mut command = Command::new(name);
    if let Some(password) = address.password() {
        let password = percent_encoding::percent_decode_str(password).decode_utf8_lossy().into_owned();
        command.env("PGPASSWORD", password);
    }
    // Fails only for URLs without a host, which have no password either.
    let _ = address.set_password(None);
    // Drops parameters for Lethe's own connection, which these programs do not know.
    let kept: Vec<(String, String)> = address
        .query_pairs()
        .filter(|(key, _)| ["host", "port", "sslmode", "sslrootcert", "application_name"].contains(&&**key))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    address.set_query(None);
    if !kept.is_empty() {
        address.query_pairs_mut().extend_pairs(kept);
    }
    command.arg("--dbname").arg(address.as_str()).stdin(Stdio::null());
    Ok(command)
}

async fn run(mut command: Command) -> Result<(), RecordsError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = match output.unwrap_or_else(|_| Err(std::io::Error::other("broken off"))) {
        Ok(output) => output,
        Err(error) => {
            return Err(RecordsError::Refused(format!(
                "{name} cannot be run: {error}. Install the PostgreSQL client programs (apt-get install \
                 postgresql-client)"
            )));
        }
    };
    if output.status.success() {
        return Ok(());
    }
    // The first line names the failure. Later ones can quote rows.
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("no reason given");
    Err(RecordsError::Refused(format!("{name} failed: {said}")))
}
