//! A request of a user for a copy of their data.

use policy::access_request::{AccessRequestState, DeclineReason};
use sea_orm::entity::prelude::*;

/// A request of a user for a copy of their data, with the answer. The register of personal data
/// (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "access_requests")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: i64,
    pub state: AccessRequestState,
    pub received_on: Date,
    pub due_on: Date,
    pub recorded_by: Option<i64>,
    pub closed_on: Option<Date>,
    pub closed_by: Option<i64>,
    pub decline_reason: Option<DeclineReason>,
    pub answer: Option<String>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
