//! The delivery of an event to one recipient.

use policy::notification::{DeliveryProblem, DeliveryState};
use sea_orm::entity::prelude::*;

/// The delivery of an event to one recipient. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "notification_deliveries")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub notification_id: i64,
    pub user_number: Option<i64>,
    pub webhook_id: Option<i64>,
    pub message_id: String,
    pub state: DeliveryState,
    pub problem: Option<DeliveryProblem>,
    pub attempts: i32,
    pub next_at: DateTimeUtc,
    pub holder: Option<String>,
    pub held_until: Option<DateTimeUtc>,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
