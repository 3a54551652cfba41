//! The receipt of a replay after a restore.

use sea_orm::entity::prelude::*;

/// The receipt of a replay after a restore. The register of personal data (`policy::personal_data`) documents the
/// columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "replays")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: DateTimeUtc,
    pub today: Date,
    pub from_sequence: i64,
    pub to_sequence: i64,
    pub chain: String,
    pub people: i64,
    pub anonymised: i64,
    pub already: i64,
    pub absent: i64,
    pub verified: bool,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
