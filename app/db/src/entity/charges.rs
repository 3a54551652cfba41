//! A charge, or a credit if the amount is negative.

use sea_orm::entity::prelude::*;

/// A charge, or a credit if the amount is negative. The register of personal data (`policy::personal_data`)
/// documents the columns.
///
/// `kind` is a text of the library. Without `cents`, the amount is not known: such a charge can be unsettled, so it
/// blocks anonymising.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "charges")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: i64,
    pub loan_id: Option<i64>,
    pub kind: String,
    pub cents: Option<i64>,
    pub category: Option<String>,
    pub department: Option<String>,
    pub charged_on: Date,
    pub settled_on: Option<Date>,
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
