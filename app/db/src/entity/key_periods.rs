//! A period in which a user owned a key.

use policy::suppression::KeyKind;
use sea_orm::entity::prelude::*;

/// A period in which a user owned a key. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "key_periods")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_number: i64,
    pub kind: KeyKind,
    pub key_form: String,
    pub owned_from: Option<Date>,
    pub owned_until: Option<Date>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
