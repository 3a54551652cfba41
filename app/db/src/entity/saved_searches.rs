//! A saved search for users.

use sea_orm::entity::prelude::*;

/// A saved search for users. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "saved_searches")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub owner_number: i64,
    pub name: String,
    pub shared: bool,
    pub search_text: Option<String>,
    /// Text: names and values as in an address.
    pub filters: String,
    pub changed_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
