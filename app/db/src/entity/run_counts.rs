//! A count of a run: verdicts by reason, outcomes, rows by table.

use sea_orm::entity::prelude::*;

/// A count of a run: verdicts by reason, outcomes, rows by table. The register of personal data
/// (`policy::personal_data`) documents the columns.
///
/// `kind` and `code` are texts because the crates above define the kinds, and the meaning of `code` depends on `kind`.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "run_counts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    pub count: i64,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
