//! The announcement of anonymising to one user.

use policy::announcement::AnnouncementState;
use policy::notification::DeliveryProblem;
use sea_orm::entity::prelude::*;

/// The announcement of anonymising to one user. The register of personal data (`policy::personal_data`) documents the
/// columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "announcements")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: i64,
    pub task_id: i64,
    pub run_id: i64,
    pub due_on: Date,
    pub token_digest: String,
    pub message_id: String,
    pub state: AnnouncementState,
    pub problem: Option<DeliveryProblem>,
    pub sent_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
