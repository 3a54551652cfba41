//! Users and the data that belongs to a single user.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, blob, boolean, date, date_null, integer, integer_null, text,
    text_null, timestamp_with_time_zone,
};

const TABLES: [&str; 9] = [
    "terms",
    "users",
    "user_words",
    "photos",
    "user_roles",
    "custom_fields",
    "custom_values",
    "credentials",
    "sessions",
];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let terms = vec![text("kind"), text("code"), text("name")];
        step::create(manager, "terms", terms, &["kind", "code"], &[]).await?;
        users(manager).await?;
        parts_of_users(manager).await?;
        step::indexes(
            manager,
            &[
                "UNIQUE INDEX users_uuid ON users (uuid)",
                "UNIQUE INDEX users_user_id ON users (user_id)",
                "UNIQUE INDEX users_barcode ON users (barcode)",
                "UNIQUE INDEX users_external_id ON users (external_id)",
                "UNIQUE INDEX users_replacement ON users (replacement)",
                "INDEX users_last_name ON users (last_name, number)",
                "INDEX users_leaving ON users (leaving_on, number)",
                "INDEX users_activity ON users (last_activity_on, number)",
                "INDEX users_category ON users (category, number)",
                "INDEX users_department ON users (department, number)",
                "INDEX users_branch ON users (branch, number)",
                "INDEX users_marked ON users (number) WHERE marked_on IS NOT NULL",
                "INDEX users_anonymised ON users (number) WHERE anonymised_on IS NOT NULL",
                "INDEX users_guarantor ON users (guarantor_number) WHERE guarantor_number IS NOT NULL",
                "INDEX user_words_user ON user_words (user_number)",
                "INDEX credentials_user ON credentials (user_number)",
                "INDEX sessions_user ON sessions (user_number)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &TABLES).await
    }
}

async fn users(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut columns = vec![big_pk_auto("number"), text("uuid")];
    columns.extend(
        [
            "user_id",
            "title",
            "first_name",
            "middle_name",
            "last_name",
            "preferred_name",
            "email",
            "phone",
            "mobile",
            "street",
            "postcode",
            "city",
            "country",
            "birth_period",
            "gender",
            "language",
            "barcode",
            "external_id",
            "category",
            "department",
            "branch",
            "notes",
            "replacement",
        ]
        .map(text_null),
    );
    columns.extend(
        ["birth_date", "created_on", "leaving_on", "last_activity_on", "marked_on", "anonymised_on"]
            .map(date_null),
    );
    columns
        .extend(["fictitious", "imported", "dates_by_month"].map(|name| boolean(name).default(false).take()));
    columns.extend([
        big_integer_null("guarantor_number"),
        integer_null("rules_version"),
        integer("version").default(1).take(),
    ]);
    step::create(manager, "users", columns, &[], &[("guarantor_number", "users", "number")]).await
}

async fn parts_of_users(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let user = ("user_number", "users", "number");
    let words = vec![text("word"), big_integer("user_number")];
    step::create(manager, "user_words", words, &["word", "user_number"], &[user]).await?;
    step::by_bytes(manager, "user_words", "word").await?;
    let photos = vec![big_integer("user_number"), text("media_type"), blob("bytes")];
    step::create(manager, "photos", photos, &["user_number"], &[user]).await?;
    let roles = vec![big_integer("user_number"), text("role"), date("granted_on")];
    step::create(manager, "user_roles", roles, &["user_number", "role"], &[user]).await?;
    let fields = vec![text("key"), text("label")];
    step::create(manager, "custom_fields", fields, &["key"], &[]).await?;
    let values = vec![big_integer("user_number"), text("field_key"), text("value")];
    let keys = [user, ("field_key", "custom_fields", "key")];
    step::create(manager, "custom_values", values, &["user_number", "field_key"], &keys).await?;
    let credentials = vec![
        big_pk_auto("id"),
        big_integer("user_number"),
        text("kind"),
        text("secret"),
        timestamp_with_time_zone("created_at"),
    ];
    step::create(manager, "credentials", credentials, &[], &[user]).await?;
    let sessions = vec![
        text("id_hash"),
        big_integer("user_number"),
        timestamp_with_time_zone("created_at"),
        timestamp_with_time_zone("last_seen_at"),
    ];
    step::create(manager, "sessions", sessions, &["id_hash"], &[user]).await
}
