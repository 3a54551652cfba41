//! The leaving date that an identity system set.

use sea_orm::entity::prelude::*;

/// The leaving date that an identity system set. The register of personal data (`policy::personal_data`) documents the
/// columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "scim_departures")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_number: i64,
    pub leaving_on: Date,
    pub earlier_on: Option<Date>,
    pub deleted: bool,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
