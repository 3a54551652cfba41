//! A request, with the category and department of its day.

use sea_orm::entity::prelude::*;

/// A request, with the category and department of its day. The register of personal data (`policy::personal_data`)
/// documents the columns.
///
/// `status` is a text of the library; Lethe only sets `cancelled`.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "requests")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: i64,
    pub record_id: Option<i64>,
    pub branch: String,
    pub category: Option<String>,
    pub department: Option<String>,
    pub placed_on: Date,
    pub status: String,
    pub closed_on: Option<Date>,
    pub note: Option<String>,
    pub cancel_reason: Option<String>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
