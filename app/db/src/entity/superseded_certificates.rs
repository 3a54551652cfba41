//! An earlier version of a signed certificate.

use sea_orm::entity::prelude::*;

/// An earlier version of a signed certificate. The register of personal data (`policy::personal_data`) documents
/// the columns.
///
/// Its content is the text that was signed.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "superseded_certificates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    pub made_at: DateTimeUtc,
    pub content: String,
    pub signature: String,
    pub public_key: String,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
