//! Bulk events are inserted with their positions. The trigger now rejects an event with only one of position and
//! code, instead of one with any.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let condition = "(NEW.sequence IS NULL) <> (NEW.mac IS NULL)";
        replace(manager, "audit_events_inserted", "audit_events_added", condition).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let condition = "NEW.sequence IS NOT NULL OR NEW.mac IS NOT NULL";
        replace(manager, "audit_events_added", "audit_events_inserted", condition).await
    }
}

/// Creates the trigger under a new name, because other SQLite connections still know the old one.
async fn replace(manager: &SchemaManager<'_>, old: &str, new: &str, condition: &str) -> Result<(), DbErr> {
    let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
    step::drop_trigger(manager, old, "audit_events").await?;
    let (again, does) = if postgres {
        ("", "EXECUTE FUNCTION audit_refuse()")
    } else {
        // In SQLite, inserting an existing key deletes the old row without firing the delete trigger.
        (
            " OR EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id)",
            "BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END",
        )
    };
    let sql = format!(
        "CREATE TRIGGER {new} BEFORE INSERT ON audit_events FOR EACH ROW WHEN ({condition}{again}) {does}"
    );
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}
