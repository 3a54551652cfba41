//! An import profile that staff made.

use policy::import_profile::{FileKind, ImportProfile};
use sea_orm::entity::prelude::*;

/// An import profile that staff made. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "import_profiles")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub kind: FileKind,
    pub code: String,
    pub name: String,
    pub settings: ImportProfile,
    pub version: i32,
    pub updated_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
