//! Indexes of a table that is filled for the first time.

use sea_orm::{ConnectionTrait as _, DatabaseBackend, DatabaseTransaction, DbErr, Statement};

/// Indexes that a transaction has dropped and must create again before its commit.
#[derive(Debug, Default)]
#[must_use]
pub struct DroppedIndexes {
    /// The statements that create the indexes.
    statements: Vec<String>,
}

impl DroppedIndexes {
    /// Drops the indexes of a table on SQLite: a large table is filled faster without them.
    ///
    /// Drops none on PostgreSQL, where all readers would wait until the end of the transaction.
    pub async fn of_table(tx: &DatabaseTransaction, table: &str) -> Result<Self, DbErr> {
        if tx.get_database_backend() == DatabaseBackend::Postgres {
            return Ok(Self::default());
        }
        // Raw SQL: the catalogue of the database. The indexes of constraints have no statement.
        let indexes =
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL";
        let indexes = Statement::from_sql_and_values(DatabaseBackend::Sqlite, indexes, [table.into()]);
        let mut statements = Vec::new();
        for index in tx.query_all_raw(indexes).await? {
            let name: String = index.try_get("", "name")?;
            tx.execute_unprepared(&format!("DROP INDEX {name}")).await?;
            statements.push(index.try_get("", "sql")?);
        }
        Ok(Self { statements })
    }

    /// Returns whether the table has all its indexes.
    pub const fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Creates the indexes again.
    pub async fn create(&mut self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        for statement in self.statements.drain(..) {
            tx.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}
