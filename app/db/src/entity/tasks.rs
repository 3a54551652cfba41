//! A task of the task centre.

use policy::task_form::Visibility;
use policy::{MisfirePolicy, Schedule, TaskSettings, TaskType};
use sea_orm::entity::prelude::*;

/// A task of the task centre. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "tasks")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub description: String,
    pub active: bool,
    pub task_type: TaskType,
    pub visibility: Visibility,
    pub owner_number: Option<i64>,
    pub settings: TaskSettings,
    pub schedule: Schedule,
    pub single_default: bool,
    pub created_at: DateTimeUtc,
    pub changed_at: DateTimeUtc,
    pub version: i32,
    pub deleted_at: Option<DateTimeUtc>,
    pub missed: MisfirePolicy,
    pub next_due_at: Option<DateTimeUtc>,
    pub confirmed_settings: Option<TaskSettings>,
    pub letter: Option<String>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
