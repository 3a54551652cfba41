//! A user of the library.

use policy::{list_user_fields, with_user_fields};
use sea_orm::entity::prelude::*;

/// A user of the library. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, Default, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub number: i64,
    pub uuid: String,
    pub user_id: Option<String>,
    pub title: Option<String>,
    pub first_name: Option<String>,
    pub middle_name: Option<String>,
    pub last_name: Option<String>,
    pub preferred_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub street: Option<String>,
    pub postcode: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub birth_date: Option<Date>,
    pub birth_period: Option<String>,
    pub gender: Option<String>,
    pub language: Option<String>,
    pub barcode: Option<String>,
    pub external_id: Option<String>,
    pub category: Option<String>,
    pub department: Option<String>,
    pub branch: Option<String>,
    pub notes: Option<String>,
    pub fictitious: bool,
    pub imported: bool,
    pub created_on: Option<Date>,
    pub leaving_on: Option<Date>,
    pub last_activity_on: Option<Date>,
    pub marked_on: Option<Date>,
    pub dates_by_month: bool,
    pub guarantor_number: Option<i64>,
    pub replacement: Option<String>,
    pub anonymised_on: Option<Date>,
    pub rules_version: Option<i32>,
    pub version: i32,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Returns a user with empty fields except number and random key.
    pub fn blank(number: i64, uuid: String) -> Self {
        Self { number, uuid, version: 1, ..Self::default() }
    }
}

with_user_fields!(list_user_fields, Model);
