//! The measured databases. Each is created once and copied for each measurement, so that all measurements use the
//! same data.

use crate::library::Library;
use anyhow::Context as _;
use chrono::NaiveDate;
use chrono_tz::Tz;
use db::{Clock, Settings};
use sea_orm::{ConnectionTrait, Database, DbErr};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use trail::Store;

/// A database system on which the benchmark creates its databases, and the folder with their files.
pub struct Databases {
    kind: Kind,
    folder: TempDir,
}

enum Kind {
    Sqlite,
    /// The URL of the server, up to the name of the database.
    Postgres(String),
}

impl Databases {
    /// Returns SQLite, and PostgreSQL if `TEST_POSTGRES_URL` is set.
    pub fn all() -> anyhow::Result<Vec<Self>> {
        let mut all = vec![Self { kind: Kind::Sqlite, folder: folder()? }];
        match std::env::var("TEST_POSTGRES_URL") {
            Ok(url) => {
                let (base, _) = url.rsplit_once('/').context("TEST_POSTGRES_URL has no database")?;
                all.push(Self { kind: Kind::Postgres(base.to_owned()), folder: folder()? });
            }
            Err(_) => {
                eprintln!("PostgreSQL is not measured: TEST_POSTGRES_URL is not set (make bench sets it)");
            }
        }
        Ok(all)
    }

    /// Returns the name of the database system.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Sqlite => "SQLite",
            Kind::Postgres(_) => "PostgreSQL",
        }
    }

    /// Opens a database. Creates it if it doesn't exist.
    pub async fn open(&self, name: &str) -> anyhow::Result<Store> {
        if let Kind::Postgres(base) = &self.kind {
            // It fails if the database exists, which is fine.
            let _ = admin(base, &format!("CREATE DATABASE {}", database(name))).await;
        }
        std::fs::create_dir_all(self.files(name))?;
        open_url(&self.url(name), &self.files(name)).await
    }

    /// Returns the URL of a database and the folder of its files, for another process.
    pub fn address(&self, name: &str) -> [String; 2] {
        [self.url(name), self.files(name).display().to_string()]
    }

    /// Returns the URL of a database.
    fn url(&self, name: &str) -> String {
        match &self.kind {
            Kind::Sqlite => format!("sqlite://{}/lethe.db?mode=rwc", self.files(name).display()),
            Kind::Postgres(base) => format!("{base}/{}", database(name)),
        }
    }

    /// Returns the folder of a database, with its ledger and key.
    fn files(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies a database that no process has open.
    pub async fn copy(&self, from: &str, to: &str) -> anyhow::Result<()> {
        std::fs::create_dir_all(self.files(to))?;
        for entry in std::fs::read_dir(self.files(from))? {
            let entry = entry?;
            std::fs::copy(entry.path(), self.files(to).join(entry.file_name()))?;
        }
        if let Kind::Postgres(base) = &self.kind {
            let [from, to] = [from, to].map(database);
            admin(base, &format!("CREATE DATABASE {to} TEMPLATE {from} STRATEGY FILE_COPY")).await?;
            // Pending writes of the copy must not count towards the next measurement.
            admin(base, "CHECKPOINT").await?;
        }
        Ok(())
    }

    /// Creates a library in a new database, and closes it.
    pub async fn make(&self, name: &str, library: &Library) -> anyhow::Result<()> {
        let store = self.open(name).await?;
        library.make(&store).await?;
        Ok(close(store).await?)
    }

    /// Closes and deletes a database.
    pub async fn drop(&self, name: &str, store: Store) -> anyhow::Result<()> {
        close(store).await?;
        self.delete(name).await
    }

    /// Deletes a database with its files.
    pub async fn delete(&self, name: &str) -> anyhow::Result<()> {
        if let Kind::Postgres(base) = &self.kind {
            admin(base, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database(name))).await?;
        }
        Ok(std::fs::remove_dir_all(self.files(name))?)
    }
}

/// Opens the database at this URL with the settings of an installation.
pub async fn open_url(url: &str, folder: &Path) -> anyhow::Result<Store> {
    let today = NaiveDate::from_ymd_opt(2026, 1, 15).context("a date")?;
    Ok(operations::open_store(url, Clock::fixed(Tz::Europe__London, today), Settings::in_folder(folder))
        .await?)
}

async fn close(store: Store) -> Result<(), DbErr> {
    store.db.clone().close().await
}

fn folder() -> anyhow::Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("lethe-bench.").tempdir()?)
}

/// Returns the name of a database on the server, which may contain others.
fn database(name: &str) -> String {
    format!("lethe_bench_{}_{name}", std::process::id())
}

async fn admin(base: &str, sql: &str) -> anyhow::Result<()> {
    let admin = Database::connect(format!("{base}/postgres")).await?;
    admin.execute_unprepared(sql).await?;
    admin.close().await?;
    Ok(())
}
