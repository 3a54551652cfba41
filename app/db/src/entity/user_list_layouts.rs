//! The layout of the list of users that a member of staff has chosen.

use sea_orm::entity::prelude::*;

/// A layout. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "user_list_layouts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_number: i64,
    /// Text: a list of codes.
    pub columns: String,
    pub page_rows: i32,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
