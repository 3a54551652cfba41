//! An event in the outbox.

use policy::notification::Event;
use sea_orm::entity::prelude::*;

/// An event in the outbox. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "notifications")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub event: Event,
    pub task_id: Option<i64>,
    pub run_id: Option<i64>,
    pub approval_id: Option<i64>,
    pub legal_hold_id: Option<i64>,
    pub at: DateTimeUtc,
    pub once: Option<String>,
    pub spread_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
