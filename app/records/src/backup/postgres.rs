//! Backups of PostgreSQL, by its own `pg_dump` and `pg_restore`.

use super::manifest::Positions;
use crate::dialect;
use crate::error::RecordsError;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};
use std::path::Path;
use std::process::{Command, Stdio};

/// Dumps the database into a file, as it is at the moment of the positions that it gives.
pub(super) async fn dump(db: &DatabaseConnection, url: &str, file: &Path) -> Result<Positions, RecordsError> {
    let tx = dialect::begin_reading(db).await?;
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

/// A program of PostgreSQL for a database. The password goes by the environment: everybody may read a command line.
fn program(name: &'static str, url: &str) -> Result<Command, RecordsError> {
    let mut address = url::Url::parse(url)
        .map_err(|_| RecordsError::Refused("The address of the database cannot be understood".to_owned()))?;
    let mut command = Command::new(name);
    if let Some(password) = address.password() {
        let password = percent_encoding::percent_decode_str(password).decode_utf8_lossy().into_owned();
        command.env("PGPASSWORD", password);
    }
    // It fails for addresses without a host only, which have no password either.
    let _ = address.set_password(None);
    // Settings of Lethe's own way to the database, which these programs do not know.
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
                "{name} cannot be run: {error}. Install the client programs of PostgreSQL (apt-get install \
                 postgresql-client)"
            )));
        }
    };
    if output.status.success() {
        return Ok(());
    }
    // Its first line says what failed; later ones can quote rows.
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it did not say why");
    Err(RecordsError::Refused(format!("{name} failed: {said}")))
}
