//! A budget for entering second-factor codes.

use sea_orm::entity::prelude::*;

/// A budget for entering second-factor codes. The register of personal data (`policy::personal_data`) documents
/// the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "code_budgets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id_hash: String,
    pub user_number: i64,
    pub spent_until: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
