//! A change by staff or an import that counts towards the safety limits.

use policy::{Channel, ManualChange};
use sea_orm::entity::prelude::*;

/// A change by staff or an import that counts towards the safety limits. The register of personal data
/// (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "manual_changes")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: DateTimeUtc,
    pub actor_number: Option<i64>,
    pub channel: Channel,
    pub kind: ManualChange,
    pub user_number: Option<i64>,
    pub fields: i32,
    pub confirmed_by: Option<i64>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
