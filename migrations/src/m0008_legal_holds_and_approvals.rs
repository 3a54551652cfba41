//! Legal holds on categories, with an owner and a coded reason; approvals by a second person.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_null, big_pk_auto, date, date_null, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::{DatabaseBackend, TransactionTrait};

/// A legal hold applies to one user or one category.
const ONE_OF_TWO: &str = "(user_number IS NULL) <> (category IS NULL)";

/// Members of staff can't approve their own requests.
const NOT_BY_THEMSELVES: &str = "decision <> 'approved' OR asked_by IS NULL OR decided_by <> asked_by";

/// Maps old reasons to today's codes; unknown ones become “other”.
const REASON: &str = "CASE WHEN reason IN ('dispute', 'debt_collection', 'investigation', 'authority_order', \
                      'restriction') THEN reason WHEN reason = 'damage_claim' THEN 'debt_collection' \
                      WHEN reason = 'court_order' THEN 'authority_order' ELSE 'other' END";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            change(manager).await?;
        } else {
            make_anew(manager).await?;
        }
        approvals(manager).await?;
        step::indexes(
            manager,
            &[
                "INDEX legal_holds_user_in_force ON legal_holds (user_number) \
                 WHERE released_on IS NULL AND user_number IS NOT NULL",
                "INDEX legal_holds_category_in_force ON legal_holds (category) \
                 WHERE released_on IS NULL AND category IS NOT NULL",
                "INDEX legal_holds_user ON legal_holds (user_number)",
                "INDEX legal_holds_review ON legal_holds (review_on) WHERE released_on IS NULL",
                "INDEX approvals_preview ON approvals (preview_id)",
                "INDEX approvals_hold ON approvals (hold_id)",
                "INDEX approvals_open ON approvals (id) WHERE decision IS NULL",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["approvals"]).await
    }
}

async fn change(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = [text_null("category"), big_integer_null("owner_number"), big_integer_null("released_by")];
    step::add_columns(manager, "legal_holds", columns).await?;
    step::drop_index(manager, "legal_holds_in_force").await?;
    for sql in [
        "ALTER TABLE legal_holds ALTER COLUMN user_number DROP NOT NULL",
        &format!("ALTER TABLE legal_holds ADD CONSTRAINT legal_holds_one_of_two CHECK ({ONE_OF_TWO})"),
        "ALTER TABLE legal_holds ADD FOREIGN KEY (owner_number) REFERENCES users (number)",
        "ALTER TABLE legal_holds ADD FOREIGN KEY (released_by) REFERENCES users (number)",
        &format!("UPDATE legal_holds SET reason = {REASON}, owner_number = placed_by"),
    ] {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}

/// Recreates the table, since SQLite can't drop a column's constraint.
async fn make_anew(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        big_pk_auto("id"),
        big_integer_null("user_number"),
        text_null("category"),
        text("reason"),
        big_integer_null("owner_number"),
        big_integer_null("placed_by"),
        date("placed_on"),
        date_null("review_on"),
        date_null("released_on"),
        big_integer_null("released_by"),
    ];
    let keys =
        ["user_number", "owner_number", "placed_by", "released_by"].map(|column| (column, "users", "number"));
    create(manager, "legal_holds_anew", columns, &keys, ONE_OF_TWO).await?;
    let copy = format!(
        "INSERT INTO legal_holds_anew (id, user_number, reason, owner_number, placed_by, placed_on, review_on, \
         released_on) SELECT id, user_number, {REASON}, placed_by, placed_by, placed_on, review_on, released_on \
         FROM legal_holds"
    );
    // All in one connection: another one would still know the old table when the new one takes its name.
    let tx = manager.get_connection().begin().await?;
    for sql in [copy.as_str(), "DROP TABLE legal_holds", "ALTER TABLE legal_holds_anew RENAME TO legal_holds"]
    {
        tx.execute_unprepared(sql).await?;
    }
    #[allow(clippy::disallowed_methods, reason = "there is no audit before there is a library")]
    tx.commit().await
}

async fn approvals(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        big_pk_auto("id"),
        text("kind"),
        big_integer_null("preview_id"),
        big_integer_null("hold_id"),
        text("fingerprint"),
        big_integer_null("asked_by"),
        timestamp_with_time_zone("asked_at"),
        timestamp_with_time_zone("expires_at"),
        big_integer_null("decided_by"),
        text_null("decision"),
        timestamp_with_time_zone_null("decided_at"),
        timestamp_with_time_zone_null("used_at"),
    ];
    let keys = [
        ("preview_id", "runs", "id"),
        ("hold_id", "legal_holds", "id"),
        ("asked_by", "users", "number"),
        ("decided_by", "users", "number"),
    ];
    create(manager, "approvals", columns, &keys, NOT_BY_THEMSELVES).await
}

/// Creates a table with a check constraint.
async fn create(
    manager: &SchemaManager<'_>,
    name: &'static str,
    columns: Vec<ColumnDef>,
    keys: &[(&'static str, &'static str, &'static str)],
    condition: &'static str,
) -> Result<(), DbErr> {
    let mut table = Table::create().table(name).check(Expr::cust(condition)).to_owned();
    for mut column in columns {
        table.col(&mut column);
    }
    for (column, to_table, to_column) in keys {
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
