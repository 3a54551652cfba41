//! A run or a preview.

use policy::maintenance::Maintenance;
use policy::{Channel, ErasureReason, Phase, RunKind, RunState, SafetyLimit, TaskSettings};
use sea_orm::entity::prelude::*;

/// A run or a preview. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "runs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub task_id: Option<i64>,
    pub kind: RunKind,
    pub state: RunState,
    pub today: Date,
    pub settings: TaskSettings,
    pub task_version: Option<i32>,
    pub rules_version: i32,
    pub preview_id: Option<i64>,
    pub actor_number: Option<i64>,
    pub approval_id: Option<i64>,
    pub channel: Channel,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
    pub heartbeat_at: Option<DateTimeUtc>,
    pub users: i64,
    pub previewed: i64,
    pub done: i64,
    pub skipped: i64,
    pub failed: i64,
    pub due_at: Option<DateTimeUtc>,
    pub started_at: Option<DateTimeUtc>,
    pub holder: Option<String>,
    pub progress_at: Option<DateTimeUtc>,
    pub interruptions: i32,
    pub phase: Option<Phase>,
    pub fingerprint: Option<String>,
    pub safety_limit: Option<SafetyLimit>,
    pub maintenance: Option<Maintenance>,
    pub erasure_reason: Option<ErasureReason>,
    pub case_reference: Option<String>,
    pub merged_into: Option<i64>,
    pub listed: Option<i64>,
    pub excluded: i64,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
