//! A request for approval by a second person, with its decision.

use policy::approval::{ApprovalDecision, ApprovalKind};
use policy::import_limits::ImportLimit;
use sea_orm::entity::prelude::*;

/// A request for approval by a second person, with its decision. The register of personal data
/// (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "approvals")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub kind: ApprovalKind,
    pub preview_id: Option<i64>,
    pub legal_hold_id: Option<i64>,
    pub user_number: Option<i64>,
    pub fingerprint: String,
    pub asked_by: Option<i64>,
    pub asked_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub decided_by: Option<i64>,
    pub decision: Option<ApprovalDecision>,
    pub decided_at: Option<DateTimeUtc>,
    pub used_at: Option<DateTimeUtc>,
    pub users: Option<i64>,
    pub counted_by: Option<ImportLimit>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
