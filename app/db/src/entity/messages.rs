//! A message that was sent to a user.

use sea_orm::entity::prelude::*;

/// A message that was sent to a user. The register of personal data (`policy::personal_data`) documents the
/// columns.
///
/// `kind` and `channel` are texts of the library.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: i64,
    pub kind: String,
    pub channel: String,
    pub sent_at: DateTimeUtc,
    pub recipient: Option<String>,
    pub subject: Option<String>,
    pub body: Option<String>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
