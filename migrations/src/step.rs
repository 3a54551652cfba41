//! Helpers for migrations.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// Creates a table with these columns and foreign keys. Foreign keys never cascade; rows are only deleted
/// explicitly.
pub(crate) async fn create(
    manager: &SchemaManager<'_>,
    name: &'static str,
    columns: Vec<ColumnDef>,
    primary_key: &[&'static str],
    foreign_keys: &[(&'static str, &'static str, &'static str)],
) -> Result<(), DbErr> {
    let mut table = Table::create().table(name).to_owned();
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
    manager.create_table(table).await
}

/// Creates indexes from the SQL after `CREATE`, for partial indexes that the builder doesn't support.
pub(crate) async fn indexes(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(&format!("CREATE {statement}")).await?;
    }
    Ok(())
}

/// Adds columns one by one, since SQLite adds one at a time.
pub(crate) async fn add_columns(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: impl IntoIterator<Item = ColumnDef>,
) -> Result<(), DbErr> {
    for mut column in columns {
        manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await?;
    }
    Ok(())
}

/// Drops a trigger.
pub(crate) async fn drop_trigger(manager: &SchemaManager<'_>, name: &str, table: &str) -> Result<(), DbErr> {
    let on = match manager.get_database_backend() {
        DatabaseBackend::Postgres => format!(" ON {table}"),
        _ => String::new(),
    };
    manager.get_connection().execute_unprepared(&format!("DROP TRIGGER {name}{on}")).await?;
    Ok(())
}

/// Drops an index.
pub(crate) async fn drop_index(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(&format!("DROP INDEX {name}")).await?;
    Ok(())
}

/// Makes PostgreSQL compare a text column by bytes, regardless of the database locale. SQLite does so by default.
///
/// Prefix searches rely on this order.
pub(crate) async fn by_bytes(manager: &SchemaManager<'_>, table: &str, column: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    let sql = format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE TEXT COLLATE \"C\"");
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// Drops tables, last one first.
pub(crate) async fn drop(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables.iter().rev() {
        manager.drop_table(Table::drop().table(*table).to_owned()).await?;
    }
    Ok(())
}
