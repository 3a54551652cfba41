//! An event that a member of staff gets by e-mail.

use policy::notification::Event;
use sea_orm::entity::prelude::*;

/// An event that a member of staff gets by e-mail. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "notification_choices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_number: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub event: Event,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
