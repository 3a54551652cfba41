//! The settings of the library: name, currency, address, contact and logo. They are one row, which exists after the
//! first change.

use crate::audit::{self, AuditAction, Subject};
use crate::{Actor, Store};
use base16ct::lower::encode_string;
use db::RecordsError;
use db::entity::library_settings::{self, ActiveModel, Column, Entity};
use imagesize::ImageType;
use policy::Action;
use policy::currency::Currency;
use policy::library::{LibraryForm, LogoProblem, MAX_LOGO_BYTES, MAX_LOGO_PIXELS};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbErr, DerivePartialModel, EntityTrait,
    QuerySelect,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The key of the only row.
const ROW: i16 = 1;
/// The number of bytes of the digest that the address of a logo contains.
const DIGEST_BYTES: usize = 8;

/// The settings of the library, without the logo itself.
#[derive(Clone, Debug, Default, DerivePartialModel, Eq, PartialEq, Serialize)]
#[sea_orm(entity = "Entity")]
pub struct Library {
    /// The name.
    pub name: Option<String>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The postal address.
    pub address: Option<String>,
    /// How users reach the library.
    pub contact: Option<String>,
    /// A digest of the logo, which changes with it. None without a logo.
    pub logo_digest: Option<String>,
}

/// A logo.
#[derive(Clone, Debug)]
pub struct Logo {
    /// The media type.
    pub media_type: &'static str,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// Returns the settings, or the defaults before the first change.
pub async fn read(db: &impl ConnectionTrait) -> Result<Library, DbErr> {
    let row = Entity::find_by_id(ROW).into_partial_model::<Library>().one(db).await?;
    Ok(row.unwrap_or_default())
}

/// Returns the form with the present settings.
pub async fn form(store: &Store, actor: Actor) -> Result<LibraryForm, RecordsError> {
    actor.require_permission_to_see(Action::Administer)?;
    let library = read(&store.db).await?;
    Ok(LibraryForm {
        name: library.name.unwrap_or_default(),
        currency: library.currency.code().to_owned(),
        address: library.address.unwrap_or_default(),
        contact: library.contact.unwrap_or_default(),
    })
}

/// Saves name, currency, address and contact. The audit names the changed fields.
pub async fn save(store: &Store, actor: Actor, form: &LibraryForm) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let draft = form.validate().map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let before = locked(&tx).await?;
    let changed: Vec<&str> = [
        ("name", before.name != draft.name),
        ("currency", before.currency != draft.currency),
        ("address", before.address != draft.address),
        ("contact", before.contact != draft.contact),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect();
    if changed.is_empty() {
        return Err(RecordsError::Refused("Nothing was changed. Enter other settings".to_owned()));
    }
    let row = ActiveModel {
        id: Unchanged(ROW),
        name: Set(draft.name),
        currency: Set(draft.currency),
        address: Set(draft.address),
        contact: Set(draft.contact),
        ..Default::default()
    };
    row.update(&tx).await?;
    record(&tx, store, actor, &changed.join(",")).await?;
    store.commit(tx).await
}

/// Locks the row, which is inserted if it is missing, and returns the settings.
async fn locked(tx: &DatabaseTransaction) -> Result<Library, DbErr> {
    let first = ActiveModel { id: Set(ROW), currency: Set(Currency::default()), ..Default::default() };
    let mut nothing = sea_orm::sea_query::OnConflict::column(Column::Id);
    Entity::insert(first).on_conflict(nothing.do_nothing().to_owned()).exec_without_returning(tx).await?;
    let row = Entity::find_by_id(ROW).lock_exclusive().into_partial_model::<Library>().one(tx).await?;
    Ok(row.unwrap_or_default())
}

async fn record(tx: &DatabaseTransaction, store: &Store, actor: Actor, detail: &str) -> Result<(), DbErr> {
    let action = AuditAction::LibraryChanged;
    audit::record_event(tx, &store.clock, actor, action, Subject::Library, None, detail).await
}

/// Returns the media type of a picture that can be the logo. The content decides, not the name of the file.
pub fn picture(bytes: &[u8]) -> Result<&'static str, LogoProblem> {
    if bytes.is_empty() {
        return Err(LogoProblem::NoFile);
    }
    if bytes.len() > MAX_LOGO_BYTES {
        return Err(LogoProblem::TooLarge);
    }
    let media_type = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => "image/png",
        Ok(ImageType::Jpeg) => "image/jpeg",
        Ok(ImageType::Webp) => "image/webp",
        _ => return Err(LogoProblem::NotAPicture),
    };
    let size = imagesize::blob_size(bytes).map_err(|_| LogoProblem::NotAPicture)?;
    let sides = 1..=MAX_LOGO_PIXELS;
    if sides.contains(&size.width) && sides.contains(&size.height) {
        Ok(media_type)
    } else {
        Err(LogoProblem::TooManyPixels)
    }
}

/// Returns the logo.
pub async fn logo(store: &Store) -> Result<Logo, RecordsError> {
    let none = RecordsError::NotFound("logo");
    let Some(row) = Entity::find_by_id(ROW).one(&store.db).await? else { return Err(none) };
    let library_settings::Model { logo: Some(bytes), .. } = row else { return Err(none) };
    match picture(&bytes) {
        Ok(media_type) => Ok(Logo { media_type, bytes }),
        Err(_) => Err(RecordsError::Corrupt("logo")),
    }
}

/// Sets the logo. The form of the page calls [`picture`] first; any other file is rejected.
pub async fn set_logo(store: &Store, actor: Actor, bytes: Vec<u8>) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let media_type = picture(&bytes).map_err(|problem| RecordsError::Refused(problem.label()))?;
    let digest = encode_string(&Sha256::digest(&bytes)[..DIGEST_BYTES]);
    change_logo(store, actor, Some((media_type.to_owned(), bytes, digest)), "logo").await
}

/// Removes the logo. Rejects if there is none.
pub async fn remove_logo(store: &Store, actor: Actor) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    if read(&store.db).await?.logo_digest.is_none() {
        return Err(RecordsError::NotFound("logo"));
    }
    change_logo(store, actor, None, "logo_removed").await
}

async fn change_logo(
    store: &Store,
    actor: Actor,
    logo: Option<(String, Vec<u8>, String)>,
    detail: &str,
) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    locked(&tx).await?;
    let (media_type, bytes, digest) = match logo {
        Some((media_type, bytes, digest)) => (Some(media_type), Some(bytes), Some(digest)),
        None => (None, None, None),
    };
    let row = ActiveModel {
        id: Unchanged(ROW),
        logo_type: Set(media_type),
        logo: Set(bytes),
        logo_digest: Set(digest),
        ..Default::default()
    };
    row.update(&tx).await?;
    record(&tx, store, actor, detail).await?;
    store.commit(tx).await
}
