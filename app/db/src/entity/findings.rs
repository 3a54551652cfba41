//! A finding: a place where a value of an anonymised user was found.

use policy::residue::{FindingDecision, ValueKind};
use sea_orm::entity::prelude::*;

/// A finding: a place where a value of an anonymised user was found. The register of personal data
/// (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "findings")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub run_id: Option<i64>,
    pub user_number: i64,
    pub table_name: String,
    pub column_name: String,
    pub row_key: String,
    pub what: ValueKind,
    pub found_at: DateTimeUtc,
    pub decision: Option<FindingDecision>,
    pub decided_at: Option<DateTimeUtc>,
    pub decided_by: Option<i64>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
