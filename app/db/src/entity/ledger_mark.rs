//! The last ledger entry that this database contains.

use sea_orm::entity::prelude::*;

/// The last ledger entry that this database contains. The register of personal data (`policy::personal_data`)
/// documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "ledger_mark")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i16,
    pub library: String,
    pub sequence: i64,
    pub chain: String,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
