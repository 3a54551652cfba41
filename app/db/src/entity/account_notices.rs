//! A notice to the owner of a staff account.

use policy::account::NoticeKind;
use sea_orm::entity::prelude::*;

/// A notice to the owner of a staff account. The register of personal data (`policy::personal_data`) documents the
/// columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "account_notices")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: i64,
    pub kind: NoticeKind,
    pub first_at: DateTimeUtc,
    pub last_at: DateTimeUtc,
    pub times: i64,
    pub read_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
