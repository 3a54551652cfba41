//! A line of an imported file that was not simply imported.

use policy::import::LineOutcome;
use sea_orm::entity::prelude::*;

/// A line of an imported file that was rejected, held or skipped, or has a note. The register of personal data
/// (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "import_lines")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub line: i64,
    pub outcome: LineOutcome,
    pub column_name: Option<String>,
    pub message: String,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
