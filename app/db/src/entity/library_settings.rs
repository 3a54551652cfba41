//! The settings of the library, in one row.

use policy::currency::Currency;
use sea_orm::entity::prelude::*;

/// The settings of the library. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "library_settings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i16,
    pub name: Option<String>,
    pub currency: Currency,
    pub address: Option<String>,
    pub contact: Option<String>,
    pub logo_digest: Option<String>,
    pub logo: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
