//! A loan, with the category and department of its day.

use sea_orm::entity::prelude::*;

/// A loan, with the category and department of its day. The register of personal data (`policy::personal_data`)
/// documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "loans")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: i64,
    pub item_id: Option<i64>,
    pub branch: String,
    pub category: Option<String>,
    pub department: Option<String>,
    pub issued_on: Date,
    pub due_on: Date,
    pub returned_on: Option<Date>,
    pub renewals: i32,
    pub note: Option<String>,
    pub return_note: Option<String>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
