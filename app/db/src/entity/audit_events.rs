//! An audit event: codes and numbers only.

use sea_orm::entity::prelude::*;

/// An audit event: codes and numbers only. The register of personal data (`policy::personal_data`) documents the
/// columns.
///
/// Its codes are texts: evidence stays readable as it is stored, even if a row was tampered with.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: DateTimeUtc,
    pub actor_number: Option<i64>,
    pub channel: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: Option<i64>,
    pub run_id: Option<i64>,
    pub detail: String,
    pub sequence: Option<i64>,
    pub mac: Option<String>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
