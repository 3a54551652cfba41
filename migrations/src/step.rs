//! The description of a new table, from which a migration creates it.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, Expr, ForeignKey, ForeignKeyAction, Index, SchemaManager,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

/// A new table with all that belongs to it.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns in their order.
    pub(crate) columns: Vec<ColumnDef>,
    /// The columns of the primary key, if no column is a generated key.
    pub(crate) primary_key: &'static [&'static str],
    /// Column, referenced table and its column. Foreign keys never cascade; rows are only deleted explicitly.
    pub(crate) foreign_keys: &'static [(&'static str, &'static str, &'static str)],
    /// Name and condition of a check of each row.
    pub(crate) check: Option<(&'static str, &'static str)>,
    /// Text columns that PostgreSQL compares by bytes, regardless of the database locale. SQLite does so by default.
    /// Prefix searches rely on this order.
    pub(crate) compared_by_bytes: &'static [&'static str],
    /// Indexes, as the SQL after `CREATE`. The builder doesn't support partial indexes.
    pub(crate) indexes: &'static [&'static str],
}

impl Table {
    /// Creates the table and its indexes.
    pub(crate) async fn create(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let Self { name, columns, primary_key, foreign_keys, check, compared_by_bytes, indexes } = self;
        let mut table = sea_orm_migration::prelude::Table::create().table(name).to_owned();
        for mut column in columns {
            table.col(&mut column);
        }
        if !primary_key.is_empty() {
            let mut key = Index::create();
            for column in primary_key {
                key.col(*column);
            }
            table.primary_key(&mut key);
        }
        for (column, to_table, to_column) in foreign_keys {
            table.foreign_key(
                ForeignKey::create()
                    .name(format!("fk_{name}_{column}"))
                    .from(name, *column)
                    .to(*to_table, *to_column)
                    .on_delete(ForeignKeyAction::Restrict),
            );
        }
        if let Some((check, condition)) = check {
            table.check((check, Expr::cust(condition)));
        }
        manager.create_table(table).await?;
        let db = manager.get_connection();
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            // sea-query has no collations.
            for column in compared_by_bytes {
                let sql = format!("ALTER TABLE {name} ALTER COLUMN {column} TYPE TEXT COLLATE \"C\"");
                db.execute_unprepared(&sql).await?;
            }
        }
        // Some indexes are partial or on expressions, which sea-query cannot write for both databases.
        for index in indexes {
            db.execute_unprepared(&format!("CREATE {index}")).await?;
        }
        Ok(())
    }
}
