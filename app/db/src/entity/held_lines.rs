//! A line of an import file that the suppression list holds.

use policy::suppression::{HeldDecision, HeldSource, KeyKind};
use sea_orm::entity::prelude::*;

/// A line of an import file that the suppression list holds. The register of personal data
/// (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "held_lines")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub digest: String,
    pub kind: KeyKind,
    pub source: HeldSource,
    pub import_id: Option<i64>,
    pub line: i64,
    pub line_digest: String,
    pub first_seen_on: Date,
    pub last_seen_on: Date,
    pub times_seen: i64,
    pub decision: Option<HeldDecision>,
    pub decided_by: Option<i64>,
    pub decided_on: Option<Date>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
