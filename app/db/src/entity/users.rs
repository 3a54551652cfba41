//! A user of the library.

use policy::key_form::normal;
use policy::name_order::Names;
use policy::suppression::KeyKind;
use policy::{list_user_fields, with_user_fields};
use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;
use uuid::Uuid;

/// A user of the library. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, Default, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub number: i64,
    pub uuid: String,
    /// The id of the user for identity systems. `None` once the user is anonymised.
    pub scim_id: Option<String>,
    pub user_id: Option<String>,
    pub title: Option<String>,
    pub first_name: Option<String>,
    pub middle_name: Option<String>,
    pub last_name: Option<String>,
    /// The key of the order by name. [`Model::derive`] sets it.
    pub name_order: Option<String>,
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
    /// The normal form of the `UserID`, as of the other keys. [`Model::derive`] sets it.
    pub user_id_key: Option<String>,
    pub barcode_key: Option<String>,
    pub external_id_key: Option<String>,
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
    pub announced_on: Option<Date>,
    pub kept_on: Option<Date>,
    pub dates_by_month: bool,
    pub guarantor_number: Option<i64>,
    pub replacement: Option<String>,
    pub anonymised_on: Option<Date>,
    pub rules_version: Option<i32>,
    pub version: i32,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

#[async_trait::async_trait]
impl ActiveModelBehavior for ActiveModel {
    /// Keeps the normal forms of the keys equal to the keys, and the order of the name equal to the name. Gives a new
    /// user an id for identity systems.
    ///
    /// Statements for many rows don't call it: they use [`Model::derive`] and [`Model::blank`].
    async fn before_save<C: ConnectionTrait>(mut self, db: &C, insert: bool) -> Result<Self, DbErr> {
        for (key, form) in [
            (&self.user_id, &mut self.user_id_key),
            (&self.barcode, &mut self.barcode_key),
            (&self.external_id, &mut self.external_id_key),
        ] {
            if let ActiveValue::Set(key) = key {
                *form = ActiveValue::Set(key.as_deref().map(normal));
            }
        }
        self.set_name_order(db, insert).await?;
        if insert && self.scim_id.is_not_set() {
            self.scim_id = ActiveValue::Set(Some(Uuid::new_v4().to_string()));
        }
        Ok(self)
    }
}

impl ActiveModel {
    /// Sets the key of the order by name if a name is written.
    async fn set_name_order<C: ConnectionTrait>(&mut self, db: &C, insert: bool) -> Result<(), DbErr> {
        let mut names = [&self.last_name, &self.first_name, &self.middle_name, &self.preferred_name];
        if !names.iter().any(|name| name.is_set()) {
            return Ok(());
        }
        // An update can write some of the names only.
        let stored = match &self.number {
            ActiveValue::Set(number) | ActiveValue::Unchanged(number)
                if !insert && names.iter().any(|name| name.is_not_set()) =>
            {
                Entity::find_by_id(*number).one(db).await?.map(Self::from)
            }
            _ => None,
        };
        if let Some(stored) = &stored {
            let stored = [&stored.last_name, &stored.first_name, &stored.middle_name, &stored.preferred_name];
            for (name, stored) in names.iter_mut().zip(stored).filter(|(name, _)| name.is_not_set()) {
                *name = stored;
            }
        }
        let [last, first, middle, preferred] =
            names.map(|name| name.try_as_ref().and_then(|name| name.as_deref()));
        self.name_order = ActiveValue::Set(Names { last, first, middle, preferred }.key());
        Ok(())
    }
}

impl Model {
    /// Returns a user with empty fields except number, random key and id for identity systems.
    pub fn blank(number: i64, uuid: String) -> Self {
        let scim_id = Some(Uuid::new_v4().to_string());
        Self { number, uuid, scim_id, version: 1, ..Self::default() }
    }

    /// Sets what is derived from keys and names: their normal forms and the order. Call it after every change.
    pub fn derive(&mut self) {
        self.name_order = self.names().key();
        for (key, form) in [
            (&self.user_id, &mut self.user_id_key),
            (&self.barcode, &mut self.barcode_key),
            (&self.external_id, &mut self.external_id_key),
        ] {
            *form = key.as_deref().map(normal);
        }
    }

    /// Returns the names that decide the order.
    pub fn names(&self) -> Names<'_> {
        Names {
            last: self.last_name.as_deref(),
            first: self.first_name.as_deref(),
            middle: self.middle_name.as_deref(),
            preferred: self.preferred_name.as_deref(),
        }
    }

    /// Returns the kind and the normal form of each key that the user has, the strongest first.
    pub fn key_forms(&self) -> impl Iterator<Item = (KeyKind, &str)> {
        [
            (KeyKind::ExternalId, &self.external_id_key),
            (KeyKind::UserId, &self.user_id_key),
            (KeyKind::Barcode, &self.barcode_key),
        ]
        .into_iter()
        .filter_map(|(kind, form)| Some((kind, form.as_deref()?)))
    }
}

/// Returns the column with the normal form of a key. `None` for the e-mail address, which several users can have.
pub const fn key_column(kind: KeyKind) -> Option<Column> {
    match kind {
        KeyKind::ExternalId => Some(Column::ExternalIdKey),
        KeyKind::UserId => Some(Column::UserIdKey),
        KeyKind::Barcode => Some(Column::BarcodeKey),
        KeyKind::Email => None,
    }
}

with_user_fields!(list_user_fields, Model);
