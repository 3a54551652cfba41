//! A session of a signed-in user.

use policy::account::StoredStage;
use sea_orm::entity::prelude::*;

/// A session of a signed-in user. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id_hash: String,
    pub user_number: i64,
    pub created_at: DateTimeUtc,
    pub last_seen_at: DateTimeUtc,
    pub stage: StoredStage,
    pub signed_in_at: DateTimeUtc,
    pub wrong_codes: i64,
    pub confirmed_at: Option<DateTimeUtc>,
    pub browser: Option<String>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
