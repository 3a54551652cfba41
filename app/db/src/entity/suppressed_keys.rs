//! The keyed digest of an identifier of an anonymised user.

use policy::suppression::KeyKind;
use sea_orm::entity::prelude::*;

/// The keyed digest of an identifier of an anonymised user. The register of personal data
/// (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "suppressed_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub kind: KeyKind,
    pub digest: String,
    pub added_on: Date,
    pub expires_on: Date,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
