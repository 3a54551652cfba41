//! A legal hold: a reason, with a review date, not to anonymise.

use policy::LegalHoldReason;
use sea_orm::entity::prelude::*;

/// A legal hold: a reason, with a review date, not to anonymise. The register of personal data
/// (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "legal_holds")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: Option<i64>,
    pub category: Option<String>,
    pub reason: LegalHoldReason,
    pub owner_number: Option<i64>,
    pub placed_by: Option<i64>,
    pub placed_on: Date,
    pub review_on: Date,
    pub released_on: Option<Date>,
    pub released_by: Option<i64>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
